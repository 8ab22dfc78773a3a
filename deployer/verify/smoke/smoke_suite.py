"""Real use of Heat through the proxy: login, catalogue, engines, CFN, every API, a stack. Leaves nothing behind."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from deployer.heat import service_units
from deployer.inventory.schema import Inventory
from deployer.model.names import Endpoint
from deployer.model.service import Service
from deployer.remote.fleet import Fleet
from deployer.verify.smoke import balancing, cfn, clouds, engine_list, stack
from deployer.verify.smoke.clouds import Cloud
from deployer.verify.smoke.result import Check, Recorder

WHERE = "through the proxy"  # no name of a host: those have no blanks
NEEDED = ("Keystone", "catalogue")  # without these nothing else makes sense


@dataclass(frozen=True)
class SmokeTarget:
    """What is proven: the inventory, its hosts, and where the proxy serves each API."""

    inventory: Inventory
    fleet: Fleet
    binds: Mapping[Service, Endpoint]


@dataclass(frozen=True)
class SmokeStep:
    """What a check is about, what is promised, and how it is tried: a function that returns what it saw."""

    subject: str
    promise: str
    tried: Callable[[], str]


def run(site: SmokeTarget, cloud: Cloud, say: Callable[[str], None]) -> tuple[Check, ...]:
    """Use the site as a user would; `say` is told of each step before it begins. Never raise for a site that fails."""
    book = Recorder(WHERE, say, clouds.expected_errors())
    book.hide(cloud.secrets)
    steps = _steps(site, cloud)
    for position, step in enumerate(steps):
        if not book.tried(step.subject, step.promise, step.tried) and step.subject in NEEDED:
            _skip(book, steps[position + 1 :], f"not tried, as this failed: {step.promise}")
            return tuple(book.checks)
    stack.prove(cloud, book)
    return tuple(book.checks)


def _steps(site: SmokeTarget, cloud: Cloud) -> list[SmokeStep]:
    """Everything but the stack."""
    inventory, fleet = site.inventory, site.fleet
    secure = inventory.proxy.tls is not None
    return [
        SmokeStep("Keystone", "it gives a token", lambda: clouds.log_in(cloud)),
        SmokeStep("catalogue", "it leads to the proxy", lambda: clouds.led_to_proxy(cloud, site.binds, secure)),
        SmokeStep(
            "engines", "Heat lists the inventory's as up", lambda: engine_list.check_engines(inventory, fleet, cloud)
        ),
        SmokeStep("CFN API", "a signed ListStacks is answered", lambda: _stacks_listed(cloud)),
        *(
            _reach_every(site, cloud, service)
            for service in clouds.CATALOGUE
            if balancing.server_names(inventory, service)
        ),
    ]


def _reach_every(site: SmokeTarget, cloud: Cloud, service: Service) -> SmokeStep:
    title = service_units.TITLES[service]
    return SmokeStep(
        f"{title}s", "requests reach every one", lambda: balancing.reached(site.inventory, site.fleet, cloud, service)
    )


def _stacks_listed(cloud: Cloud) -> str:
    region = cloud.connection.config.region_name or "RegionOne"
    return cfn.stacks_listed(cloud, cloud.endpoint(Service.CFN), region)


def _skip(book: Recorder, steps: Iterable[SmokeStep], reason: str) -> None:
    for step in steps:
        book.skipped(step.subject, step.promise, reason)
    book.skipped("stack", "it is created, updated, read and deleted", reason)
