"""Real use of Heat through the proxy: login, catalogue, engines, CFN, every API, a stack. Leaves nothing behind."""

import re
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from deployer.heat import cfn, launch, smoke_cloud, smoke_spread, smoke_stack
from deployer.heat.smoke_check import Book, Check, Unproven
from deployer.heat.smoke_cloud import Cloud
from deployer.inventory.schema import Inventory
from deployer.inventory.values import Endpoint
from deployer.model import Service
from deployer.remote.fleet import Fleet

WHERE = "through the proxy"  # no name of a host: those have no blanks
OURS = re.compile(r".+-engine-[0-9]+")


@dataclass(frozen=True)
class Site:
    """What is proven: the inventory, its hosts, and where the proxy serves each API."""

    inventory: Inventory
    fleet: Fleet
    binds: Mapping[Service, Endpoint]


def run(site: Site, cloud: Cloud, say: Callable[[str], None]) -> tuple[Check, ...]:
    """Use the site as a user would; `say` is told of each step before it begins. Never raise for a site that fails."""
    book = Book(WHERE, say, smoke_cloud.expected_errors())
    book.hide(cloud.secrets)
    steps = _steps(site, cloud)
    for position, (subject, promise, step) in enumerate(steps):
        if not book.tried(subject, promise, step) and subject in ("Keystone", "catalogue"):
            _skip(book, steps[position + 1 :], promise)
            return tuple(book.checks)
    smoke_stack.prove(cloud, book)
    return tuple(book.checks)


def _steps(site: Site, cloud: Cloud) -> list[tuple[str, str, Callable[[], str]]]:
    """Everything but the stack: what it is about, what is promised, and how it is tried."""
    inventory, fleet = site.inventory, site.fleet
    names = [launch.engine_name(each.host, each.number) for each in inventory.instances()
             if each.service is Service.ENGINE]
    has = {each.service for each in inventory.instances()}
    return [
        ("Keystone", "Keystone gives a token", lambda: smoke_cloud.log_in(cloud)),
        ("catalogue", "the catalogue leads to the proxy",
         lambda: smoke_cloud.led_to_proxy(cloud, site.binds, inventory.proxy.tls is not None)),
        ("engines", "Heat lists the inventory's engines as up", lambda: judged(_rows(cloud), names)),
        ("CFN API", "a signed CFN ListStacks is answered", lambda: _stacks_listed(cloud)),
        *(((f"{title}s", f"requests reach every {title}",
            lambda service=service: smoke_spread.reached(inventory, fleet, cloud, service)))
          for service, title in launch.TITLES.items() if service in smoke_cloud.CATALOGUE and service in has),
    ]


def judged(rows: Iterable[Mapping[str, Any]], names: Collection[str]) -> str:
    """Given Heat's engine rows and the names there should be, say who is up; raise Unproven when they differ.

    A row is one worker process: {host: the engine's name, status: "up" or "down", hostname, ...}.
    """
    up: dict[str, int] = {}
    for row in rows:
        up[row["host"]] = up.get(row["host"], 0) + (row["status"] == "up")
    problems = [f"{name} is {'down' if name in up else 'not listed'}" for name in names if not up.get(name)]
    problems += [f"{name} is up but not in the inventory (or ended without a word in the last two minutes)"
                 for name in sorted(up) if up[name] and OURS.fullmatch(name) and name not in names]
    if problems:
        raise Unproven("; ".join(problems))
    workers = sum(up[name] for name in names)
    own = [f"{name} ({_workers(count)})" for name, count in sorted(up.items()) if count and name not in names]
    listed = f"{len(names)} of {len(names)} up with {_workers(workers)}"
    return f"{listed}; besides, a host's own: {', '.join(own)}" if own else listed


def _rows(cloud: Cloud) -> list[dict[str, Any]]:
    answer = cloud.connection.orchestration.request("/services", "GET", raise_exc=False)
    if answer.status_code in (401, 403):
        raise Unproven("Heat shows its engines to administrators only: name the cloud of one (--cloud)")
    if answer.status_code != 200:
        raise Unproven(f"Heat answered {answer.status_code} to the list of its engines")
    return answer.json()["services"]


def _stacks_listed(cloud: Cloud) -> str:
    region = cloud.connection.config.region_name or "RegionOne"
    return cfn.stacks_listed(cloud, cloud.endpoint(Service.CFN), region)


def _skip(book: Book, steps: Iterable[tuple[str, str, Callable[[], str]]], because: str) -> None:
    for subject, promise, _ in steps:
        book.skipped(subject, promise, f"not tried, as this failed: {because}")
    book.skipped("stack", "a stack is created, updated, read and deleted", f"not tried, as this failed: {because}")


def _workers(count: int) -> str:
    return f"{count} worker" if count == 1 else f"{count} workers"
