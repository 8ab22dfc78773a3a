"""Whether the hosts, Heat and the site's sizes are ready for a plan: asked before the first change."""

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from deployer import errors
from deployer.apply.execute import Planned
from deployer.desired import desired_state
from deployer.heat import engines
from deployer.inventory.schema import Inventory
from deployer.model.facts import Observation
from deployer.model.service import Service
from deployer.model.steps import Plan
from deployer.observed import observe
from deployer.observed.observe import SiteObservation
from deployer.plan import drain
from deployer.preflight import host_checks, logins, tls_checks
from deployer.remote.fleet import Fleet

if TYPE_CHECKING:
    from deployer.preflight.capacity import capacity_checks


def refuse_unready(todo: Planned, fleet: Fleet) -> tuple[str, ...]:
    """What to know before the first change; raise NotReady when there must be none."""
    observation = SiteObservation(todo.observed, {})
    states = {host: todo.desired.states[host] for host in host_checks.with_new_logins(todo.inventory, todo.plan)}
    tried = logins.try_logins(todo.inventory, states, fleet)
    said = capacity_and_timeouts(todo.inventory, todo.observed, fleet, todo.plan)
    problems = (
        *host_checks.problems(todo.inventory, observation, todo.desired.states),
        *tls_checks.problems(todo.inventory, todo.observed),
        *tried.problems,
        *said.problems,
        *(() if todo.options.force else problems_without_engines(todo, fleet)),
    )
    if problems:
        raise errors.NotReady(problems, hint="Nothing was changed. Mend these, then run the same command again.")
    return (
        *tls_checks.warnings(todo.observed),
        *tried.warnings,
        *said.warnings,
        *drain.warnings_without_drain(todo.observed, todo.plan),
    )


def capacity_and_timeouts(
    inventory: Inventory, observed: Mapping[str, Observation], fleet: Fleet, todo: Plan | None = None
) -> "capacity_checks.Judged":
    """Whether the timeouts agree and, unless the plan does not let the site grow, whether it has what that takes."""
    from deployer.observed import resources  # imported here, as a deploy without a change needs none of these
    from deployer.preflight.capacity import capacity_checks, database, sizes

    heat_source = desired_state.read_source(inventory, observed)
    waits = capacity_checks.check_timeouts(inventory, heat_source)
    if todo is not None and not capacity_checks.grows(todo):
        return waits
    site = sizes.SiteSizes(inventory, heat_source, observed, resources.measure(observed, fleet))
    judged_limits = capacity_checks.check_limits(site, database.ask(inventory, fleet))
    return capacity_checks.CapacityFindings(
        waits.problems + judged_limits.problems, waits.warnings + judged_limits.warnings
    )


def problems_without_engines(todo: Planned, fleet: Fleet) -> Iterator[str]:
    """Whether nobody would be left to do Heat's work, as Heat and its broker see the engines now."""
    stopping = engines.stopping(todo.plan)
    has_engines = any(each.service is Service.ENGINE for each in todo.inventory.instances())
    if has_engines and not stopping:
        return
    source = todo.inventory.heat.source
    observation = observe.observe_site(todo.inventory, fleet, [source], programs=engines.question(todo.inventory))
    view = (
        engines.view(observation.hosts[source].facts.answers) if source in observation.hosts else engines.UNKNOWN_VIEW
    )
    starting = engines.starting(todo.plan)
    if not starting and not any(view.is_alive(row) for row in view.rows if row.host not in stopping):
        who = f"without {', '.join(sorted(stopping))}" if stopping else "and the inventory has none"
        yield (
            f"{source}: Heat lists no other engine that is alive, {who}: its work would wait for ever. "
            "Start engines first, or say --force."
        )
