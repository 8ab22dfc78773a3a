"""Desired and observed state of every host -> ordered waves of steps; what `plan` prints is what `deploy` runs."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from typing import Any

from deployer.desired.desired_state import Desired
from deployer.desired.goal import Purpose
from deployer.model.facts import Observation
from deployer.model.service import Service
from deployer.model.state import HostState, Unit
from deployer.model.steps import (
    DEFAULT_ROLLOUT,
    Plan,
    ReadyServer,
    RemoveRecords,
    RolloutOptions,
    StartPredecessor,
    Step,
    Wave,
)
from deployer.plan import drain, host_steps, tls_migration
from deployer.plan.host_steps import APIS, HEAT
from deployer.plan.planned import Change, Planned


def planned(change: Change, desired: Desired, observed: Mapping[str, Observation]) -> Planned:
    """What would be done for a change, on the hosts of its limit."""
    chosen = {host: state for host, state in desired.states.items() if not change.limit or host in change.limit}
    return Planned(change, desired, observed, _plan_for(change, chosen, observed, change.options))


def again(planned: Planned, observed: Mapping[str, Observation], options: RolloutOptions) -> Plan:
    """What there is to do on the hosts of a plan that are as they are observed now."""
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
    rolling = [host for host in desired if _restarting(desired[host], observed[host].state, host, options)]
    still = {host: state for host, state in desired.items() if host not in rolling}
    stopping = _leaving(desired, observed)
    undrained = drain.effective_at_once(observed, _returns(still, observed))
    rolls, observed = _rolls(rolling, desired, observed, options, undrained)
    again = (*undrained, *_ready(rolls))
    waves = [
        Wave("stage files", _each(still, observed, host_steps.write_steps)),
        Wave("start engines", _each(still, observed, host_steps.start_steps(Service.ENGINE))),
        Wave("start APIs", _each(still, observed, host_steps.start_steps(*APIS))),
        Wave("serve again", undrained),
        *rolls,
        Wave(
            "drain APIs",
            tuple(
                drain.drain_steps(observed, stopping, "it leaves", options, drain.effective_at_once(observed, again))
            ),
        ),
        Wave("drain hosts", tuple(drain.host_drain_steps(observed, _drained(desired, observed), options))),
        Wave("proxy", tuple(_proxy(desired, observed))),
        Wave("serve", tuple(_but(again, _returns(desired, observed)))),
        Wave("stop proxy", _each(desired, observed, host_steps.stop_steps(Service.PROXY))),
        Wave("stop APIs", _each(desired, observed, host_steps.stop_steps(*APIS))),
        Wave("stop engines", _each(desired, observed, host_steps.stop_steps(Service.ENGINE, options=options))),
        Wave("clear files", _each(desired, observed, host_steps.cleanup_steps)),
    ]
    return Plan(tuple(wave for wave in waves if wave.steps), tuple(desired))


def plan_restore(
    desired: Mapping[str, HostState], observed: Mapping[str, Observation], options: RolloutOptions = DEFAULT_ROLLOUT
) -> Plan:
    """The way back to the single server, given states that want nothing: first who served before us serves again."""
    again = plan_revert(desired, observed, {}, options)
    if not again.waves and not any(each.state.managed or each.facts.last_run for each in observed.values()):
        return again
    # Every host notes a run that begins, also one that an earlier run has made forget by now.
    return Plan((*again.waves, Wave("remove records", tuple(map(RemoveRecords, desired)))), again.hosts)


def plan_revert(
    desired: Mapping[str, HostState],
    observed: Mapping[str, Observation],
    before: Mapping[str, Observation],
    options: RolloutOptions = DEFAULT_ROLLOUT,
) -> Plan:
    """The way to what hosts had before, among which are the processes that were stopped since then."""
    away = plan_between(desired, observed, options)
    again = tuple(
        StartPredecessor(host, stopped, because="the proxy gives its addresses back")
        for host, each in observed.items()
        if host in desired and (stopped := _startable(each, before.get(host)))
    )
    return Plan((*([Wave("serve from the old server", again)] if again else []), *away.waves), away.hosts)


def _startable(observed: Observation, before: Observation | None) -> tuple[Mapping[str, Any], ...]:
    """What we have stopped on a host, since `before` if given, that was a unit and does not serve again by now."""
    listening = {each.unit for each in observed.facts.listeners}
    known = before.facts.stopped if before else ()
    return tuple(
        each for each in observed.facts.stopped if each["unit"] and each["unit"] not in listening and each not in known
    )


def _each(desired: Mapping[str, HostState], observed: Mapping[str, Observation], decide) -> tuple[Step, ...]:
    return tuple(step for host in desired for step in decide(host, desired[host], observed[host]))


def _restarting(
    desired: HostState, observed: HostState, host: str, options: RolloutOptions, services: Iterable[Service] = HEAT
) -> list[Unit]:
    """A host's processes that have to restart."""
    if host in options.restart:
        return [unit for unit in host_steps.units_of(desired, services) if host_steps.is_running(unit, observed)]
    return host_steps.outdated_units(desired, observed, services)


