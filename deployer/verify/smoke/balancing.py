"""Checks that requests through the proxy reach every API, from HAProxy's own counters before and after."""

from collections.abc import Iterable, Mapping, Sequence

from deployer.errors import DeployerError
from deployer.inventory.schema import Inventory
from deployer.model.events import Level
from deployer.model.facts import Server
from deployer.model.service import Service
from deployer.proxy import config, runtime_api
from deployer.remote.fleet import Fleet
from deployer.verify.smoke.clouds import Cloud
from deployer.verify.smoke.result import CheckFailed

PINNED = ("source", "first")  # ways of balancing that give one client one server
PER_ROUND = 2  # requests for each server
MOST_ROUNDS = 8
STATS_TIMEOUT = 20.0  # seconds for HAProxy to answer
QUESTION = "show stat\n"


def reached(inventory: Inventory, fleet: Fleet, cloud: Cloud, service: Service) -> str:
    """Send requests to an API's address until every server got one, and return how many; raise CheckFailed if not."""
    url = cloud.endpoint(service).split("/v1")[0] + "/"
    names = server_names(inventory, service)
    got: dict[str, int] = {}
    before = _servers(inventory, fleet, service)
    for _ in range(MOST_ROUNDS):
        statuses = [cloud.get(url, {}).status_code for _ in range(PER_ROUND * len(names))]
        after = _servers(inventory, fleet, service)
        got = added(got, before, after)
        before = after
        if bad := [status for status in statuses if status >= 500]:
            raise CheckFailed(f"{len(bad)} of {len(statuses)} requests to {url} were answered with {bad[0]}")
        if enough(names, got, inventory.proxy.balance):
            return counts_text(names, got, inventory.proxy.balance)
    raise CheckFailed(missing(names, got, before.values()))


def server_names(inventory: Inventory, service: Service) -> tuple[str, ...]:
    """The names that HAProxy should have for the APIs of a kind, in the inventory's order."""
    of_kind = [each for each in inventory.instances() if each.service is service]
    return tuple(config.server_name(inventory.proxy, each, position) for position, each in enumerate(of_kind, 1))


def added(got: Mapping[str, int], before: Mapping[str, Server], after: Mapping[str, Server]) -> dict[str, int]:
    """The requests of every server so far; a counter that went back was reset by a reload and counts from 0."""
    requests = {name: server.requests for name, server in after.items()}
    old = {name: before[name].requests if name in before else 0 for name in requests}
    return {
        name: got.get(name, 0) + (count - old[name] if count >= old[name] else count)
        for name, count in requests.items()
    }


def enough(names: Sequence[str], got: Mapping[str, int], balance: str) -> bool:
    """Whether requests reached every server to which this way of balancing sends those of one client."""
    hit = [name for name in names if got.get(name)]
    return len(hit) == len(names) or (balance in PINNED and bool(hit))


def counts_text(names: Sequence[str], got: Mapping[str, int], balance: str) -> str:
    """How many requests each server got, as text."""
    counts = ", ".join(f"{name} {got.get(name, 0)}" for name in names)
    if all(got.get(name) for name in names):
        return counts
    return f"{counts} (`balance: {balance}` gives one client one server; the others are proven healthy, not reached)"


def missing(names: Sequence[str], got: Mapping[str, int], servers: Iterable[Server]) -> str:
    """Which servers got no request, and their status in HAProxy."""
    status = {server.name: f"HAProxy shows {server.status}" for server in servers}
    without = [f"{name} ({status.get(name, 'HAProxy does not have it')})" for name in names if not got.get(name)]
    return f"no request of {sum(got.values())} reached {', '.join(without)}"


def _servers(inventory: Inventory, fleet: Fleet, service: Service) -> dict[str, Server]:
    host = inventory.proxy.host
    requests = {host: {"ask": {config.SOCKET: QUESTION}}}
    reply = fleet.ask("observe", "observe", requests, STATS_TIMEOUT, Level.VERBOSE)[host]
    if isinstance(reply, DeployerError):
        raise reply
    section, answer = config.SECTIONS[service], reply["replies"].get(config.SOCKET)
    servers = {each.name: each for each in runtime_api.servers(answer) if each.section == section}
    if not servers:
        raise CheckFailed(f"HAProxy on {host} does not list {section} on {config.SOCKET}: is the proxy running?")
    return servers
