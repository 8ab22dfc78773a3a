"""What the processes do a second, from their counters at two times. Pure."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from deployer.inventory.schema import Inventory
from deployer.observed.observe import SiteObservation
from deployer.status.instances import InstanceStatus

Process = tuple[str, str]  # a host and a unit


@dataclass(frozen=True)
class Counters:
    """What a process has done and used so far; None: nobody counts it.

    `cpu` are seconds by `at`, `requests` those of the proxy to it by `requests_at`: each in seconds of the clock of the
    host that counts, which is never set. `memory`: bytes that it holds now; `pid`: whose counters they are.
    """

    pid: int | None = None
    at: float = 0.0
    cpu: float | None = None
    memory: int | None = None
    requests_at: float = 0.0
    requests: int | None = None


@dataclass(frozen=True)
class Rates:
    """What a process does; field names are part of the contract of `status --watch --format json`.

    None: it has no such thing, or it was not counted twice. 100 % are one CPU.
    """

    requests_per_second: float | None = None
    cpu_percent: float | None = None
    memory_bytes: int | None = None


NO_RATES = Rates()


def counters(
    inventory: Inventory, observation: SiteObservation, lines: Iterable[InstanceStatus]
) -> dict[Process, Counters]:
    """The counters of every process whose host counts what its units use."""
    proxy = observation.hosts.get(inventory.proxy.host)
    requests_at = proxy.facts.counted_at if proxy else 0.0
    found = {}
    for line in lines:
        host = observation.hosts.get(line.host)
        if host and host.facts.counted_at:
            unit = host.facts.counters.get(line.unit)
            found[line.host, line.unit] = Counters(
                pid=line.pid,
                at=host.facts.counted_at,
                cpu=unit.cpu if unit else None,
                memory=unit.memory if unit else None,
                requests_at=requests_at,
                requests=line.requests,
            )
    return found


def rates(before: Mapping[Process, Counters], now: Mapping[Process, Counters]) -> dict[Process, Rates]:
    """What each process does now, given what was counted before; memory needs no earlier count."""
    return {process: _rates(before.get(process, Counters()), each) for process, each in now.items()}


def total_requests(found: Mapping[Process, Rates]) -> float | None:
    """Requests a second to all processes; None when none was counted twice."""
    known = [each.requests_per_second for each in found.values() if each.requests_per_second is not None]
    return sum(known) if known else None


def _rates(before: Counters, now: Counters) -> Rates:
    requests = _per_second(before.requests, now.requests, now.requests_at - before.requests_at)
    same = before.pid == now.pid
    cpu = _per_second(before.cpu, now.cpu, now.at - before.at) if same else None
    return Rates(requests, cpu and cpu * 100, now.memory)


def _per_second(before: float | None, now: float | None, seconds: float) -> float | None:
    """None for a counter that began anew: who counts was started again, and nobody knows what came before."""
    if before is None or now is None or seconds <= 0 or now < before:
        return None
    return (now - before) / seconds
