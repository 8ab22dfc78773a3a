"""The shapes of the events of `--format jsonl`; the last one carries the result of the command."""

from typing import Annotated, Any, Literal

from pydantic import Field
from typing_extensions import TypedDict

from deployer.cli.output.output_types import (
    DeployResult,
    HistoryResult,
    Hosts,
    Level,
    LockResult,
    Log,
    LogsResult,
    PlanResult,
    PreflightResult,
    RecoverResult,
    RenderResult,
    Seconds,
    StatusResult,
    Time,
    UnlockResult,
    VerifyResult,
    Version,
    WatchedStatus,
)
from deployer.model.events import StepResult


class AnyEvent(TypedDict):
    """What every event has."""

    schema_version: Version
    time: Time
    level: Level


class CommandStartedEvent(AnyEvent):
    """A command begins; the first event."""

    event: Literal["command_started"]
    command: str
    tool: Annotated[str, Field(description="version of heat-scaleout")]


class StageStartedEvent(AnyEvent):
    """A request to some hosts begins; `steps` has the sentences of what each is to do, if it is to do any."""

    event: Literal["stage_started"]
    stage: str
    hosts: Hosts
    steps: dict[str, list[str]]


class StepFinishedEvent(AnyEvent):
    """A host has ended the `number`-th of `total` steps of its request."""

    event: Literal["step_finished"]
    stage: str
    host: str
    step: str
    number: int
    total: int
    seconds: Seconds
    result: StepResult


class HostFinishedEvent(AnyEvent):
    """A host has answered, or could not be asked; `seconds` since the stage began."""

    event: Literal["host_finished"]
    stage: str
    host: str
    seconds: Seconds
    failed: bool


class StageFinishedEvent(AnyEvent):
    """Every host has answered; `failed` are those on which it failed."""

    event: Literal["stage_finished"]
    stage: str
    hosts: Hosts
    seconds: Seconds
    failed: Hosts


class RequestSentEvent(AnyEvent):
    """With -vv: what a host is asked, without contents."""

    event: Literal["request_sent"]
    stage: str
    host: str
    verb: str
    timeout: Seconds
    summary: dict[str, Any]


class ReplyReceivedEvent(AnyEvent):
    """With -vv: what a host has answered, without contents; `seconds` is null where it did not."""

    event: Literal["reply_received"]
    stage: str
    host: str
    verb: str
    seconds: Seconds | None
    summary: dict[str, Any]


class PlanEvent(AnyEvent):
    """The plan that is about to run."""

    event: Literal["plan"]
    plan: PlanResult


class MessageEvent(AnyEvent):
    """Something to know."""

    event: Literal["message"]
    text: str


class WarningEvent(AnyEvent):
    """Something to know before going on."""

    event: Literal["warning"]
    text: str


class ErrorEvent(AnyEvent):
    """Why the command cannot go on, and what to do about it; `interrupted` is Ctrl-C, SIGTERM or SIGHUP."""

    event: Literal["error"]
    kind: Literal["error", "interrupted"]
    message: str
    hint: str


class StatusEvent(AnyEvent):
    """With `status --watch`: one of many pictures."""

    event: Literal["status"]
    result: WatchedStatus


Result = (
    DeployResult
    | PlanResult
    | RenderResult
    | RecoverResult
    | HistoryResult
    | StatusResult
    | LogsResult
    | PreflightResult
    | VerifyResult
    | LockResult
    | UnlockResult
)


class ResultEvent(AnyEvent):
    """The last event: the exit code, and what --format json prints (null: nothing)."""

    event: Literal["result"]
    exit_code: int
    log: Log
    result: Result | None
