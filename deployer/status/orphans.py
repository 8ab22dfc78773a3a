"""What is there without being asked for: units, processes, rows of Heat and servers of the proxy, a line each. Pure."""

from collections.abc import Iterator, Mapping, Sequence
from itertools import chain

from deployer.heat.engines import EngineRow, EngineView
from deployer.inventory.schema import Inventory
from deployer.model import names
from deployer.model.facts import Listener, Server
from deployer.model.hosts import Instance
from deployer.model.service import Service
from deployer.model.state import HostState
from deployer.observed.observe import SiteObservation
from deployer.plan import host_steps
from deployer.proxy import config
from deployer.status import instances
from deployer.status.instances import InstanceStatus

HOSTS_OWN = "host's own"  # no drift: an engine that is not ours
SERVICES = {section: service for service, section in config.SECTIONS.items()}


def orphans(
    inventory: Inventory, observation: SiteObservation, desired: Mapping[str, HostState], view: EngineView
) -> Iterator[InstanceStatus]:
    """Units of ours, strangers on an address of ours, servers without a unit, engines of others, rows of nobody."""
    units = tuple(_units(inventory, observation, view))
    return chain(
        units,
        _foreign_processes(inventory, observation, desired),
        _servers(inventory, observation, units),
        _own_engines(inventory, observation, view),
        _rows(inventory, observation, view),
    )


def _units(inventory: Inventory, observation: SiteObservation, view: EngineView) -> Iterator[InstanceStatus]:
    """Units of ours that run, or would after a reboot, without being in the inventory."""
    asked = {(each.host, each.unit) for each in inventory.instances()}
    for host, observed in observation.hosts.items():
        for name, unit in sorted(observed.state.units.items()):
            if (host, name) not in asked and (unit.running or unit.enabled):
                service, port = _service_and_port(name)
                server = _server_at(inventory, observation, host, port)
                rows = instances.rows_of(host, name, view)
                told = instances.workers(rows, view) if service == Service.ENGINE else {}
                yield InstanceStatus(
                    host,
                    service,
                    name,
                    port=port,
                    pid=unit.pid,
                    state=instances.state(observed, unit),
                    heat=instances.heat_view(rows) if rows else "",
                    proxy=server.status if server else "",
                    drift="not in the inventory",
                    **instances.digests(unit, None),
                    **instances.at_the_proxy(server),
                    **told,
                )


def _service_and_port(unit: str) -> tuple[str, int | None]:
    own = names.parse_unit(unit)
    return names.service_of(unit), own.number if own and own.service in config.SECTIONS else None


def _server_at(inventory: Inventory, observation: SiteObservation, host: str, port: int | None) -> Server | None:
    address = names.endpoint(inventory.hosts[host].address, port) if port else None
    return next((each for each in _of_proxy(inventory, observation) if each.address == address), None)


def _of_proxy(inventory: Inventory, observation: SiteObservation) -> list[Server]:
    """The servers of the running proxy in the sections that are ours."""
    proxy_host = observation.hosts.get(inventory.proxy.host)
    return [each for each in (proxy_host.facts.servers if proxy_host else ()) if each.section in SERVICES]


def _foreign_processes(
    inventory: Inventory, observation: SiteObservation, desired: Mapping[str, HostState]
) -> Iterator[InstanceStatus]:
    """Processes that are not ours on an address that the inventory gives to one of ours."""
    for each in inventory.instances():
        observed = observation.hosts.get(each.host)
        for address, port in instances.addresses(each, desired.get(each.host)) if observed else ():
            for holder in host_steps.holders_of(address, port, observed.facts.listeners):
                if not names.is_ours(holder.unit):
                    yield _foreign_process(each, address, port, holder)


