"""One row a process: what the inventory wants, what systemd, Heat and the proxy say of it, where they differ. Pure."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from deployer.heat import launch
from deployer.heat.engines import Row
from deployer.inventory.schema import Inventory
from deployer.model import Found, HostState, Instance, Server, Service, Unit
from deployer.observed import Seen
from deployer.proxy import config


@dataclass(frozen=True)
class Line:
    """A process of the site; field names are part of the contract of `status --format json`."""

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


@dataclass(frozen=True)
class Picture:
    """The whole site: a line a process, the steps a deploy would take, the errors of hosts that did not answer."""

    lines: tuple[Line, ...]
    pending: tuple[str, ...] = ()
    errors: tuple[str, ...] = ()


def lines(inventory: Inventory, seen: Seen, wanted: Mapping[str, HostState], rows: Sequence[Row]) -> tuple[Line, ...]:
    """Every process the inventory asks for, then those that are there without being asked for."""
    servers = _servers(inventory, seen)
    asked = [_line(each, seen, wanted, rows, servers) for each in inventory.instances()]
    return (*asked, *_leftovers(inventory, seen), *_own_engines(inventory, seen, rows))


def _servers(inventory: Inventory, seen: Seen) -> dict[Instance, Server]:
    """Each API's server at the proxy, where it has one; empty when no proxy answers."""
    front = seen.found.get(inventory.proxy.host)
    by_name = {each.path: each for each in (front.facts.servers if front else ())}
    found = {}
    for service, section in config.SECTIONS.items():
        of_service = [each for each in inventory.instances() if each.service is service]
        for position, each in enumerate(of_service, 1):
            found[each] = by_name.get(f"{section}/{config.server_name(inventory.proxy, each, position)}")
    return {each: server for each, server in found.items() if server}


def _line(each: Instance, seen: Seen, wanted, rows, servers) -> Line:
    found = seen.found.get(each.host)
    unit = found.state.units.get(each.unit) if found else None
    return Line(each.host, each.service, each.unit, each.address, each.port, unit.pid if unit else None,
                _state(found, unit), _heat_view(each, rows), _proxy_view(each, servers),
                _drift(each, unit, wanted.get(each.host), found))


def _state(found: Found | None, unit: Unit | None) -> str:
    if found is None:
        return "unreachable"
    return "running" if unit and unit.running else "stopped"


def _heat_view(each: Instance, rows: Sequence[Row]) -> str:
    if each.service is not Service.ENGINE:
        return ""
    return _view(row for row in rows if row.host == launch.engine_name(each.host, each.number))


def _view(rows) -> str:
    states = [row.up for row in rows]
    return "unknown" if not states else "up" if any(states) else "down"


def _proxy_view(each: Instance, servers: Mapping[Instance, Server]) -> str:
    if each.service not in config.SECTIONS:
        return ""
    if not servers:
        return "unknown"
    return servers[each].status if each in servers else "missing"


def _drift(each: Instance, unit: Unit | None, wanted: HostState | None, found: Found | None) -> str:
    """What differs from the inventory in this process, in a few words; "" when nothing does."""
    if found is None or wanted is None:
        return ""
    if unit is None or not unit.running:
        return "not running"
    if not unit.enabled:
        return "not enabled"
    return "old configuration" if unit.config != wanted.units[each.unit].config else ""


def _leftovers(inventory: Inventory, seen: Seen) -> Iterator[Line]:
    asked = {(each.host, each.unit) for each in inventory.instances()}
    for host, found in seen.found.items():
        for name, unit in sorted(found.state.units.items()):
            if (host, name) not in asked and (unit.running or unit.enabled):
                service = name.removeprefix("heat-scaleout-").partition("@")[0].removesuffix(".service")
                yield Line(host, service, name, pid=unit.pid, state=_state(found, unit), drift="not in the inventory")


def _own_engines(inventory: Inventory, seen: Seen, rows: Sequence[Row]) -> Iterator[Line]:
    """Engines that a host runs by its own means, as the source did before us: left alone and shown."""
    ours = {launch.engine_name(each.host, each.number) for each in inventory.instances()}
    for host, found in seen.found.items():
        for each in found.facts.engines:
            view = _view(row for row in rows if row.hostname == host and row.host not in ours)
            yield Line(host, Service.ENGINE, each.unit or each.program, inventory.hosts[host].address, None, each.pid,
                       "running", view, "", "host's own")


def as_json(inventory: Inventory, picture: Picture) -> dict[str, Any]:
    """The contract of `status --format json`: fields may be added, never renamed."""
    return {"schema_version": 1, "site": inventory.site, "instances": [asdict(line) for line in picture.lines],
            "pending": list(picture.pending), "errors": list(picture.errors)}
