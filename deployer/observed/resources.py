"""What every host has to spare and what Heat's processes hold there: asked only before a site grows."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from deployer.errors import DeployerError
from deployer.model.facts import Found
from deployer.observed.observe import UNITS
from deployer.remote.fleet import Fleet

LIMIT = 30.0  # seconds


@dataclass(frozen=True)
class Held:
    """How many processes a unit has, and the memory that they hold in all, in bytes."""

    processes: int
    memory: int


@dataclass(frozen=True)
class Measured:
    """`available`: bytes of memory to spare; `most_files`: how many a unit may open. None: not known."""

    available: int | None = None
    most_files: int | None = None
    units: Mapping[str, Held] = field(default_factory=dict)


def look(found: Mapping[str, Found], fleet: Fleet) -> dict[str, Measured]:
    """Measure the hosts that were found; one that does not answer any more is left out: its next step will tell."""
    requests = {name: {"units": [UNITS, *_own(each)]} for name, each in found.items()}
    replies = fleet.ask("measure", "measure", requests, LIMIT)
    return {name: _measured(reply) for name, reply in replies.items() if not isinstance(reply, DeployerError)}


def _own(found: Found) -> list[str]:
    """The units of engines that a host runs by its own means."""
    return [each.unit for each in found.facts.engines if each.unit]


def _measured(reply: Mapping[str, Any]) -> Measured:
    units = {name: Held(each["processes"], each["memory"]) for name, each in reply["units"].items()}
    return Measured(reply["available"], reply["most_files"], units)