def _foreign_process(each: Instance, address: str, port: int, holder: Listener) -> InstanceStatus:
    return InstanceStatus(
        each.host,
        each.service,
        holder.unit or holder.program or "unknown process",
        address,
        port,
        holder.pid or None,
        "running",
        drift=f"holds the address of {each.unit}",
        listens_on=(names.endpoint(address, port),),
        listening=True,
    )


def _servers(
    inventory: Inventory, observation: SiteObservation, units: Sequence[InstanceStatus]
) -> Iterator[InstanceStatus]:
    """Servers of the running proxy that stand for no process of ours."""
    known = {server.path for server in instances.servers(inventory, observation).values() if server}
    shown = {names.endpoint(inventory.hosts[line.host].address, line.port) for line in units if line.port}
    hosts = {entry.address: name for name, entry in inventory.hosts.items()}
    for each in _of_proxy(inventory, observation):
        if each.path in known or each.address in shown:
            continue
        address, number = names.parse_endpoint(each.address) or (each.address, None)
        unit = names.unit_name(SERVICES[each.section], number) if address in hosts and number else each.path
        yield InstanceStatus(
            hosts.get(address, each.name),
            SERVICES[each.section],
            unit,
            address,
            number,
            state="stopped",
            proxy=each.status,
            drift=f"server {each.path} without unit",
            **instances.at_the_proxy(each),
        )


def _own_engines(inventory: Inventory, observation: SiteObservation, view: EngineView) -> Iterator[InstanceStatus]:
    """Engines that a host runs by its own means, as the source did before us: left alone and shown."""
    for host, observed in observation.hosts.items():
        rows = [row for row in _not_ours(inventory, observation, view) if _owner(observation, row) == host]
        for each in observed.facts.engines:
            yield InstanceStatus(
                host,
                Service.ENGINE,
                each.unit or each.program,
                inventory.hosts[host].address,
                None,
                each.pid,
                "running",
                instances.heat_view(rows),
                "",
                _drift(rows, view, is_running=True),
                **instances.workers(rows, view),
            )


def _rows(inventory: Inventory, observation: SiteObservation, view: EngineView) -> Iterator[InstanceStatus]:
    """Rows of engines that none of these hosts runs: of another host when one is alive, of nobody when none is."""
    named: dict[tuple[str, str], list[EngineRow]] = {}
    for row in _not_ours(inventory, observation, view):
        if _owner(observation, row) is None:
            named.setdefault((row.hostname, row.host), []).append(row)
    for (hostname, name), rows in named.items():
        is_running = any(view.is_alive(row) for row in rows)
        yield InstanceStatus(
            hostname,
            Service.ENGINE,
            name,
            state="unknown" if is_running else "stopped",
            heat=instances.heat_view(rows),
            drift=_drift(rows, view, is_running),
            **instances.workers(rows, view),
        )


def _drift(rows: Sequence[EngineRow], view: EngineView, is_running: bool) -> str:
    dead = [row for row in rows if not view.is_alive(row)]
    told = [instances.rows_without_process(len(dead))] if dead else []
    return ", ".join([HOSTS_OWN, *told] if is_running else told)


def _owner(observation: SiteObservation, row: EngineRow) -> str | None:
    """The host whose own engine a row is of; those named as ours are never a host's own."""
    hosts = (
        host
        for host, observed in observation.hosts.items()
        if observed.facts.engines and (observed.facts.hostname or host) == row.hostname
    )
    host = next(hosts, None)
    own = names.parse_engine(row.host)
    return None if own and own.host == host else host


def _not_ours(inventory: Inventory, observation: SiteObservation, view: EngineView) -> list[EngineRow]:
    """Rows of engines that no unit of ours stands for, whether the inventory names it or it is left over."""
    ours = {names.engine_name(each.host, each.number) for each in inventory.instances()}
    ours |= {
        names.engine_of_unit(host, name)
        for host, observed in observation.hosts.items()
        for name, unit in observed.state.units.items()
        if unit.running or unit.enabled
    }
    return [row for row in view.rows if row.host not in ours]
