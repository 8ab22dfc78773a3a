"""Runs a plan through the fleet, wave by wave; a wave in which a host fails stops the next."""

import base64
import functools
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from deployer import errors
from deployer.heat.source import KEPT
from deployer.model import AnswersHttp, AnswersSocket, Program, Service, unit_name
from deployer.observed import LEDGER
from deployer.proxy import runtime
from deployer.remote.fleet import Fleet
from deployer.steps import (
    AwaitReady,
    DrainServer,
    EnableUnit,
    FreeAddress,
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
STEP_LIMIT = 120.0  # seconds for one step that says nothing else


@dataclass(frozen=True)
class Applied:
    """What was done of a plan: the steps done, and for each host that failed why, and the steps that were not done."""

    done: tuple[Step, ...] = ()
    failed: Mapping[str, errors.DeployerError] = field(default_factory=dict)
    left: tuple[Step, ...] = ()


def run(plan: Plan, fleet: Fleet) -> Applied:
    """Perform every wave in order; stop after the first in which a host fails and say what is left."""
    done: list[Step] = []
    for number, wave in enumerate(plan.waves):
        finished, failed = _perform(wave, fleet)
        done += finished
        if failed:
            left = [step for later in plan.waves[number:] for step in later.steps if step not in finished]
            return Applied(tuple(done), failed, tuple(left))
    return Applied(tuple(done), {}, ())


def _perform(wave: Wave, fleet: Fleet) -> tuple[list[Step], dict[str, errors.DeployerError]]:
    by_host = {host: _batches(steps) for host, steps in wave.by_host().items()}
    requests = {host: {"ledger": LEDGER, "steps": [_request_of(batch) for batch in batches]}
                for host, batches in by_host.items()}
    limit = 30 + max(sum(each.get("timeout", 10.0) for each in asked["steps"]) for asked in requests.values())
    replies = fleet.ask(wave.name, "perform", requests, limit)
    finished, failed = [], {}
    for host, batches in by_host.items():
        done, failure = _outcome(host, batches, replies[host])
        finished += done
        if failure:
            failed[host] = failure
    return finished, failed


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


def _outcome(
    host: str, batches: Sequence[Sequence[Step]], reply: Any
) -> tuple[list[Step], errors.DeployerError | None]:
    """The steps that a host did, and what stopped it (None: nothing)."""
    if isinstance(reply, errors.DeployerError):
        return [], reply
    done = [step for batch in batches[:len(reply["done"])] for step in batch]
    if not reply["failed"]:
        return done, None
    tried = ", ".join(map(str, batches[reply["failed"]["index"]]))
    return done, errors.HostFailed(host, f"could not {tried}: {reply['failed']['why']}")


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
    return _systemctl("restart", step.unit)


@request.register
def _(step: ReloadUnit) -> dict[str, Any]:
    return _systemctl("reload", step.unit)


@request.register
def _(step: StopUnit) -> dict[str, Any]:
    return _systemctl("disable", "--quiet", "--now", step.unit)


@request.register
def _(step: DrainServer) -> dict[str, Any]:
    return {"do": "tell", "timeout": STEP_LIMIT, **runtime.drain(step.server)}


@request.register
def _(step: ReadyServer) -> dict[str, Any]:
    return {"do": "tell", "timeout": STEP_LIMIT, **runtime.ready(step.server)}


def _systemctl(*arguments: str) -> dict[str, Any]:
    return {"do": "systemctl", "arguments": arguments, "timeout": STEP_LIMIT}


@request.register
def _(step: AwaitReady) -> dict[str, Any]:
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
