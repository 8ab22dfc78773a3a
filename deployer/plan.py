"""Desired and observed state of every host -> ordered waves of steps; what `plan` prints is what `deploy` runs."""

from collections.abc import Iterable, Iterator, Mapping

from deployer import traffic
from deployer.model import File, Found, HostState, Listener, Service, Unit, unit_name
from deployer.steps import (
    AwaitReady,
    EnableUnit,
    FreeAddress,
    Plan,
    ReloadSystemd,
    ReloadUnit,
    RemoveFile,
    RestartUnit,
    ShareAddress,
    StartUnit,
    Step,
    StopUnit,
    Wave,
    WriteFile,
)

APIS = (Service.API, Service.CFN)
PROXY = unit_name(Service.PROXY)
UNIT_FILES = "/etc/systemd/system/"


def diff(wanted: Mapping[str, HostState], found: Mapping[str, Found]) -> Plan:
    """Given both states of every host, return the waves between them; none when they agree.

    What is added goes from the engines to the proxy, each proven ready before the next; what is taken away goes from
    the proxy to the engines. Restarts go one host at a time, so that the others serve.
    """
    waves = [
        Wave("stage files", _each(wanted, found, _stage)),
        Wave("start engines", _each(wanted, found, _starts(Service.ENGINE))),
        *_rolling("restart engines", wanted, found, (Service.ENGINE,)),
        Wave("start APIs", _each(wanted, found, _starts(*APIS))),
        *_rolling("restart APIs", wanted, found, APIS),
        Wave("drain APIs", tuple(traffic.drains(found, _leaving(wanted, found), "it leaves"))),
        Wave("proxy", _each(wanted, found, _proxy)),
        Wave("serve", tuple(_returns(wanted, found))),
        Wave("stop proxy", _each(wanted, found, _stops(Service.PROXY))),
        Wave("stop APIs", _each(wanted, found, _stops(*APIS))),
        Wave("stop engines", _each(wanted, found, _stops(Service.ENGINE))),
        Wave("clear files", _each(wanted, found, _clear)),
    ]
    return Plan(tuple(wave for wave in waves if wave.steps), tuple(wanted))


def _each(wanted: Mapping[str, HostState], found: Mapping[str, Found], decide) -> tuple[Step, ...]:
    return tuple(step for host in wanted for step in decide(host, wanted[host], found[host]))


def _rolling(name: str, wanted, found, services: Iterable[Service]) -> Iterator[Wave]:
    """One host after the other: without its requests in progress, restarted, proven, then with its requests again."""
    for host in wanted:
        old = _old(wanted[host], found[host].state, services)
        drains = tuple(traffic.drains(found, {host: [unit.name for unit in old]}, "it restarts"))
        yield Wave(f"drain APIs on {host}", drains)
        yield Wave(f"{name} on {host}", tuple(_restarts(host, old)))
        yield Wave(f"serve from {host}", tuple(traffic.returns(drains, "it is ready")))


def _leaving(wanted: Mapping[str, HostState], found: Mapping[str, Found]) -> dict[str, list[str]]:
    """Host -> its running APIs that the inventory does not name any more."""
    return {host: [unit.name for unit in _units(found[host].state, APIS) if unit.name not in wanted[host].units]
            for host in wanted}


def _returns(wanted: Mapping[str, HostState], found: Mapping[str, Found]) -> Iterator[Step]:
    """Servers that an earlier run left drained."""
    for host in wanted:
        staying = [unit.name for unit in _units(wanted[host], APIS) if _running(unit, found[host].state)]
        restarted = {unit.name for unit in _old(wanted[host], found[host].state, APIS)}
        yield from traffic.left_drained(found, {host: [name for name in staying if name not in restarted]})


def _stage(host: str, wanted: HostState, found: Found) -> Iterator[Step]:
    yield from _writes(host, wanted, found.state, lambda file: file.only is not Service.PROXY)


def _writes(host: str, wanted: HostState, found: HostState, chosen) -> Iterator[Step]:
    writes = [WriteFile(host, file, because=_difference(file, found.files.get(path)))
              for path, file in wanted.files.items() if chosen(file) and found.files.get(path) != file]
    yield from writes
    if found.stale or any(_is_unit_file(step.file.path) for step in writes):
        yield ReloadSystemd(host, because="unit files changed")


def _difference(wanted: File, found: File | None) -> str:
    if found is None:
        return "new"
    if wanted.digest != found.digest:
        return "changed"
    return f"{_access(found)}, not {_access(wanted)}"


def _access(file: File) -> str:
    return f"{file.owner}:{file.group} {file.mode:04o}"


def _is_unit_file(path: str) -> bool:
    return path.startswith(UNIT_FILES)


