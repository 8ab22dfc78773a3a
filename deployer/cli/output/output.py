"""Where all that a command has to say goes: its events to every handler, its result to standard output."""

import json
import sys
import threading
import time
import traceback
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol

from rich.console import RenderableType

from deployer.cli import called_as
from deployer.cli.output import run_log, standard_output
from deployer.cli.output.json_lines import JsonLines
from deployer.cli.output.live_view import LiveView
from deployer.cli.output.output_options import Format, OutputOptions
from deployer.cli.output.plain_lines import PlainLines
from deployer.cli.output.run_log import RunLog
from deployer.cli.views import console, screen
from deployer.cli.views.screen import Screen
from deployer.errors import DeployerError
from deployer.model.events import CommandFinished, ErrorRaised, Event, Level, Message


class EventHandler(Protocol):
    """Who shows or keeps events."""

    def handle(self, event: Event) -> None:
        """Take the next event."""

    def close(self) -> None:
        """Take the end of all events, or of those before a question."""


class Output:
    """The screen, the handlers and the log of one command. Events may come from any thread.

    `way_on`: what to do when the command is interrupted now.
    """

    def __init__(self, options: OutputOptions, out: Screen, handlers: Sequence[EventHandler]) -> None:
        self.options = options
        self.way_on = ""
        self._out = out
        self._handlers = list(handlers)
        self._log: RunLog | None = None
        self._result: Mapping[str, Any] | None = None
        self._one_at_a_time = threading.RLock()

    def keep_log(self, environment: Mapping[str, str]) -> None:
        """Keep all that happens from now on in a log."""
        self._log = RunLog(self.options.command, run_log.folder(environment), utc_now, self.warning)
        self._handlers.append(self._log)

    def handle(self, event: Event) -> None:
        """Give an event to every handler."""
        with self._one_at_a_time:
            for handler in self._handlers:
                handler.handle(event)

    def message(self, text: str) -> None:
        """Say something to the person at the terminal; never part of a result."""
        self.handle(Message(called_as.spelled(text)))

    def warning(self, text: str) -> None:
        """Say what an operator should know."""
        self.handle(Message(called_as.spelled(text), Level.WARNING))

    def alert(self, text: str) -> None:
        """Say what clients will lose; it is shown whatever -q says."""
        self.handle(Message(called_as.spelled(text), self.question_level(Level.WARNING)))

    def error(self, error: DeployerError) -> None:
        """Say what failed and what to do about it."""
        self._end_live_view()
        self.handle(ErrorRaised(called_as.spelled(error.message), called_as.spelled(error.hint)))

    def interrupted(self, notes: Sequence[str]) -> None:
        """Say that the command was interrupted and how to go on, below what is to be known of it."""
        self._end_live_view()
        for note in notes:
            self.message(note)
        self.handle(ErrorRaised(called_as.spelled(self.way_on), kind="interrupted"))

    def show(self, view: Callable[[], RenderableType], data: Callable[[], Mapping[str, Any]]) -> None:
        """Print the result in the format that was asked for; JSON Lines have it in their last event."""
        if self._log:
            self._log.write("result", screen.plain(_spelled(view())))
        if self.options.format is Format.TABLE:
            self._out.print(_spelled(view()))
            return
        text = called_as.spelled(console.as_json(dict(data()) | ({"log": self._log.path} if self._log else {})))
        self._result = json.loads(text)
        if self.options.format is Format.JSON:
            self._out.write(text)

    def question_level(self, level: Level = Level.INFO) -> Level:
        """Return the level of what one must have seen to answer a question: it is shown whatever -q says."""
        return max(level, self.options.level)

    def ask(self, question: str) -> str:
        """Ask for a word on the terminal."""
        self._end_live_view()
        print(question, end="", file=sys.stderr, flush=True)
        answer = sys.stdin.readline().strip()
        if self._log:
            self._log.write("info", f"{question}{answer}")
        return answer

    def confirmed(self, question: str) -> bool:
        """Ask a yes or no question; no answer is no."""
        return self.ask(f"{question} [y/N] ").lower() in ("y", "yes")

    def bug(self, error: BaseException) -> None:
        """Keep in the log where our own bug came up, without its words: nobody knows what they hold."""
        if self._log:
            places = [
                f"  {each.filename}:{each.lineno} {each.name}" for each in traceback.extract_tb(error.__traceback__)
            ]
            self._log.write("error", "\n".join([type(error).__name__, *places]))

    def finish(self, exit_code: int) -> int:
        """Tell that the command ends, and with which exit code; return that, or BadInput's for output that was lost."""
        self._end_live_view()
        self.handle(CommandFinished(exit_code, self._result, self._log.path if self._log else None))
        if self._out.failure and not exit_code:
            lost = standard_output.unwritten(self._out.failure, "The command itself has ended well.")
            self.error(lost)
            exit_code = lost.exit_code
        self.close()
        return exit_code

    def _end_live_view(self) -> None:
        """Take away what is live on people's terminal: it would be painted again, in or below what comes now."""
        for handler in self._handlers[:1]:
            handler.close()

    def close(self) -> None:
        """Close every handler; what a thread that was left behind tells later comes too late."""
        with self._one_at_a_time:
            handlers, self._handlers = self._handlers, []
        for handler in handlers:
            handler.close()


def opened(options: OutputOptions) -> Output:
    """Return the output of a command of this process."""
    standard_output.require()
    out, err = Screen(sys.stdout, options.color), Screen(sys.stderr, options.color)
    people = LiveView if err.is_live and options.level < Level.ERROR else PlainLines
    handlers: list[EventHandler] = [people(err, options.level)]
    if options.format is Format.JSONL:
        handlers.append(JsonLines(out, options.event_level, utc_now))
    return Output(options, out, handlers)


def _spelled(view: RenderableType) -> RenderableType:
    """A result whose commands are those of this program; the cells of its tables have them already."""
    return called_as.spelled(view) if isinstance(view, str) else view


def utc_now() -> str:
    """The time as UTC in ISO 8601, to the millisecond."""
    now = time.time()
    return time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(now)) + f".{int(now * 1000) % 1000:03}Z"
