"""What runs now, on a terminal: one row a host, what it does, since when; gone when the stage is over."""

import re

import pytest
from rich.cells import cell_len
from rich.console import Console

from deployer.cli.output import live_view
from deployer.cli.output.live_view import LiveView
from deployer.cli.output.output import Output
from deployer.cli.output.output_options import OutputOptions
from deployer.cli.views.screen import Screen
from deployer.errors import Locked
from deployer.model.events import (
    CommandFinished,
    HostFinished,
    Level,
    Message,
    StageFinished,
    StageStarted,
    StepFinished,
    StepResult,
)

STEPS = ("enable heat-scaleout-engine@1.service (it must start with the host)", "start it (not running)")
STARTED = StageStarted("start engines", ("hostB", "hostC"), {"hostB": STEPS})


def shown(stage, now, lines=20, width=80):
    """The lines of a stage as a terminal of that size has them."""
    console = Console(width=width, height=lines, color_system=None, markup=False, legacy_windows=False)
    with console.capture() as capture:
        console.print(live_view.view(stage, now, lines))
    return [line.rstrip() for line in capture.get().splitlines()]


def test_stage_that_begins_shows_the_first_step_of_each_host():
    assert shown(live_view.started(STARTED, 100.0), 107.9) == [
        "start engines (7 s)",
        "  hostB  7 s  1/2 enable heat-scaleout-engine@1.service (it must start with the…",
        "  hostC  7 s  waiting for its answer",
    ]


def test_row_of_a_host_follows_its_steps_and_ends_with_its_seconds():
    stage = live_view.started(STARTED, 100.0)
    stage = stage.after(StepFinished("start engines", "hostB", STEPS[0], 1, 2, 1.5), 101.5)
    assert shown(stage, 102.0)[1] == "  hostB  2 s  2/2 start it (not running)"

    stage = stage.after(StepFinished("start engines", "hostB", STEPS[1], 2, 2, 1.5, StepResult.WAITING), 103.0)
    assert shown(stage, 104.0)[1] == "  hostB  4 s  2/2 start it (not running)"

    stage = stage.after(HostFinished("start engines", "hostB", 4.5), 104.5)
    stage = stage.after(HostFinished("start engines", "hostC", 5.0, failed=True), 105.0)
    assert shown(stage, 109.0)[1:] == ["  hostB  4.5 s  done", "  hostC  5.0 s  FAILED"]


def test_long_waits_are_told_in_whole_seconds_and_ends_in_minutes():
    stage = live_view.started(STARTED, 0.0).after(HostFinished("start engines", "hostB", 125.0), 125.0)

    assert shown(stage, 130.0) == [
        "start engines (130 s)",
        "  hostB  2 min 5 s  done",
        "  hostC      130 s  waiting for its answer",
    ]


def test_hosts_at_work_come_first_where_there_is_no_room_for_all():
    hosts = tuple(f"host{number:02}" for number in range(30))
    stage = live_view.started(StageStarted("observe", hosts), 0.0)
    for host in hosts[:15]:
        stage = stage.after(HostFinished("observe", host, 1.0), 1.0)

    lines = shown(stage, 2.0, lines=10)

    assert len(lines) == 10
    assert [line.split()[0] for line in lines[1:9]] == list(hosts[15:23])
    assert lines[9] == "  and 22 more hosts"


@pytest.mark.parametrize("width", [40, 80, 200])
def test_every_row_is_one_line_of_the_terminal(width):
    long = StageStarted("start " + "engines " * 20, ("hostB", "ホスト" * 9), {"hostB": ("ホスト" * 50,)})

    lines = shown(live_view.started(long, 0.0), 5.0, width=width)

    assert len(lines) == 3
    assert max(map(cell_len, lines)) <= width


class Terminal:
    """A stream that says it is a terminal, and keeps what is written."""

    encoding = "utf-8"

    def __init__(self):
        self.written = ""

    def isatty(self):
        return True

    def write(self, text):
        self.written += text

    def flush(self):
        pass


