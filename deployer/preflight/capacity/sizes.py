"""Decides how many worker processes each process of the site has. Pure."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from deployer.desired import desired_state
from deployer.heat import releases, service_units
from deployer.heat.source import Source
from deployer.inventory.schema import Inventory
from deployer.model.facts import Facts, HostResources, Observation
from deployer.model.hosts import Instance
from deployer.model.service import Service


@dataclass(frozen=True)
class SiteSizes:
    """The data of every capacity check; `observed` and `measured` may lack hosts."""

    inventory: Inventory
    heat_source: Source
    observed: Mapping[str, Observation]
    measured: Mapping[str, HostResources]

    def facts(self, name: str) -> Facts:
        return self.observed[name].facts if name in self.observed else Facts()


def workers(site: SiteSizes, each: Instance) -> int:
    """How many workers a process of Heat forks: as the inventory says, else heat.conf, else Heat's own default."""
    runtime = desired_state.runtime_of(site.inventory, each.host, site.heat_source, site.facts(each.host))
    stated = runtime.workers[each.service]
    if stated:
        return stated
    if each.service is Service.ENGINE:
        return own_workers(site, each.host)
    if runtime.launcher == releases.UWSGI:
        return service_units.WSGI_WORKERS
    # heat/common/wsgi.py until 24: [heat_api] workers is 0 (one a CPU), [heat_api_cfn] workers is 1.
    fallback = 0 if each.service is Service.API else 1
    number = site.heat_source.number(service_units.SECTIONS[each.service], "workers")
    return (fallback if number is None else number) or site.facts(each.host).cpus


def processes(site: SiteSizes, each: Instance) -> int:
    """How many processes an instance is: its workers and their parent; one that forks none is one."""
    forked = workers(site, each)
    runtime = desired_state.runtime_of(site.inventory, each.host, site.heat_source, site.facts(each.host))
    return 1 if forked == 1 and (each.service is Service.ENGINE or runtime.launcher != releases.UWSGI) else 1 + forked


def own_workers(site: SiteSizes, host: str) -> int:
    """How many workers an engine forks that nothing but heat.conf sizes."""
    stated = site.heat_source.number("DEFAULT", "num_engine_workers")
    return stated or releases.default_engine_workers(site.facts(host).cpus)


def engine_workers(site: SiteSizes) -> dict[str, int]:
    """Host -> the workers of all its engines, its own included; hosts without one are left out."""
    totals: dict[str, int] = {}
    for host, count in _of_engines(site):
        totals[host] = totals.get(host, 0) + count
    return totals


def _of_engines(site: SiteSizes) -> Iterator[tuple[str, int]]:
    for each in site.inventory.instances():
        if each.service is Service.ENGINE:
            yield each.host, workers(site, each)
    for host, observed in site.observed.items():
        yield from ((host, own_workers(site, host)) for _ in observed.facts.engines)
