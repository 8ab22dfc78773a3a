"""The lines on stderr by which the agent tells that a step has ended, told apart from what else stands there. Pure.

A line is `heat-scaleout-step NUMBER SECONDS RESULT`; it holds nothing that a program said.
"""

import re
from collections.abc import Callable

LINE = re.compile(rb"heat-scaleout-step ([0-9]{1,6}) ([0-9]{1,9}\.[0-9]{3}) ([a-z]{1,10})\r?")
LONGEST = 1024 * 1024  # bytes of other talk that are kept
StepFinished = Callable[[int, float, str], None]


def ignore(number: int, seconds: float, result: str) -> None:
    """Do nothing about a step that has ended."""


class StepLines:
    """Reads a stream piece by piece: calls `step_finished` for each such line and keeps the others."""

    def __init__(self, step_finished: StepFinished) -> None:
        self._step_finished = step_finished
        self._unread = b""
        self._talk = bytearray()

    def feed(self, part: bytes) -> None:
        """Take the next piece of the stream."""
        *lines, self._unread = (self._unread + part).split(b"\n")
        for line in lines:
            self._take(line)
        if len(self._unread) > LONGEST:  # whatever that is, it is no line of ours
            self._keep(self._unread)
            self._unread = b""

    def talk(self) -> str:
        """Return the end of what else stood in the stream."""
        return bytes(self._talk + self._unread)[-LONGEST:].decode("utf-8", "replace")

    def _take(self, line: bytes) -> None:
        if found := LINE.fullmatch(line):
            self._step_finished(int(found[1]), float(found[2]), found[3].decode())
        else:
            self._keep(line + b"\n")

    def _keep(self, talk: bytes) -> None:
        """Keep the end of what is no line of ours; not byte by byte: it may be lines without end."""
        self._talk += talk
        if len(self._talk) > 2 * LONGEST:
            del self._talk[:-LONGEST]
