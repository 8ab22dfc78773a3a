"""Runs a plan through the fleet, wave by wave; a wave in which a host fails stops the next."""

import base64
import functools
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from deployer import errors
from deployer.heat.source import KEPT
from deployer.model import AnswersHttp, AnswersSocket, Program, Service, unit_name
from deployer.observed import LEDGER
from deployer.proxy import runtime
from deployer.remote.fleet import Fleet
from deployer.steps import (
    AwaitLeft,
    AwaitReady,
    DrainServer,
    EnableUnit,
    Forget,
    FreeAddress,
    GiveBack,
    Plan,
    ReadyServer,
    ReloadSystemd,
    ReloadUnit,
    RemoveFile,
    RestartUnit,
    ShareAddress,
    StartUnit,
    Step,
    StopUnit,
    Wave,
    WriteFile,
)

TOGETHER = (ShareAddress, FreeAddress, EnableUnit, StartUnit, RestartUnit, StopUnit)
PROOFS = (AwaitReady, ReadyServer)
STEP_LIMIT = 120.0  # seconds for one step that says nothing else
STOP_LIMIT = 180.0  # seconds for a process to stop: the proxy may take 130 for the requests it has
ENGINE = f"heat-scaleout-{Service.ENGINE}@"


@dataclass(frozen=True)
class Applied:
    """What was done of a plan: the steps done, and for each host that failed why, and the steps that were not done.

    `wave` is the one in which hosts failed, `unproven` whether all that failed was the proof of what was done.
    """

    done: tuple[Step, ...] = ()
    failed: Mapping[str, errors.DeployerError] = field(default_factory=dict)
    left: tuple[Step, ...] = ()
    wave: Wave | None = None
    unproven: bool = False


def run(plan: Plan, fleet: Fleet) -> Applied:
    """Perform every wave in order; stop after the first in which a host fails and say what is left."""
    done: list[Step] = []
    for number, wave in enumerate(plan.waves):
        outcomes = _perform(wave, fleet)
        finished = [step for each in outcomes.values() for step in each.done]
        done += finished
        failed = {host: each.error for host, each in outcomes.items() if each.error}
        if failed:
            left = [step for later in plan.waves[number:] for step in later.steps if step not in finished]
            unproven = all(each.tried and isinstance(each.tried[0], PROOFS) for each in outcomes.values() if each.error)
            return Applied(tuple(done), failed, tuple(left), wave, unproven)
    return Applied(tuple(done), {}, ())


@dataclass(frozen=True)
class Outcome:
    """How far a host came: the steps it did, what stopped it, at which steps, and whether it may be asked again."""

    done: tuple[Step, ...] = ()
    error: errors.DeployerError | None = None
    tried: tuple[Step, ...] = ()
    again: bool = False


def _perform(wave: Wave, fleet: Fleet) -> dict[str, Outcome]:
    """Ask every host of a wave for its steps, and those again that still wait for something, until they have."""
    batches = {host: _batches(steps) for host, steps in wave.by_host().items()}
    outcomes = {host: Outcome() for host in batches}
    asked, started = tuple(batches), time.monotonic()
    title = wave.name
    while asked:
        left = {host: batches[host][_count(batches[host], outcomes[host].done):] for host in asked}
        replies = _asked(title, left, fleet)
        for host in asked:
            outcomes[host] = _after(outcomes[host], _outcome(host, left[host], replies[host]))
        waited = time.monotonic() - started
        asked = tuple(host for host in asked if outcomes[host].again and waited < _patience(outcomes[host].tried[0]))
        title = f"{wave.name} ({'; '.join(outcomes[host].error.message for host in asked)})"
    return {host: _forced(host, outcome, fleet) for host, outcome in outcomes.items()}


def _forced(host: str, outcome: Outcome, fleet: Fleet) -> Outcome:
    """Kill what still works after all patience, where that was asked for."""
    step = outcome.tried[0] if outcome.again else None
    if not (isinstance(step, AwaitLeft) and step.force):
        return outcome
    kill = _systemctl("kill", "--signal=KILL", step.unit)
    reply = fleet.ask(f"kill {step.unit}", "perform", {host: {"ledger": LEDGER, "steps": [kill, request(step)]}}, 180.0)
    return _after(outcome, _outcome(host, [(), (step,)], reply[host]))


def _asked(title: str, left: Mapping[str, list[tuple[Step, ...]]], fleet: Fleet) -> dict[str, Any]:
    requests = {host: {"ledger": LEDGER, "steps": [_request_of(batch) for batch in each]}
                for host, each in left.items()}
    limit = 30 + max(sum(each.get("timeout", 10.0) for each in asked["steps"]) for asked in requests.values())
    return fleet.ask(title, "perform", requests, limit)


def _count(batches: Sequence[Sequence[Step]], done: Sequence[Step]) -> int:
    """How many batches some steps make up, which were done in order."""
    return sum(all(step in done for step in batch) for batch in batches)


def _after(before: Outcome, now: Outcome) -> Outcome:
    return replace(now, done=before.done + now.done)


def _patience(step: Step) -> float:
    """Seconds in which a step may be asked again that only waits."""
    return step.probe.patience if isinstance(step, AwaitReady | AwaitLeft) else 0.0


