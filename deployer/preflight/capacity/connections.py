"""Checks that the database allows the connections that the site's engines may open. Pure.

Heat's APIs open none (they ask the engines), so engine workers are all that counts.
"""

from collections.abc import Iterator

from deployer.model.names import service_of
from deployer.model.service import Service
from deployer.preflight.capacity import sizes
from deployer.preflight.capacity.database import ConnectionLimits
from deployer.preflight.capacity.sizes import SiteSizes

COMFORTABLE_SHARE = 1.2  # times what is needed, for what else uses the database


def problems(site: SiteSizes, capacity: ConnectionLimits) -> Iterator[str]:
    """The pools alone exceed what the database allows, and the site grows."""
    if _is_over(site, capacity) and _grows(site):
        yield (
            f"{_pools(site, capacity)}: raise max_connections to {_advised(site, capacity)}, lower [database] "
            "max_pool_size of heat.conf, or have fewer engines or workers."
        )


def warnings(site: SiteSizes, capacity: ConnectionLimits) -> Iterator[str]:
    """What could happen when every worker is busy, or why nothing could be checked."""
    if capacity.why:
        yield (
            f"{site.inventory.heat.source}: the database did not report how many connections it allows "
            f"({capacity.why}), so they were not checked."
        )
    elif _is_over(site, capacity) and not _grows(site):
        yield f"{_pools(site, capacity)}."
    elif _could_be_over(site, capacity):
        yield (
            f"{_allows(site, capacity)} (at most {capacity.most} were open so far). If every thread of {_who(site)} "
            f"has {capacity.pool} + {capacity.overflow} open, Heat uses {_at_worst(site, capacity)}, and others use "
            f"{_others(capacity)}: watch Max_used_connections."
        )


def _is_over(site: SiteSizes, capacity: ConnectionLimits) -> bool:
    return capacity.allowed is not None and _kept(site, capacity) > capacity.allowed


def _could_be_over(site: SiteSizes, capacity: ConnectionLimits) -> bool:
    if capacity.allowed is None or _is_over(site, capacity):
        return False
    return _at_worst(site, capacity) + _others(capacity) > capacity.allowed


def _grows(site: SiteSizes) -> bool:
    """Whether the measured hosts are to have more engine workers than run there now."""
    desired = sum(count for host, count in sizes.engine_workers(site).items() if host in site.measured)
    return desired > sum(_running(site, host) for host in site.measured)


def _running(site: SiteSizes, host: str) -> int:
    """Engine workers that run on a host: the processes of its units without the first of each, which is the parent."""
    own = {each.unit for each in site.facts(host).engines}
    return sum(
        max(held.processes - 1, 1)
        for unit, held in site.measured[host].units.items()
        if unit in own or service_of(unit) == Service.ENGINE
    )


def _pools(site: SiteSizes, capacity: ConnectionLimits) -> str:
    return (
        f"{_allows(site, capacity)}, but {_who(site)} keep up to {capacity.pool} each in their pools, "
        f"{_kept(site, capacity)} in total"
    )


def _allows(site: SiteSizes, capacity: ConnectionLimits) -> str:
    return f"{site.inventory.heat.source}: the database allows {capacity.allowed} connections"


def _who(site: SiteSizes) -> str:
    counts = sizes.engine_workers(site)
    return f"{sum(counts.values())} engine workers ({', '.join(f'{host} {count}' for host, count in counts.items())})"


def _kept(site: SiteSizes, capacity: ConnectionLimits) -> int:
    return sum(sizes.engine_workers(site).values()) * capacity.pool


def _at_worst(site: SiteSizes, capacity: ConnectionLimits) -> int:
    return sum(sizes.engine_workers(site).values()) * (capacity.pool + capacity.overflow)


def _others(capacity: ConnectionLimits) -> int:
    return max(capacity.connected - capacity.own, 0)


def _advised(site: SiteSizes, capacity: ConnectionLimits) -> int:
    return int((_kept(site, capacity) + _others(capacity)) * COMFORTABLE_SHARE)
