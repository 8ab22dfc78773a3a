"""Checks that the engines which Heat lists are those of the inventory."""

from collections.abc import Collection, Iterable, Mapping
from typing import Any

from deployer.errors import DeployerError
from deployer.inventory.schema import Inventory
from deployer.model import names
from deployer.model.events import Level
from deployer.model.service import Service
from deployer.remote.fleet import Fleet
from deployer.verify.smoke.clouds import Cloud
from deployer.verify.smoke.result import CheckFailed

UNITS_TIMEOUT = 20.0  # seconds for a host to list its units


def check_engines(inventory: Inventory, fleet: Fleet, cloud: Cloud) -> str:
    """Compare Heat's list of engines with the inventory and return who is up; raise CheckFailed when they differ."""
    desired = [
        names.engine_name(each.host, each.number) for each in inventory.instances() if each.service is Service.ENGINE
    ]
    up = workers_up(_rows(cloud))
    return compare(up, desired, _ended(inventory, fleet, unexpected(up, desired)))


def workers_up(rows: Iterable[Mapping[str, Any]]) -> dict[str, int]:
    """Given Heat's rows, one a worker process with `host` (the engine's name) and `status`, count who is up.

    An engine all of whose rows are down counts 0.
    """
    up: dict[str, int] = {}
    for row in rows:
        up[row["host"]] = up.get(row["host"], 0) + (row["status"] == "up")
    return up


def unexpected(up: Mapping[str, int], desired: Collection[str]) -> list[str]:
    """The engines that are up and named as ours are, but which the inventory does not have."""
    return sorted(name for name, count in up.items() if count and name not in desired and names.parse_engine(name))


def compare(up: Mapping[str, int], desired: Collection[str], ended: Collection[str] = ()) -> str:
    """Return who is up; raise CheckFailed when a desired engine is not, or another is whose process has not `ended`."""
    problems = [f"{name} is {'down' if name in up else 'not listed'}" for name in desired if not up.get(name)]
    problems += [
        f"{name} is up, but the inventory has no such engine" for name in unexpected(up, desired) if name not in ended
    ]
    if problems:
        raise CheckFailed("; ".join(problems))
    own = [
        f"{name} ({_workers(count)})"
        for name, count in sorted(up.items())
        if count and name not in desired and name not in ended
    ]
    parts = [f"{len(desired)} of {len(desired)} up with {_workers(sum(up[name] for name in desired))}"]
    parts += [f"besides, a host's own: {', '.join(own)}"] if own else []
    parts += [f"ended, still listed for up to two minutes: {', '.join(ended)}"] if ended else []
    return "; ".join(parts)


def _rows(cloud: Cloud) -> list[dict[str, Any]]:
    answer = cloud.connection.orchestration.request("/services", "GET", raise_exc=False)
    if answer.status_code in (401, 403):
        raise CheckFailed("Heat shows its engines to administrators only: name the cloud of one (--cloud)")
    if answer.status_code != 200:
        raise CheckFailed(f"Heat answered {answer.status_code} to the list of its engines: {answer.text[:300]}")
    return answer.json()["services"]


def _ended(inventory: Inventory, fleet: Fleet, listed: Collection[str]) -> list[str]:
    """Those engines whose host says that no such unit runs: Heat takes a row for up until two reports are missing."""
    places = {name: place for name in listed if (place := names.parse_engine(name))}
    hosts = {place.host for place in places.values() if place.host in inventory.hosts}
    requests = {host: {"units": [names.UNIT_PATTERN]} for host in hosts}
    replies = fleet.ask("observe", "observe", requests, UNITS_TIMEOUT, Level.VERBOSE)
    return [
        name
        for name, place in places.items()
        if place.host in hosts and not _runs(replies[place.host], names.unit_name(Service.ENGINE, place.number))
    ]


def _runs(reply: Any, unit: str) -> bool:
    if isinstance(reply, DeployerError):
        raise reply
    return reply["units"].get(unit, {}).get("active") in ("active", "deactivating", "activating")


def _workers(count: int) -> str:
    return f"{count} worker" if count == 1 else f"{count} workers"
