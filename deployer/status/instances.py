"""Decides the row of each process that the inventory asks for, from what its host, Heat and the proxy show. Pure."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from deployer.heat.engines import EngineRow, EngineView
from deployer.model import names
from deployer.model.facts import Observation, Server
from deployer.model.hosts import Instance
from deployer.model.service import Service
from deployer.model.state import HostState, Unit, UnitState
from deployer.plan import host_steps
from deployer.proxy import config
from deployer.status.site_view import InstanceView, SiteView

EARLIER = "an earlier process serves"
NO_QUEUE = "no queue at the broker"
SHORT = 7  # letters of a digest that tell two apart
STATES = {
    UnitState.ACTIVE: "running",
    UnitState.ACTIVATING: "starting",
    UnitState.DEACTIVATING: "stopping",
    UnitState.AUTO_RESTART: "restarting",
    UnitState.FAILED: "failed",
    UnitState.INACTIVE: "stopped",
}


@dataclass(frozen=True)
class InstanceStatus:
    """A process of the site; field names are part of the contract of `status --format json`.

    None: it has no such thing, or nobody could say.
    """

    host: str
    service: str
    unit: str
    address: str = ""
    port: int | None = None
    pid: int | None = None
    state: str = "unknown"
    heat: str = ""
    proxy: str = ""
    drift: str = ""
    listens_on: tuple[str, ...] = ()
    listening: bool | None = None
    config: str | None = None
    config_is_desired: bool | None = None
    check: str | None = None
    sessions: int | None = None
    requests: int | None = None
    workers: Mapping[str, int] | None = None
    queue: Mapping[str, int] | None = None


def desired_instances(site: SiteView) -> tuple[InstanceStatus, ...]:
    """Every process that the inventory asks for, in its order."""
    at_proxy = servers(site)
    return tuple(_status(_view(each, site, at_proxy), site.engines) for each in site.inventory.instances())


def servers(site: SiteView) -> dict[Instance, Server | None]:
    """Each API's server at the proxy, None where it has none there; empty when the proxy shows none of them."""
    by_name = {server.path: server for server in site.proxy_servers}
    at_proxy = {}
    for service, section in config.SECTIONS.items():
        of_service = [each for each in site.inventory.instances() if each.service is service]
        for position, each in enumerate(of_service, 1):
            name = config.server_name(site.inventory.proxy, each, position)
            at_proxy[each] = by_name.get(f"{section}/{name}")
    return at_proxy if any(at_proxy.values()) else {}


def addresses(each: Instance, desired: HostState | None) -> tuple[tuple[str, int], ...]:
    """The (address, port) pairs that a process should listen on."""
    if each.port:
        return ((each.address, each.port),)
    unit = desired.units.get(each.unit) if desired else None
    return unit.needs if unit else ()


def _view(each: Instance, site: SiteView, at_proxy: Mapping[Instance, Server | None]) -> InstanceView:
    observed, desired = site.observation.hosts.get(each.host), site.desired.get(each.host)
    return InstanceView(
        each,
        observed,
        unit=observed.state.units.get(each.unit) if observed else None,
        desired=desired.units.get(each.unit) if desired else None,
        is_desired_known=desired is not None,
        server=at_proxy.get(each),
        is_at_proxy=each in at_proxy,
        rows=tuple(rows_of(each.host, each.unit, site.engines)),
        addresses=addresses(each, desired),
    )


def _status(view: InstanceView, engines: EngineView) -> InstanceStatus:
    each = view.instance
    status = InstanceStatus(
        each.host,
        each.service,
        each.unit,
        each.address,
        each.port,
        pid=view.unit.pid if view.unit else None,
        state=state(view.observed, view.unit),
        heat=heat_view(view.rows) if view.is_engine else "",
        proxy=_proxy_view(view),
        drift=", ".join(_drift(view, engines)),
        listens_on=tuple(names.endpoint(*address) for address in view.addresses),
        listening=view.is_listening,
    )
    status = with_server(with_config(status, view.unit, view.desired), view.server)
    return with_workers(status, view.rows, engines) if view.is_engine else status


def state(observed: Observation | None, unit: Unit | None) -> str:
    """The state of a process as its host shows it."""
    if observed is None:
        return "unreachable"
    return STATES[unit.state if unit else UnitState.INACTIVE]


