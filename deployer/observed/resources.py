"""Measures what every host has available and what Heat's processes use there, before a site grows."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from deployer.errors import DeployerError
from deployer.model.facts import Observation
from deployer.model.names import UNIT_PATTERN
from deployer.model.state import NOTHING
from deployer.remote.fleet import Fleet

MEASURE_TIMEOUT = 40.0  # seconds; a program that runs meanwhile has fewer


@dataclass(frozen=True)
class UnitUsage:
    """How many processes a unit has, and the memory that they hold in all, in bytes."""

    processes: int
    memory: int


@dataclass(frozen=True)
class HostResources:
    """`available`: bytes of memory; `most_files`: how many a unit may open. None: not known.

    `answers`: what programs printed that ran meanwhile, and why one failed.
    """

    available: int | None = None
    most_files: int | None = None
    units: Mapping[str, UnitUsage] = field(default_factory=dict)
    answers: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)


def measure(
    observed: Mapping[str, Observation], fleet: Fleet, programs: Mapping[str, Mapping[str, Any]] = NOTHING
) -> dict[str, HostResources]:
    """Measure the hosts that were observed; one that does not answer any more is left out: its next step will fail.

    `programs` maps a host to programs that run there meanwhile; what they answered is among its resources.
    """
    requests = {
        name: {"units": [UNIT_PATTERN, *_own(each)], "programs": programs.get(name, {})}
        for name, each in observed.items()
    }
    replies = fleet.ask("measure", "measure", requests, MEASURE_TIMEOUT)
    return {name: _measured(reply) for name, reply in replies.items() if not isinstance(reply, DeployerError)}


def _own(observed: Observation) -> list[str]:
    """The units of engines that a host runs by its own means."""
    return [each.unit for each in observed.facts.engines if each.unit]


def _measured(reply: Mapping[str, Any]) -> HostResources:
    units = {name: UnitUsage(each["processes"], each["memory"]) for name, each in reply["units"].items()}
    return HostResources(reply["available"], reply["most_files"], units, reply["answers"])
