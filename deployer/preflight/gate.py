"""Refuses a plan, before the first change, when hosts, Heat or the site's sizes are not ready for it."""

from collections.abc import Iterator, Mapping

from deployer import errors
from deployer.desired import desired_state
from deployer.heat import engines
from deployer.inventory.schema import Inventory
from deployer.model.facts import Observation
from deployer.model.purpose import Purpose
from deployer.model.service import Service
from deployer.model.state import NOTHING, Desired
from deployer.model.steps import Plan
from deployer.observed import former_hosts, observe, resources
from deployer.observed.observe import SiteObservation
from deployer.plan import drain
from deployer.plan.planned import Change, Planned
from deployer.preflight import host_checks, logins, tls_checks
from deployer.preflight.capacity import capacity_checks, database, sizes
from deployer.preflight.findings import Findings
from deployer.remote.fleet import Fleet

HOW_TO_REMOVE = (
    "Nothing was changed. `invoke remove-host HOST` drains such a host, stops what runs there and removes it; with "
    "--gone where it will never answer again. Or put its lines back into the inventory."
)


def observe_hosts(change: Change, fleet: Fleet) -> Mapping[str, Observation]:
    """Observe the hosts of a change; where it only adds processes, ask at once what their sizes are judged by.

    Raise the error of a host that does not answer, or those of all.
    """
    question = database.question(change.inventory) if change.adds is Service.ENGINE else NOTHING
    programs = question.get(change.inventory.heat.source, NOTHING)
    hosts, measured = change.observed_hosts(), change.adds is not None
    return observe.observe_hosts(change.inventory, fleet, hosts, programs=programs, measured=measured)


def refuse_unready(planned: Planned, fleet: Fleet) -> tuple[str, ...]:
    """Return the warnings of preflight; raise NotReady with all problems, BadInput where nothing is deployed yet."""
    _refuse_first_deploy(planned)
    if planned.change.goal.purpose is Purpose.RESTORE:
        _refuse(() if planned.change.options.force else tuple(problems_without_engines(planned, fleet)))
        return ()
    if not planned.plan.changes():
        return ()
    findings = _findings(planned, fleet)
    _refuse(findings.problems)
    return findings.warnings


def refuse_former_hosts(change: Change, observed: Mapping[str, Observation], fleet: Fleet) -> None:
    """Raise NotReady with each host that has left the inventory and still has something of ours, and what that is.

    Only a removal may leave the others for later: its record goes on naming them.
    """
    if change.goal.purpose is Purpose.REMOVE_HOST:
        return
    problems = tuple(former_hosts.describe(former_hosts.observe_former(change.inventory, observed, fleet, change.text)))
    if problems:
        raise errors.NotReady(problems, hint=HOW_TO_REMOVE)


def _refuse_first_deploy(planned: Planned) -> None:
    """Raise BadInput for a command that is about a site that runs, where nothing of ours is on any host."""
    if planned.change.may_be_first or any(each.state.managed for each in planned.observed.values()):
        return
    raise errors.BadInput(
        f"nothing of {planned.inventory.site} is deployed yet",
        hint="Nothing was changed. `invoke plan` shows what `invoke deploy` would do; run that first.",
    )


def _refuse(problems: tuple[str, ...]) -> None:
    if problems:
        raise errors.NotReady(
            problems, hint="Nothing was changed. Fix these problems, then run the same command again."
        )


def _findings(planned: Planned, fleet: Fleet) -> Findings:
    """What the checks of hosts, certificates, logins, sizes and engines find about a plan with changes."""
    inventory, observed = planned.inventory, planned.observed
    states = {host: planned.desired.states[host] for host in host_checks.with_new_logins(inventory, planned.plan)}
    login = logins.try_logins(inventory, states, fleet)
    capacity = capacity_and_timeouts(inventory, observed, fleet, planned.plan)
    engine_problems = () if planned.change.options.force else problems_without_engines(planned, fleet)
    problems = (
        *host_checks.problems(inventory, SiteObservation(observed, {}), planned.desired.states),
        *tls_checks.problems(inventory, observed),
        *login.problems,
        *capacity.problems,
        *engine_problems,
        *_lost_requests(planned),
    )
    return Findings(problems, (*_warnings(observed), *login.warnings, *capacity.warnings))


def _warnings(observed: Mapping[str, Observation]) -> Iterator[str]:
    """What the observation alone shows."""
    yield from host_checks.warnings(observed)
    yield from tls_checks.warnings(observed)


def _lost_requests(planned: Planned) -> Iterator[str]:
    """The restarts while which no server can serve, where the command did not ask for any."""
    if not planned.change.may_lose_requests:
        for each in drain.warnings_without_drain(planned.observed, planned.plan):
            yield f"{each}. This command is to change traffic alone: run `invoke deploy` first, or use --force."


def site_findings(inventory: Inventory, observation: SiteObservation, desired: Desired, fleet: Fleet) -> Findings:
    """Every problem of every host that would make a deploy fail, and warnings, whatever the plan is."""
    observed = observation.hosts
    login = logins.try_logins(inventory, {name: desired.states[name] for name in observed}, fleet)
    capacity = capacity_and_timeouts(inventory, observed, fleet)
    problems = (
        *host_checks.problems(inventory, observation, desired.states),
        *tls_checks.problems(inventory, observed),
        *login.problems,
        *capacity.problems,
    )
    return Findings(problems, (*desired.warnings, *_warnings(observed), *login.warnings, *capacity.warnings))


def capacity_and_timeouts(
    inventory: Inventory, observed: Mapping[str, Observation], fleet: Fleet, plan: Plan | None = None
) -> Findings:
    """Whether the timeouts agree and, where the site may grow, whether database and hosts have room for that."""
    heat_source = desired_state.read_source(inventory, observed)
    findings = capacity_checks.check_timeouts(inventory, heat_source)
    if plan is not None and not capacity_checks.grows(plan):
        return findings
    needs_connections = plan is None or capacity_checks.engines_grow(plan)
    measured = resources.measure(observed, fleet, database.question(inventory) if needs_connections else NOTHING)
    site = sizes.SiteSizes(inventory, heat_source, observed, measured)
    limits = database.limits(inventory, measured) if needs_connections else None
    return findings + capacity_checks.check_limits(site, limits)


def problems_without_engines(planned: Planned, fleet: Fleet) -> Iterator[str]:
    """Whether no engine would be left to do Heat's work, as Heat and its broker see the engines now."""
    stopping = engines.stopping(planned.plan)
    has_engines = any(each.service is Service.ENGINE for each in planned.inventory.instances())
    if has_engines and not stopping:
        return
    source = planned.inventory.heat.source
    question = engines.question(planned.inventory, engines.ENGINES_TIMEOUT)
    observation = observe.observe_site(planned.inventory, fleet, [source], programs=question)
    view = (
        engines.view(observation.hosts[source].facts.answers) if source in observation.hosts else engines.UNKNOWN_VIEW
    )
    starting = engines.starting(planned.plan)
    if not starting and not view.known:
        why = "; ".join(view.problems) or "its host does not answer"
        yield (
            f"{source}: Heat did not say whether another engine is alive ({why}): without one its work would wait "
            "forever. Run the same command again, or use --force."
        )
    elif not starting and not any(view.is_alive(row) for row in view.rows if row.host not in stopping):
        who = f"without {', '.join(sorted(stopping))}" if stopping else "and the inventory has none"
        yield (
            f"{source}: Heat lists no other engine that is alive, {who}: its work would wait forever. "
            "Start engines first, or use --force."
        )
