"""Streams as their readers see them: closed pipes, full disks, narrow terminals, letters that a terminal has not."""

import contextlib
import io
import os
import pty
import re
import subprocess
import sys

import pytest
import sites
from invoke import Program
from rich.cells import cell_len
from rich.console import Group
from rich.text import Text

from deployer.cli import program
from deployer.cli.output.output_options import Color
from deployer.cli.views import layout, screen, status_table
from deployer.cli.views.screen import Screen
from deployer.model.names import unit_name
from deployer.model.service import Service
from deployer.status.instances import InstanceStatus
from deployer.status.site import SiteStatus

SGR = re.compile(r"\x1b\[[0-9;?]*[a-zA-Z]")


@pytest.fixture
def terminal(monkeypatch):
    """A terminal of 80 columns: its screen, and what was printed there so far, line by line."""
    for name, value in {"COLUMNS": "80", "LINES": "24", "TERM": "xterm"}.items():
        monkeypatch.setenv(name, value)
    for name in ("NO_COLOR", "FORCE_COLOR"):
        monkeypatch.delenv(name, raising=False)
    controller, terminal = pty.openpty()
    os.set_blocking(controller, False)
    with open(terminal, "w", encoding="utf-8") as stream:  # noqa: PTH123

        def printed():
            stream.flush()
            with contextlib.suppress(BlockingIOError):
                return SGR.sub("", os.read(controller, 1_000_000).decode()).replace("\r", "").splitlines()
            return []

        yield Screen(stream), printed
    os.close(controller)


def a_pipe_that_nobody_reads():
    reader, writer = os.pipe()
    os.close(reader)
    return open(writer, "w")  # noqa: PTH123, SIM115


HOSTILE = "a \x1b]0;title name\x1b[31m\x9b2J\nand\ta line"


@pytest.mark.parametrize("view", [HOSTILE, Text(HOSTILE), Group(HOSTILE, Text("", style="red"))], ids=type)
@pytest.mark.parametrize("color", [Color.ALWAYS, Color.NEVER])
def test_control_characters_of_a_text_are_escaped_wherever_they_are_printed(terminal, view, color):
    stream = io.StringIO()
    shown, printed = terminal

    shown.print(view)
    Screen(stream, color).print(view)

    for lines in (printed(), stream.getvalue().splitlines()):
        assert [" ".join(line.split()) for line in lines if line.strip()] == [
            r"a \x1b]0;title name\x1b[31m\x9b2J",
            "and a line",
        ]


def test_reader_who_has_gone_ends_nothing_and_gets_nothing_more():
    with a_pipe_that_nobody_reads() as stream:
        printed = Screen(stream)
        printed.print(Text("one"))
        printed.write("two")
        stream.write("what Python itself writes at its end")

    assert printed.failure == ""


def test_disk_that_is_full_ends_nothing_and_is_told():
    with open("/dev/full", "w") as stream:  # noqa: PTH123
        printed = Screen(stream)
        printed.write("one")
        printed.write("two")

    assert printed.failure == "No space left on device"


def test_stream_that_is_closed_takes_everything():
    printed = Screen(None)
    printed.print(Text("one"))

    assert (printed.failure, printed.is_terminal) == ("", False)


def test_letter_that_a_stream_cannot_write_is_spelled_out():
    written = io.BytesIO()
    stream = io.TextIOWrapper(written, encoding="ascii")
    Screen(stream).write("hostB … done")

    assert written.getvalue() == b"hostB \\u2026 done\n"


@pytest.mark.parametrize("flags", [(), ("--format", "json"), ("--format", "jsonl")])
def test_closed_pipe_of_a_real_command_gives_no_traceback_and_its_own_exit_code(nobody, flags):
    with a_pipe_that_nobody_reads() as stream:
        ran = subprocess.run(
            [sys.executable, "-m", "invoke", "status", *flags, "--inventory", str(nobody)],
            stdout=stream,
            stderr=subprocess.PIPE,
            text=True,
            timeout=60,
            cwd=sites.ROOT,
        )

    assert ran.returncode == 4
    assert "Traceback" not in ran.stderr and "BrokenPipe" not in ran.stderr


def test_closed_pipe_for_both_streams_does_not_stop_a_deploy(inventory, fleet, tasks, monkeypatch):
    with a_pipe_that_nobody_reads() as out, a_pipe_that_nobody_reads() as err:
        monkeypatch.setattr(sys, "stdout", out)
        monkeypatch.setattr(sys, "stderr", err)
        argv = ["invoke", "deploy", "--yes", "-v", "--format", "jsonl", "--inventory", str(inventory)]
        with pytest.raises(SystemExit) as ending:
            Program(namespace=tasks).run(argv, exit=False)

    assert ending.value.code == 0
    assert len(fleet.hosts["hostB"].running()) == 4


def test_result_that_does_not_fit_on_the_disk_ends_with_3_after_all_is_done(
    inventory, fleet, tasks, monkeypatch, capsys
):
    from invoke import Program

    with open("/dev/full", "w") as full:  # noqa: PTH123
        monkeypatch.setattr(sys, "stdout", full)
        with pytest.raises(SystemExit) as ending:
            Program(namespace=tasks).run(["invoke", "deploy", "--yes", "--inventory", str(inventory)], exit=False)

    assert ending.value.code == 3
    assert "error: the result cannot be written: No space left on device" in capsys.readouterr().err
    assert len(fleet.hosts["hostB"].running()) == 4


