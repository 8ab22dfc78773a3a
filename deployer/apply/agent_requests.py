"""Translates steps into requests of the agent: what to do on a host, and for how long. Pure."""

import base64
import functools
from collections.abc import Iterable, Sequence
from dataclasses import asdict
from typing import Any

from deployer.model.names import is_ours, service_of, starts_processes, unit_name
from deployer.model.probe import AnswersHttp, AnswersSocket, Program
from deployer.model.service import Service
from deployer.model.state import KEPT
from deployer.model.steps import (
    AwaitAnswer,
    AwaitReady,
    AwaitStopped,
    CleanUpEngines,
    DisableUnit,
    DrainServer,
    EnableUnit,
    ReadyServer,
    ReleasePort,
    ReloadSystemd,
    ReloadUnit,
    RemoveFile,
    RemoveRecords,
    RestartUnit,
    SharePort,
    StartPredecessor,
    StartUnit,
    Step,
    StopUnit,
    WriteFile,
)
from deployer.proxy import config, runtime_api

STEP_TIMEOUT = 120.0  # seconds for one step that says nothing else
STOP_TIMEOUT = 180.0  # seconds for a process to stop: the proxy may take 130 for the requests it has

Request = dict[str, Any]  # JSON, as deployer/remote/agent/perform.py reads it
UnitStep = EnableUnit | StartUnit | RestartUnit | StopUnit | DisableUnit
PortStep = SharePort | ReleasePort


def batches_of(steps: Iterable[Step]) -> tuple[tuple[Step, ...], ...]:
    """Neighbouring steps that one request can name, as one batch; each other step is a batch of its own."""
    batches: list[tuple[Step, ...]] = []
    for step in steps:
        if batches and _can_share_request(batches[-1][0], step):
            batches[-1] += (step,)
        else:
            batches.append((step,))
    return tuple(batches)


def _can_share_request(first: Step, second: Step) -> bool:
    """Whether a host does both side by side when one request names them."""
    if isinstance(first, UnitStep) and isinstance(second, UnitStep):
        is_own_way = _is_of_proxy(first) or _is_of_proxy(second)
        return not is_own_way and _systemctl_options(first) == _systemctl_options(second)
    if isinstance(first, AwaitAnswer) and isinstance(second, AwaitAnswer):
        return first.program.stdin == second.program.stdin  # each names its API in its last argument
    return type(first) is type(second) and isinstance(first, PortStep)


def batch_request(batch: Sequence[Step], waited: float = 0.0) -> Request:
    """The request for a batch of `batches_of`, with the sentences of its steps as description.

    `waited`: the seconds for which it has waited already.
    """
    units = [step for step in batch if isinstance(step, UnitStep)]
    ports = [step for step in batch if isinstance(step, PortStep)]
    asking = [step for step in batch if isinstance(step, AwaitAnswer)]
    if asking:
        one = _answers_request(asking)
    else:
        one = _units_request(units) if units else _ports_request(ports) if ports else request(batch[0])
    waiting = _waiting_program(batch[0])
    more = {"argv": _with_seconds(batch[0], waiting, waited)} if waiting else {}
    return one | more | {"description": ", ".join(map(str, batch))}


def _waiting_program(step: Step) -> Program | None:
    """The program of a step that waits for an engine, unless it is one that takes no argument."""
    probe = step.probe if isinstance(step, AwaitReady | AwaitStopped) else None
    return probe if isinstance(probe, Program) and probe.interval else None


def _with_seconds(step: Step, program: Program, waited: float) -> tuple[str, ...]:
    forced = ["force"] if isinstance(step, AwaitReady | AwaitStopped) and step.force else []
    return (*program.argv, *forced, f"{program.seconds_to_wait(waited):g}")


@functools.singledispatch
def request(step: Step) -> Request:
    """The request for one step."""
    raise TypeError(f"no request for {type(step).__name__}")


@request.register
def _(step: WriteFile) -> Request:
    file = step.file
    return {
        "do": "write",
        "path": file.path,
        "content": base64.b64encode(file.content or b"").decode(),
        "owner": file.owner,
        "group": file.group,
        "mode": file.mode,
        "kept": KEPT,
    }


@request.register
def _(step: RemoveFile) -> Request:
    return {"do": "remove", "path": step.path}


@request.register(SharePort)
@request.register(ReleasePort)
def _(step: PortStep) -> Request:
    return _ports_request([step])


def _ports_request(steps: Sequence[PortStep]) -> Request:
    holders = [_holder(step) for step in steps]
    verb = "share_port" if isinstance(steps[0], SharePort) else "release_port"
    return {"do": verb, "holders": holders, "beside": unit_name(Service.PROXY), "timeout": STEP_TIMEOUT}


def _holder(step: PortStep) -> Request:
    """Who holds an address, its unit if that starts it, and the signal that ends it otherwise.

    On SIGTERM uWSGI reloads unless it has die-on-term; SIGINT ends it either way (uwsgi-docs, Signals).
    """
    holder = step.holder
    unit = holder.unit if starts_processes(holder.unit) else ""
    ending = "SIGINT" if holder.program.startswith("uwsgi") else "SIGTERM"
    return {"address": step.address, "port": step.port, "pid": holder.pid, "unit": unit, "signal": ending}


