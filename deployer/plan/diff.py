"""Decides the plan: the difference of desired and observed states as ordered waves of steps. Pure.

`plan` prints the very plan that `deploy` runs.
"""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from deployer.model.facts import Observation
from deployer.model.purpose import Purpose
from deployer.model.state import Desired, HostState, Unit
from deployer.model.steps import (
    DEFAULT_ROLLOUT,
    Plan,
    ReadyServer,
    RemoveRecords,
    RolloutOptions,
    StartPredecessor,
    Wave,
)
from deployer.plan import drain, host_steps, rolling
from deployer.plan.drain import ProxyView
from deployer.plan.host_steps import APIS
from deployer.plan.planned import Change, Planned
from deployer.plan.rolling import RollingBatch
from deployer.plan.site_diff import SiteDiff, units_of


def planned(change: Change, desired: Desired, observed: Mapping[str, Observation]) -> Planned:
    """The plan for a change, on the hosts of its limit."""
    chosen = {host: state for host, state in desired.states.items() if not change.limit or host in change.limit}
    plan, final = _plan_for(change, chosen, observed, change.options), change.goal.final_wave
    return Planned(change, desired, observed, replace(plan, waves=(*plan.waves, final)) if final else plan)


def again(planned: Planned, observed: Mapping[str, Observation], options: RolloutOptions) -> Plan:
    """The plan for a change on those hosts of an earlier plan that were observed again."""
    states = {host: planned.desired.states[host] for host in planned.plan.hosts if host in observed}
    return _plan_for(planned.change, states, observed, options)


def _plan_for(
    change: Change, states: Mapping[str, HostState], observed: Mapping[str, Observation], options: RolloutOptions
) -> Plan:
    if change.goal.purpose is Purpose.RESTORE:
        return plan_restore(states, observed, options)
    # The source has a configuration that is not ours to revert, and the proxy's host has most to lose.
    last = (change.inventory.proxy.host, change.inventory.heat.source)
    return plan_between(states, observed, replace(options, last=last))


def plan_between(
    desired: Mapping[str, HostState], observed: Mapping[str, Observation], options: RolloutOptions = DEFAULT_ROLLOUT
) -> Plan:
    """Given both states of every host, return the waves between them; none when they agree.

    What is added goes from the engines to the proxy, each proven ready before the next; what is taken away goes from
    the proxy to the engines. Hosts whose processes must restart change one after the other, each as a whole: the first
    shows whether the change is good, while the others serve as before.
    """
    site, proxy = SiteDiff(desired, observed, options), drain.proxy_view(observed)
    rolling_hosts = rolling.hosts_to_roll(site, proxy)
    staying = site.without(rolling_hosts)
    undrain = Wave("undrain APIs", proxy.effective_at_once(_leftover_undrains(staying, proxy)))
    idle = [
        name
        for name in rolling_hosts
        if rolling.is_misplaced(site.host(name), proxy) or any(_leftover_undrains(site.only(name), proxy))
    ]
    batch = rolling.roll(site, proxy.with_undrained(undrain.steps), rolling_hosts, idle)
    waves = [*_additions(staying), undrain, *batch.waves, *_switch_of_traffic(site, batch, undrain), *_removals(site)]
    return Plan(tuple(wave for wave in waves if wave.steps), tuple(desired))


def _additions(site: SiteDiff) -> Iterator[Wave]:
    """What is added on hosts where nothing restarts, before the proxy sends it requests."""
    yield Wave("write files", site.steps(host_steps.write_steps))
    yield Wave("start engines", site.steps(host_steps.engine_start_steps))
    yield Wave("start APIs", site.steps(host_steps.api_start_steps))


