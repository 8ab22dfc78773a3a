"""Decides the rows of what no inventory asks for: units, processes, servers of the proxy, rows of Heat. Pure."""

from collections.abc import Iterator, Mapping, Sequence

from deployer.heat.engines import EngineRow
from deployer.model import names
from deployer.model.facts import Listener, Server
from deployer.model.hosts import Instance
from deployer.model.service import Service
from deployer.model.state import Unit
from deployer.plan import host_steps
from deployer.proxy import config
from deployer.status import instances
from deployer.status.instances import InstanceStatus
from deployer.status.site_view import SiteView

NOT_IN_INVENTORY = "not in the inventory"
HOSTS_OWN = "host's own"  # no drift: an engine that is not ours
SERVICES = {section: service for service, section in config.SECTIONS.items()}


def orphans(site: SiteView) -> Iterator[InstanceStatus]:
    """Units and servers that are left over, other processes at an address of ours, engines and rows of others."""
    units = (*_units(site), *_lost(site))
    yield from units
    yield from _foreign_processes(site)
    yield from _servers(site, units)
    yield from _own_engines(site)
    yield from _rows(site)


def _units(site: SiteView) -> Iterator[InstanceStatus]:
    """Units of ours that run, or would after a reboot, without being in the inventory."""
    asked = {(each.host, each.unit) for each in site.inventory.instances()}
    for host, observed in site.observation.hosts.items():
        for name, unit in sorted(observed.state.units.items()):
            if (host, name) not in asked and unit.is_left:
                yield _unit(site, host, unit)


def _unit(site: SiteView, host: str, unit: Unit) -> InstanceStatus:
    service, port = _service_and_port(unit.name)
    server, rows = _server_at(site, host, port), instances.rows_of(host, unit.name, site.engines)
    status = InstanceStatus(
        host,
        service,
        unit.name,
        port=port,
        pid=unit.pid,
        state=instances.state(site.observation.hosts[host], unit),
        heat=instances.heat_view(rows) if rows else "",
        proxy=server.status if server else "",
        drift=NOT_IN_INVENTORY,
    )
    status = instances.with_server(instances.with_config(status, unit, None), server)
    return instances.with_workers(status, rows, site.engines) if service == Service.ENGINE else status


def _lost(site: SiteView) -> Iterator[InstanceStatus]:
    """What hosts should run, by the records, that have left the inventory without being removed and do not answer."""
    for each in site.lost:
        server, rows = _server_at(site, each.host, each.port), instances.rows_of(each.host, each.unit, site.engines)
        status = InstanceStatus(
            each.host,
            each.service,
            each.unit,
            each.address,
            each.port,
            state="unreachable",
            heat=instances.heat_view(rows) if rows else "",
            proxy=server.status if server else "",
            drift=NOT_IN_INVENTORY,
        )
        status = instances.with_server(status, server)
        yield instances.with_workers(status, rows, site.engines) if each.service is Service.ENGINE else status


def _service_and_port(unit: str) -> tuple[str, int | None]:
    own = names.parse_unit(unit)
    return names.service_of(unit), own.number if own and own.service in config.SECTIONS else None


def _server_at(site: SiteView, host: str, port: int | None) -> Server | None:
    address = names.endpoint(site.inventory.hosts[host].address, port) if port else None
    return next((each for each in _our_servers(site) if each.address == address), None)


def _our_servers(site: SiteView) -> list[Server]:
    """The servers of the running proxy in the sections that are ours."""
    return [each for each in site.proxy_servers if each.section in SERVICES]


def _foreign_processes(site: SiteView) -> Iterator[InstanceStatus]:
    """Processes that are not ours on an address that the inventory gives to one of ours."""
    for each in site.inventory.instances():
        observed = site.observation.hosts.get(each.host)
        if observed is None:
            continue
        for address, port in instances.addresses(each, site.desired.get(each.host)):
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


