"""Pictures in place on a terminal: only what differs is written, and the terminal is given back as it was."""

import io
import os
import re
import signal

import pytest

from deployer.cli.views import alternate_screen

SEQUENCE = re.compile(r"\033\[(\??)([\d;]*)([A-Za-z])")


class Terminal(io.StringIO):
    """A terminal that a picture can be read from, as its user sees it."""

    def __init__(self, width=40, height=6):
        super().__init__()
        self.rows, self.is_cleared = [" " * width for _ in range(height)], 0

    def isatty(self):
        return True

    def write(self, text):
        super().write(text)
        position = row = column = 0
        for found in SEQUENCE.finditer(text):
            self._put(row, column, text[position : found.start()])
            column += found.start() - position
            position = found.end()
            row, column = self._obey(found[2], found[3], row, column)
        self._put(row, column, text[position:])
        return len(text)

    def _obey(self, number, letter, row, column):
        if letter == "H":
            return int(number or 1) - 1, 0
        if letter == "K":
            self.rows[row] = self.rows[row][:column].ljust(len(self.rows[row]))
        if letter == "J":
            first = 0 if number == "2" else row
            self.is_cleared += number == "2"
            self.rows[first:] = [" " * len(each) for each in self.rows[first:]]
        return row, column

    def _put(self, row, column, text):
        if text.strip() and row < len(self.rows):
            line = self.rows[row]
            self.rows[row] = line[:column] + text + line[column + len(text) :]

    def shown(self):
        return [row.rstrip() for row in self.rows if row.strip()]


@pytest.fixture
def window(monkeypatch):
    """The size of the window, which a test may change."""
    size = [40, 6]
    monkeypatch.setattr(alternate_screen.shutil, "get_terminal_size", lambda: os.terminal_size(size))
    return size


@pytest.fixture
def terminal(window):
    return Terminal()


def test_each_picture_is_shown_whole_whatever_was_there_before(terminal):
    live = alternate_screen.AlternateScreen(terminal)

    for text in ("one\ntwo\nthree", "one\n2\nthree", "longer line\n2", "", "x\ny\nz\n"):
        live.show(text)
        assert terminal.shown() == text.splitlines()


def test_lines_that_are_the_same_are_not_written_again(terminal):
    live = alternate_screen.AlternateScreen(terminal)
    live.show("one\ntwo\nthree")
    before = len(terminal.getvalue())

    live.show("one\n2\nthree")
    live.show("one\n2\nthree")

    assert terminal.getvalue()[before:] == "\033[2H2\033[K"
    assert terminal.is_cleared == 1


def test_window_of_another_size_is_written_anew(terminal, window):
    live = alternate_screen.AlternateScreen(terminal)
    live.show("one\ntwo")
    window[0] = 30

    live.show("one\ntwo")

    assert (terminal.shown(), terminal.is_cleared) == (["one", "two"], 2)


def test_picture_larger_than_the_window_is_cut_and_says_so():
    lines = alternate_screen.fitting("\n".join(f"line {number} is long" for number in range(10)), width=6, height=5)

    assert lines == ["line 0", "line 1", "line 2", "line 3", "... 6 "]


def test_picture_as_large_as_the_window_is_whole():
    assert alternate_screen.fitting("a\nb\nc", width=1, height=3) == ["a", "b", "c"]


def test_terminal_is_given_back_and_the_last_picture_stays_on_it_whole(terminal, window):
    live = alternate_screen.AlternateScreen(terminal)
    before = signal.getsignal(signal.SIGTSTP)

    with pytest.raises(KeyboardInterrupt), live.opened():
        live.show("a line that is longer than the window is wide: to the end")
        raise KeyboardInterrupt

    written = terminal.getvalue()
    assert written.startswith(alternate_screen.ENTER + alternate_screen.HIDE_CURSOR)
    assert written.endswith(
        alternate_screen.LEAVE
        + alternate_screen.SHOW_CURSOR
        + "a line that is longer than the window is wide: to the end\n"
    )
    assert signal.getsignal(signal.SIGTSTP) is before


def test_terminal_is_given_back_while_the_command_is_suspended(window, monkeypatch, tmp_path):
    """With a kill that returns at once, as the real one does after `fg`."""
    path, meanwhile = tmp_path / "terminal", []
    monkeypatch.setattr(alternate_screen.os, "kill", lambda *_: meanwhile.append(path.read_text()))

    with path.open("w") as stream, alternate_screen.AlternateScreen(stream).opened():
        signal.raise_signal(signal.SIGTSTP)
        again = path.read_text()

    assert meanwhile[0].endswith(alternate_screen.LEAVE + alternate_screen.SHOW_CURSOR)
    assert (
        again.removeprefix(meanwhile[0]) == alternate_screen.ENTER + alternate_screen.HIDE_CURSOR + alternate_screen.ALL
    )


@pytest.mark.parametrize(
    ("stream", "environment", "expected"),
    [
        (Terminal(), {"TERM": "xterm"}, True),
        (Terminal(), {"TERM": "dumb"}, False),
        (Terminal(), {}, False),
        (io.StringIO(), {"TERM": "xterm"}, False),
    ],
    ids=["terminal", "dumb", "no TERM", "pipe"],
)
def test_pictures_are_in_place_on_terminals_that_can_do_that_alone(stream, environment, expected):
    assert alternate_screen.is_live(stream, environment) is expected
