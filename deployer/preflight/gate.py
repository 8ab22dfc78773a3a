"""Whether the hosts, Heat and the site's sizes are ready for a plan: asked before the first change."""

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from deployer import errors
from deployer.apply.execute import Planned
from deployer.desired import desired_state
from deployer.heat import engines
from deployer.inventory.schema import Inventory
from deployer.model.facts import Found
from deployer.model.state import Service
from deployer.model.steps import Plan
from deployer.observed import observe
from deployer.observed.observe import Seen
from deployer.plan import drain
from deployer.preflight import host_checks, logins, tls_checks
from deployer.remote.fleet import Fleet

if TYPE_CHECKING:
    from deployer.preflight.capacity import capacity_checks


def refuse_unready(todo: Planned, fleet: Fleet) -> tuple[str, ...]:
    """What to know before the first change; raise NotReady when there must be none."""
    seen = Seen(todo.found, {})
    states = {host: todo.wanted.states[host] for host in host_checks.unproven(todo.inventory, todo.plan)}
    tried = logins.tried(todo.inventory, states, fleet)
    said = judged(todo.inventory, todo.found, fleet, todo.plan)
    problems = (
        *host_checks.problems(todo.inventory, seen, todo.wanted.states),
        *tls_checks.problems(todo.inventory, todo.found),
        *tried.problems,
        *said.problems,
        *(() if todo.manner.force else workless(todo, fleet)),
    )
    if problems:
        raise errors.NotReady(problems, hint="Nothing was changed. Mend these, then run the same command again.")
    return (*tls_checks.notes(todo.found), *tried.notes, *said.notes, *drain.alone(todo.found, todo.plan))


def judged(
    inventory: Inventory, found: Mapping[str, Found], fleet: Fleet, todo: Plan | None = None
) -> "capacity_checks.Judged":
    """Whether the timeouts agree and, unless the plan does not let the site grow, whether it has what that takes."""
    from deployer.observed import resources  # imported here, as a deploy without a change needs none of these
    from deployer.preflight.capacity import capacity_checks, database, sizes

    origin = desired_state.read_source(inventory, found)
    waits = capacity_checks.waits(inventory, origin)
    if todo is not None and not capacity_checks.grows(todo):
        return waits
    site = sizes.Site(inventory, origin, found, resources.look(found, fleet))
    judged_limits = capacity_checks.limits(site, database.ask(inventory, fleet))
    return capacity_checks.Judged(waits.problems + judged_limits.problems, waits.notes + judged_limits.notes)


def workless(todo: Planned, fleet: Fleet) -> Iterator[str]:
    """Whether nobody would be left to do Heat's work, as Heat and its broker see the engines now."""
    leaving = engines.leaving(todo.plan)
    has_engines = any(each.service is Service.ENGINE for each in todo.inventory.instances())
    if has_engines and not leaving:
        return
    source = todo.inventory.heat.source
    seen = observe.look(todo.inventory, fleet, [source], programs=engines.question(todo.inventory))
    view = engines.view(seen.found[source].facts.answers) if source in seen.found else engines.UNKNOWN
    starting = engines.starting(todo.plan)
    if not starting and not any(view.is_alive(row) for row in view.rows if row.host not in leaving):
        who = f"without {', '.join(sorted(leaving))}" if leaving else "and the inventory has none"
        yield (
            f"{source}: Heat lists no other engine that is alive, {who}: its work would wait for ever. "
            "Start engines first, or say --force."
        )
