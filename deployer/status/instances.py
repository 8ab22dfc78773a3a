"""One line for each process that the inventory asks for: what systemd, Heat and the proxy say of it. Pure."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from deployer.heat.engines import EngineRow, EngineView
from deployer.inventory.schema import Inventory
from deployer.model import names
from deployer.model.facts import Observation, Server
from deployer.model.hosts import Instance
from deployer.model.service import Service
from deployer.model.state import HostState, Unit
from deployer.observed.observe import SiteObservation
from deployer.plan import host_steps
from deployer.proxy import config

SHORT = 7  # letters of a digest that tell two apart


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


def desired_instances(
    inventory: Inventory, observation: SiteObservation, desired: Mapping[str, HostState], view: EngineView
) -> tuple[InstanceStatus, ...]:
    """Every process the inventory asks for, in its order."""
    at_proxy = servers(inventory, observation)
    return tuple(
        _instance_status(each, observation.hosts.get(each.host), desired.get(each.host), view, at_proxy)
        for each in inventory.instances()
    )


def servers(inventory: Inventory, observation: SiteObservation) -> dict[Instance, Server | None]:
    """Each API's server at the proxy, None where it has none there; empty when no proxy answers."""
    proxy_host = observation.hosts.get(inventory.proxy.host)
    by_name = {each.path: each for each in (proxy_host.facts.servers if proxy_host else ())}
    observed = {}
    for service, section in config.SECTIONS.items():
        of_service = [each for each in inventory.instances() if each.service is service]
        for position, each in enumerate(of_service, 1):
            observed[each] = by_name.get(f"{section}/{config.server_name(inventory.proxy, each, position)}")
    return observed if any(observed.values()) else {}


def addresses(each: Instance, desired: HostState | None) -> tuple[tuple[str, int], ...]:
    """The (address, port) pairs that a process should listen on."""
    if each.port:
        return ((each.address, each.port),)
    unit = desired and desired.units.get(each.unit)
    return unit.needs if unit else ()


def _instance_status(
    each: Instance, observed: Observation | None, desired_host: HostState | None, view: EngineView, at_proxy: Mapping
) -> InstanceStatus:
    unit = observed.state.units.get(each.unit) if observed else None
    desired = desired_host.units.get(each.unit) if desired_host else None
    server, rows = at_proxy.get(each), rows_of(each.host, each.unit, view)
    pairs = addresses(each, desired_host)
    is_listening = _listening(pairs, each.unit, observed)
    drift = (
        ()
        if observed is None or desired_host is None
        else (
            *_unit_drift(unit, desired, is_listening),
            *_proxy_drift(unit, server, at_proxy, each),
            *(_engine_drift(unit, rows, view) if each.service is Service.ENGINE else ()),
        )
    )
    return InstanceStatus(
        each.host,
        each.service,
        each.unit,
        each.address,
        each.port,
        unit.pid if unit else None,
        state(observed, unit),
        heat_view(rows) if each.service is Service.ENGINE else "",
        _proxy_view(each, at_proxy),
        ", ".join(drift),
        tuple(names.endpoint(*pair) for pair in pairs),
        is_listening,
        **digests(unit, desired),
        **at_the_proxy(server),
        **(workers(rows, view) if each.service is Service.ENGINE else {}),
    )


def state(observed: Observation | None, unit: Unit | None) -> str:
    if observed is None:
        return "unreachable"
    return "running" if unit and unit.running else "stopped"


def digests(unit: Unit | None, desired: Unit | None) -> dict[str, Any]:
    """The digest of what a process has read, and whether that is what it should have read."""
    if unit is None or not unit.running or unit.config is None:
        return {}
    return {"config": unit.config[:SHORT], "config_is_desired": desired and unit.config == desired.config}


def at_the_proxy(server: Server | None) -> dict[str, Any]:
    """The last check of a server, its requests in progress and all so far."""
    return {"check": server.check, "sessions": server.sessions, "requests": server.requests} if server else {}


def rows_of(host: str, unit: str, view: EngineView) -> list[EngineRow]:
    """Heat's rows of one engine unit of ours."""
    name = names.engine_of_unit(host, unit)
    return [row for row in view.rows if row.host == name]


def heat_view(rows: Sequence[EngineRow]) -> str:
    """In Heat's own words: an engine is up when one of its worker processes is."""
    return "unknown" if not rows else "up" if any(row.up for row in rows) else "down"


def workers(rows: Sequence[EngineRow], view: EngineView) -> dict[str, Any]:
    """How many worker processes Heat lists as up and down, and what is known of their queues."""
    if not view.known:
        return {}
    up, queue = sum(row.up for row in rows), view.queue(rows)
    counts = {"workers": {"up": up, "down": len(rows) - up}}
    return counts | ({"queue": {"messages": queue.messages, "consumers": queue.consumers}} if queue else {})


def rows_without_process(count: int) -> str:
    return "row without process" if count == 1 else f"{count} rows without process"


def _listening(pairs: Sequence[tuple[str, int]], unit: str, observed: Observation | None) -> bool | None:
    """Whether a unit holds all the addresses it should; None when it needs none, or nobody knows."""
    if not pairs or observed is None:
        return None
    return all(
        any(holder.unit == unit for holder in host_steps.holders_of(address, port, observed.facts.listeners))
        for address, port in pairs
    )


def _proxy_view(each: Instance, at_proxy: Mapping[Instance, Server | None]) -> str:
    if each.service not in config.SECTIONS:
        return ""
    if not at_proxy:
        return "unknown"
    server = at_proxy[each]
    return server.status if server else "missing"


def _unit_drift(unit: Unit | None, desired: Unit | None, is_listening: bool | None) -> Iterator[str]:
    """What differs from the inventory in a process as its host shows it, in a few words."""
    if unit is None or not unit.running:
        yield "not running"
    elif not unit.enabled:
        yield "not enabled"
    elif desired is None or unit.config != desired.config:
        yield "old configuration"
    elif is_listening is False:
        yield "not listening"


def _proxy_drift(unit: Unit | None, server: Server | None, at_proxy: Mapping, each: Instance) -> Iterator[str]:
    is_running = unit is not None and unit.running
    if server and not is_running:
        yield "server without unit"
    elif server and server.drained != each.drained:
        yield "drained" if server.drained else "not drained"
    elif server and server.drained:
        return
    elif server and not server.serves:
        yield "not served"
    elif is_running and each in at_proxy and server is None:
        yield "missing at the proxy"


def _engine_drift(unit: Unit | None, rows: Sequence[EngineRow], view: EngineView) -> Iterator[str]:
    alive = [row for row in rows if view.is_alive(row)]
    is_running = unit is not None and unit.running
    if view.known and is_running and not rows:
        yield "not listed by Heat"
    elif is_running and not alive and rows:
        yield "queue without consumer" if any(row.up for row in rows) else "down for Heat"
    elif len(alive) < len(rows):
        yield rows_without_process(len(rows) - len(alive))
