"""A terminal on which pictures follow one another in place, calmly: only lines that differ are written again."""

import contextlib
import os
import shutil
import signal
from collections.abc import Iterator, Mapping
from typing import TextIO

# Control sequences of xterm, which the terminals of today understand (XTerm Control Sequences, part "CSI").
ENTER, LEAVE = "\033[?1049h", "\033[?1049l"  # a screen of its own, so that the one before is back afterwards
HIDE_CURSOR, SHOW_CURSOR = "\033[?25l", "\033[?25h"
ALL, LINE, REST_OF_LINE, REST_OF_SCREEN = "\033[H\033[2J", "\033[{}H", "\033[K", "\033[J"


def is_live(stream: TextIO, environment: Mapping[str, str]) -> bool:
    """Whether a picture can be written over the one before."""
    return stream.isatty() and environment.get("TERM", "dumb") != "dumb"


class AlternateScreen:
    """Pictures in place; a picture is a text, of which what the window has no room for is left out."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._text = ""
        self._lines: list[str] = []
        self._size = (0, 0)

    @contextlib.contextmanager
    def opened(self) -> Iterator[None]:
        """Take the terminal for the length of a `with`; the last picture stays on it afterwards, as text."""
        before = signal.signal(signal.SIGTSTP, self._suspend)
        self._write(ENTER, HIDE_CURSOR)
        try:
            yield
        finally:
            signal.signal(signal.SIGTSTP, before)
            self._write(LEAVE, SHOW_CURSOR, f"{self._text}\n" if self._text else "")

    def show(self, text: str) -> None:
        """Bring the terminal from the picture before to this one, in one piece."""
        size = shutil.get_terminal_size()
        lines = fitting(text, *size)
        known = self._lines if size == self._size else None
        self._text, self._lines, self._size = text, lines, size
        self._write(changes(known, lines))

    def _suspend(self, number: int, frame: object) -> None:
        """Ctrl-Z: the shell gets its terminal as it was. The stream is left alone: it may be written to right now."""
        descriptor = self._stream.fileno()
        os.write(descriptor, f"{LEAVE}{SHOW_CURSOR}".encode())
        signal.signal(signal.SIGTSTP, signal.SIG_DFL)
        os.kill(os.getpid(), signal.SIGTSTP)  # goes on here after `fg`
        signal.signal(signal.SIGTSTP, self._suspend)
        os.write(descriptor, f"{ENTER}{HIDE_CURSOR}{changes(None, self._lines)}".encode())

    def _write(self, *parts: str) -> None:
        self._stream.write("".join(parts))
        self._stream.flush()


def fitting(text: str, width: int, height: int) -> list[str]:
    """The lines of a text that a window has room for: one that wraps would shift the rest."""
    lines = [line[:width] for line in text.splitlines()]
    if len(lines) <= height:
        return lines
    return [*lines[: height - 1], f"... {len(lines) - height + 1} more lines"[:width]]


def changes(before: list[str] | None, lines: list[str]) -> str:
    """What makes a picture out of the one before; None: of anything."""
    known = before or []
    written = [
        f"{LINE.format(number)}{line}{REST_OF_LINE}"
        for number, line in enumerate(lines, 1)
        if number > len(known) or known[number - 1] != line
    ]
    rest = [LINE.format(len(lines) + 1), REST_OF_SCREEN] if len(known) > len(lines) else []
    return "".join([ALL if before is None else "", *written, *rest])
