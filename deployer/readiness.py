"""Whether the hosts, Heat and the site's sizes are ready for a plan: asked before the first change."""

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from deployer import certificates, desired, errors, observed, preflight, traffic
from deployer.carrying import Planned
from deployer.found import Found
from deployer.heat import engines, logins
from deployer.inventory.schema import Inventory
from deployer.model import Service
from deployer.observed import Seen
from deployer.remote.fleet import Fleet
from deployer.steps import Plan

if TYPE_CHECKING:
    from deployer.budget import judge


def refuse_unready(todo: Planned, fleet: Fleet) -> tuple[str, ...]:
    """What to know before the first change; raise NotReady when there must be none."""
    seen = Seen(todo.found, {})
    states = {host: todo.wanted.states[host] for host in preflight.unproven(todo.inventory, todo.plan)}
    tried = logins.tried(todo.inventory, states, fleet)
    said = judged(todo.inventory, todo.found, fleet, todo.plan)
    problems = (
        *preflight.problems(todo.inventory, seen, todo.wanted.states),
        *certificates.problems(todo.inventory, todo.found),
        *tried.problems,
        *said.problems,
        *(() if todo.manner.force else workless(todo, fleet)),
    )
    if problems:
        raise errors.NotReady(problems, hint="Nothing was changed. Mend these, then run the same command again.")
    return (*certificates.notes(todo.found), *tried.notes, *said.notes, *traffic.alone(todo.found, todo.plan))


def judged(inventory: Inventory, found: Mapping[str, Found], fleet: Fleet, todo: Plan | None = None) -> "judge.Judged":
    """Whether the timeouts agree and, unless the plan does not let the site grow, whether it has what that takes."""
    from deployer import measured  # imported here, as a deploy without a change needs none of these
    from deployer.budget import judge, sizes
    from deployer.heat import capacity

    origin = desired.read_source(inventory, found)
    waits = judge.waits(inventory, origin)
    if todo is not None and not judge.grows(todo):
        return waits
    site = sizes.Site(inventory, origin, found, measured.look(found, fleet))
    limits = judge.limits(site, capacity.ask(inventory, fleet))
    return judge.Judged(waits.problems + limits.problems, waits.notes + limits.notes)


def workless(todo: Planned, fleet: Fleet) -> Iterator[str]:
    """Whether nobody would be left to do Heat's work, as Heat and its broker see the engines now."""
    leaving = engines.leaving(todo.plan)
    has_engines = any(each.service is Service.ENGINE for each in todo.inventory.instances())
    if has_engines and not leaving:
        return
    source = todo.inventory.heat.source
    seen = observed.look(todo.inventory, fleet, [source], programs=engines.question(todo.inventory))
    view = engines.view(seen.found[source].facts.answers) if source in seen.found else engines.UNKNOWN
    starting = engines.starting(todo.plan)
    if not starting and not any(view.is_alive(row) for row in view.rows if row.host not in leaving):
        who = f"without {', '.join(sorted(leaving))}" if leaving else "and the inventory has none"
        yield (
            f"{source}: Heat lists no other engine that is alive, {who}: its work would wait for ever. "
            "Start engines first, or say --force."
        )
