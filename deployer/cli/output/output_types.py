"""The shape of each JSON output, from which the published schema is made; docs/output.md says when each is printed."""

from dataclasses import dataclass
from typing import Annotated, Literal, NotRequired

from pydantic import Field
from typing_extensions import TypedDict  # pydantic reads typing's own only from Python 3.12 on

from deployer.model.contract import SCHEMA_VERSION
from deployer.model.facts import DeadWorker
from deployer.model.run import Holder
from deployer.status.instances import InstanceStatus
from deployer.status.rates import NO_RATES, Rates
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


class HostMessage(TypedDict):
    """What a step on a host had to say, such as what was marked as failed after a process was killed."""

    host: str
    message: str


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
    told: list[HostMessage]
    failed: dict[str, Failure]
    left: list[HostStep]
    put_back: PutBack | None
    now: dict[str, HostNow]
    log: Log


class RenderResult(TypedDict):
    """The files that were written below a folder, and what to know of what they say."""

    schema_version: Version
    out: str
    files: list[str]
    notes: list[str]


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


@dataclass(frozen=True)
class WatchedInstance(InstanceStatus):
    """A process of the site, with what it did since the picture before."""

    rates: Rates = NO_RATES


class WatchedStatus(TypedDict):
    """What `status` prints, as one of the many pictures of `status --watch`."""

    schema_version: Version
    site: str
    drift: bool
    instances: list[WatchedInstance]
    pending: list[str]
    errors: list[str]
    notes: list[str]
    unfinished: list[str]


class LogLine(TypedDict):
    """A line of a journal; `priority` is that of syslog, 0 (emergency) to 7 (debug)."""

    time: str
    host: str
    unit: str
    pid: int | None
    priority: int | None
    message: str


class LogsResult(TypedDict):
    """Lines of the journals by time, and what could not be read or was left out."""

    schema_version: Version
    site: str
    entries: list[LogLine]
    errors: list[str]
    notes: list[str]


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
