"""Every limit at once: what keeps a site from growing, and what to know of it. Pure."""

from dataclasses import dataclass

from deployer.model.steps import EnableUnit, Plan, RestartUnit
from deployer.preflight.capacity import connections, memory, open_files, timeouts
from deployer.preflight.capacity.database import ConnectionLimits
from deployer.preflight.capacity.sizes import SiteSizes


@dataclass(frozen=True)
class CapacityFindings:
    """A sentence each: `problems` that must be mended before the first change, `notes` that one should know."""

    problems: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()


def grows(todo: Plan) -> bool:
    """Whether a plan adds processes or starts some anew, perhaps with another size; only then is it worth a look."""
    return any(isinstance(step, EnableUnit | RestartUnit) for step in todo)


def check_limits(site: SiteSizes, capacity: ConnectionLimits) -> CapacityFindings:
    """Connections, memory and open files."""
    return CapacityFindings(
        (*connections.problems(site, capacity), *memory.problems(site), *open_files.problems(site)),
        (*connections.warnings(site, capacity), *memory.warnings(site), *open_files.warnings(site)),
    )


def check_timeouts(inventory, heat_source) -> CapacityFindings:
    """The ladder of timeouts."""
    return CapacityFindings(
        tuple(timeouts.problems(inventory, heat_source)), tuple(timeouts.warnings(inventory, heat_source))
    )