def _batches(steps: Iterable[Step]) -> list[tuple[Step, ...]]:
    """Neighbouring steps that are done side by side when one request names all of them; others stand alone."""
    batches: list[tuple[Step, ...]] = []
    for step in steps:
        if batches and type(step) in TOGETHER and type(step) is type(batches[-1][0]):
            batches[-1] += (step,)
        else:
            batches.append((step,))
    return batches


def _request_of(batch: Sequence[Step]) -> dict[str, Any]:
    first, *others = (request(step) for step in batch)
    key = "holders" if "holders" in first else "arguments"
    for other in others:
        first[key] += other[key][-1:]
    return first


def _outcome(host: str, batches: Sequence[tuple[Step, ...]], reply: Any) -> Outcome:
    """The steps that a host did, and what stopped it."""
    if isinstance(reply, errors.DeployerError):
        return Outcome(error=reply)
    done = tuple(step for batch in batches[:len(reply["done"])] for step in batch)
    failed = reply["failed"]
    if not failed:
        return Outcome(done)
    tried = batches[failed["index"]]
    words = failed["why"] if "again" in failed else f"could not {', '.join(map(str, tried))}: {failed['why']}"
    return Outcome(done, errors.HostFailed(host, words), tried, "again" in failed)


@functools.singledispatch
def request(step: Step) -> dict[str, Any]:
    """A step in the words of the agent."""
    raise TypeError(f"no request for {type(step).__name__}")


@request.register
def _(step: WriteFile) -> dict[str, Any]:
    file = step.file
    return {"do": "write", "path": file.path, "content": base64.b64encode(file.content or b"").decode(),
            "owner": file.owner, "group": file.group, "mode": file.mode, "check": file.check, "kept": KEPT}


@request.register
def _(step: RemoveFile) -> dict[str, Any]:
    return {"do": "remove", "path": step.path}


@request.register
def _(step: ShareAddress) -> dict[str, Any]:
    return {"do": "share", **_holders(step)}


@request.register
def _(step: FreeAddress) -> dict[str, Any]:
    return {"do": "free", **_holders(step)}


def _holders(step: ShareAddress | FreeAddress) -> dict[str, Any]:
    holder = {"address": step.address, "port": step.port, "pid": step.holder.pid, "unit": step.holder.unit}
    return {"holders": [holder], "beside": unit_name(Service.PROXY), "timeout": STEP_LIMIT}


@request.register
def _(step: GiveBack) -> dict[str, Any]:
    return {"do": "give_back", "stopped": [dict(each) for each in step.stopped], "beside": unit_name(Service.PROXY),
            "timeout": STEP_LIMIT}


@request.register
def _(step: Forget) -> dict[str, Any]:
    return {"do": "forget"}


@request.register
def _(step: ReloadSystemd) -> dict[str, Any]:
    return _systemctl("daemon-reload")


@request.register
def _(step: EnableUnit) -> dict[str, Any]:
    return _systemctl("enable", "--quiet", step.unit)


@request.register
def _(step: StartUnit) -> dict[str, Any]:
    return _systemctl("start", step.unit)


@request.register
def _(step: RestartUnit) -> dict[str, Any]:
    return _systemctl("restart", *_unwaited(step.unit), step.unit)


@request.register
def _(step: ReloadUnit) -> dict[str, Any]:
    return _systemctl("reload", step.unit)


@request.register
def _(step: StopUnit) -> dict[str, Any]:
    if step.unit == unit_name(Service.PROXY):
        return {"do": "stop_gently", "unit": step.unit, "timeout": STOP_LIMIT}
    return _systemctl("disable", "--quiet", "--now", *_unwaited(step.unit), step.unit)


def _unwaited(unit: str) -> tuple[str, ...]:
    """An engine ends its work first, for as long as an hour: a step of its own waits for that and tells of it."""
    return ("--no-block",) if unit.startswith(ENGINE) else ()


@request.register
def _(step: DrainServer) -> dict[str, Any]:
    return {"do": "tell", "timeout": step.wait, "force": step.force, **runtime.drain(step.server)}


@request.register
def _(step: ReadyServer) -> dict[str, Any]:
    return {"do": "tell", "timeout": STEP_LIMIT, **runtime.ready(step.server)}


def _systemctl(*arguments: str) -> dict[str, Any]:
    return {"do": "systemctl", "arguments": arguments, "timeout": STEP_LIMIT}


@request.register(AwaitReady)
@request.register(AwaitLeft)
def _(step: AwaitReady | AwaitLeft) -> dict[str, Any]:
    probe = step.probe
    match probe:
        case AnswersHttp():
            return {"do": "await_http", "unit": step.unit, "address": probe.address, "port": probe.port,
                    "path": probe.path, "expect": probe.expect, "timeout": probe.timeout}
        case AnswersSocket():
            return {"do": "await_reply", "socket": probe.socket, "send": probe.send, "contains": probe.contains,
                    "timeout": probe.timeout}
        case Program():
            return {"do": "run", "argv": probe.argv, "stdin": probe.stdin, "timeout": probe.timeout}
    raise TypeError(f"no request for {type(probe).__name__}")
