"""A picture taken again and again: where it is written, and when that ends."""

import io
import itertools
import signal

import pytest

from deployer.cli import status_watch


class Terminal(io.StringIO):
    def isatty(self):
        return True


@pytest.fixture
def naps(monkeypatch):
    """How long it slept between two pictures; the clock stands still, and nobody waits."""
    observed = []
    monkeypatch.setattr(status_watch.time, "monotonic", lambda: 7.0)
    monkeypatch.setattr(status_watch.time, "sleep", observed.append)
    return observed


def pictures(*codes):
    """One picture for each code, then Ctrl-C."""
    numbers = itertools.count(1)
    left = iter(codes)

    def look():
        code = next(left, None)
        if code is None:
            raise KeyboardInterrupt
        return f"picture {next(numbers)}\nits end", code

    return look


def test_pictures_follow_one_another_until_ctrl_c_which_is_no_failure(naps, capsys):
    assert status_watch.repeat(pictures(0, 8, 4), 2.0, ends=False) == 0

    assert capsys.readouterr().out == "".join(f"picture {number}\nits end\n" for number in (1, 2, 3))
    assert naps == [2.0, 2.0, 2.0]


def test_ctrl_c_whose_exception_is_lost_ends_it_all_the_same(naps, capsys):
    def look():
        try:
            signal.raise_signal(signal.SIGINT)
        except KeyboardInterrupt:
            return "picture", 0
        raise AssertionError("nobody was told")

    before = signal.getsignal(signal.SIGINT)  # ignored where the suite runs in the background of a script

    assert status_watch.repeat(look, 2.0, ends=False) == 0

    assert capsys.readouterr().out == "picture\n"
    assert signal.getsignal(signal.SIGINT) is before


def test_watch_that_counts_drift_ends_with_the_first_code_and_its_picture_shown(naps, capsys):
    assert status_watch.repeat(pictures(0, 8, 0), 2.0, ends=True) == 8

    assert "picture 2" in capsys.readouterr().out
    assert naps == [2.0]


def test_slow_look_is_followed_by_the_next_at_once(monkeypatch, capsys):
    naps, ticks = [], itertools.count(0, 5)
    monkeypatch.setattr(status_watch.time, "monotonic", lambda: float(next(ticks)))
    monkeypatch.setattr(status_watch.time, "sleep", naps.append)

    status_watch.repeat(pictures(0), 2.0, ends=False)

    assert naps == [0.0]


def test_terminal_is_written_over_and_no_line_of_the_picture_before_stays(naps, monkeypatch, capsys):
    terminal = Terminal()
    monkeypatch.setattr(status_watch.sys, "stdout", terminal)

    status_watch.repeat(pictures(0, 0), 2.0, ends=False)

    first, second = terminal.getvalue().split(status_watch.HOME)[1:]
    assert terminal.getvalue().startswith(status_watch.ALL)
    assert second.startswith(f"picture 2{status_watch.REST_OF_LINE}\n")
    assert first.rstrip("\n").endswith(status_watch.REST_OF_SCREEN)


def test_picture_larger_than_the_window_is_cut_and_says_so():
    text = status_watch.in_place("\n".join(f"line {number} is long" for number in range(10)), width=6, height=5)

    assert text.removeprefix(status_watch.HOME).replace(status_watch.REST_OF_LINE, "").splitlines() == [
        "line 0",
        "line 1",
        "line 2",
        "... 7 more lines",
        status_watch.REST_OF_SCREEN,
    ]


def test_reader_who_has_gone_ends_the_watch_quietly(naps, monkeypatch, capsys):
    class Closed(io.StringIO):
        def write(self, text):
            raise BrokenPipeError

    monkeypatch.setattr(status_watch.sys, "stdout", Closed())
    monkeypatch.setattr(status_watch.sys, "__stdout__", None)

    assert status_watch.repeat(pictures(0), 2.0, ends=False) == 0
