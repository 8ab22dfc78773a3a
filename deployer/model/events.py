"""What happens while a command runs, as data: each event goes to the command's handlers in the order it happens."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import IntEnum, StrEnum
from typing import Any

from deployer.model.steps import Plan


class Level(IntEnum):
    """How much an event matters, from requests and replies to errors."""

    DEBUG = 10
    VERBOSE = 15
    INFO = 20
    WARNING = 30
    ERROR = 40


class StepResult(StrEnum):
    """How a step ended; one that still waits for something may be asked again."""

    DONE = "done"
    FAILED = "failed"
    WAITING = "waiting"


@dataclass(frozen=True)
class StageStarted:
    """A request to some hosts begins; `steps` are the sentences of what each is to do, if it is to do any."""

    stage: str
    hosts: tuple[str, ...]
    steps: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    level: Level = Level.INFO


@dataclass(frozen=True)
class HostFinished:
    """A host has answered, or could not be asked; `seconds` since the stage began."""

    stage: str
    host: str
    seconds: float
    failed: bool = False
    level: Level = Level.VERBOSE


@dataclass(frozen=True)
class StageFinished:
    """Every host has answered; `failed` are those on which it failed, `seconds` how long all of it took."""

    stage: str
    hosts: tuple[str, ...]
    seconds: float
    failed: tuple[str, ...] = ()
    level: Level = Level.INFO


@dataclass(frozen=True)
class StepFinished:
    """A host has ended one of the steps of its request: the `number`-th of `total`, counted from 1."""

    stage: str
    host: str
    step: str
    number: int
    total: int
    seconds: float
    result: StepResult = StepResult.DONE
    level: Level = Level.VERBOSE


@dataclass(frozen=True)
class RequestSent:
    """What a host is asked, without contents: `summary` holds no secret. `timeout` in seconds."""

    stage: str
    host: str
    verb: str
    timeout: float
    summary: Mapping[str, Any] = field(default_factory=dict)
    level: Level = Level.DEBUG


@dataclass(frozen=True)
class ReplyReceived:
    """What a host has answered, without contents: `summary` holds no secret. `seconds`: None where it did not."""

    stage: str
    host: str
    verb: str
    seconds: float | None
    summary: Mapping[str, Any] = field(default_factory=dict)
    level: Level = Level.DEBUG


@dataclass(frozen=True)
class CommandStarted:
    """A command begins: what was typed, and with which version of the tool."""

    command: str
    tool: str
    level: Level = Level.VERBOSE


@dataclass(frozen=True)
class PlanDecided:
    """The plan that is about to run."""

    plan: Plan
    level: Level = Level.INFO


@dataclass(frozen=True)
class Message:
    """Something to know."""

    text: str
    level: Level = Level.INFO


@dataclass(frozen=True)
class ErrorRaised:
    """Why the command cannot go on, and what to do about it. `kind`: error, or interrupted (Ctrl-C, SIGTERM)."""

    message: str
    hint: str = ""
    kind: str = "error"
    level: Level = Level.ERROR


@dataclass(frozen=True)
class CommandFinished:
    """The last event of a command. `result` is what `--format json` prints (None: nothing), `log` the log's path."""

    exit_code: int
    result: Mapping[str, Any] | None = None
    log: str | None = None
    level: Level = Level.INFO


Event = (
    CommandStarted
    | StageStarted
    | HostFinished
    | StageFinished
    | StepFinished
    | RequestSent
    | ReplyReceived
    | PlanDecided
    | Message
    | ErrorRaised
    | CommandFinished
)
Handler = Callable[[Event], None]


def ignore(event: Event) -> None:
    """Handle an event that nobody is to see."""