def _switch_of_traffic(site: SiteDiff, batch: RollingBatch, undrain: Wave) -> Iterator[Wave]:
    """First drain what stops, then update the proxy, then undrain what an earlier run left drained."""
    proxy, site = batch.proxy, replace(site, observed=batch.observed)
    undrained = {
        step.server for wave in (undrain, *batch.waves) for step in wave.steps if isinstance(step, ReadyServer)
    }
    others = tuple(step for step in _leftover_undrains(site, proxy) if step.server not in undrained)
    new_servers = tuple(drain.without_server(proxy, _serving_apis(site)))
    yield Wave(
        "drain APIs", tuple(drain.drain_steps(proxy, _stopping_apis(site), "not in the inventory", site.options))
    )
    yield Wave("drain hosts", tuple(drain.host_drain_steps(proxy, _drained_apis(site), site.options)))
    yield Wave("update proxy", replace(site, new_servers=new_servers).steps(host_steps.proxy_steps))
    yield Wave("undrain other APIs", others)


def _removals(site: SiteDiff) -> Iterator[Wave]:
    """What clients and proxy no longer need."""
    yield Wave("stop proxy", site.steps(host_steps.proxy_stop_steps))
    yield Wave("stop APIs", site.steps(host_steps.api_stop_steps))
    yield Wave("stop engines", site.steps(host_steps.engine_stop_steps))
    yield Wave("remove files", site.steps(host_steps.cleanup_steps))


def _leftover_undrains(site: SiteDiff, proxy: ProxyView) -> Iterator[ReadyServer]:
    """An undrain of each server on these hosts that an earlier run left drained."""
    starting = [unit for host in site.hosts() for unit in host_steps.serving_apis(host) if not host.runs(unit)]
    return drain.leftover_undrain_steps(proxy, _serving_apis(site), starting)


def _serving_apis(site: SiteDiff) -> list[Unit]:
    return [unit for host in site.hosts() for unit in host_steps.serving_apis(host)]


def _stopping_apis(site: SiteDiff) -> dict[str, list[str]]:
    """Host -> its APIs that are no longer in the inventory."""
    return {
        host.name: [unit.name for unit in units_of(host.observed.state, APIS) if unit.name not in host.desired.units]
        for host in site.hosts()
    }


def _drained_apis(site: SiteDiff) -> dict[str, list[str]]:
    """Host -> its running APIs that are to get no requests."""
    return {
        host.name: [unit.name for unit in units_of(host.desired, APIS) if unit.drained and host.runs(unit)]
        for host in site.hosts()
    }


def plan_restore(
    desired: Mapping[str, HostState], observed: Mapping[str, Observation], options: RolloutOptions = DEFAULT_ROLLOUT
) -> Plan:
    """The plan back to the single server, which serves first; the desired states have nothing of ours."""
    plan = plan_revert(desired, observed, {}, options)
    if not plan.waves and not any(each.state.managed or each.facts.last_run for each in observed.values()):
        return plan
    # Every host records a run that begins, also one whose records an earlier run has removed by now.
    return Plan((*plan.waves, Wave("remove records", tuple(map(RemoveRecords, desired)))), plan.hosts)


def plan_revert(
    desired: Mapping[str, HostState],
    observed: Mapping[str, Observation],
    before: Mapping[str, Observation],
    options: RolloutOptions = DEFAULT_ROLLOUT,
) -> Plan:
    """The plan back to what hosts had before, which starts the processes again that were stopped since then."""
    plan = plan_between(desired, observed, options)
    starts = tuple(
        StartPredecessor(host, stopped, because="the proxy releases its addresses")
        for host, each in observed.items()
        if host in desired and (stopped := _startable(each, before.get(host)))
    )
    return Plan((*([Wave("start old server", starts)] if starts else []), *plan.waves), plan.hosts)


def _startable(observed: Observation, before: Observation | None) -> tuple[Mapping[str, Any], ...]:
    """The units that we stopped on a host, since `before` if given, and that do not listen again by now."""
    listening = {each.unit for each in observed.facts.listeners}
    known = before.facts.stopped if before else ()
    return tuple(
        each for each in observed.facts.stopped if each["unit"] and each["unit"] not in listening and each not in known
    )