def _rolls(
    hosts: Iterable[str], desired, observed, options: RolloutOptions, undrained: tuple[ReadyServer, ...]
) -> tuple[list[Wave], Mapping[str, Observation]]:
    """One host after another, and what is found then; first those that an earlier run has left without requests."""
    idle = {host for host in hosts if any(_returns({host: desired[host]}, observed))}
    waves: list[Wave] = []
    for host in sorted(hosts, key=lambda host: (host in options.last, host not in idle)):
        followed = tls_migration.update_proxy(host, desired, observed)
        mine = list(_roll(host, desired, observed, options, (undrained, followed.steps)))
        observed = followed.observed
        undrained = (*undrained, *drain.effective_at_once(observed, _ready(mine)))
        waves += mine
    return waves, observed


def _ready(waves: Iterable[Wave]) -> tuple[ReadyServer, ...]:
    """The servers that waves give requests again."""
    return tuple(step for wave in waves for step in wave.steps if isinstance(step, ReadyServer))


def _but(those: Iterable[ReadyServer], steps: Iterable[ReadyServer]) -> Iterator[ReadyServer]:
    known = {step.server for step in those}
    return (step for step in steps if step.server not in known)


def _roll(
    host: str, desired, observed, options: RolloutOptions, around: tuple[tuple[ReadyServer, ...], tuple[Step, ...]]
) -> Iterator[Wave]:
    """One host as a whole: engines, then each API without its requests, proven, then with its requests again.

    `around` it are the servers that serve again by then, and what the proxy does where it has to speak to the host in
    another way.
    """
    undrained, follow = around
    state, now = desired[host], observed[host]
    because = "asked for" if host in options.restart else "its configuration changed"
    engines = _restarting(state, now.state, host, options, (Service.ENGINE,))
    apis = _restarting(state, now.state, host, options, APIS)
    serving = {host: [unit.name for unit in apis if not unit.drained]}
    drains = tuple(drain.drain_steps(observed, serving, "it restarts", options, undrained))
    change = (
        *host_steps.write_steps(host, state, now),
        *host_steps.start_steps(Service.ENGINE)(host, state, now),
        *host_steps.restart_steps(host, engines, because),
        *host_steps.start_steps(*APIS)(host, state, now),
    )
    yield Wave(f"change {host}", change, rolls=host)
    yield Wave(f"drain APIs on {host}", drains, rolls=host)
    yield Wave(f"restart APIs on {host}", tuple(host_steps.restart_steps(host, apis, because)), rolls=host)
    yield Wave(f"proxy follows {host}", follow, rolls=host)
    yield Wave(f"serve from {host}", tuple(drain.undrain_steps(drains, "it is ready")), rolls=host)


def _leaving(desired: Mapping[str, HostState], observed: Mapping[str, Observation]) -> dict[str, list[str]]:
    """Host -> its running APIs that the inventory does not name any more."""
    return {
        host: [
            unit.name
            for unit in host_steps.units_of(observed[host].state, APIS)
            if unit.name not in desired[host].units
        ]
        for host in desired
    }


def _drained(desired: Mapping[str, HostState], observed: Mapping[str, Observation]) -> dict[str, list[str]]:
    """Host -> its running APIs that are to get no requests."""
    return {
        host: [
            unit.name
            for unit in host_steps.units_of(desired[host], APIS)
            if unit.drained and host_steps.is_running(unit, observed[host].state)
        ]
        for host in desired
    }


def _proxy(desired: Mapping[str, HostState], observed: Mapping[str, Observation]) -> Iterator[Step]:
    apis = [unit for state in desired.values() for unit in host_steps.units_of(state, APIS) if not unit.drained]
    new = list(drain.without_server(observed, apis))
    for host in desired:
        yield from host_steps.proxy_steps(host, desired[host], observed[host], new)


def _returns(desired: Mapping[str, HostState], observed: Mapping[str, Observation]) -> Iterator[ReadyServer]:
    """Servers of some hosts that an earlier run left drained."""
    serving = [
        (unit, host_steps.is_running(unit, observed[host].state))
        for host, state in desired.items()
        for unit in host_steps.units_of(state, APIS)
        if not unit.drained
    ]
    starting = [unit for unit, runs in serving if not runs]
    return drain.leftover_undrain_steps(observed, [unit for unit, _ in serving], starting)
