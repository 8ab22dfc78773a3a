"""One short function a command: each names its stages in order, and no other module knows them all."""

from collections.abc import Callable, Collection, Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from deployer import errors
from deployer.apply import execute, generations, stage
from deployer.apply.execute import Planned, Report
from deployer.apply.generations import UNKNOWN_AUTHOR, Author, Run
from deployer.apply.waves import Applied
from deployer.desired import desired_state, export
from deployer.desired.desired_state import Desired
from deployer.heat import engines
from deployer.inventory.schema import Inventory
from deployer.model.facts import Observation
from deployer.model.state import HostState
from deployer.model.steps import DEFAULT_ROLLOUT, RolloutOptions
from deployer.observed import observe
from deployer.observed.observe import SiteObservation
from deployer.plan import diff
from deployer.preflight import gate, host_checks, logins, tls_checks
from deployer.preflight.logins import Findings
from deployer.remote.fleet import Fleet
from deployer.status import site

if TYPE_CHECKING:
    from deployer.inventory import scaling

STATUS_TIMEOUT = 10.0  # seconds for a host to answer who only wants to see it
Accept = Callable[[Planned], bool]


def planned(
    inventory: Inventory,
    fleet: Fleet,
    limit: Collection[str] = (),
    contents: bool = False,
    options: RolloutOptions = DEFAULT_ROLLOUT,
) -> Planned:
    """What a deploy would do, on the hosts of `limit` (all, when empty); changes nothing."""
    observation = observe.observe_site(inventory, fleet, needed(inventory, limit), contents)
    observe.refuse_unreachable(observation)
    desired = desired_state.desired_states(inventory, _known(inventory, observation))
    chosen = {name: state for name, state in desired.states.items() if not limit or name in limit}
    options = _with_last(options, inventory)
    return Planned(
        inventory,
        diff.plan_between(chosen, observation.hosts, options),
        desired,
        observation.hosts,
        generations.describe_unfinished(observation.hosts),
        options,
    )


def _with_last(options: RolloutOptions, inventory: Inventory) -> RolloutOptions:
    """The source has a configuration that is not ours to put back, and the proxy's host most to lose."""
    return replace(options, last=(inventory.proxy.host, inventory.heat.source))


def deploy(
    inventory: Inventory,
    fleet: Fleet,
    accept: Accept,
    limit: Collection[str] = (),
    options: RolloutOptions = DEFAULT_ROLLOUT,
    author: Author = UNKNOWN_AUTHOR,
    keep: Callable[[], None] = lambda: None,
) -> Report:
    """Bring the hosts to their desired state and look again; `accept` is asked once, before the first change.

    `keep` is called when every host is ready for that, and writes down what is wanted. Raise HostUnreachable, or
    NotReady with every problem of every host, before anything is changed.
    """
    todo = replace(planned(inventory, fleet, limit, options=options), author=author, keep=keep)
    return _accepted(todo, fleet, accept)


def _accepted(todo: Planned, fleet: Fleet, accept: Accept) -> Report:
    """Carry out a plan that the hosts are ready for and that is accepted.

    Also one that only ends another run, or only has the hosts remember what the inventory says by now.
    """
    if todo.plan.changes():
        todo = replace(todo, warnings=(*todo.warnings, *gate.refuse_unready(todo, fleet)))
    accepted = accept(todo)
    if accepted and (
        todo.plan.changes()
        or generations.describe_unfinished(todo.observed)
        or generations.inventory_changed(todo.observed, todo.author)
    ):
        return execute.run(todo, fleet)
    if accepted:
        todo.keep()
    return Report(todo, Applied(), accepted=accepted)


def restore(
    inventory: Inventory,
    fleet: Fleet,
    accept: Accept,
    options: RolloutOptions = DEFAULT_ROLLOUT,
    author: Author = UNKNOWN_AUTHOR,
) -> Report:
    """Take everything of ours away and have those serve again who did before us; `accept` as for a deploy."""
    observed = _all_found(inventory, fleet)
    nothing = desired_state.without_ours(inventory, observed)
    todo = Planned(
        inventory,
        diff.plan_restore(nothing.states, observed, options),
        nothing,
        observed,
        generations.describe_unfinished(observed),
        options,
        author,
        diff.plan_restore,
        "invoke restore",
    )
    problems = () if options.force else tuple(gate.problems_without_engines(todo, fleet))
    if problems:
        raise errors.NotReady(problems, hint="Nothing was changed.")
    if not accept(todo):
        return Report(todo, Applied(), accepted=False)
    return execute.run(todo, fleet) if todo.plan.waves else Report(todo, Applied())


def history(inventory: Inventory, fleet: Fleet) -> Mapping[int, tuple[Run, tuple[str, ...]]]:
    """Number -> the generation and the hosts that have it, in order."""
    replies = stage.recall(inventory.hosts, None, fleet)
    return generations.merge_runs({host: reply["runs"] for host, reply in replies.items()})


def target(inventory: Inventory, fleet: Fleet, number: int | None) -> Run:
    """The generation of a number, or the last that was done before the newest; raise BadInput when there is none."""
    return generations.rollback_target(history(inventory, fleet), number)


