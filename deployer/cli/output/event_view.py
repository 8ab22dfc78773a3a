"""Each event as a line for people, in colours for a terminal. Pure."""

import json

from rich.console import RenderableType
from rich.text import Text

from deployer.cli.views import colors, plan_view
from deployer.model.events import (
    CommandFinished,
    CommandStarted,
    ErrorRaised,
    Event,
    HostFinished,
    Level,
    Message,
    PlanDecided,
    ReplyReceived,
    RequestSent,
    StageFinished,
    StageStarted,
    StepFinished,
    StepResult,
)

WORDS = {
    StepResult.DONE: ("done", "green"),
    StepResult.FAILED: ("FAILED", "bold red"),
    StepResult.WAITING: ("waiting", colors.CHANGED),
}
SLOW_AFTER = 2.0  # seconds after which a host's end of a stage is worth a line


def is_shown(event: Event, level: Level) -> bool:
    """Whether people are to see an event who want those of a level; a slow host and one that failed matter more.

    Where the log is stands at the end, with -q only of a command that has failed.
    """
    if isinstance(event, HostFinished) and (event.failed or event.seconds > SLOW_AFTER):
        return level <= Level.INFO
    if isinstance(event, CommandFinished):
        return level <= Level.INFO or event.exit_code != 0
    return event.level >= level


def error(message: str, hint: str, kind: str = "error") -> Text:
    """An error in its own lines, then its hint."""
    view = Text.assemble((f"{kind}:", "bold red"), f" {message}")
    return Text.assemble(view, "\n", ("hint:", "bold"), f" {hint}") if hint else view


def line(event: Event) -> RenderableType | None:
    """An event as people read it while the command runs; None for one that says nothing new to them."""
    match event:
        case CommandStarted():
            return Text(f"{event.command} ({event.tool})")
        case StageStarted():
            return Text.assemble((event.stage, "bold"), f": {', '.join(event.hosts)}")
        case HostFinished():
            word = Text("FAILED", style="bold red") if event.failed else Text("done")
            return Text.assemble(f"{event.stage}: {event.host} ", word, f" ({seconds(event.seconds)})")
        case StepFinished():
            return _step(event)
        case RequestSent() | ReplyReceived():
            return _exchange(event)
        case PlanDecided():
            return plan_view.view(event.plan, plan_view.ABOUT_TO_BE_APPLIED)
        case Message():
            return _message(event)
        case ErrorRaised():
            return error(event.message, event.hint, event.kind)
        case CommandFinished():
            return Text(f"log: {event.log}", style="dim") if event.log else None
        case StageFinished():
            return None


def ended(event: StageFinished) -> Text:
    """A stage whose beginning was shown and is no longer."""
    hosts = [Text(host, style="bold red" if host in event.failed else "") for host in event.hosts]
    words = [Text.assemble(host, " FAILED" if host.plain in event.failed else "") for host in hosts]
    return Text.assemble((event.stage, "bold"), ": ", Text(", ").join(words), f" ({seconds(event.seconds)})")


def seconds(number: float) -> str:
    """Seconds for people: `7.5 s`, and `2 min 5 s` for more than a minute."""
    return f"{number:.1f} s" if number < 60 else f"{number // 60:.0f} min {number % 60:.0f} s"


def _step(event: StepFinished) -> Text:
    return Text.assemble(f"{event.host}  ", WORDS[event.result], f"  {event.step} ({seconds(event.seconds)})")


def _exchange(event: RequestSent | ReplyReceived) -> Text:
    if isinstance(event, RequestSent):
        way, took = "->", f", limit {event.timeout:.0f} s"
    else:
        way, took = "<-", "" if event.seconds is None else f", {seconds(event.seconds)}"
    summary = json.dumps(dict(event.summary), ensure_ascii=False)
    return Text(f"{event.host}  {way} {event.verb} ({event.stage}{took}) {summary}", style="dim")


def _message(event: Message) -> Text:
    if event.level < Level.WARNING:
        return Text(event.text)
    return Text.assemble(("note:", colors.CHANGED), f" {event.text}")
