"""`subprocess`, `time` and `signal` of a host in memory: programs run at once, on a clock that only they move."""

import io
import itertools
import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any


class Failed(Exception):
    """A program that fails; its text is what it complains of."""


class NotYet(Failed):
    """A program that still waits for something."""


@dataclass(frozen=True)
class Ran:
    """How a program ended, and after how many seconds; None: it never does."""

    printed: str = ""
    status: int = 0
    complaint: str = ""
    seconds: float | None = 0.0


class Clock:
    """A host's time. Nobody sleeps: whoever would moves it, and what was to happen meanwhile happens."""

    def __init__(self, now: float) -> None:
        self.now = self._began = now
        self._numbers = itertools.count()
        self._due: list[tuple[float, int, Callable[[], None]]] = []

    def wall(self) -> float:
        """Seconds since the epoch, at which this host was put up."""
        return self.now - self._began

    def after(self, seconds: float, act: Callable[[], None]) -> int:
        """Have something happen then; its number, to `cancel` it."""
        number = next(self._numbers)
        self._due.append((self.now + seconds, number, act))
        return number

    def cancel(self, number: int) -> None:
        self._due = [each for each in self._due if each[1] != number]

    def advance(self, seconds: float) -> None:
        end = self.now + seconds
        while due := min((each for each in self._due if each[0] <= end), default=None):
            self._due.remove(due)
            self.now = max(self.now, due[0])
            due[2]()
        self.now = end

    def wait_until(self, true: Callable[[], bool], seconds: float) -> bool:
        """Let time pass until something is so, for some seconds at most; whether it is."""
        end = self.now + seconds
        while not true():
            following = min((each[0] for each in self._due), default=end)
            if following > end or not self._due:
                self.advance(end - self.now)
                return true()
            self.advance(following - self.now)
        return True


class Process:
    """`subprocess.Popen` on a host."""

    def __init__(self, host: Any, argv: list[str], stdin: Any = None, stdout: Any = None, stderr: Any = None) -> None:
        self._host, self.args, self.returncode = host, argv, None
        given = stdin.read().decode() if hasattr(stdin, "read") else _text_of(stdin)
        self._ran = host.programs(argv, given)
        self.stdout = io.BytesIO(self._ran.printed.encode())
        if hasattr(stderr, "write"):
            stderr.write(self._ran.complaint.encode())

    def communicate(self, timeout: float | None = None) -> tuple[bytes, bytes]:
        if self.returncode is None:
            self.wait(timeout)
        return self._ran.printed.encode(), self._ran.complaint.encode()

    def wait(self, timeout: float | None = None) -> int:
        seconds = self._ran.seconds
        if self.returncode is None and (seconds is None or (timeout is not None and seconds > timeout)):
            assert timeout is not None, f"{self.args} never ends, and nothing limits it"
            self._host.clock.advance(timeout)
            raise subprocess.TimeoutExpired(self.args, timeout)
        if self.returncode is None:
            self._host.clock.advance(seconds)
            self.returncode = self._ran.status
        return self.returncode

    def kill(self) -> None:
        self.returncode = -9


def _text_of(descriptor: Any) -> str:
    """What is to be read of an open file of this machine."""
    if not isinstance(descriptor, int) or descriptor < 0:
        return ""
    with open(descriptor, "rb", closefd=False) as stream:
        return stream.read().decode()


def modules(host: Any) -> dict[str, Any]:
    """Name -> what stands for a module of Python on this host."""

    def run(argv: list[str], input: bytes = b"", timeout: float | None = None, **_: Any) -> SimpleNamespace:
        process = Process(host, argv, io.BytesIO(input))
        printed, complaint = process.communicate(timeout)
        return SimpleNamespace(returncode=process.returncode, stdout=printed, stderr=complaint)

    return {
        "subprocess": SimpleNamespace(
            run=run,
            Popen=lambda argv, **streams: Process(host, argv, **streams),
            **{name: getattr(subprocess, name) for name in ("PIPE", "DEVNULL", "TimeoutExpired", "SubprocessError")},
        ),
        "time": SimpleNamespace(
            monotonic=lambda: host.clock.now,
            time=lambda: host.clock.wall() + host.skew,
            sleep=lambda seconds: host.clock.advance(seconds),
            strftime=lambda form, moment: "2026-01-02T03:04:05Z",
            gmtime=lambda: None,
        ),
        "threading": SimpleNamespace(Timer=_Timer, Event=_Event),
    }


class _Timer:
    """A limit that no program of these hosts meets: they say themselves how long they take."""

    def __init__(self, seconds: float, act: Callable[[], None]) -> None:
        pass

    def start(self) -> None:
        pass

    def cancel(self) -> None:
        pass


class _Event:
    def set(self) -> None:
        raise AssertionError("no timer runs here")

    def is_set(self) -> bool:
        return False
