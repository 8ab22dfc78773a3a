"""Which steps bring one host's files and processes from the state they are in to the one wanted. Pure."""

from collections.abc import Iterable, Iterator
from dataclasses import replace

from deployer.model.facts import Listener, Observation
from deployer.model.names import service_of, unit_name
from deployer.model.probes import AnswersHttp, Probe, Program
from deployer.model.service import Service
from deployer.model.state import File, HostState, Unit
from deployer.model.steps import (
    DEFAULT_ROLLOUT,
    AwaitReady,
    AwaitStopped,
    EnableUnit,
    ReleasePort,
    ReloadSystemd,
    ReloadUnit,
    RemoveFile,
    RestartUnit,
    RolloutOptions,
    SharePort,
    StartUnit,
    Step,
    StopUnit,
    WriteFile,
)

APIS = (Service.API, Service.CFN)
HEAT = (Service.ENGINE, *APIS)
PROXY = unit_name(Service.PROXY)
UNIT_FILES = "/etc/systemd/system/"


def write_steps(host: str, desired: HostState, observed: Observation) -> Iterator[Step]:
    """Write every file but the proxy's."""
    yield from _writes(host, desired, observed.state, lambda file: file.only is not Service.PROXY)


def _writes(host: str, desired: HostState, observed: HostState, chosen) -> Iterator[Step]:
    writes = [
        WriteFile(host, file, because=_difference(file, observed.files.get(path)))
        for path, file in desired.files.items()
        if chosen(file) and observed.files.get(path) != file
    ]
    yield from writes
    if observed.stale or any(_is_unit_file(step.file.path) for step in writes):
        yield ReloadSystemd(host, because="unit files changed")


def _difference(desired: File, observed: File | None) -> str:
    if observed is None:
        return "new"
    if desired.digest != observed.digest:
        return "changed"
    return f"{_access(observed)}, not {_access(desired)}"


def _access(file: File) -> str:
    return f"{file.owner}:{file.group} {file.mode:04o}"


def _is_unit_file(path: str) -> bool:
    return path.startswith(UNIT_FILES)


def start_steps(*services: Service):
    """Enable and start what does not run, and wait until it is ready.

    All at once on a host that serves nobody yet, else one after the other: each loads all of Heat, for seconds of a
    core, and requests would wait for it.
    """

    def decide(host: str, desired: HostState, observed: Observation) -> Iterator[Step]:
        units = list(units_of(desired, services))
        yield from _enables(host, units, observed.state)
        new = [unit for unit in units if not is_running(unit, observed.state)]
        serves = any(unit.running for unit in units_of(observed.state, APIS))
        for some in ([unit] for unit in new) if serves else (new,):
            for unit in some:
                yield StartUnit(host, unit.name, because="not running")
            yield from _ready_checks(host, some)

    return decide


def outdated_units(desired: HostState, observed: HostState, services: Iterable[Service]) -> list[Unit]:
    """Running processes that started with another configuration, or may have."""
    touched = {
        path
        for path, file in desired.files.items()
        if path in observed.files and observed.files[path].digest != file.digest
    }
    return [
        unit
        for unit in units_of(desired, services)
        if is_running(unit, observed) and _is_outdated(unit, observed, touched)
    ]


def restart_steps(host: str, units: Iterable[Unit], because: str) -> Iterator[Step]:
    """Restart processes, and wait until they are ready."""
    for unit in units:
        yield RestartUnit(host, unit.name, because=because)
    yield from _ready_checks(host, units)


def _is_outdated(unit: Unit, observed: HostState, touched: Iterable[str]) -> bool:
    return observed.units[unit.name].config != unit.config or any(_reads(unit, path) for path in touched)


def _reads(unit: Unit, path: str) -> bool:
    return any(path.startswith(each) if each.endswith("/") else path == each for each in unit.reads)


def proxy_steps(host: str, desired: HostState, observed: Observation, servers: Iterable[Unit]) -> Iterator[Step]:
    """Write its configuration, start it beside whoever has its addresses, or reload it, and only then stop those.

    `servers` are the APIs that it has not served from so far: it must reach each of them.
    """
    unit = desired.units.get(PROXY)
    if unit is None:
        return
    begin = _proxy_start(host, unit, desired, observed.state)
    if begin:
        yield from reach_steps(host, servers)
    yield from _writes(host, desired, observed.state, lambda file: file.only is Service.PROXY)
    yield from _enables(host, [unit], observed.state)
    holders = list(_holders(unit, observed.facts.listeners))
    why = "the proxy takes over"
    if begin:
        for address, port, holder in holders:
            yield SharePort(host, address, port, holder, because=why)
        yield begin
        yield from _ready_checks(host, [unit])
    for address, port, holder in holders:
        yield ReleasePort(host, address, port, holder, because=f"{why} {address}:{port}")


