"""Whether each host lets processes open as many files as their units ask for. Pure."""

from collections.abc import Iterator

from deployer.budget.sizes import Site
from deployer.model import Service
from deployer.proxy import config

OF_A_PROCESS = 65536  # LimitNOFILE of templates/host/process.j2


def problems(site: Site) -> Iterator[str]:
    """A proxy that would not start, or serve fewer connections than it is to."""
    proxy = site.inventory.proxy
    most = _most(site, proxy.host)
    if most and site.inventory.has_apis() and (needed := config.files(proxy)) > most:
        yield (f"{proxy.host}: proxy.maxconn {proxy.maxconn} needs {needed} open files, but fs.nr_open is {most} "
               f"there: set proxy.maxconn to {config.connections(most)} or less, or raise fs.nr_open.")


def notes(site: Site) -> Iterator[str]:
    """Hosts whose processes get fewer than their units ask for."""
    for name in site.measured:
        runs_heat = any(each.service is not Service.PROXY for each in site.inventory.instances_of(name))
        if runs_heat and (most := _most(site, name)) and most < OF_A_PROCESS:
            yield f"{name}: fs.nr_open is {most}, so Heat's processes get less than their {OF_A_PROCESS} open files."


def _most(site: Site, name: str) -> int | None:
    return site.measured[name].most_files if name in site.measured else None
