"""Each step in the words of the agent: what to do on a host, and for how long."""

import base64
import functools
from dataclasses import asdict
from typing import Any

from deployer.heat.source import KEPT
from deployer.model.names import service_of, unit_name
from deployer.model.probes import AnswersHttp, AnswersSocket, Program
from deployer.model.service import Service
from deployer.model.steps import (
    AwaitReady,
    AwaitStopped,
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
from deployer.proxy import runtime_api

STEP_TIMEOUT = 120.0  # seconds for one step that says nothing else
STOP_TIMEOUT = 180.0  # seconds for a process to stop: the proxy may take 130 for the requests it has


@functools.singledispatch
def request(step: Step) -> dict[str, Any]:
    """A step in the words of the agent."""
    raise TypeError(f"no request for {type(step).__name__}")


@request.register
def _(step: WriteFile) -> dict[str, Any]:
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
def _(step: RemoveFile) -> dict[str, Any]:
    return {"do": "remove", "path": step.path}


@request.register
def _(step: SharePort) -> dict[str, Any]:
    return {"do": "share_port", **_holders(step)}


@request.register
def _(step: ReleasePort) -> dict[str, Any]:
    return {"do": "release_port", **_holders(step)}


def _holders(step: SharePort | ReleasePort) -> dict[str, Any]:
    holder = {"address": step.address, "port": step.port, "pid": step.holder.pid, "unit": step.holder.unit}
    return {"holders": [holder], "beside": unit_name(Service.PROXY), "timeout": STEP_TIMEOUT}


@request.register
def _(step: StartPredecessor) -> dict[str, Any]:
    return {
        "do": "start_predecessor",
        "stopped": [dict(each) for each in step.stopped],
        "beside": unit_name(Service.PROXY),
        "timeout": STEP_TIMEOUT,
    }


@request.register
def _(step: RemoveRecords) -> dict[str, Any]:
    return {"do": "remove_records"}


@request.register
def _(step: ReloadSystemd) -> dict[str, Any]:
    return systemctl("daemon-reload")


@request.register
def _(step: EnableUnit) -> dict[str, Any]:
    return systemctl("enable", "--quiet", step.unit)


@request.register
def _(step: StartUnit) -> dict[str, Any]:
    return systemctl("start", step.unit)


@request.register
def _(step: RestartUnit) -> dict[str, Any]:
    return systemctl("restart", *_unwaited(step.unit), step.unit)


@request.register
def _(step: ReloadUnit) -> dict[str, Any]:
    return systemctl("reload", step.unit) | {"do": "reload", "kept": runtime_api.DRAINED_STATE_FILE}


@request.register
def _(step: StopUnit) -> dict[str, Any]:
    if step.unit == unit_name(Service.PROXY):
        return {"do": "soft_stop", "unit": step.unit, "timeout": STOP_TIMEOUT}
    return systemctl("disable", "--quiet", "--now", *_unwaited(step.unit), step.unit)


def _unwaited(unit: str) -> tuple[str, ...]:
    """An engine ends its work first, for as long as an hour: a step of its own waits for that and tells of it."""
    return ("--no-block",) if service_of(unit) == Service.ENGINE else ()


@request.register
def _(step: DrainServer) -> dict[str, Any]:
    return {"do": "set_server", "timeout": step.wait, "force": step.force, **runtime_api.drain(step.server)}


@request.register
def _(step: ReadyServer) -> dict[str, Any]:
    return {"do": "set_server", "timeout": STEP_TIMEOUT, **runtime_api.ready(step.server)}


def systemctl(*arguments: str) -> dict[str, Any]:
    """A call of systemctl."""
    return {"do": "systemctl", "arguments": arguments, "timeout": STEP_TIMEOUT}


@request.register(AwaitReady)
@request.register(AwaitStopped)
def _(step: AwaitReady | AwaitStopped) -> dict[str, Any]:
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
            return {"do": "run", "argv": probe.argv, "stdin": probe.stdin, "timeout": probe.timeout}
    raise TypeError(f"no request for {type(probe).__name__}")
