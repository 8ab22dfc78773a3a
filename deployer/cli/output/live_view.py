"""What runs now, on a terminal: a row a host with its step and its seconds, replaced in place until the stage ends."""

import time
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.table import Table
from rich.text import Text

from deployer.cli.output import event_view
from deployer.cli.views import layout
from deployer.cli.views.screen import Screen
from deployer.model.events import Event, HostFinished, Level, StageFinished, StageStarted, StepFinished, StepResult

REFRESHES = 4  # a second
SPARE_LINES = 3  # of a terminal, which the rows leave free


@dataclass(frozen=True)
class HostRow:
    """How far a host is: `began` and `ended` are times of the monotonic clock, `finished` counts its steps."""

    host: str
    began: float
    steps: tuple[str, ...] = ()
    finished: int = 0
    ended: float | None = None
    failed: bool = False


@dataclass(frozen=True)
class LiveStage:
    """A stage that is under way."""

    title: str
    began: float
    rows: Mapping[str, HostRow] = field(default_factory=dict)

    def after(self, event: Event, now: float) -> "LiveStage":
        """Return the stage as it is after an event."""
        if isinstance(event, StepFinished) and event.host in self.rows:
            finished = event.number if event.result is StepResult.DONE else event.number - 1
            return self._with(replace(self.rows[event.host], finished=finished))
        if isinstance(event, HostFinished) and event.host in self.rows:
            return self._with(replace(self.rows[event.host], ended=now, failed=event.failed))
        return self

    def _with(self, row: HostRow) -> "LiveStage":
        return replace(self, rows={**self.rows, row.host: row})


def started(event: StageStarted, now: float) -> LiveStage:
    """Return a stage that has just begun."""
    rows = {host: HostRow(host, now, event.steps.get(host, ())) for host in event.hosts}
    return LiveStage(event.stage, now, rows)


def view(stage: LiveStage, now: float, lines: int) -> RenderableType:
    """Return a stage in so many lines: hosts at work come first where there is no room for all."""
    title = _one_line(Text.assemble((stage.title, "bold"), f" ({int(now - stage.began)} s)"))
    rows = list(stage.rows.values())
    if len(rows) > lines - 1:
        rows = sorted(rows, key=lambda row: row.ended is not None)
    shown = rows[: max(1, lines - 2)] if len(rows) > lines - 1 else rows
    more = [Text(f"  and {len(rows) - len(shown)} more hosts")] if len(shown) < len(rows) else []
    return Group(title, _table(shown, now), *more)


def _table(rows: list[HostRow], now: float) -> Table:
    """The rows, of which only the last column gives way where a terminal is narrow."""
    table = Table.grid(padding=(0, layout.GAP, 0, 0))
    cells = [(Text(f"  {row.host}"), Text(_seconds(row, now)), _one_line(_doing(row))) for row in rows]
    for column in (0, 1):
        table.add_column(no_wrap=True, justify="right" if column else "left")
    table.add_column()
    for row in cells:
        table.add_row(*row)
    return table


def _one_line(text: Text) -> Text:
    """A text that is cut where its column ends."""
    text.no_wrap, text.overflow = True, "ellipsis"
    return text


def _seconds(row: HostRow, now: float) -> str:
    """Whole seconds of a host at work: what changes more often than once a second cannot be read."""
    return f"{int(now - row.began)} s" if row.ended is None else event_view.seconds(row.ended - row.began)


def _doing(row: HostRow) -> Text:
    if row.ended is not None:
        return Text("FAILED", style="bold red") if row.failed else Text("done", style="green")
    if row.finished < len(row.steps):
        return Text(f"{row.finished + 1}/{len(row.steps)} {row.steps[row.finished]}")
    return Text("waiting for its answer")


class LiveView:
    """Shows the events of a level on a terminal, and below them the stage that is under way."""

    def __init__(self, screen: Screen, level: Level) -> None:
        self._screen = screen
        self._level = level
        self._stage: LiveStage | None = None
        self._live: Live | None = None

    def handle(self, event: Event) -> None:
        """Show an event, if it matters enough; a stage that has ended stays as one line."""
        now = time.monotonic()
        if isinstance(event, StageStarted):
            self._begin(event, now)
            return
        if self._stage:
            self._stage = self._stage.after(event, now)
        if isinstance(event, StageFinished):
            self._stop()
        self._print(event)

    def close(self) -> None:
        """Take away what is shown of a stage; one that has not ended leaves a line that says so."""
        stage = self._stop()
        if stage:
            self._screen.print(Text(f"{stage.title}: not ended ({int(time.monotonic() - stage.began)} s)"))

    def _stop(self) -> LiveStage | None:
        """Take away what is shown, and return the stage that was."""
        if self._live:
            self._live.stop()
        stage, self._live, self._stage = self._stage, None, None
        return stage

    def _begin(self, event: StageStarted, now: float) -> None:
        self._stop()
        self._stage = started(event, now)
        self._live = Live(
            console=self._screen.console,
            get_renderable=self._renderable,
            refresh_per_second=REFRESHES,
            transient=True,
            redirect_stdout=False,
            redirect_stderr=False,
        )
        self._live.start(refresh=True)

    def _renderable(self) -> RenderableType:
        """Called by the thread that refreshes: it reads one frozen value, and takes no lock."""
        stage = self._stage
        return view(stage, time.monotonic(), _lines(self._screen.console)) if stage else Text("")

    def _print(self, event: Event) -> None:
        if isinstance(event, StageFinished):
            shown: RenderableType | None = event_view.ended(event)
        elif isinstance(event, HostFinished):
            return  # its row says so
        else:
            shown = event_view.line(event)
        if shown is not None and event_view.is_shown(event, self._level):
            self._screen.print(shown)


def _lines(console: Console) -> int:
    return max(3, console.height - SPARE_LINES)
