"""The product's commands as an operator runs them: to their end, killed at some moment, or stopping at each request."""

import contextlib
import json
import os
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

from benchmarks import testbed
from benchmarks.faults.gated_command import END
from benchmarks.testbed import Testbed

LIMIT = 600.0  # seconds after which a command counts as hanging
HUNG = -1000  # the exit code of one that was ended for that


@dataclass(frozen=True)
class Ran:
    """How a command ended: its exit code (minus the signal's number where one ended it), seconds and words."""

    argv: tuple[str, ...]
    code: int
    seconds: float
    out: str
    err: str

    def json(self) -> dict[str, Any]:
        """What it printed, as JSON; {} where that is none."""
        try:
            return json.loads(self.out)
        except ValueError:
            return {}

    def __str__(self) -> str:
        last = (self.err.strip() or self.out.strip())[-600:]
        return f"`{' '.join(self.argv)}` ended with {self.code} after {self.seconds:.0f} s: {last}"


@dataclass(frozen=True)
class At:
    """Where a command stops: before its request of this number, what that asks for and under which title."""

    number: int
    verb: str
    title: str

    @property
    def is_end(self) -> bool:
        return self.verb == END

    def __str__(self) -> str:
        what = "the end" if self.is_end else f"request {self.number}: {self.title or self.verb}"
        return what.partition(" (")[0]


class Running:
    """A command that was started, with the pipes to its gate if it has one."""

    def __init__(self, argv: list[str], shown: tuple[str, ...], pipes: tuple[int, ...] = ()) -> None:
        self._shown, self._began = shown, time.monotonic()
        self._files = [tempfile.TemporaryFile("w+") for _ in range(2)]  # noqa: SIM115 closed by `ended`
        out, err = self._files
        self._process = subprocess.Popen(
            argv, stdin=subprocess.DEVNULL, stdout=out, stderr=err, pass_fds=pipes, cwd=testbed.CHECKOUT
        )

    def kill(self) -> None:
        """End it as `kill -9` does."""
        self._process.kill()

    def ended_after(self, seconds: float) -> Ran:
        """Kill it after so many seconds, if it has not ended by itself."""
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(seconds)
        self.kill()
        return self.ended()

    def ended(self, limit: float = LIMIT) -> Ran:
        """Wait for its end; one that hangs is killed and says so by its code."""
        code = HUNG
        with contextlib.suppress(subprocess.TimeoutExpired):
            code = self._process.wait(limit)
        self._process.kill()
        self._process.wait()
        said = []
        for file in self._files:
            file.seek(0)
            said.append(file.read())
            file.close()
        return Ran(self._shown, code, time.monotonic() - self._began, *said)


class Stepped(Running):
    """A command that stops before each request until the next one is asked for, or `go` is said."""

    def __init__(self, bed: Testbed, *arguments: str) -> None:
        told, tell = os.pipe()
        hear, say = os.pipe()
        argv = [
            sys.executable,
            "-m",
            "benchmarks.faults.gated_command",
            str(tell),
            str(hear),
            *arguments,
            "--inventory",
            str(bed.inventory),
        ]
        super().__init__(argv, arguments, (tell, hear))
        os.close(tell)
        os.close(hear)
        self._told, self._say, self._waits = os.fdopen(told), os.fdopen(say, "w"), False

    def stops(self) -> Iterator[At]:
        """Each place where it stops, in order; it goes on when the next is asked for."""
        for line in self._told:
            self._waits = True
            yield At(**json.loads(line))
            self.go()

    def go(self) -> None:
        """Let it go on from where it waits."""
        if self._waits:
            self._waits = False
            with contextlib.suppress(BrokenPipeError):
                print("go", file=self._say, flush=True)

    def ended(self, limit: float = LIMIT) -> Ran:
        """Let it go on to its end, or see how it was killed."""
        late = threading.Timer(limit, self.kill)
        late.start()
        self.go()
        for _ in self.stops():
            continue
        in_time = late.is_alive()
        late.cancel()
        ran = super().ended(limit)
        ran = ran if in_time else replace(ran, code=HUNG)
        self._told.close()
        with contextlib.suppress(BrokenPipeError):
            self._say.close()
        return ran


def start(bed: Testbed, *arguments: str) -> Running:
    """Begin a command on the testbed's inventory."""
    return Running(bed.invoke(*arguments), arguments)


def ran(bed: Testbed, *arguments: str, limit: float = LIMIT) -> Ran:
    """Run a command on the testbed's inventory to its end."""
    return start(bed, *arguments).ended(limit)