def with_config(status: InstanceStatus, unit: Unit | None, desired: Unit | None) -> InstanceStatus:
    """A row with the digest of the configuration that a process has read, and whether it should have read that."""
    if unit is None or not unit.running or unit.config is None:
        return status
    is_desired = None if desired is None else unit.config == desired.config
    return replace(status, config=unit.config[:SHORT], config_is_desired=is_desired)


def with_server(status: InstanceStatus, server: Server | None) -> InstanceStatus:
    """A row with the last check of a server, its requests in progress and all so far."""
    if server is None:
        return status
    return replace(status, check=server.check, sessions=server.sessions, requests=server.requests)


def with_workers(status: InstanceStatus, rows: Sequence[EngineRow], engines: EngineView) -> InstanceStatus:
    """A row with the number of worker processes that Heat lists as up and down, and what is known of their queues."""
    if not engines.known:
        return status
    up, queue = sum(row.up for row in rows), engines.queue(rows)
    counts = {"messages": queue.messages, "consumers": queue.consumers} if queue else None
    return replace(status, workers={"up": up, "down": len(rows) - up}, queue=counts)


def rows_of(host: str, unit: str, view: EngineView) -> list[EngineRow]:
    """Heat's rows of one engine unit of ours."""
    name = names.engine_of_unit(host, unit)
    return [row for row in view.rows if row.host == name]


def _idle(rows: Sequence[EngineRow], engines: EngineView) -> str:
    """Why an engine that runs does no work for Heat."""
    if any(engines.has_no_queue(row) for row in rows):
        return NO_QUEUE
    return "queue without consumer" if any(row.up for row in rows) else "down for Heat"


def heat_view(rows: Sequence[EngineRow]) -> str:
    """In Heat's own words: an engine is up when one of its worker processes is."""
    return "unknown" if not rows else "up" if any(row.up for row in rows) else "down"


def rows_without_process(count: int) -> str:
    """The drift of rows in Heat's table that no process stands behind."""
    return "row without process" if count == 1 else f"{count} rows without process"


def _proxy_view(view: InstanceView) -> str:
    if view.instance.service not in config.SECTIONS:
        return ""
    if not view.is_at_proxy:
        return "unknown"
    return view.server.status if view.server else "missing"


def _drift(view: InstanceView, engines: EngineView) -> Iterator[str]:
    """What differs from the inventory, in a few words each; nothing of a host that does not answer."""
    if view.observed is None or not view.is_desired_known:
        return
    yield from _unit_drift(view)
    yield from _proxy_drift(view)
    if view.is_engine:
        yield from _engine_drift(view, engines)


def _unit_drift(view: InstanceView) -> Iterator[str]:
    """What differs in a process as its host shows it."""
    if view.is_stopping:
        yield "still stopping"
    elif view.observed is not None and view.instance.unit in view.observed.facts.masked:
        yield "masked"
    elif view.unit is not None and view.unit.state is UnitState.AUTO_RESTART:
        yield "keeps failing"
    elif _has_earlier_proxy(view):
        yield EARLIER
    elif view.unit is None or not view.unit.running:
        yield "not running"
    elif not view.unit.enabled:
        yield "not enabled"
    elif view.desired is None or view.unit.config != view.desired.config:
        yield "old configuration"
    elif view.is_listening is False:
        yield "not listening"


def _has_earlier_proxy(view: InstanceView) -> bool:
    """Whether a proxy serves that an earlier start has left: its unit does not run, or another process does."""
    if view.instance.service is not Service.PROXY or view.desired is None or view.observed is None:
        return False
    return len(host_steps.listening_processes(view.desired, view.observed.facts.listeners)) > int(view.is_running)


def _proxy_drift(view: InstanceView) -> Iterator[str]:
    server = view.server
    if server is None:
        if view.is_running and view.is_at_proxy:
            yield "missing at the proxy"
    elif not view.is_running:
        yield "server without unit"
    elif server.drained != view.instance.drained:
        yield _traffic_drift(server)
    elif not server.drained and not server.serves:
        yield "not served"


def _traffic_drift(server: Server) -> str:
    if server.in_maintenance:
        return "in maintenance"
    return "drained" if server.drained else "not drained"


def _engine_drift(view: InstanceView, engines: EngineView) -> Iterator[str]:
    rows = view.rows
    alive = [row for row in rows if engines.is_alive(row)]
    if engines.known and view.is_running and not rows:
        yield "not listed by Heat"
    elif view.is_running and not alive and rows:
        yield _idle(rows, engines)
    elif len(alive) < len(rows) and not view.is_stopping:  # it reads no queue any more
        yield rows_without_process(len(rows) - len(alive))
