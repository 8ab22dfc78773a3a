"""Runs a plan through the fleet, wave by wave; a wave in which a host fails stops the next."""

import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from deployer import errors
from deployer.apply import agent_requests
from deployer.model.steps import (
    AwaitReady,
    AwaitStopped,
    EnableUnit,
    Plan,
    ReadyServer,
    ReleasePort,
    RestartUnit,
    SharePort,
    StartUnit,
    Step,
    StopUnit,
    Wave,
)
from deployer.observed.observe import EXCLUSIVE, LEDGER
from deployer.remote.fleet import Fleet

BATCHED = (SharePort, ReleasePort, EnableUnit, StartUnit, RestartUnit, StopUnit)
PROOFS = (AwaitReady, ReadyServer)


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


def run(plan: Plan, fleet: Fleet, number: int | None = None) -> Applied:
    """Perform every wave in order; stop after the first in which a host fails and say what is left.

    `number` is that of the run in which the hosts note each step.
    """
    done: list[Step] = []
    for index, wave in enumerate(plan.waves):
        outcomes = _run_wave(wave, fleet, number)
        finished = [step for each in outcomes.values() for step in each.done]
        done += finished
        failed = {host: each.error for host, each in outcomes.items() if each.error}
        if failed:
            left = [step for later in plan.waves[index:] for step in later.steps if step not in finished]
            unproven = all(each.tried and isinstance(each.tried[0], PROOFS) for each in outcomes.values() if each.error)
            return Applied(tuple(done), failed, tuple(left), wave, unproven)
    return Applied(tuple(done), {}, ())


@dataclass(frozen=True)
class HostProgress:
    """How far a host came: the steps it did, what stopped it, at which steps, and whether it may be asked again."""

    done: tuple[Step, ...] = ()
    error: errors.DeployerError | None = None
    tried: tuple[Step, ...] = ()
    again: bool = False


def _run_wave(wave: Wave, fleet: Fleet, number: int | None) -> dict[str, HostProgress]:
    """Ask every host of a wave for its steps, and those again that still wait for something, until they have."""
    batches = {host: _batches(steps) for host, steps in wave.by_host().items()}
    outcomes = {host: HostProgress() for host in batches}
    asked, started = tuple(batches), time.monotonic()
    title = wave.name
    while asked:
        left = {host: batches[host][_count(batches[host], outcomes[host].done) :] for host in asked}
        replies = _ask(title, left, fleet, number)
        for host in asked:
            outcomes[host] = _continued(outcomes[host], _progress(host, left[host], replies[host]))
        waited = time.monotonic() - started
        asked = tuple(
            host for host in asked if outcomes[host].again and waited < _retry_timeout(outcomes[host].tried[0])
        )
        title = f"{wave.name} ({'; '.join(outcomes[host].error.message for host in asked)})"
    return {host: _kill_if_forced(host, outcome, fleet, number) for host, outcome in outcomes.items()}


def _kill_if_forced(host: str, outcome: HostProgress, fleet: Fleet, number: int | None) -> HostProgress:
    """Kill what still works after all patience, where that was asked for."""
    step = outcome.tried[0] if outcome.again else None
    if not (isinstance(step, AwaitStopped) and step.force):
        return outcome
    kill = agent_requests.systemctl("kill", "--signal=KILL", step.unit) | {"description": f"kill {step.unit}"}
    asked = {host: _request(number, [kill, _batch_request([step])])}
    reply = fleet.ask(f"kill {step.unit}", "perform", asked, 180.0)
    return _continued(outcome, _progress(host, [(), (step,)], reply[host]))


def _ask(title: str, left: Mapping[str, list[tuple[Step, ...]]], fleet: Fleet, number: int | None) -> dict[str, Any]:
    requests = {host: _request(number, [_batch_request(batch) for batch in each]) for host, each in left.items()}
    work = max(sum(each.get("timeout", 10.0) for each in asked["steps"]) for asked in requests.values())
    return fleet.ask(title, "perform", requests, 30 + EXCLUSIVE["seconds"] + work)


def _request(number: int | None, steps: list[dict[str, Any]]) -> dict[str, Any]:
    return {"ledger": LEDGER, "exclusive": EXCLUSIVE, "steps": steps} | ({} if number is None else {"run": number})


def _count(batches: Sequence[Sequence[Step]], done: Sequence[Step]) -> int:
    """How many batches some steps make up, which were done in order."""
    return sum(all(step in done for step in batch) for batch in batches)


def _continued(before: HostProgress, now: HostProgress) -> HostProgress:
    return replace(now, done=before.done + now.done)


def _retry_timeout(step: Step) -> float:
    """Seconds in which a step may be asked again that only waits."""
    return step.probe.busy_timeout if isinstance(step, AwaitReady | AwaitStopped) else 0.0


def _batches(steps: Iterable[Step]) -> list[tuple[Step, ...]]:
    """Neighbouring steps that are done side by side when one request names all of them; others stand alone."""
    batches: list[tuple[Step, ...]] = []
    for step in steps:
        if batches and type(step) in BATCHED and type(step) is type(batches[-1][0]):
            batches[-1] += (step,)
        else:
            batches.append((step,))
    return batches


def _batch_request(batch: Sequence[Step]) -> dict[str, Any]:
    first, *others = (agent_requests.request(step) for step in batch)
    key = "holders" if "holders" in first else "arguments"
    for other in others:
        first[key] += other[key][-1:]
    return first | {"description": ", ".join(map(str, batch))}


def _progress(host: str, batches: Sequence[tuple[Step, ...]], reply: Any) -> HostProgress:
    """The steps that a host did, and what stopped it."""
    if isinstance(reply, errors.DeployerError):
        return HostProgress(error=reply)
    done = tuple(step for batch in batches[: len(reply["done"])] for step in batch)
    failed = reply["failed"]
    if not failed:
        return HostProgress(done)
    tried = batches[failed["index"]]
    words = failed["why"] if "again" in failed else f"could not {', '.join(map(str, tried))}: {failed['why']}"
    return HostProgress(done, errors.HostFailed(host, words), tried, "again" in failed)
