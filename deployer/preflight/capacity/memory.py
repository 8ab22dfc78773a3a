"""Checks that each host has the memory for its new processes. Pure."""

from collections.abc import Iterator
from dataclasses import dataclass

from deployer.model.hosts import Instance
from deployer.model.names import service_of
from deployer.model.service import Service
from deployer.preflight.capacity import sizes
from deployer.preflight.capacity.sizes import SiteSizes

MIB = 2**20
# What one process of Heat takes where none runs that could be measured. Seen with Heat 27.0.1, shared pages counted
# once: an engine's 65 MiB at first and 100 MiB after its first stacks, an API's 55 MiB.
ASSUMED_SIZE = 100 * MIB


@dataclass(frozen=True)
class ProcessSize:
    """The bytes of memory of one process, and whether they were measured or are assumed."""

    bytes: int
    measured: bool


@dataclass(frozen=True)
class Need:
    """New processes of one service on a host: how many, and the size of each."""

    service: Service
    processes: int
    size: ProcessSize

    @property
    def total(self) -> int:
        return self.processes * self.size.bytes

    def __str__(self) -> str:
        how = "" if self.size.measured else ", assumed"
        return f"{self.processes} of {self.service} ({self.size.bytes // MIB} MiB each{how})"


def problems(site: SiteSizes) -> Iterator[str]:
    """Hosts whose memory is too small by what was measured."""
    for shortage in _shortages(site):
        if shortage.is_measured:
            yield f"{shortage}: free some, or put fewer processes or workers there."


def warnings(site: SiteSizes) -> Iterator[str]:
    """Hosts whose memory may be too small, as some sizes are assumed."""
    for shortage in _shortages(site):
        if not shortage.is_measured:
            yield f"{shortage}."


@dataclass(frozen=True)
class Shortage:
    """A host, its new processes, and the bytes of memory available for them, which are too few."""

    host: str
    needs: tuple[Need, ...]
    available: int

    @property
    def is_measured(self) -> bool:
        """Whether the size of every process was measured."""
        return all(need.size.measured for need in self.needs)

    def __str__(self) -> str:
        total = sum(need.total for need in self.needs) // MIB
        return (
            f"{self.host}: the new processes need about {total} MiB of memory, {', '.join(map(str, self.needs))}, "
            f"but {self.available // MIB} MiB are available"
        )


def _shortages(site: SiteSizes) -> Iterator[Shortage]:
    for name, measured in site.measured.items():
        needs = tuple(_needs(site, name))
        if measured.available is not None and sum(need.total for need in needs) > measured.available:
            yield Shortage(name, needs, measured.available)


def _needs(site: SiteSizes, name: str) -> Iterator[Need]:
    for service in (Service.API, Service.CFN, Service.ENGINE):
        of_kind = (each for each in site.inventory.instances_of(name) if each.service is service)
        more = sum(max(_more(site, each), 0) for each in of_kind)
        if more:
            yield Need(service, more, _size(site, name, service))


def _more(site: SiteSizes, each: Instance) -> int:
    """Processes that an instance should have and does not have now: its workers and their parent."""
    held = site.measured[each.host].units.get(each.unit)
    return sizes.processes(site, each) - (held.processes if held else 0)


def _size(site: SiteSizes, name: str, service: Service) -> ProcessSize:
    """The size of a process of a service, as measured on this host, else on another one, else assumed."""
    for host in (name, *site.measured):
        own = {each.unit for each in site.facts(host).engines} if service is Service.ENGINE else set()
        held = [each for unit, each in site.measured[host].units.items() if unit in own or service_of(unit) == service]
        if held:
            return ProcessSize(sum(each.memory for each in held) // sum(each.processes for each in held), measured=True)
    return ProcessSize(ASSUMED_SIZE, measured=False)
