"""Checks every limit of a site that grows, and its timeouts: problems and warnings. Pure."""

from deployer.heat.source import Source
from deployer.inventory.schema import Inventory
from deployer.model.steps import EnableUnit, Plan, RestartUnit
from deployer.preflight.capacity import connections, memory, open_files, timeouts
from deployer.preflight.capacity.database import ConnectionLimits
from deployer.preflight.capacity.sizes import SiteSizes
from deployer.preflight.findings import Findings


def grows(plan: Plan) -> bool:
    """Whether a plan adds processes, or restarts some with perhaps another size; only then limits are checked."""
    return any(isinstance(step, EnableUnit | RestartUnit) for step in plan)


def check_limits(site: SiteSizes, capacity: ConnectionLimits) -> Findings:
    """Connections, memory and open files."""
    return Findings(
        (*connections.problems(site, capacity), *memory.problems(site), *open_files.problems(site)),
        (*connections.warnings(site, capacity), *memory.warnings(site), *open_files.warnings(site)),
    )


def check_timeouts(inventory: Inventory, heat_source: Source) -> Findings:
    """The timeouts of client, proxy and Heat."""
    return Findings(tuple(timeouts.problems(inventory, heat_source)), tuple(timeouts.warnings(inventory, heat_source)))
