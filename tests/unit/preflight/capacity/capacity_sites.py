"""Sites for the tests of budgets: the guide's hosts with what was measured there."""

import sites

from deployer.desired import desired_state
from deployer.model.facts import HostResources, Observation, UnitUsage
from deployer.model.names import unit_name
from deployer.model.service import Service
from deployer.preflight.capacity.database import ConnectionLimits
from deployer.preflight.capacity.sizes import SiteSizes

MIB = 2**20
CAPACITY = ConnectionLimits(allowed=1000, most=17, connected=16, own=12)


def a_site(conf: str = "", measured: dict | None = None, inventory=None, installed=sites.HEAT_27, cpus=2) -> SiteSizes:
    """Bare hosts, each with 8 GiB to spare but for those measured otherwise; `conf` goes into [DEFAULT]."""
    inventory = inventory or sites.an_inventory()
    text = sites.CONF.replace("[DEFAULT]\n", f"[DEFAULT]\n{conf}\n")
    observed = {
        name: Observation(each.state, sites.facts(installed, cpus=cpus))
        for name, each in sites.bare(inventory, text).items()
    }
    fine = {name: HostResources(8192 * MIB, 2**20) for name in inventory.hosts}
    return SiteSizes(inventory, desired_state.read_source(inventory, observed), observed, fine | (measured or {}))


def engines(*processes: int, each: int = 65 * MIB) -> dict[str, UnitUsage]:
    """Engines 1, 2, ... as they were measured, each with so many processes."""
    return {
        unit_name(Service.ENGINE, number): UnitUsage(count, count * each) for number, count in enumerate(processes, 1)
    }
