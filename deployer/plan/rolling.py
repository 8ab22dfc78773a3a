"""Decides how hosts change whose processes must restart: one after the other, each as a whole. Pure."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, replace

from deployer.model.facts import Observation
from deployer.model.service import Service
from deployer.model.steps import Step, Wave
from deployer.plan import drain, host_steps, tls_migration
from deployer.plan.drain import ProxyView
from deployer.plan.host_steps import APIS
from deployer.plan.site_diff import HostDiff, SiteDiff


@dataclass(frozen=True)
class RollingBatch:
    """The waves of the hosts that were rolled so far, and what hosts and proxy are after them."""

    waves: tuple[Wave, ...]
    observed: Mapping[str, Observation]
    proxy: ProxyView


def hosts_to_roll(site: SiteDiff) -> tuple[str, ...]:
    """The hosts whose processes must restart, in the order of the inventory."""
    return tuple(host.name for host in site.hosts() if host_steps.outdated_units(host))


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
    return RollingBatch((*batch.waves, *waves), update.observed, proxy)


def _waves(host: HostDiff, proxy: ProxyView, proxy_update: tuple[Step, ...]) -> Iterator[Wave]:
    """One host as a whole: its engines first, then its APIs, each drained, restarted, proven ready and undrained.

    `proxy_update` are the steps of the proxy where the host's APIs turn to TLS or back.
    """
    name = host.name
    apis = host_steps.outdated_units(host, APIS)
    # One that is to be drained may serve until the proxy hears of it, at the end of the plan.
    stopping = {name: [unit.name for unit in apis if not unit.drained or proxy.serves_unit(name, unit.name)]}
    drains = tuple(drain.drain_steps(proxy, stopping, "it restarts", host.options))
    yield Wave(f"change {name}", tuple(_changes(host)), rolls=name)
    yield Wave(f"drain APIs on {name}", drains, rolls=name)
    yield Wave(f"restart APIs on {name}", tuple(host_steps.restart_steps(host, apis)), rolls=name)
    yield Wave(f"update proxy for {name}", proxy_update, rolls=name)
    yield Wave(f"undrain APIs on {name}", tuple(drain.undrain_steps(drains, "it is ready")), rolls=name)


def _changes(host: HostDiff) -> Iterator[Step]:
    """What changes on a host while its APIs serve: files, engines, and APIs that do not run yet."""
    yield from host_steps.write_steps(host)
    yield from host_steps.engine_start_steps(host)
    yield from host_steps.restart_steps(host, host_steps.outdated_units(host, [Service.ENGINE]))
    yield from host_steps.api_start_steps(host)
