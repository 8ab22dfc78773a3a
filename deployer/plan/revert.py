"""Decides what a host gets back when a change failed on it: the state it had before. Pure."""

from collections.abc import Iterable, Mapping
from dataclasses import replace

from deployer.model.facts import Observation
from deployer.model.names import endpoint
from deployer.model.probe import AnswersHttp, AnswersSocket, Probe
from deployer.model.state import HostState, Unit
from deployer.model.steps import DrainServer, Plan, ReadyServer, RestartUnit, StartUnit, Step, Wave


def previous_states(
    before: Mapping[str, Observation], desired: Mapping[str, HostState], stopping: Mapping[str, HostState]
) -> dict[str, HostState]:
    """Given hosts as they were, with the contents of their files, return that as what they should have again.

    Files that were added since then are removed, which restores what was there before them; files that are not ours
    stay as they are now. `stopping` has the shutdown probes of the engines that stop.
    """
    drained = {server.address: server.drained for each in before.values() for server in each.facts.servers}
    return {host: _state(each.state, desired[host], stopping[host], drained) for host, each in before.items()}


def with_forced_restarts(plan: Plan, done: Iterable[Step] = ()) -> Plan:
    """The same plan with each start as a restart: a process that crashes in a loop may run at this moment.

    Servers that the steps `done` have drained are undrained; HAProxy shows one that is down as such, drained or not.
    """
    waves = [replace(wave, steps=tuple(map(_restart, wave.steps))) for wave in plan.waves]
    done = tuple(done)
    undrained = {step.server for step in (*done, *plan) if isinstance(step, ReadyServer)}
    undrains = tuple(
        ReadyServer(step.host, step.server, because="as before")
        for step in done
        if isinstance(step, DrainServer) and step.server not in undrained
    )
    return replace(plan, waves=(*waves, *([Wave("undrain as before", undrains)] if undrains else [])))


def _restart(step: Step) -> Step:
    return RestartUnit(step.host, step.unit, because="as before") if isinstance(step, StartUnit) else step


def _state(before: HostState, desired: HostState, stopping: HostState, drained: Mapping[str, bool]) -> HostState:
    """`drained` maps the address of each server, as the proxy had it before, to whether it was drained."""
    files = {path: file for path, file in before.files.items() if path in before.managed}
    units = {name: _unit(unit, desired, drained) for name, unit in before.units.items() if _had(unit, desired)}
    return HostState(files, units, shutdown_probes=stopping.shutdown_probes)


def _had(unit: Unit, desired: HostState) -> bool:
    """Whether a process belonged to the host: it ran, or was on its way to run again."""
    return unit.running or (unit.stopping and unit.name in desired.units)


def _unit(unit: Unit, desired: HostState, drained: Mapping[str, bool]) -> Unit:
    """The process as it ran, with a probe that proves it; its unit does not show that what it reads has changed."""
    new = desired.units.get(unit.name)
    if new is None:
        return unit
    reached = new.reached if unit.secure else None
    was_drained = _was_drained(new, drained)
    answers = new.answers if unit.secure == new.secure else None
    return replace(
        unit, ready=_ready(unit, new), reached=reached, answers=answers, needs=new.needs, drained=was_drained
    )


def _was_drained(new: Unit, drained: Mapping[str, bool]) -> bool:
    """Whether an API got no requests before; as the change has it where the proxy had no such server."""
    address = endpoint(new.ready.address, new.ready.port) if isinstance(new.ready, AnswersHttp) else ""
    return drained.get(address, new.drained)


def _ready(unit: Unit, new: Unit) -> Probe | None:
    """The probe of a process, with the protocol and the configuration that it had before."""
    match new.ready:
        case AnswersHttp():
            return replace(new.ready, secure=unit.secure)
        case AnswersSocket() if unit.config and new.config:
            return replace(new.ready, contains=new.ready.contains.replace(new.config, unit.config))
    return new.ready
