"""Measures what every host has available and what Heat's processes use there, before a site grows."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from deployer.errors import DeployerError
from deployer.model.facts import HostResources, Observation, UnitUsage
from deployer.model.names import UNIT_PATTERN
from deployer.model.state import NOTHING
from deployer.remote.fleet import Fleet

MEASURE_TIMEOUT = 40.0  # seconds; a program that runs meanwhile has fewer


def measure(
    observed: Mapping[str, Observation], fleet: Fleet, programs: Mapping[str, Mapping[str, Any]] = NOTHING
) -> dict[str, HostResources]:
    """Measure the hosts that were observed; one that does not answer any more is left out: its next step will fail.

    `programs` maps a host to programs that run there meanwhile; what they answered is among its resources. A host of
    which all this was observed already is not asked again.
    """
    requests = {
        name: {"units": [UNIT_PATTERN, *_own(each)], "programs": programs.get(name, {})}
        for name, each in observed.items()
        if each.facts.resources is None or not set(programs.get(name, ())) <= set(each.facts.answers)
    }
    replies = fleet.ask("measure", "measure", requests, MEASURE_TIMEOUT) if requests else {}
    known = {
        name: replace(each.facts.resources, answers=each.facts.answers)
        for name, each in observed.items()
        if each.facts.resources and name not in requests
    }
    return known | {name: read(reply) for name, reply in replies.items() if not isinstance(reply, DeployerError)}


def _own(observed: Observation) -> list[str]:
    """The units of engines that a host runs by its own means."""
    return [each.unit for each in observed.facts.engines if each.unit]


def read(reply: Mapping[str, Any]) -> HostResources:
    """What a host has measured, given its reply."""
    units = {name: UnitUsage(each["processes"], each["memory"]) for name, each in reply["units"].items()}
    return HostResources(reply["available"], reply["most_files"], units, reply["answers"])
