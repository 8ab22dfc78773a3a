"""Holds what the inventory asks for beside what hosts, Heat and the proxy show, for the rows of a status. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

from deployer.heat.engines import EngineRow, EngineView
from deployer.inventory.schema import Inventory
from deployer.model.facts import Observation, Server
from deployer.model.hosts import Instance
from deployer.model.service import Service
from deployer.model.state import HostState, Unit
from deployer.observed import former_hosts
from deployer.observed.former_hosts import FormerHosts
from deployer.observed.observe import SiteObservation
from deployer.plan import host_steps


@dataclass(frozen=True)
class SiteView:
    """The whole site. `desired` is empty while the source host does not answer; `engines` is Heat's view of them.

    `lost`: the processes of hosts that have left the inventory without being removed, and do not answer, as the
    records have them. `warnings`: what such hosts have, a sentence each.
    """

    inventory: Inventory
    observation: SiteObservation
    desired: Mapping[str, HostState]
    engines: EngineView
    lost: tuple[Instance, ...] = ()
    warnings: tuple[str, ...] = ()

    @property
    def proxy_servers(self) -> tuple[Server, ...]:
        """The servers of the running proxy; none while no proxy answers."""
        host = self.observation.hosts.get(self.inventory.proxy.host)
        return host.facts.servers if host else ()


def with_former_hosts(site: SiteView, former: FormerHosts) -> SiteView:
    """The site with the hosts that only its records name: what is there is left over, and so is what should be."""
    if not former.entries:
        return site
    hosts = {**site.observation.hosts, **former.answering()}
    return replace(
        site,
        inventory=former.inventory,
        observation=SiteObservation(hosts, site.observation.errors),
        lost=tuple(each for name in former.silent() for each in former.instances_of(name)),
        warnings=tuple(former_hosts.describe(former)),
    )


@dataclass(frozen=True)
class InstanceView:
    """One instance of the inventory: its host, its unit there, its server at the proxy, and Heat's rows of it.

    None: the host does not answer, has no such unit, or nobody knows what it should have. `is_at_proxy`: a proxy
    answers and should have a server for it. `addresses` are those on which it should listen.
    """

    instance: Instance
    observed: Observation | None
    unit: Unit | None
    desired: Unit | None
    is_desired_known: bool
    server: Server | None
    is_at_proxy: bool
    rows: tuple[EngineRow, ...]
    addresses: tuple[tuple[str, int], ...]

    @property
    def is_engine(self) -> bool:
        return self.instance.service is Service.ENGINE

    @property
    def is_running(self) -> bool:
        return self.unit is not None and self.unit.running

    @property
    def is_stopping(self) -> bool:
        return self.unit is not None and self.unit.stopping

    @property
    def is_listening(self) -> bool | None:
        """Whether its unit holds all the addresses that it should; None when it needs none, or nobody knows."""
        if not self.addresses or self.observed is None:
            return None
        listeners = self.observed.facts.listeners
        return all(
            any(holder.unit == self.instance.unit for holder in host_steps.holders_of(address, port, listeners))
            for address, port in self.addresses
        )
