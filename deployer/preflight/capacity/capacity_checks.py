"""Checks every limit of a site that grows, and its timeouts: problems and warnings. Pure."""

from deployer.heat.source import Source
from deployer.inventory.schema import Inventory
from deployer.model import names
from deployer.model.service import Service
from deployer.model.steps import EnableUnit, Plan, RestartUnit
from deployer.preflight.capacity import connections, memory, open_files, timeouts
from deployer.preflight.capacity.database import ConnectionLimits
from deployer.preflight.capacity.sizes import SiteSizes
from deployer.preflight.findings import Findings


def grows(plan: Plan) -> bool:
    """Whether a plan adds processes, or restarts some with perhaps another size; only then limits are checked."""
    return any(isinstance(step, EnableUnit | RestartUnit) for step in plan)


def engines_grow(plan: Plan) -> bool:
    """The same of the engines alone: only they open connections to the database."""
    return any(
        isinstance(step, EnableUnit | RestartUnit) and names.service_of(step.unit) == Service.ENGINE for step in plan
    )


def check_limits(site: SiteSizes, capacity: ConnectionLimits | None) -> Findings:
    """Memory, open files and, where the database was asked, its connections."""
    found = Findings(
        (*memory.problems(site), *open_files.problems(site)), (*memory.warnings(site), *open_files.warnings(site))
    )
    if capacity is None:
        return found
    return Findings(tuple(connections.problems(site, capacity)), tuple(connections.warnings(site, capacity))) + found


def check_timeouts(inventory: Inventory, heat_source: Source) -> Findings:
    """The timeouts of client, proxy and Heat."""
    return Findings(tuple(timeouts.problems(inventory, heat_source)), tuple(timeouts.warnings(inventory, heat_source)))
