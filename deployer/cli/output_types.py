"""The shape of each JSON output, from which the published schema is made; docs/output.md says when each is printed."""

from typing import Annotated, Any, Literal, NotRequired

from pydantic import Field
from typing_extensions import TypedDict  # pydantic reads typing's own only from Python 3.12 on

from deployer.apply.lock import Holder
from deployer.heat.recovery import DeadWorker
from deployer.model.contract import SCHEMA_VERSION
from deployer.model.events import StepResult
from deployer.status.instances import InstanceStatus
from deployer.verify.smoke.result import Check

Version = Annotated[Literal[1], Field(description=f"{SCHEMA_VERSION} until a field goes or changes its meaning")]
Time = Annotated[str, Field(description="UTC in ISO 8601", examples=["2026-11-21T18:01:02.123Z"])]
Seconds = Annotated[float, Field(ge=0)]
Log = Annotated[str | None, Field(description="path of the command's log; null where none was kept")]
Level = Literal["debug", "verbose", "info", "warning", "error"]
Hosts = list[str]


class PlannedStep(TypedDict):
    """A step of a plan, as a sentence, and why it is to be done."""

    step: str
    because: str


class HostStep(TypedDict):
    """A step on a host, as a sentence."""

    host: str
    step: str


class Failure(TypedDict):
    """Why a host failed, and what to do about it."""

    error: str
    hint: str


class PlanResult(TypedDict):
    """What a deploy would do; `diffs` with --diff: `host:path` -> unified diff, secrets masked."""

    schema_version: Version
    changes: int
    hosts: dict[str, list[PlannedStep]]
    diffs: NotRequired[dict[str, str]]


class PutBack(TypedDict):
    """What was done to give hosts back what they had before."""

    host: str
    hosts: Hosts
    done: list[HostStep]
    failed: dict[str, Failure]


class HostNow(TypedDict):
    """What a host has after a run, and what to run next for it ("": nothing)."""

    has: str
    next: str


class DeployResult(TypedDict):
    """A plan and what became of it. `accepted`: false when the plan was declined, and so nothing was changed."""

    schema_version: Version
    changes: int
    hosts: dict[str, list[PlannedStep]]
    accepted: bool
    generation: int | None
    done: list[HostStep]
    failed: dict[str, Failure]
    left: list[HostStep]
    put_back: PutBack | None
    now: dict[str, HostNow]
    log: Log


class RenderResult(TypedDict):
    """The files that were written below a folder."""

    schema_version: Version
    out: str
    files: list[str]


class RecoverResult(TypedDict):
    """What dead engines have left, and whether it was taken away."""

    schema_version: Version
    cleaned: bool
    workers: list[DeadWorker]
    log: Log


class Generation(TypedDict):
    """A run that changed something; `result` is null while it has not ended."""

    number: int
    when: str
    who: str
    command: str
    tool: str
    inventory: str
    result: str | None
    hosts: Hosts


class HistoryResult(TypedDict):
    """Every generation that the hosts have kept, the newest last."""

    schema_version: Version
    generations: list[Generation]


class StatusResult(TypedDict):
    """Every process of the site, what a deploy would change, and what could not be asked."""

    schema_version: Version
    site: str
    drift: bool
    instances: list[InstanceStatus]
    pending: list[str]
    errors: list[str]
    notes: list[str]
    unfinished: list[str]


class PreflightResult(TypedDict):
    """What would make a deploy fail, and what else to know."""

    schema_version: Version
    problems: list[str]
    notes: list[str]


class VerifyResult(TypedDict):
    """Every check of a proof, in the order they were made."""

    schema_version: Version
    site: str
    failed: bool
    seconds: Seconds
    checks: list[Check]


class LockResult(TypedDict):
    """Who holds the site's lock; null when nobody does."""

    schema_version: Version
    held_by: Holder | None


class UnlockResult(TypedDict):
    """Whose lock was ended."""

    schema_version: Version
    ended: Holder
    log: Log


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
    """Why the command cannot go on, and what to do about it; `interrupted` is Ctrl-C."""

    event: Literal["error"]
    kind: Literal["error", "interrupted"]
    message: str
    hint: str


class StatusEvent(AnyEvent):
    """With `status --watch`: one of many pictures."""

    event: Literal["status"]
    result: StatusResult


Result = (
    DeployResult
    | PlanResult
    | RenderResult
    | RecoverResult
    | HistoryResult
    | StatusResult
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