@pytest.fixture
def terminal(monkeypatch):
    for name, value in {"COLUMNS": "80", "LINES": "24", "TERM": "xterm"}.items():
        monkeypatch.setenv(name, value)
    for name in ("NO_COLOR", "FORCE_COLOR", "TTY_INTERACTIVE"):
        monkeypatch.delenv(name, raising=False)
    return Terminal()


def after(text):
    """What is left on a terminal: rich takes a live region away line by line, and hides the cursor meanwhile."""
    lines = [""]
    for part in re.split(r"(\x1b\[[0-9;?]*[a-zA-Z]|\r|\n)", text):
        if part == "\n":
            lines.append("")
        elif part in ("\x1b[2K", "\r"):
            lines[-1] = "" if part == "\x1b[2K" else lines[-1]
        elif part == "\x1b[1A":
            lines.pop()
        elif not part.startswith("\x1b"):
            lines[-1] += part
    return [line for line in lines if line]


def test_stage_that_is_over_leaves_one_line_and_the_cursor(terminal):
    view = LiveView(Screen(terminal), Level.INFO)
    view.handle(STARTED)
    view.handle(StepFinished("start engines", "hostB", STEPS[0], 1, 2, 1.5))
    view.handle(HostFinished("start engines", "hostB", 4.5))
    view.handle(StageFinished("start engines", ("hostB", "hostC"), 5.0, ("hostC",)))
    view.close()

    assert "1/2 enable" in terminal.written and "waiting for its answer" in terminal.written
    assert after(terminal.written) == ["start engines: hostB, hostC FAILED (5.0 s)"]
    assert terminal.written.count("\x1b[?25l") == terminal.written.count("\x1b[?25h") == 1


def test_stage_of_a_moment_is_shown_while_it_runs_and_leaves_nothing(terminal):
    view = LiveView(Screen(terminal), Level.INFO)
    view.handle(StageStarted("observe", ("hostB",), level=Level.VERBOSE))
    view.handle(StageFinished("observe", ("hostB",), 5.0, level=Level.VERBOSE))

    assert "observe" in terminal.written
    assert after(terminal.written) == []


def test_steps_and_messages_stay_above_the_stage(terminal):
    view = LiveView(Screen(terminal), Level.VERBOSE)
    view.handle(STARTED)
    view.handle(StepFinished("start engines", "hostB", STEPS[1], 1, 2, 1.5))
    view.handle(Message("a note", Level.WARNING))
    view.close()
    view.handle(CommandFinished(0, log="/logs/x.log"))

    assert after(terminal.written) == [
        f"hostB  done  {STEPS[1]} (1.5 s)",
        "note: a note",
        "start engines: not ended (0 s)",
        "log: /logs/x.log",
    ]


@pytest.mark.parametrize(
    ("say", "said"),
    [
        (
            lambda output: output.interrupted(["not begun: all"]),
            ["not begun: all", "interrupted: "],
        ),
        (lambda output: output.error(Locked("somebody has it")), ["error: somebody has it"]),
        (lambda output: output.bug(ValueError()), []),
    ],
)
def test_last_words_come_when_nothing_is_live_any_more(terminal, state_folder, say, said):
    screen = Screen(terminal)
    output = Output(OutputOptions(command="deploy"), screen, [LiveView(screen, Level.INFO)])
    output.keep_log({"XDG_STATE_HOME": str(state_folder)})
    output.handle(STARTED)

    say(output)
    output.finish(1)
    output.handle(Message("of a thread that was left behind"))

    shown = after(terminal.written)
    assert shown[: len(said) + 1] == ["start engines: not ended (0 s)", *said]
    assert shown[len(said) + 1].startswith("log: ")
    assert "left behind" not in terminal.written
    assert "start engines (" not in terminal.written.partition("not ended")[2]