def _servers(site: SiteView, units: Sequence[InstanceStatus]) -> Iterator[InstanceStatus]:
    """Servers of the running proxy that stand for no process of ours; `units` are those with a row already."""
    known = {server.path for server in instances.servers(site).values() if server}
    shown = {names.endpoint(site.inventory.hosts[row.host].address, row.port) for row in units if row.port}
    hosts = {entry.address: name for name, entry in site.inventory.hosts.items()}
    for each in _our_servers(site):
        if each.path not in known and each.address not in shown:
            yield _server(each, hosts)


def _server(server: Server, hosts: Mapping[str, str]) -> InstanceStatus:
    """Given address -> host, the row of a server that is left over."""
    address, number = names.parse_endpoint(server.address) or (server.address, None)
    service = SERVICES[server.section]
    status = InstanceStatus(
        hosts.get(address, server.name),
        service,
        names.unit_name(service, number) if address in hosts and number else server.path,
        address,
        number,
        state="stopped",
        proxy=server.status,
        drift=f"server {server.path} without unit",
    )
    return instances.with_server(status, server)


def _own_engines(site: SiteView) -> Iterator[InstanceStatus]:
    """Engines that a host runs by its own means, as the source did before us: left alone and shown."""
    for host, observed in site.observation.hosts.items():
        rows = [row for row in _not_ours(site) if _owner(site, row) == host]
        for each in observed.facts.engines:
            status = InstanceStatus(
                host,
                Service.ENGINE,
                each.unit or each.program,
                site.inventory.hosts[host].address,
                pid=each.pid,
                state="running",
                heat=instances.heat_view(rows),
                drift=_drift(site, rows, is_running=True),
            )
            yield instances.with_workers(status, rows, site.engines)


def _rows(site: SiteView) -> Iterator[InstanceStatus]:
    """Rows of engines that none of these hosts runs: of another host when one is alive, of nobody when none is."""
    by_name: dict[tuple[str, str], list[EngineRow]] = {}
    for row in _not_ours(site):
        if _owner(site, row) is None:
            by_name.setdefault((row.hostname, row.host), []).append(row)
    for (hostname, name), rows in by_name.items():
        is_running = any(site.engines.is_alive(row) or site.engines.has_no_queue(row) for row in rows)
        status = InstanceStatus(
            hostname,
            Service.ENGINE,
            name,
            state="unknown" if is_running else "stopped",
            heat=instances.heat_view(rows),
            drift=_drift(site, rows, is_running),
        )
        yield instances.with_workers(status, rows, site.engines)


def _drift(site: SiteView, rows: Sequence[EngineRow], is_running: bool) -> str:
    if rows and all(site.engines.has_no_queue(row) for row in rows):
        return instances.NO_QUEUE
    dead = [row for row in rows if not site.engines.is_alive(row)]
    without_process = [instances.rows_without_process(len(dead))] if dead else []
    return ", ".join([HOSTS_OWN, *without_process] if is_running else without_process)


def _owner(site: SiteView, row: EngineRow) -> str | None:
    """The host whose own engine a row is of; those named as ours are never a host's own."""
    hosts = (
        host
        for host, observed in site.observation.hosts.items()
        if observed.facts.engines and (observed.facts.hostname or host) == row.hostname
    )
    host = next(hosts, None)
    own = names.parse_engine(row.host)
    return None if own and own.host == host else host


def _not_ours(site: SiteView) -> list[EngineRow]:
    """Rows of engines that no unit of ours stands for, whether the inventory names it or it is left over."""
    ours = {names.engine_name(each.host, each.number) for each in site.inventory.instances()}
    left_over = {
        names.engine_of_unit(host, name)
        for host, observed in site.observation.hosts.items()
        for name, unit in observed.state.units.items()
        if unit.is_left
    }
    lost = {names.engine_of_unit(each.host, each.unit) for each in site.lost}
    return [row for row in site.engines.rows if row.host not in ours | left_over | lost]
