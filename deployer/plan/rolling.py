"""Decides how hosts change whose processes must restart: one after the other, each as a whole. Pure."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, replace

from deployer.model.facts import Observation
from deployer.model.service import Service
from deployer.model.steps import Step, Wave
from deployer.plan import drain, host_steps, outdated, tls_migration
from deployer.plan.drain import Place, ProxyView
from deployer.plan.host_steps import APIS
from deployer.plan.site_diff import HostDiff, SiteDiff, units_of


@dataclass(frozen=True)
class RollingBatch:
    """The waves of the hosts that were rolled so far, and what hosts and proxy are after them."""

    waves: tuple[Wave, ...]
    observed: Mapping[str, Observation]
    proxy: ProxyView


def hosts_to_roll(site: SiteDiff, proxy: ProxyView) -> tuple[str, ...]:
    """The hosts whose processes must restart, or whose ports change their kind, in the order of the inventory."""
    return tuple(
        host.name
        for host in site.hosts()
        if outdated.outdated_units(host) or host_steps.units_to_replace(host) or is_misplaced(host, proxy)
    )


def is_misplaced(host: HostDiff, proxy: ProxyView) -> bool:
    """Whether ports of a host have changed their kind in an earlier run, of which the proxy did not hear."""
    apis = units_of(host.desired, APIS)
    return not host_steps.units_to_replace(host) and drain.misplaced(proxy, apis)


def roll(site: SiteDiff, proxy: ProxyView, hosts: Collection[str], idle: Collection[str]) -> RollingBatch:
    """Roll some hosts one after the other: first the `idle` ones, which get no requests anyway.

    The hosts `last` of the options come after all others. `proxy` is the proxy when the first host begins.
    """
    batch = RollingBatch((), site.observed, proxy)
    for name in sorted(hosts, key=lambda name: (name in site.options.last, name not in idle)):
        batch = _with_host(batch, site, name)
    return batch


def _with_host(batch: RollingBatch, site: SiteDiff, name: str) -> RollingBatch:
    site = replace(site, observed=batch.observed)
    update = tls_migration.update_proxy(site, name)
    waves = tuple(_waves(site.host(name), batch.proxy, update.steps))
    proxy = batch.proxy.with_undrained(step for wave in waves for step in wave.steps)
    proxy = replace(proxy, servers=update.servers) if update.servers else proxy
    return RollingBatch((*batch.waves, *waves), update.observed, proxy)


def _waves(host: HostDiff, proxy: ProxyView, proxy_update: tuple[Step, ...]) -> Iterator[Wave]:
    """One host as a whole: its engines first, then its APIs, each drained, restarted, proven ready and undrained.

    `proxy_update` are the steps of the proxy where the host's APIs turn to TLS or back, or ports change their kind.
    """
    name = host.name
    apis = outdated.outdated_units(host, APIS)
    # One that is to be drained may serve until the proxy hears of it, at the end of the plan.
    stopping = {name: [unit.name for unit in apis if not unit.drained or proxy.serves_unit(name, unit.name)]}
    places = _places_to_replace(host)
    drains = tuple(drain.drain_steps(proxy.without(proxy.servers_at(places)), stopping, "it restarts", host.options))
    port_drains = tuple(drain.port_change_drains(proxy, places, host.options))
    restarts = (*host_steps.restart_steps(host, apis), *host_steps.port_change_steps(host))
    yield Wave(f"change {name}", tuple(_changes(host)), rolls=name)
    yield Wave(f"drain APIs on {name}", (*drains, *port_drains), rolls=name)
    yield Wave(f"restart APIs on {name}", restarts, rolls=name)
    yield Wave(f"update proxy for {name}", proxy_update, rolls=name)
    yield Wave(f"undrain APIs on {name}", tuple(drain.undrain_steps(drains, "it is ready")), rolls=name)


def _places_to_replace(host: HostDiff) -> set[Place]:
    """Where the proxy has the APIs whose port is to change its kind, whether they run or not."""
    probes = {host_steps.port_of(unit): unit.ready for unit in units_of(host.desired, APIS)}
    replaced = host_steps.units_to_replace(host)
    return drain.places_of(replace(unit, ready=probes[host_steps.port_of(unit)]) for unit in replaced)


def _changes(host: HostDiff) -> Iterator[Step]:
    """What changes on a host while its APIs serve: files, engines, and APIs that do not run yet."""
    yield from host_steps.write_steps(host)
    yield from host_steps.engine_start_steps(host)
    yield from host_steps.restart_steps(host, outdated.outdated_units(host, [Service.ENGINE]))
    yield from host_steps.api_start_steps(host)
