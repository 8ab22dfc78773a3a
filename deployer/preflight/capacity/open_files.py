"""Checks that each host lets processes open as many files as their units ask for. Pure."""

from collections.abc import Iterator

from deployer.model.service import Service
from deployer.preflight.capacity.sizes import SiteSizes
from deployer.proxy import config

RECOMMENDED_FILES = 4096  # for one process of Heat: seen were 18, and each of 64 threads may open several more


def problems(site: SiteSizes) -> Iterator[str]:
    """A proxy that would not start: `haproxy -c` accepts its configuration, and HAProxy itself fails."""
    proxy = site.inventory.proxy
    most = _most(site, proxy.host)
    if most and site.inventory.has_apis() and (needed := config.files(proxy)) > most:
        yield (
            f"{proxy.host}: proxy.maxconn {proxy.maxconn} needs {needed} open files, but {most} are allowed there: "
            f"set proxy.maxconn to {config.connections(most)} or less, or raise fs.nr_open."
        )


def warnings(site: SiteSizes) -> Iterator[str]:
    """Hosts whose processes get far fewer than their units ask for."""
    for name in site.measured:
        runs_heat = any(each.service is not Service.PROXY for each in site.inventory.instances_of(name))
        if runs_heat and (most := _most(site, name)) and most < RECOMMENDED_FILES:
            recommended = f"{RECOMMENDED_FILES} or more are recommended"
            yield f"{name}: a process may open only {most} files, few for Heat: {recommended}."


def _most(site: SiteSizes, name: str) -> int | None:
    return site.measured[name].most_files if name in site.measured else None
