"""Decides the steps that bring one host's files and processes from what they are to what they should be. Pure."""

from collections.abc import Collection, Iterable, Iterator
from dataclasses import replace

from deployer.model import probe
from deployer.model.facts import Listener
from deployer.model.names import parse_unit, unit_name
from deployer.model.probe import AnswersHttp, Probe, Program
from deployer.model.service import Service
from deployer.model.state import File, Unit
from deployer.model.steps import (
    AwaitAnswer,
    AwaitReady,
    AwaitStopped,
    DisableUnit,
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
from deployer.plan import outdated
from deployer.plan.site_diff import HostDiff, units_of

APIS = (Service.API, Service.CFN)
PROXY = unit_name(Service.PROXY)
SERVES_STILL = "an earlier process of it still serves"
HANDOVER = "its unit changed; the earlier process ends the requests that it has"


def write_steps(host: HostDiff) -> Iterator[Step]:
    """Write every file but the proxy's."""
    return _writes(host, [file for file in host.desired.files.values() if file.only is not Service.PROXY])


def _writes(host: HostDiff, files: Iterable[File]) -> Iterator[Step]:
    observed = host.observed.state
    changed = [file for file in files if observed.files.get(file.path) != file]
    for file in changed:
        yield WriteFile(host.name, file, because=_difference(file, observed.files.get(file.path)))
    if observed.stale or any(_is_unit_file(file.path) for file in changed):
        yield ReloadSystemd(host.name, because="unit files changed")


def _difference(desired: File, observed: File | None) -> str:
    if observed is None:
        return "new"
    if desired.digest != observed.digest:
        return "changed"
    return f"{_access(observed)}, not {_access(desired)}"


def _access(file: File) -> str:
    return f"{file.owner}:{file.group} {file.mode:04o}"


def _is_unit_file(path: str) -> bool:
    return path.startswith(outdated.UNIT_FILES)


def engine_start_steps(host: HostDiff) -> Iterator[Step]:
    """Enable and start the engines that do not run, and wait until they are ready."""
    return _starts(host, list(units_of(host.desired, [Service.ENGINE])), _serving(host))


def api_start_steps(host: HostDiff) -> Iterator[Step]:
    """Enable and start the APIs that do not run, and wait until they are ready; not those whose port is still held."""
    late = {port_of(unit) for unit in units_to_replace(host)}
    return _starts(host, [unit for unit in units_of(host.desired, APIS) if port_of(unit) not in late], _serving(host))


def units_to_replace(host: HostDiff) -> list[Unit]:
    """The APIs that hold a port which an API of the other kind is to get."""
    ports = {port_of(unit) for unit in units_of(host.desired, APIS)}
    return [unit for unit in _undesired(host, APIS) if port_of(unit) in ports]


def port_change_steps(host: HostDiff) -> Iterator[Step]:
    """Stop the APIs that hold a port of another kind's, then start those that get it, and wait until they are ready."""
    replaced = units_to_replace(host)
    ports = {port_of(unit) for unit in replaced}
    for unit in replaced:
        yield StopUnit(host.name, unit.name, because=f"port {port_of(unit)} changes its kind")
    serving = [unit for unit in _serving(host) if unit not in replaced]
    yield from _starts(host, [unit for unit in units_of(host.desired, APIS) if port_of(unit) in ports], serving)


def port_of(unit: Unit) -> int:
    """The port in the name of an API's unit."""
    own = parse_unit(unit.name)
    return own.number if own else 0


def _serving(host: HostDiff) -> list[Unit]:
    """The APIs that run."""
    return [unit for unit in units_of(host.observed.state, APIS) if unit.running]


def _starts(host: HostDiff, units: list[Unit], serving: Collection[Unit]) -> Iterator[Step]:
    """All at once on a host that serves no requests then, else one after the other.

    Each loads all of Heat, which takes seconds of a core, and requests would wait for it. Those that still end the
    work of before come last: each starts by itself when it has.
    """
    yield from _enables(host, units)
    new = [unit for unit in units if not (host.runs(unit) or host.stops(unit))]
    for batch in ([unit] for unit in new) if serving else (new,):
        yield from _start(host, batch, "not running")
    yield from _start(host, [unit for unit in units if host.stops(unit)], "it is still stopping")
    yield from _ready_checks(host, _unproven(host, units))


def _start(host: HostDiff, units: list[Unit], because: str) -> Iterator[Step]:
    for unit in units:
        yield StartUnit(host.name, unit.name, because=because)
    yield from _ready_checks(host, units)


def _unproven(host: HostDiff, units: Iterable[Unit]) -> Iterator[Unit]:
    """The processes that run as they should, and that a run has started which did not come to prove them."""
    if host.is_proven:
        return
    late = outdated.outdated_units(host)
    yield from (unit for unit in units if host.runs(unit) and unit not in late)


def restart_steps(host: HostDiff, units: Iterable[Unit]) -> Iterator[Step]:
    """Restart processes, and wait until they are ready."""
    because = "requested" if host.name in host.options.restart else "its configuration changed"
    for unit in units:
        yield RestartUnit(host.name, unit.name, because=because)
    yield from _ready_checks(host, units)


def proxy_steps(host: HostDiff) -> Iterator[Step]:
    """Check that the proxy reaches its new servers, write its configuration, and start or reload it.

    It starts beside the processes that hold its addresses, which are stopped only then.
    """
    unit = host.desired.units.get(PROXY)
    if unit is None:
        return
    start = _proxy_start(host, unit)
    if start:
        yield from reach_steps(host.name, host.new_servers)
    yield from _writes(host, [file for file in host.desired.files.values() if file.only is Service.PROXY])
    yield from _enables(host, [unit])
    holders = list(_holders(unit, host.observed.facts.listeners))
    because = "the proxy takes over"
    if start:
        for address, port, holder in holders:
            yield SharePort(host.name, address, port, holder, because=because)
        yield start
        yield from _ready_checks(host, [unit])
    for address, port, holder in holders:
        yield ReleasePort(host.name, address, port, holder, because=f"{because} {address}:{port}")


def reach_steps(proxy_host: str, servers: Iterable[Unit]) -> Iterator[Step]:
    """Check from the proxy's host that it reaches servers: one that is ready may still be behind a firewall."""
    for unit in servers:
        if isinstance(unit.ready, AnswersHttp):
            reached = unit.reached or probe.without_warm_up(unit.ready)
            yield AwaitReady(proxy_host, f"{unit.ready.address}:{unit.ready.port}", reached)


def _proxy_start(host: HostDiff, unit: Unit) -> Step | None:
    """The step with which the proxy gets its configuration; only a changed unit needs another process."""
    serving = listening_processes(unit, host.observed.facts.listeners)
    if not host.runs(unit):
        return StartUnit(host.name, unit.name, because=SERVES_STILL if serving else "not running")
    if len(serving) > 1:
        return RestartUnit(host.name, unit.name, because=SERVES_STILL)
    if outdated.has_old_unit(unit, host):
        return RestartUnit(host.name, unit.name, because=HANDOVER)
    if host.observed.state.units[unit.name].config != unit.config:
        return ReloadUnit(host.name, unit.name, because="its configuration changed")
    return None


def listening_processes(unit: Unit, listeners: Iterable[Listener]) -> frozenset[int]:
    """The processes of a unit that listen at its addresses: two of the proxy, where one was left by an earlier start.

    A worker that ends its requests after a reload does not listen any more.
    """
    return frozenset(
        holder.pid
        for address, port in unit.needs
        for holder in holders_of(address, port, listeners)
        if holder.unit == unit.name
    )


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


def proxy_stop_steps(host: HostDiff) -> Iterator[Step]:
    """Stop a proxy that the inventory does not name."""
    return _stops(host, _undesired(host, [Service.PROXY]))


def api_stop_steps(host: HostDiff) -> Iterator[Step]:
    """Stop the APIs that the inventory does not name; those whose port another gets were stopped for that."""
    replaced = units_to_replace(host)
    return _stops(host, [unit for unit in _undesired(host, APIS) if unit not in replaced])


def engine_stop_steps(host: HostDiff) -> Iterator[Step]:
    """Stop the engines that the inventory does not name, and wait until nothing in Heat belongs to them."""
    return _stops(host, _undesired(host, [Service.ENGINE]))


def _undesired(host: HostDiff, services: Iterable[Service]) -> list[Unit]:
    """The units that run, or will with the host, and are not to."""
    return [
        unit for unit in units_of(host.observed.state, services) if unit.name not in host.desired.units and unit.is_left
    ]


def _stops(host: HostDiff, stopping: Collection[Unit]) -> Iterator[Step]:
    for unit in stopping:
        yield StopUnit(host.name, unit.name, because="not in the inventory")
    probes = host.desired.shutdown_probes
    for unit in stopping:
        if unit.name in probes:
            probe = _with_timeout(probes[unit.name], host.options)
            yield AwaitStopped(host.name, unit.name, probe, host.options.force)
            yield DisableUnit(host.name, unit.name, because="it has ended")


def _with_timeout(probe: Probe, options: RolloutOptions) -> Probe:
    """The probe with the wait that the operator asked for, if any."""
    return (
        probe if options.wait is None or not isinstance(probe, Program) else replace(probe, busy_timeout=options.wait)
    )


def cleanup_steps(host: HostDiff) -> Iterator[Step]:
    """Remove the files of ours that nothing needs any more."""
    unneeded = sorted(host.observed.state.managed - set(host.desired.files))
    for path in unneeded:
        yield RemoveFile(host.name, path, because="no longer needed")
    if any(_is_unit_file(path) for path in unneeded):
        yield ReloadSystemd(host.name, because="unit files removed")


def _enables(host: HostDiff, units: Iterable[Unit]) -> Iterator[Step]:
    observed = host.observed.state.units
    for unit in units:
        if not (unit.name in observed and observed[unit.name].enabled):
            yield EnableUnit(host.name, unit.name, because="must start at boot")


def _ready_checks(host: HostDiff, started: Iterable[Unit]) -> Iterator[Step]:
    """All processes prove that they are ready, then those that have clients that these are answered."""
    units = list(started)
    for unit in units:
        if unit.ready:
            yield AwaitReady(host.name, unit.name, _with_timeout(unit.ready, host.options), host.options.force)
    for unit in units:
        if unit.answers:
            yield AwaitAnswer(host.name, unit.name, unit.answers)


def serving_apis(host: HostDiff) -> list[Unit]:
    """The APIs that a host should have and that are to get requests."""
    return [unit for unit in units_of(host.desired, APIS) if not unit.drained]
