"""Executes a staged plan: runs its waves, reverts or continues after a failure, and compares the hosts again."""

from collections.abc import Collection, Mapping
from dataclasses import replace

from deployer.apply import waves
from deployer.apply.report import Applied, Reverted, Rollout
from deployer.desired import desired_state
from deployer.inventory.schema import Inventory
from deployer.model.facts import Observation
from deployer.model.run import Run
from deployer.model.steps import DEFAULT_ROLLOUT, OnError, Plan, RestartUnit
from deployer.observed import observe
from deployer.plan import diff, revert
from deployer.plan.planned import Planned
from deployer.remote.fleet import Fleet

Before = Mapping[str, Observation]  # hosts that may have to be reverted, with the contents of their files


def observe_for_revert(planned: Planned, fleet: Fleet) -> Before:
    """Observe the hosts that may have to be reverted, with the contents of their files."""
    plan, on_error = planned.plan, planned.change.options.on_error
    hosts = plan.hosts if on_error is OnError.REVERT else plan.rolled()
    if not hosts or not plan.waves:
        return {}
    return observe.observe_site(planned.inventory, fleet, hosts, contents=True).hosts


def run(planned: Planned, run: Run | None, before: Before, fleet: Fleet) -> Rollout:
    """Execute the waves; revert what failed, and with --on-error=continue go on with the other hosts."""
    number = run.number if run else None
    applied = waves.run(planned.plan, fleet, number)
    rollout = Rollout(applied, _revert(planned, applied, before, fleet, number))
    last = applied
    while last.failed and _may_continue(planned, rollout):
        last = waves.run(_plan_for_others(planned, rollout.applied, fleet), fleet, number)
        reverted = _revert(planned, last, before, fleet, number)
        rollout = Rollout(_joined(rollout.applied, last), _both(rollout.reverted, reverted))
    return rollout


def compare(planned: Planned, rollout: Rollout, fleet: Fleet) -> Plan:
    """Observe again and plan again: what still differs after a rollout without a failure."""
    if rollout.applied.failed or not planned.plan.waves:
        return Plan()
    return diff.again(planned, _observe_again(planned, fleet), DEFAULT_ROLLOUT)


def _revert(planned: Planned, applied: Applied, before: Before, fleet: Fleet, number: int | None) -> Reverted | None:
    """Revert the hosts that a failure concerns; None when there is none, or none that answers."""
    if not applied.failed:
        return None
    reverts_all = planned.change.options.on_error is OnError.REVERT
    # Where a process still ends its work nothing is wrong with the change: the same command goes on.
    rolled = applied.wave.rolls if applied.wave and not applied.is_waiting else ""
    chosen = [host for host in before if host == rolled or reverts_all]
    observed = _observe_again(planned, fleet) if chosen else {}
    hosts = tuple(host for host in chosen if host in observed)
    if not hosts or planned.inventory.heat.source not in observed:
        return None
    probes = desired_state.without_ours(planned.inventory, observed).states
    states = revert.previous_states({host: before[host] for host in hosts}, planned.desired.states, probes)
    plan = revert.with_forced_restarts(diff.plan_revert(states, observed, before), applied.done)
    return Reverted(hosts, waves.run(plan, fleet, number))


def _may_continue(planned: Planned, rollout: Rollout) -> bool:
    """Whether --on-error=continue was asked for and clients can be served without the hosts that failed."""
    is_asked = planned.change.options.on_error is OnError.CONTINUE
    return is_asked and _others_serve(planned.inventory, rollout.applied.failed)


def _plan_for_others(planned: Planned, applied: Applied, fleet: Fleet) -> Plan:
    """The plan for the hosts that have not failed; what was restarted is not restarted again."""
    observed = {host: each for host, each in _observe_again(planned, fleet).items() if host not in applied.failed}
    restarted = {step.host for step in applied.done if isinstance(step, RestartUnit)}
    options = planned.change.options
    restart = [host for host in options.restart if host not in restarted]
    return diff.again(planned, observed, replace(options, restart=restart))


def _joined(first: Applied, more: Applied) -> Applied:
    """Two parts of a rollout as one."""
    left_of_failed = tuple(step for step in first.left if step.host in first.failed)
    return Applied(
        done=first.done + more.done,
        failed={**first.failed, **more.failed},
        left=left_of_failed + more.left,
        wave=more.wave,
        unproven=first.unproven and (more.unproven or not more.failed),
        told=first.told + more.told,
    )


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


def _observe_again(planned: Planned, fleet: Fleet) -> Mapping[str, Observation]:
    """Those hosts that the plan was decided from, as they are now, if they answer."""
    return observe.observe_site(planned.inventory, fleet, list(planned.observed)).hosts