def reach_steps(host: str, servers: Iterable[Unit]) -> Iterator[Step]:
    """A process that is ready on its own host may still be behind a firewall for the proxy's."""
    for unit in servers:
        if isinstance(unit.ready, AnswersHttp):
            yield AwaitReady(host, f"{unit.ready.address}:{unit.ready.port}", unit.reached or unit.ready)


def _proxy_start(host: str, unit: Unit, desired: HostState, observed: HostState) -> Step | None:
    """What makes the proxy run with its configuration; only a new unit takes a restart."""
    if not is_running(unit, observed):
        return StartUnit(host, unit.name, because="not running")
    if _is_rewritten(UNIT_FILES + unit.name, desired, observed):
        return RestartUnit(host, unit.name, because="its unit changed")
    if observed.units[unit.name].config != unit.config:
        return ReloadUnit(host, unit.name, because="its configuration changed")
    return None


def _is_rewritten(path: str, desired: HostState, observed: HostState) -> bool:
    return path in observed.files and observed.files[path].digest != desired.files[path].digest


def _holders(unit: Unit, listeners: Iterable[Listener]) -> Iterator[tuple[str, int, Listener]]:
    """Each address that a unit needs, with every other process that listens there."""
    for address, port in unit.needs:
        for holder in holders_of(address, port, listeners):
            if holder.unit != unit.name:
                yield address, port, holder


def holders_of(address: str, port: int, listeners: Iterable[Listener]) -> Iterator[Listener]:
    """Who listens on an address, or on all addresses, at a port."""
    everywhere = ("0.0.0.0", "::")
    return (
        each
        for each in listeners
        if each.port == port and (each.address in (address, *everywhere) or address in everywhere)
    )


def stop_steps(*services: Service, options: RolloutOptions = DEFAULT_ROLLOUT):
    """Stop what the inventory does not name, and wait until nothing of it is left."""

    def decide(host: str, desired: HostState, observed: Observation) -> Iterator[Step]:
        stopping = [
            unit
            for unit in units_of(observed.state, services)
            if unit.name not in desired.units and (unit.running or unit.enabled)
        ]
        for unit in stopping:
            yield StopUnit(host, unit.name, because="not in the inventory")
        for unit in stopping:
            if unit.name in desired.shutdown_probes:
                yield AwaitStopped(
                    host, unit.name, _with_timeout(desired.shutdown_probes[unit.name], options), options.force
                )

    return decide


def _with_timeout(probe: Probe, options: RolloutOptions) -> Probe:
    """A wait for an engine's work that ends when the operator says."""
    return (
        probe if options.wait is None or not isinstance(probe, Program) else replace(probe, busy_timeout=options.wait)
    )


def cleanup_steps(host: str, desired: HostState, observed: Observation) -> Iterator[Step]:
    """Take away the files that nothing needs any more."""
    gone = sorted(observed.state.managed - set(desired.files))
    for path in gone:
        yield RemoveFile(host, path, because="no longer needed")
    if any(_is_unit_file(path) for path in gone):
        yield ReloadSystemd(host, because="unit files are gone")


def _enables(host: str, units: Iterable[Unit], observed: HostState) -> Iterator[Step]:
    for unit in units:
        if not (unit.name in observed.units and observed.units[unit.name].enabled):
            yield EnableUnit(host, unit.name, because="it must start with the host")


def _ready_checks(host: str, units: Iterable[Unit]) -> Iterator[Step]:
    for unit in units:
        if unit.ready:
            yield AwaitReady(host, unit.name, unit.ready)


def is_running(unit: Unit, observed: HostState) -> bool:
    """Whether a wanted process runs, with whatever configuration."""
    return unit.name in observed.units and observed.units[unit.name].running


def units_of(state: HostState, services: Iterable[Service]) -> Iterator[Unit]:
    """The units of some services in a state, by name."""
    kinds = set(services)
    return (unit for name, unit in sorted(state.units.items()) if service_of(name) in kinds)
