"""The lab's own network on this machine: a bridge for each lab, and behind it a route to nowhere.

The blackholes see to it that nothing meant for a lab ever leaves by the default route: one goes with its lab, and one
behind all of them stays until the machine restarts, for whoever still asks a lab that has gone down.
"""

import ipaddress
import json
from typing import Any

from lab import addressing, command
from lab.lab_errors import BadInput

BLACKHOLE_METRIC = 4096
GUARD = "198.18.0.0/16"  # every lab's addresses; the range is for tests alone (RFC 2544)
GUARD_METRIC = 4097


def up(subnet: int) -> None:
    """Make the blackholes, then the bridge with this machine's address, where they are not there yet."""
    if not any(is_guard(route) for route in blackholes()):
        command.run(["ip", "route", "add", "blackhole", GUARD, "metric", str(GUARD_METRIC)])
    if not has_blackhole(subnet):
        command.run(["ip", "route", "add", "blackhole", prefix(subnet), "metric", str(BLACKHOLE_METRIC)])
    bridge = addressing.bridge(subnet)
    if not link_exists(bridge):
        command.run(["ip", "link", "add", bridge, "type", "bridge", "stp_state", "0", "forward_delay", "0"])
    command.run(["ip", "address", "replace", f"{addressing.gateway(subnet)}/24", "dev", bridge])
    command.run(["ip", "link", "set", bridge, "up"])


def down(subnet: int) -> None:
    """Remove the bridge with every link left on it, and its blackhole last."""
    bridge = addressing.bridge(subnet)
    for link in links_on(bridge):
        command.run(["ip", "link", "delete", link["ifname"]])
    if link_exists(bridge):
        command.run(["ip", "link", "delete", bridge])
    if has_blackhole(subnet):
        command.run(["ip", "route", "delete", "blackhole", prefix(subnet), "metric", str(BLACKHOLE_METRIC)])


def require_free(subnet: int) -> None:
    """Raise BadInput if someone else's route leads into the subnet."""
    strangers = routes_into(subnet)
    if strangers:
        raise BadInput(
            f"{prefix(subnet)} is not free: this machine has a route to it ({strangers[0]})",
            hint="The lab would cut that network off. Remove the route, or use a machine without it.",
        )


def is_free(subnet: int) -> bool:
    """Tell whether no route of anyone, a lab's included, leads into the subnet."""
    return not routes_into(subnet) and not has_blackhole(subnet) and not link_exists(addressing.bridge(subnet))


def routes_into(subnet: int) -> list[str]:
    """Return the routes into the subnet that are not its lab's own, as text; the default route does not count."""
    wanted = addressing.SUBNETS[subnet]
    found = []
    for route in json.loads(command.run(["ip", "-json", "-4", "route", "show", "table", "all"])):
        if route["dst"] == "default" or is_ours(route, subnet) or is_guard(route):
            continue
        if ipaddress.ip_network(route["dst"], strict=False).overlaps(wanted):
            found.append(f"{route['dst']} via {route.get('dev', route.get('type', 'unknown'))}")
    return found


def is_ours(route: dict[str, Any], subnet: int) -> bool:
    """Tell whether a route was made by this module for this subnet."""
    return route.get("dev") == addressing.bridge(subnet) or (
        route.get("type") == "blackhole" and route["dst"] == prefix(subnet) and route.get("metric") == BLACKHOLE_METRIC
    )


def has_blackhole(subnet: int) -> bool:
    """Tell whether our blackhole for the subnet is there."""
    return any(is_ours(route, subnet) for route in blackholes())


def blackholes() -> list[dict[str, Any]]:
    """Return the routes to nowhere that this machine has."""
    routes = json.loads(command.run(["ip", "-json", "-4", "route", "show", "type", "blackhole"]) or "[]")
    return [{**route, "type": "blackhole"} for route in routes]


def is_guard(route: dict[str, Any]) -> bool:
    """Tell whether a route is the one behind all labs."""
    return route.get("type") == "blackhole" and route["dst"] == GUARD and route.get("metric") == GUARD_METRIC


def forget_host(subnet: int, machine: str) -> None:
    """Delete the link that a killed host left behind, so that it can start again."""
    wanted = f"vb-{machine}"
    for link in links_on(addressing.bridge(subnet)):
        if wanted in (link["ifname"], *link.get("altnames", [])):
            command.run(["ip", "link", "delete", link["ifname"]])


def links_on(bridge: str) -> list[dict[str, Any]]:
    """Return the links that belong to a bridge."""
    if not link_exists(bridge):
        return []
    return json.loads(command.run(["ip", "-json", "link", "show", "master", bridge]) or "[]")


def link_exists(name: str) -> bool:
    """Tell whether this machine has a link of that name."""
    return any(link["ifname"] == name for link in json.loads(command.run(["ip", "-json", "link", "show"])))


def prefix(subnet: int) -> str:
    """Return the subnet as the ip program writes it."""
    return str(addressing.SUBNETS[subnet])
