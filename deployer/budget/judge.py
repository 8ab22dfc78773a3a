"""Every limit at once: what keeps a site from growing, and what to know of it. Pure."""

from dataclasses import dataclass

from deployer.budget import connections, files, memory, timeouts
from deployer.budget.sizes import Site
from deployer.heat.capacity import Capacity
from deployer.steps import EnableUnit, Plan, RestartUnit


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
        (*connections.problems(site, capacity), *memory.problems(site), *files.problems(site)),
        (*connections.notes(site, capacity), *memory.notes(site), *files.notes(site)),
    )


def waits(inventory, origin) -> Judged:
    """The ladder of timeouts."""
    return Judged(tuple(timeouts.problems(inventory, origin)), tuple(timeouts.notes(inventory, origin)))
