"""Holds what hosts should have beside what they have: the data from which every step of a plan is decided. Pure."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace

from deployer.model.facts import Observation
from deployer.model.names import service_of
from deployer.model.run import DONE
from deployer.model.service import Service
from deployer.model.state import HostState, Unit
from deployer.model.steps import DEFAULT_ROLLOUT, RolloutOptions, Step


@dataclass(frozen=True)
class HostDiff:
    """One host: what it should have, what it has, and how a difference is to be rolled out.

    `new_servers`: the site's APIs that the proxy, if it is on this host, has no server for so far.
    """

    name: str
    desired: HostState
    observed: Observation
    options: RolloutOptions = DEFAULT_ROLLOUT
    new_servers: tuple[Unit, ...] = ()

    def runs(self, unit: Unit) -> bool:
        """Whether a unit's process runs, with whatever configuration."""
        units = self.observed.state.units
        return unit.name in units and units[unit.name].running

    def stops(self, unit: Unit) -> bool:
        """Whether a unit's process was told to stop, and still ends its work."""
        units = self.observed.state.units
        return unit.name in units and units[unit.name].stopping

    @property
    def is_proven(self) -> bool:
        """Whether the last run on the host has ended well, and so proved each process that it has started."""
        run = self.observed.facts.last_run
        return not run or run["result"] == DONE


@dataclass(frozen=True)
class SiteDiff:
    """Every host of a plan. `observed` has all hosts that were observed, `desired` those that the plan may change."""

    desired: Mapping[str, HostState]
    observed: Mapping[str, Observation]
    options: RolloutOptions = DEFAULT_ROLLOUT
    new_servers: tuple[Unit, ...] = ()

    def host(self, name: str) -> HostDiff:
        """One host of the plan."""
        return HostDiff(name, self.desired[name], self.observed[name], self.options, self.new_servers)

    def hosts(self) -> Iterator[HostDiff]:
        """The hosts that the plan may change."""
        return map(self.host, self.desired)

    def only(self, name: str) -> SiteDiff:
        """The same, with one host to change."""
        return replace(self, desired={name: self.desired[name]})

    def without(self, names: Collection[str]) -> SiteDiff:
        """The same, with other hosts than these to change."""
        return replace(self, desired={name: state for name, state in self.desired.items() if name not in names})

    def steps(self, decide: Callable[[HostDiff], Iterator[Step]]) -> tuple[Step, ...]:
        """What is decided for each host, in the order of the hosts."""
        return tuple(step for host in self.hosts() for step in decide(host))


def units_of(state: HostState, services: Iterable[Service]) -> Iterator[Unit]:
    """The units of some services in a state, by name."""
    kinds = set(services)
    return (unit for name, unit in sorted(state.units.items()) if service_of(name) in kinds)
