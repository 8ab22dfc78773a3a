"""Carries an accepted plan out: staged, applied, put back where it failed, looked at again, and noted on every host."""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, replace

from deployer import errors
from deployer.apply import generations, stage, waves
from deployer.apply.generations import UNKNOWN_AUTHOR, Author, Run
from deployer.apply.waves import Applied
from deployer.desired import desired_state
from deployer.desired.desired_state import Desired
from deployer.inventory.schema import Inventory
from deployer.model.facts import Observation
from deployer.model.steps import DEFAULT_ROLLOUT, OnError, Plan, RestartUnit, RolloutOptions
from deployer.observed import observe
from deployer.plan import diff, revert
from deployer.remote.fleet import Fleet


@dataclass(frozen=True)
class Planned:
    """What would be done, in what manner and by whom, why, and what it was decided from.

    `between` decides it: given both states of every host and a manner, it returns the plan. `rerun` is the command that
    goes on where a run of it stopped. `keep` writes down what is wanted, when every host is ready for its first change.
    """

    inventory: Inventory
    plan: Plan
    desired: Desired
    observed: Mapping[str, Observation]
    warnings: tuple[str, ...] = ()
    options: RolloutOptions = DEFAULT_ROLLOUT
    author: Author = UNKNOWN_AUTHOR
    between: Callable[..., Plan] = diff.plan_between
    rerun: str = "invoke deploy"
    keep: Callable[[], None] = lambda: None

    def left(self, observed: Mapping[str, Observation], options: RolloutOptions = DEFAULT_ROLLOUT) -> Plan:
        """What there is to do on hosts of the plan that are as they are found."""
        states = {host: self.desired.states[host] for host in self.plan.hosts if host in observed}
        return self.between(states, observed, options)


@dataclass(frozen=True)
class Reverted:
    """What was done to give hosts what they had before."""

    hosts: tuple[str, ...]
    applied: Applied


@dataclass(frozen=True)
class Report:
    """What a run did: its plan, how far it came and, when it came to the end, what still differs afterwards.

    `back`: what was done to put hosts back after a failure; None when none had to be or could be. `run`: its number and
    author, None when nothing had to be done.
    """

    planned: Planned
    applied: Applied
    left: Plan = Plan()
    accepted: bool = True
    back: Reverted | None = None
    run: Run | None = None

    @property
    def exit_code(self) -> int:
        if any(isinstance(each, errors.Locked) for each in self.applied.failed.values()):
            return errors.Locked.exit_code
        if self.applied.failed:
            is_back = self.back is not None and not self.back.applied.failed
            return (errors.VerifyFailed if is_back and self.applied.unproven else errors.HostFailed).exit_code
        return errors.VerifyFailed.exit_code if self.left.changes() else 0

    @property
    def result(self) -> str:
        """In a word, for the history."""
        if not self.exit_code:
            return generations.DONE
        is_back = self.back is not None and not self.back.applied.failed
        return generations.REVERTED if is_back else generations.FAILED


def run(todo: Planned, fleet: Fleet) -> Report:
    """Perform an accepted plan, and look again.

    Raise NotReady or HostUnreachable when some host refuses what it would get, or is gone: nothing is changed then.
    """
    run = generations.next_run(todo.observed, todo.author)
    before = _before(todo, fleet)
    stage.begin(run, {host: todo.desired.states[host] for host in todo.plan.hosts}, todo.observed, fleet)
    _keep(todo, run, fleet)
    report = _finish(Report(todo, waves.run(todo.plan, fleet, run.number), run=run), before, fleet)
    stage.end(run, report.result, list(todo.observed), fleet)
    return report


def _keep(todo: Planned, run: Run, fleet: Fleet) -> None:
    """Write down what is wanted; without that nothing is changed."""
    try:
        todo.keep()
    except errors.DeployerError:
        stage.end(run, generations.REFUSED, list(todo.observed), fleet)
        raise


def _finish(report: Report, before: Mapping[str, Observation], fleet: Fleet) -> Report:
    """What is left, or what comes after a failure."""
    todo, failed = report.planned, report.applied.failed
    if not failed:
        return replace(report, left=todo.left(_look(todo, fleet)))
    report = replace(report, back=_revert_failed(report, before, fleet))
    if todo.options.on_error is OnError.CONTINUE and _others_serve(todo.inventory, failed):
        return _continue_without_failed(report, before, fleet)
    return report


def _before(todo: Planned, fleet: Fleet) -> Mapping[str, Observation]:
    """The hosts that may have to be put back, with the contents of their files."""
    hosts = todo.plan.hosts if todo.options.on_error is OnError.REVERT else todo.plan.rolled()
    return observe.observe_site(todo.inventory, fleet, hosts, contents=True).hosts if hosts else {}


def _revert_failed(report: Report, before: Mapping[str, Observation], fleet: Fleet) -> Reverted | None:
    """Give back what they had to the hosts that a failure concerns; None when there is none, or none in reach."""
    todo, applied = report.planned, report.applied
    rolled = applied.wave.rolls if applied.wave else ""
    chosen = [host for host in before if host == rolled or todo.options.on_error is OnError.REVERT]
    observed = _look(todo, fleet) if chosen else {}
    hosts = tuple(host for host in chosen if host in observed)
    if not hosts or todo.inventory.heat.source not in observed:
        return None
    stopping = desired_state.without_ours(todo.inventory, observed).states
    states = revert.previous_states({host: before[host] for host in hosts}, todo.desired.states, stopping)
    way = revert.with_forced_restarts(diff.plan_revert(states, observed, before), applied.done)
    return Reverted(hosts, waves.run(way, fleet, report.run.number))


def _continue_without_failed(report: Report, before: Mapping[str, Observation], fleet: Fleet) -> Report:
    """Go on with the hosts that have not failed, until all that are left are done or have failed as well."""
    todo, first = report.planned, report.applied
    observed = {host: each for host, each in _look(todo, fleet).items() if host not in first.failed}
    restarted = {step.host for step in first.done if isinstance(step, RestartUnit)}
    options = replace(todo.options, restart=[host for host in todo.options.restart if host not in restarted])
    more = waves.run(todo.left(observed, options), fleet, report.run.number)
    left = tuple(step for step in first.left if step.host in first.failed) + more.left
    both = Applied(
        first.done + more.done,
        {**first.failed, **more.failed},
        left,
        more.wave,
        first.unproven and (more.unproven or not more.failed),
    )
    if not more.failed:
        return replace(report, applied=both)
    back = _revert_failed(replace(report, applied=more), before, fleet)
    report = replace(report, applied=both, back=_both(report.back, back))
    return _continue_without_failed(report, before, fleet) if _others_serve(todo.inventory, both.failed) else report


def _others_serve(inventory: Inventory, failed: Collection[str]) -> bool:
    """Whether the proxy, and some API of each kind that clients are to reach, are on hosts that have not failed."""
    serving = [each for each in inventory.instances() if each.port and not each.drained]
    kinds = {each.service for each in serving}
    return inventory.proxy.host not in failed and kinds == {each.service for each in serving if each.host not in failed}


def _both(first: Reverted | None, second: Reverted | None) -> Reverted | None:
    if first is None or second is None:
        return first or second
    done, failed = first.applied.done + second.applied.done, {**first.applied.failed, **second.applied.failed}
    return Reverted(first.hosts + second.hosts, Applied(done, failed))


def _look(todo: Planned, fleet: Fleet) -> Mapping[str, Observation]:
    """Those hosts that the plan was decided from, as they are now, if they answer."""
    return observe.observe_site(todo.inventory, fleet, list(todo.observed)).hosts