@pytest.mark.parametrize("name", ["invoke", "heat-scaleout"])
@pytest.mark.parametrize("argv", [("plan",), ("status",), ("logs", "--lines", "50"), ("status", "--format", "json")])
@pytest.mark.parametrize(
    ("output", "why"),
    [("/dev/full", "No space left on device"), (None, "Bad file descriptor")],
)
def test_result_that_cannot_be_written_ends_each_program_with_3_and_a_line(
    started, fleet, inventory, name, argv, output, why
):
    fleet.hosts["hostB"].logs_line(unit_name(Service.ENGINE, 1), "a line", 1_000_000)

    code, err = started(name, output, *argv, "--inventory", inventory)

    assert code == 3, err
    assert f"error: the result cannot be written: {why}" in err.splitlines()
    assert "Traceback" not in err


@pytest.fixture
def started(tasks, monkeypatch, capfd):
    """Run a program in this process, its standard output a file or closed (None): its exit code and stderr."""

    def run(name, output, *argv):
        with open(output or os.devnull, "w") as stream:  # noqa: PTH123
            monkeypatch.setattr(sys, "stdout", stream if output else None)
            monkeypatch.setattr(sys, "argv", [name, *map(str, argv)])
            with pytest.raises(SystemExit) as ending:
                sys.exit(program.main() if name == "heat-scaleout" else Program(namespace=tasks).run(sys.argv))
            sys.stdout.flush()  # as Python does at its end
        return ending.value.code, capfd.readouterr().err

    return run


LONG = "write /etc/systemd/system/heat-scaleout-engine@.service (its configuration changed, and so did other things)"


def test_line_that_is_longer_than_a_terminal_goes_on_below_its_beginning_at_a_word(terminal):
    printed, lines = terminal
    printed.print(layout.grid([("hostB", LONG), ("hostLong", "no change")]))

    first, second, third = lines()
    assert first.rstrip() == "hostB     write /etc/systemd/system/heat-scaleout-engine@.service (its"
    assert second.rstrip() == "          configuration changed, and so did other things)"
    assert third.rstrip() == "hostLong  no change"


def test_line_stays_whole_where_there_is_no_terminal(monkeypatch):
    monkeypatch.setenv("COLUMNS", "80")

    assert screen.plain(layout.grid([("hostB", LONG * 3)])) == f"hostB  {LONG * 3}"


def a_line(host, number, **how):
    fine = {"address": "198.18.2.12", "pid": 12345, "state": "running", "heat": "up"}
    fine |= {"workers": {"up": 2, "down": 0}, "queue": {"messages": 0, "consumers": 2}, "proxy": "UP", "sessions": 3}
    fine |= {"listens_on": (f"198.18.2.12:{number}", f"198.18.2.13:{number}")}
    return InstanceStatus(host, "api", f"heat-scaleout-api@{number}.service", **fine | how)


def test_table_that_is_too_wide_is_a_paragraph_a_row_in_which_nothing_is_lost(terminal):
    printed, lines = terminal
    site_status = SiteStatus((a_line("hostB", 8004, drift="not in the inventory"), a_line("hostC", 8005)))
    printed.print(status_table.view(site_status))

    shown = lines()
    text = " ".join(" ".join(shown).split())
    assert max(map(cell_len, shown)) <= 80
    for fact in (
        "pid 12345",
        "state running",
        "heat 2 up",
        "queue 2",
        "proxy UP, 3 open",
        "drift not in the inventory",
    ):
        assert fact in text
    assert [line for line in shown if line.startswith("host") and "heat-scaleout-api@" in line] == [
        line for line in shown if line.startswith("host")
    ]


def test_table_that_fits_is_a_table_on_a_terminal_too(terminal):
    printed, lines = terminal
    view = layout.Columns({"HOST": [Text("hostB")], "STATE": [Text("running")]})
    printed.print(view)

    assert [line.rstrip() for line in lines()] == ["HOST   STATE", "hostB  running"] == screen.plain(view).splitlines()


def test_width_of_letters_counts_and_not_their_number(terminal):
    printed, lines = terminal
    printed.print(layout.Columns({"HOST": [Text("ホスト"), Text("b")], "STATE": [Text("running"), Text("up")]}))

    assert [line.rstrip() for line in lines()] == ["HOST    STATE", "ホスト  running", "b       up"]


def test_text_in_brackets_is_no_markup_anywhere():
    view = Group(layout.grid([("[red]a[/red]", "[b]")]), layout.Columns({"[x]": [Text("[/]")]}))

    assert screen.plain(view) == "[red]a[/red]  [b]\n[x]\n[/]"


@pytest.mark.parametrize(
    ("color", "term", "is_live"), [("auto", "xterm", True), ("never", "xterm", True), ("auto", "dumb", False)]
)
def test_lines_are_replaced_on_terminals_that_can_whatever_the_colour(terminal, monkeypatch, color, term, is_live):
    monkeypatch.setenv("TERM", term)

    assert Screen(terminal[0]._stream, Color(color)).is_live is is_live
