"""Uses Heat through the proxy: login, catalogue, engines, CFN, every API, a stack; leaves nothing behind."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial

from deployer import errors
from deployer.heat import service_units
from deployer.inventory.schema import Inventory
from deployer.model.names import Endpoint
from deployer.model.service import Service
from deployer.remote.fleet import Fleet
from deployer.verify.smoke import balancing, cfn, clouds, engine_list, stack
from deployer.verify.smoke.clouds import Cloud
from deployer.verify.smoke.result import Check, Outcome, Recorder

WHERE = "through the proxy"  # no name of a host: those have no blanks
TOKEN, CATALOGUE = "it gives a token", "it leads to the proxy"
ENGINES, CFN = "Heat lists the inventory's as up", "a signed ListStacks is answered"
EVERY_API, STACK = "requests reach every one", "it is created, updated, read and deleted"


@dataclass(frozen=True)
class SmokeTarget:
    """The site to prove: the inventory, its hosts, and where the proxy serves each API."""

    inventory: Inventory
    fleet: Fleet
    binds: Mapping[Service, Endpoint]

    @property
    def services(self) -> tuple[Service, ...]:
        """The kinds of API that the site has."""
        return tuple(service for service in clouds.CATALOGUE if balancing.server_names(self.inventory, service))


def without_target(inventory: Inventory, error: errors.DeployerError) -> tuple[Check, ...]:
    """The failed check of a site whose source does not answer where clients reach Heat."""
    promise = "the source's heat.conf tells where clients reach Heat"
    return (Check(WHERE, inventory.heat.source, promise, Outcome.FAILED, reason=error.message),)


def run(site: SmokeTarget, cloud: Cloud, message: Callable[[str], None]) -> tuple[Check, ...]:
    """Use the site as a client would; `message` receives the name of each step. Never raise for a site that fails.

    Without a token, or a catalogue that leads to the proxy, nothing else makes sense: it is skipped.
    """
    recorder = Recorder(WHERE, message, clouds.expected_errors())
    recorder.redact(cloud.secrets)
    if not recorder.tried("Keystone", TOKEN, lambda: clouds.log_in(cloud)):
        recorder.skipped("catalogue", CATALOGUE, _not_tried(TOKEN))
        _skip_use(site, recorder, TOKEN)
    elif not recorder.tried("catalogue", CATALOGUE, lambda: _led_to_proxy(site, cloud)):
        _skip_use(site, recorder, CATALOGUE)
    else:
        _use(site, cloud, recorder)
    return tuple(recorder.checks)


def _use(site: SmokeTarget, cloud: Cloud, recorder: Recorder) -> None:
    inventory, fleet = site.inventory, site.fleet
    recorder.tried("engines", ENGINES, lambda: engine_list.check_engines(inventory, fleet, cloud))
    recorder.tried("CFN API", CFN, lambda: _stacks_listed(cloud))
    for service in site.services:
        recorder.tried(_apis(service), EVERY_API, partial(balancing.reached, inventory, fleet, cloud, service))
    stack.prove(cloud, recorder)


def _skip_use(site: SmokeTarget, recorder: Recorder, failed: str) -> None:
    recorder.skipped("engines", ENGINES, _not_tried(failed))
    recorder.skipped("CFN API", CFN, _not_tried(failed))
    for service in site.services:
        recorder.skipped(_apis(service), EVERY_API, _not_tried(failed))
    recorder.skipped("stack", STACK, _not_tried(failed))


def _not_tried(failed: str) -> str:
    return f"not tried, as this failed: {failed}"


def _apis(service: Service) -> str:
    return f"{service_units.TITLES[service]}s"


def _led_to_proxy(site: SmokeTarget, cloud: Cloud) -> str:
    return clouds.led_to_proxy(cloud, site.binds, site.inventory.proxy.tls is not None)


def _stacks_listed(cloud: Cloud) -> str:
    region = cloud.connection.config.region_name or "RegionOne"
    return cfn.stacks_listed(cloud, cloud.endpoint(Service.CFN), region)