def rollback(
    inventory: Inventory,
    number: int,
    fleet: Fleet,
    accept: Accept,
    options: RolloutOptions = DEFAULT_ROLLOUT,
    author: Author = UNKNOWN_AUTHOR,
    keep: Callable[[], None] = lambda: None,
) -> Report:
    """Bring the hosts to what they had in a generation, whose inventory is given; `accept`, `keep` as for a deploy.

    Raise BadInput for one of which some host has kept nothing, as of a restore.
    """
    kept = stage.recall(inventory.hosts, number, fleet)
    observed = _all_found(inventory, fleet)
    stopping = desired_state.without_ours(inventory, observed).states
    states = generations.states_of(number, kept, [each.host for each in inventory.instances()])
    desired = Desired(
        {host: replace(state, shutdown_probes=stopping[host].shutdown_probes) for host, state in states.items()}, {}
    )
    options = _with_last(options, inventory)
    todo = Planned(
        inventory,
        diff.plan_between(desired.states, observed, options),
        desired,
        observed,
        generations.describe_unfinished(observed),
        options,
        author,
        rerun=f"invoke rollback --to {number}",
        keep=keep,
    )
    return _accepted(todo, fleet, accept)


def scaled_text(text: str, inventory: Inventory, wish: "scaling.Wish", fleet: Fleet) -> str:
    """The inventory's text with what `scale` asks for; totals are spread by the CPUs that a look at the hosts shows."""
    from deployer.inventory import scaling

    scaling.refuse_impossible(inventory, wish)
    if not wish.totals:
        return scaling.scaled_text(text, inventory, wish, {})
    observation = observe.observe_site(inventory, fleet, scaling.hosts_for(inventory))
    observe.refuse_unreachable(observation)
    held = engines.resources_held(inventory, fleet) if scaling.has_fewer_engines(inventory, wish) else {}
    return scaling.scaled_text(
        text, inventory, wish, {name: each.facts.cpus for name, each in observation.hosts.items()}, held
    )


def check(inventory: Inventory, fleet: Fleet) -> Findings:
    """Every problem that would make a deploy fail, and what else to know; changes nothing."""
    observation = observe.observe_site(inventory, fleet)
    if inventory.heat.source not in observation.hosts:
        return Findings(host_checks.problems(inventory, observation, {}))
    desired = desired_state.desired_states(inventory, _known(inventory, observation))
    tried = logins.try_logins(inventory, {name: desired.states[name] for name in observation.hosts}, fleet)
    judged = gate.capacity_and_timeouts(inventory, observation.hosts, fleet)
    problems = (
        *host_checks.problems(inventory, observation, desired.states),
        *tls_checks.problems(inventory, observation.hosts),
        *tried.problems,
        *judged.problems,
    )
    return Findings(
        problems, (*desired.warnings, *tls_checks.warnings(observation.hosts), *tried.warnings, *judged.warnings)
    )


def status_of(inventory: Inventory, fleet: Fleet) -> site.SiteStatus:
    """One line a process, the steps that a deploy would take, and the hosts that do not answer; changes nothing."""
    observation = observe.observe_site(inventory, fleet, programs=engines.question(inventory), limit=STATUS_TIMEOUT)
    errors_seen = tuple(error.message for error in observation.errors.values())
    if inventory.heat.source not in observation.hosts:
        return site.SiteStatus(site.instances_of(inventory, observation, {}, engines.UNKNOWN_VIEW), errors=errors_seen)
    view = engines.view(observation.hosts[inventory.heat.source].facts.answers)
    desired = desired_state.desired_states(inventory, _known(inventory, observation)).states
    todo = diff.plan_between({name: desired[name] for name in observation.hosts}, observation.hosts)
    pending = tuple(f"{step.host}: {step}" for step in todo.changes())
    return site.SiteStatus(
        site.instances_of(inventory, observation, desired, view),
        pending,
        errors_seen,
        view.problems,
        generations.describe_unfinished(observation.hosts),
    )


def render(inventory: Inventory, observed: Mapping[str, Observation], out: Path) -> tuple[Path, ...]:
    """Write every file as it would be deployed to `out/<host>/<path on the host>`."""
    return export.write(desired_state.desired_states(inventory, observed).states, out)


def observed(inventory: Inventory, fleet: Fleet) -> Mapping[str, Observation]:
    """One look at every host; raise HostUnreachable unless all answer."""
    return _all_found(inventory, fleet)


def _all_found(inventory: Inventory, fleet: Fleet) -> Mapping[str, Observation]:
    observation = observe.observe_site(inventory, fleet)
    observe.refuse_unreachable(observation)
    return observation.hosts


def as_if_found(inventory: Inventory, folder: Path) -> Mapping[str, Observation]:
    """A look at hosts that have nothing but, on the source, a local copy of its configuration folder."""
    source = inventory.heat.source
    state = export.read(folder, inventory.heat_of(source).config_dir)
    return _known(inventory, SiteObservation({source: Observation(state)}, {}))


def needed(inventory: Inventory, limit: Collection[str]) -> Collection[str]:
    """The hosts to look at: the source says what all others should have, the proxy has its servers drained."""
    return {*limit, inventory.heat.source, inventory.proxy.host} if limit else ()


def _known(inventory: Inventory, observation: SiteObservation) -> dict[str, Observation]:
    """What was found, with nothing for the hosts that did not answer."""
    return {name: observation.hosts.get(name, Observation(HostState())) for name in inventory.hosts}
