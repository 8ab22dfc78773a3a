"""Heat's broker and its database are restarted, while nothing is done and while a deploy is at work."""

from collections.abc import Iterator
from random import Random

from benchmarks.faults import commands, fault_testbed
from benchmarks.faults.commands import Ran, Stepped
from benchmarks.faults.fault_testbed import CANARY, FRONT
from benchmarks.faults.trial import Promises, Trial, within
from benchmarks.load import stacks
from benchmarks.testbed import Testbed

FAULT = "broker or database restarted"
BACK = 90.0  # seconds in which the engines must work again
UNITS = {"the broker": "rabbitmq-server.service", "the database": "mariadb.service"}


def every(bed: Testbed, random: Random, rounds: int) -> Iterator[Trial]:
    """Each of both, idle and while a changed heat.conf is deployed."""
    fault_testbed.reset(bed)
    for _ in range(rounds):
        for name in UNITS:
            yield restarted(bed, name, busy=False)
            yield restarted(bed, name, busy=True)


def restarted(bed: Testbed, name: str, busy: bool) -> Trial:
    """Restart one, see a stack through and the site verified, and converge where a deploy was cut short."""
    promises = Promises()
    ran = _deployed(bed, UNITS[name]) if busy else None
    if ran is None:
        fault_testbed.on(bed, FRONT, "systemctl", "restart", UNITS[name])
    elif promises.keep(ran.code in (0, 5, 7), ran) and ran.code:
        fault_testbed.converge(bed, promises)
    took = within(BACK, lambda: _works(bed))
    promises.keep(took is not None, f"no stack was made within {BACK:.0f} s")
    verified = commands.ran(bed, "verify")
    promises.keep(verified.code == 0, verified)
    return promises.trial(
        FAULT, f"{name}, {'while deploying' if busy else 'idle'}", took or BACK, **({"code": ran.code} if ran else {})
    )


def _deployed(bed: Testbed, unit: str) -> Ran:
    """A deploy during whose first wave the service is restarted."""
    fault_testbed.debug(bed)
    command = Stepped(bed, "deploy", "--yes", "--format", "json")
    for at in command.stops():
        if at.title.startswith(f"change {CANARY}"):
            command.go()
            fault_testbed.on(bed, FRONT, "systemctl", "restart", unit)
    return command.ended()


def _works(bed: Testbed) -> bool:
    """Whether a stack of one quick resource comes to its end, and goes."""
    try:
        small = stacks.Stacks(stacks.opened(bed.lab.directory / "clouds.yaml"), f"faults-{id(object())}")
        small.begin(1, stacks.single(0.1))
        fates = small.awaited(BACK)
        return not small.delete() and fates.good
    except Exception as error:  # whatever openstacksdk says of a service that is not back yet
        print(f"not yet: {type(error).__name__}", flush=True)
        return False