@request.register
def _(step: StartPredecessor) -> Request:
    return {
        "do": "start_predecessor",
        "stopped": [dict(each) for each in step.stopped],
        "beside": unit_name(Service.PROXY),
        "timeout": STEP_TIMEOUT,
    }


@request.register
def _(step: RemoveRecords) -> Request:
    return {"do": "remove_records"}


@request.register
def _(step: CleanUpEngines) -> Request:
    return _program_request(step.program)


@request.register
def _(step: ReloadSystemd) -> Request:
    return systemctl("daemon-reload")


@request.register(EnableUnit)
@request.register(StartUnit)
@request.register(RestartUnit)
@request.register(StopUnit)
@request.register(DisableUnit)
def _(step: UnitStep) -> Request:
    return _units_request([step])


def _units_request(steps: Sequence[UnitStep]) -> Request:
    first = steps[0]
    if _is_of_proxy(first):
        return _proxy_request(first)
    return systemctl(*_systemctl_options(first), *(step.unit for step in steps))


def _is_of_proxy(step: UnitStep) -> bool:
    """Whether a step starts or ends the proxy, where systemctl alone would cut requests: the agent has its own ways."""
    return not isinstance(step, EnableUnit) and step.unit == unit_name(Service.PROXY)


def _proxy_request(step: UnitStep) -> Request:
    if isinstance(step, StopUnit):
        return {"do": "soft_stop", "unit": step.unit, "timeout": STOP_TIMEOUT}
    return {"do": "seamless_restart", "unit": step.unit, "socket": config.SOCKET, "timeout": STOP_TIMEOUT}


def _systemctl_options(step: UnitStep) -> tuple[str, ...]:
    """The verb of systemctl for a step, with its options."""
    match step:
        case EnableUnit():
            return ("enable", "--quiet", "--no-reload")  # of links for the next boot systemd needs not know before
        case StartUnit():
            return ("start", *_no_block(step.unit))
        case RestartUnit():
            return ("restart", *_no_block(step.unit))
        case StopUnit() if _no_block(step.unit):
            return ("stop", *_no_block(step.unit))
        case StopUnit():
            return ("disable", "--quiet", "--now")
        case DisableUnit():
            return ("disable", "--quiet")


def _no_block(unit: str) -> tuple[str, ...]:
    """An engine ends its work first, for as long as an hour: another step waits for that and shows the progress.

    Also where it is to start: the stop of an earlier run may still be under way.
    """
    return ("--no-block",) if service_of(unit) == Service.ENGINE else ()


@request.register
def _(step: ReloadUnit) -> Request:
    return systemctl("reload", step.unit) | {"do": "reload", "kept": config.DRAINED_STATE_FILE}


@request.register
def _(step: DrainServer) -> Request:
    return {"do": "set_server", "timeout": step.wait, "force": step.force, **runtime_api.drain(step.server)}


@request.register
def _(step: ReadyServer) -> Request:
    return {"do": "set_server", "timeout": STEP_TIMEOUT, **runtime_api.ready(step.server)}


def systemctl(*arguments: str) -> Request:
    """A call of systemctl."""
    return {"do": "systemctl", "arguments": arguments, "timeout": STEP_TIMEOUT}


@request.register(AwaitReady)
@request.register(AwaitStopped)
def _(step: AwaitReady | AwaitStopped) -> Request:
    probe = step.probe
    match probe:
        case AnswersHttp():
            return {
                "do": "await_http",
                "unit": step.unit,
                "address": probe.address,
                "port": probe.port,
                "path": probe.path,
                "expect": probe.expect,
                "timeout": probe.timeout,
                "secure": probe.secure,
                "trust": probe.trust and asdict(probe.trust),
                "warm_up_paths": probe.warm_up_paths,
                "warm_up_connections": probe.warm_up_connections,
                **({"owner": step.unit} if is_ours(step.unit) else {}),  # else it is asked from another host
            }
        case AnswersSocket():
            return {
                "do": "await_reply",
                "socket": probe.socket,
                "send": probe.send,
                "contains": probe.contains,
                "timeout": probe.timeout,
            }
        case Program():
            return _program_request(probe)
    raise TypeError(f"no request for {type(probe).__name__}")


@request.register
def _(step: AwaitAnswer) -> Request:
    return _answers_request([step])


def _answers_request(steps: Sequence[AwaitAnswer]) -> Request:
    """One program for all of them, as loading Heat's libraries takes most of its time."""
    first = steps[0].program
    return _program_request(first) | {"argv": (*first.argv[:-1], *(step.program.argv[-1] for step in steps))}


def _program_request(program: Program) -> Request:
    return {"do": "run", "argv": program.argv, "stdin": program.stdin, "timeout": program.timeout}
