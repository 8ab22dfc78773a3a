"""What Heat itself says of its engines: the rows of its service table, read by Heat's own Python on the source host."""

import json
from collections.abc import Mapping
from dataclasses import dataclass

from deployer import errors
from deployer.heat import launch, scripts
from deployer.inventory.schema import Inventory
from deployer.remote.fleet import Fleet

LIMIT = 30.0  # seconds


@dataclass(frozen=True)
class Row:
    """One worker process of an engine. `host` is the engine's name, `age` the seconds since it last reported."""

    engine_id: str
    host: str
    hostname: str
    up: bool
    age: float


def rows(inventory: Inventory, fleet: Fleet) -> tuple[Row, ...]:
    """Ask the source host for every engine Heat knows; raise HostFailed when its database does not answer."""
    source = inventory.heat.source
    heat = inventory.heat_of(source)
    script = scripts.text("engine_rows", conf=f"{heat.config_dir}/heat.conf")
    printed = run(fleet, "ask Heat", {source: (launch.python_of(heat.prefix), script)}, LIMIT)[source]
    if isinstance(printed, errors.DeployerError):
        raise printed
    return tuple(Row(each["engine_id"], each["host"], each["hostname"], each["up"], each["age"])
                 for each in json.loads(printed))


def run(
    fleet: Fleet, title: str, programs: Mapping[str, tuple[str, str]], limit: float
) -> dict[str, str | errors.DeployerError]:
    """Run a program on each host, given its interpreter and its text; host -> what it printed, or its error."""
    requests = {host: {"ledger": "", "steps": [{"do": "run", "argv": [python, "-"], "stdin": text, "timeout": limit}]}
                for host, (python, text) in programs.items()}
    return {host: _printed(host, reply) for host, reply in fleet.ask(title, "perform", requests, limit + 10).items()}


def _printed(host: str, reply) -> str | errors.DeployerError:
    if isinstance(reply, errors.DeployerError):
        return reply
    if reply["failed"]:
        return errors.HostFailed(host, reply["failed"]["why"])
    return reply["done"][0]
