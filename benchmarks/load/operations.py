"""What is done to the site while clients and stacks are at work, in this order: a line each. Pure."""

from collections.abc import Collection
from dataclasses import dataclass

FRONT = "hostA"
PROXY = "heat-scaleout-proxy.service"
SLOW_STACKS = 20


@dataclass(frozen=True)
class Act:
    """A command of the product on the inventory, or a program on `host`; done so often, with pauses between."""

    argv: tuple[str, ...]
    host: str = ""
    times: int = 1
    pause: float = 0.0  # seconds


@dataclass(frozen=True)
class Operation:
    """Acts under one name; with `stacks`, so many slow stacks are in progress when they begin."""

    name: str
    acts: tuple[Act, ...]
    stacks: int = 0


def invoke(*arguments: str) -> Act:
    """One of the product's commands, which asks nobody."""
    return Act((*arguments, "--yes"))


def on(host: str, *argv: str, times: int = 1, pause: float = 0.0) -> Act:
    """A program on a host, as root."""
    return Act(argv, host, times, pause)


def debug(value: str) -> Act:
    """A change of the source's heat.conf that makes every process of ours read it anew."""
    return on(FRONT, "sed", "-i", f"s/^debug = .*/debug = {value}/", "/etc/heat/heat.conf")


OPERATIONS = (
    Operation("takeover (first deploy)", (invoke("deploy"),)),
    Operation("deploy, nothing to change", (invoke("deploy"),)),
    Operation("add-api", (invoke("add-api", "hostB"),)),
    Operation("remove-api", (invoke("remove-api", "hostB"),)),
    Operation("add-cfn", (invoke("add-cfn", "hostC"),)),
    Operation("remove-cfn", (invoke("remove-cfn", "hostC"),)),
    Operation("50 proxy reloads", (on(FRONT, "systemctl", "reload", PROXY, times=50, pause=0.3),)),
    Operation("scale 2 to 6", (invoke("scale", "--engines", "6", "--api", "4", "--cfn", "4"),)),
    Operation("scale 6 to 2", (invoke("scale", "--engines", "2", "--api", "2", "--cfn", "2"),)),
    Operation("drain", (invoke("drain", "hostB"),)),
    Operation("undrain", (invoke("undrain", "hostB"),)),
    Operation("restart", (invoke("restart"),)),
    Operation("heat.conf changed, stacks in progress", (debug("true"), invoke("deploy")), SLOW_STACKS),
    Operation("add-engine", (invoke("add-engine", "hostB"),)),
    Operation("remove-engine, stacks in progress", (invoke("remove-engine", "hostB"),), SLOW_STACKS),
    Operation("restart, stacks in progress", (invoke("restart"),), SLOW_STACKS),
    Operation("heat.conf changed back", (debug("false"), invoke("deploy"))),
    Operation("way back (restore)", (invoke("restore"),)),
)


def possible(commands: Collection[str]) -> tuple[list[Operation], list[str]]:
    """Given the commands that there are, the operations that can be done, and the names of those that cannot."""
    can = [each for each in OPERATIONS if all(act.host or act.argv[0] in commands for act in each.acts)]
    return can, [each.name for each in OPERATIONS if each not in can]
