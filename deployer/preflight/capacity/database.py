"""Asks on the source host how many connections the database allows and one engine worker may open."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from deployer.heat import script_outputs, scripts, service_units
from deployer.inventory.schema import Inventory
from deployer.model.facts import HostResources
from deployer.model.wire import Request

SCRIPT = "connection_limits"
LOGIN_TIMEOUT = 8  # seconds for the login
QUERY_TIMEOUT = 30.0


@dataclass(frozen=True)
class ConnectionLimits:
    """`allowed` connections (None: the database does not say), `most` at once so far, those open now and Heat's own.

    `pool` is what an engine worker keeps, `overflow` what it may open beside that; `why` there are no numbers.
    """

    allowed: int | None = None
    most: int = 0
    connected: int = 0
    own: int = 0
    pool: int = 5
    overflow: int = 64
    why: str = ""


def question(inventory: Inventory) -> dict[str, dict[str, Request]]:
    """The program that the source host runs while it is measured; `limits` reads its answer."""
    heat = inventory.heat_of(inventory.heat.source)
    text = scripts.text(SCRIPT, conf=f"{heat.config_dir}/heat.conf", seconds=LOGIN_TIMEOUT)
    program = {"argv": [service_units.python_of(heat.prefix), "-"], "stdin": text, "timeout": QUERY_TIMEOUT}
    return {inventory.heat.source: {SCRIPT: program}}


def limits(inventory: Inventory, measured: Mapping[str, HostResources]) -> ConnectionLimits:
    """What the database answered; one that is not MySQL is not asked, and for one that fails `why` holds the reason."""
    source = measured.get(inventory.heat.source)
    if source is None:
        return ConnectionLimits(why="the host does not answer")
    return _limits(source.answers[SCRIPT])


def _limits(answer: Mapping[str, Any]) -> ConnectionLimits:
    if answer["why"]:
        return ConnectionLimits(why=answer["why"])
    try:
        return ConnectionLimits(**script_outputs.read(SCRIPT, answer["printed"]))
    except ValueError as error:
        return ConnectionLimits(why=str(error))
