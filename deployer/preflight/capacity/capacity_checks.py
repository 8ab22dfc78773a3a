"""Every limit at once: what keeps a site from growing, and what to know of it. Pure."""

from dataclasses import dataclass

from deployer.model.steps import EnableUnit, Plan, RestartUnit
from deployer.preflight.capacity import connections, memory, open_files, timeouts
from deployer.preflight.capacity.database import Capacity
from deployer.preflight.capacity.sizes import Site


@dataclass(frozen=True)
class Judged:
    """A sentence each: `problems` that must be mended before the first change, `notes` that one should know."""

    problems: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()


def grows(todo: Plan) -> bool:
    """Whether a plan adds processes or starts some anew, perhaps with another size; only then is it worth a look."""
    return any(isinstance(step, EnableUnit | RestartUnit) for step in todo)


def limits(site: Site, capacity: Capacity) -> Judged:
    """Connections, memory and open files."""
    return Judged(
        (*connections.problems(site, capacity), *memory.problems(site), *open_files.problems(site)),
        (*connections.notes(site, capacity), *memory.notes(site), *open_files.notes(site)),
    )


def waits(inventory, origin) -> Judged:
    """The ladder of timeouts."""
    return Judged(tuple(timeouts.problems(inventory, origin)), tuple(timeouts.notes(inventory, origin)))