def _starts(*services: Service):
    def decide(host: str, wanted: HostState, found: Found) -> Iterator[Step]:
        units = list(_units(wanted, services))
        yield from _enables(host, units, found.state)
        new = [unit for unit in units if not _running(unit, found.state)]
        for unit in new:
            yield StartUnit(host, unit.name, because="not running")
        yield from _proofs(host, new)
    return decide


def _old(wanted: HostState, found: HostState, services: Iterable[Service]) -> list[Unit]:
    """Running processes that started with another configuration, or may have."""
    touched = {path for path, file in wanted.files.items()
               if path in found.files and found.files[path].digest != file.digest}
    return [unit for unit in _units(wanted, services) if _running(unit, found) and _is_old(unit, found, touched)]


def _restarts(host: str, old: Iterable[Unit]) -> Iterator[Step]:
    for unit in old:
        yield RestartUnit(host, unit.name, because="its configuration changed")
    yield from _proofs(host, old)


def _is_old(unit: Unit, found: HostState, touched: Iterable[str]) -> bool:
    return found.units[unit.name].config != unit.config or any(_reads(unit, path) for path in touched)


def _reads(unit: Unit, path: str) -> bool:
    return any(path.startswith(each) if each.endswith("/") else path == each for each in unit.reads)


def _proxy(host: str, wanted: HostState, found: Found) -> Iterator[Step]:
    """Write its configuration, start it beside whoever has its addresses, or reload it, and only then stop those."""
    unit = wanted.units.get(PROXY)
    if unit is None:
        return
    yield from _writes(host, wanted, found.state, lambda file: file.only is Service.PROXY)
    yield from _enables(host, [unit], found.state)
    begin = _beginning(host, unit, wanted, found.state)
    holders = list(_holders(unit, found.facts.listeners))
    why = "the proxy takes over"
    if begin:
        for address, port, holder in holders:
            yield ShareAddress(host, address, port, holder, because=why)
        yield begin
        yield from _proofs(host, [unit])
    for address, port, holder in holders:
        yield FreeAddress(host, address, port, holder, because=f"{why} {address}:{port}")


def _beginning(host: str, unit: Unit, wanted: HostState, found: HostState) -> Step | None:
    """What makes the proxy run with its configuration; only a new unit takes a restart."""
    if not _running(unit, found):
        return StartUnit(host, unit.name, because="not running")
    if _is_rewritten(UNIT_FILES + unit.name, wanted, found):
        return RestartUnit(host, unit.name, because="its unit changed")
    if found.units[unit.name].config != unit.config:
        return ReloadUnit(host, unit.name, because="its configuration changed")
    return None


def _is_rewritten(path: str, wanted: HostState, found: HostState) -> bool:
    return path in found.files and found.files[path].digest != wanted.files[path].digest


def _holders(unit: Unit, listeners: Iterable[Listener]) -> Iterator[tuple[str, int, Listener]]:
    """Each address that a unit needs, with every other process that listens there."""
    for address, port in unit.needs:
        for holder in holders_of(address, port, listeners):
            if holder.unit != unit.name:
                yield address, port, holder


def holders_of(address: str, port: int, listeners: Iterable[Listener]) -> Iterator[Listener]:
    """Who listens on an address, or on all addresses, at a port."""
    everywhere = ("0.0.0.0", "::")
    return (each for each in listeners if each.port == port
            and (each.address in (address, *everywhere) or address in everywhere))


def _stops(*services: Service):
    def decide(host: str, wanted: HostState, found: Found) -> Iterator[Step]:
        for unit in _units(found.state, services):
            if unit.name not in wanted.units and (unit.running or unit.enabled):
                yield StopUnit(host, unit.name, because="not in the inventory")
    return decide


def _clear(host: str, wanted: HostState, found: Found) -> Iterator[Step]:
    gone = sorted(found.state.managed - set(wanted.files))
    for path in gone:
        yield RemoveFile(host, path, because="no longer needed")
    if any(_is_unit_file(path) for path in gone):
        yield ReloadSystemd(host, because="unit files are gone")


def _enables(host: str, units: Iterable[Unit], found: HostState) -> Iterator[Step]:
    for unit in units:
        if not (unit.name in found.units and found.units[unit.name].enabled):
            yield EnableUnit(host, unit.name, because="it must start with the host")


def _proofs(host: str, units: Iterable[Unit]) -> Iterator[Step]:
    for unit in units:
        if unit.ready:
            yield AwaitReady(host, unit.name, unit.ready)


def _running(unit: Unit, found: HostState) -> bool:
    return unit.name in found.units and found.units[unit.name].running


def _units(state: HostState, services: Iterable[Service]) -> Iterator[Unit]:
    prefixes = tuple(f"heat-scaleout-{service}" for service in services)
    return (unit for name, unit in sorted(state.units.items()) if name.startswith(prefixes))
