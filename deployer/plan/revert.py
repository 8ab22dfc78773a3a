"""What a host must get back when the change that it was the first to have does not work there. Pure."""

from collections.abc import Iterable, Mapping
from dataclasses import replace

from deployer.model.facts import Observation
from deployer.model.probes import AnswersHttp, AnswersSocket, Probe
from deployer.model.state import HostState, Unit
from deployer.model.steps import DrainServer, Plan, ReadyServer, RestartUnit, StartUnit, Step, Wave


def previous_states(
    before: Mapping[str, Observation], desired: Mapping[str, HostState], stopping: Mapping[str, HostState]
) -> dict[str, HostState]:
    """Given hosts as they were, with the contents of their files, return that as what they should have again.

    Files that came since then go, and what was there before them comes back by that; those that are not ours are left
    as they are now. `leaving` says how each engine proves that it has left.
    """
    return {host: _state(each.state, desired[host], stopping[host]) for host, each in before.items()}


def with_forced_restarts(todo: Plan, done: Iterable[Step] = ()) -> Plan:
    """The same plan with each start as a restart: a process that dies over and over may just run again, as it was.

    Servers that what was done has drained serve again; HAProxy shows one that is down as such, drained or not.
    """
    waves = [replace(wave, steps=tuple(map(_restart, wave.steps))) for wave in todo.waves]
    done = tuple(done)
    back = {step.server for step in (*done, *todo) if isinstance(step, ReadyServer)}
    again = tuple(
        ReadyServer(step.host, step.server, because="as before")
        for step in done
        if isinstance(step, DrainServer) and step.server not in back
    )
    return replace(todo, waves=(*waves, *([Wave("serve as before", again)] if again else [])))


def _restart(step: Step) -> Step:
    return RestartUnit(step.host, step.unit, because="as before") if isinstance(step, StartUnit) else step


def _state(before: HostState, desired: HostState, stopping: HostState) -> HostState:
    files = {path: file for path, file in before.files.items() if path in before.managed}
    units = {name: _unit(unit, desired) for name, unit in before.units.items() if unit.running}
    return HostState(files, units, shutdown_probes=stopping.shutdown_probes)


def _unit(unit: Unit, desired: HostState) -> Unit:
    """The process as it ran, with the proof that it does; what it reads has changed meanwhile without a word of it."""
    proven = desired.units.get(unit.name)
    if proven is None:
        return unit
    reached = proven.reached if unit.secure else None
    return replace(unit, ready=_ready(unit, proven), reached=reached, needs=proven.needs, drained=proven.drained)


def _ready(unit: Unit, proven: Unit) -> Probe | None:
    """The proof of a process, which may name how it speaks or the configuration that it runs with: as before."""
    match proven.ready:
        case AnswersHttp():
            return replace(proven.ready, secure=unit.secure)
        case AnswersSocket() if unit.config and proven.config:
            return replace(proven.ready, contains=proven.ready.contains.replace(proven.config, unit.config))
    return proven.ready
