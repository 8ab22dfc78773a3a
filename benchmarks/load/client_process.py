"""Clients that run beside whatever a `with` does: their process, the windows that are marked, and the result."""

import contextlib
import json
import secrets
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks.load import requests, samples
from benchmarks.load.samples import Result, Sample, Window

CHECKOUT = Path(__file__).resolve().parents[2]
END_LIMIT = 120.0  # seconds for the last answers


@dataclass(frozen=True)
class Bounds:
    """How fast, how many at most, and how long at most: none of them is left open."""

    rate: float = 200.0
    most: int = 180_000
    seconds: float = 1200.0


@dataclass
class Load:
    """Clients at work. `samples` is filled when they have ended."""

    run: str
    bounds: Bounds
    start: float
    windows: list[Window] = field(default_factory=list)
    samples: list[Sample] = field(default_factory=list)

    @contextlib.contextmanager
    def window(self, name: str) -> Iterator[None]:
        """Name the time that a `with` takes, whatever becomes of it."""
        begin = time.monotonic()
        try:
            yield
        finally:
            self.windows.append(Window(name, begin, time.monotonic()))

    def sent(self) -> int:
        """How many requests were due by now."""
        return min(self.bounds.most, int((time.monotonic() - self.start) * self.bounds.rate))

    def result(self) -> Result:
        """Everything counted; only after the end."""
        return samples.result(self.run, self.samples, self.windows)


@contextlib.contextmanager
def clients(address: str, bounds: Bounds) -> Iterator[Load]:
    """Have clients ask this address for the length of a `with`; raise ValueError for one that is not a lab's."""
    requests.refuse_stranger(address)
    run = secrets.token_hex(3)
    with tempfile.TemporaryDirectory(prefix="heat-load-") as folder:
        out = Path(folder) / "samples"
        process = _start(
            [
                address,
                run,
                str(out),
                "--rate",
                str(bounds.rate),
                "--most",
                str(bounds.most),
                "--seconds",
                str(bounds.seconds),
            ]
        )
        load = Load(run, bounds, time.monotonic())
        try:
            yield load
        finally:
            _end(process)
            load.samples += read(out)


def _start(arguments: list[str]) -> subprocess.Popen:
    argv = [sys.executable, "-m", "benchmarks.load.client", *arguments]
    return subprocess.Popen(argv, stdin=subprocess.PIPE, cwd=CHECKOUT, start_new_session=True)


def _end(process: subprocess.Popen) -> None:
    """Closing its stdin ends the client, after the last answers."""
    process.stdin.close()
    try:
        status = process.wait(END_LIMIT)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
        raise
    if status:
        raise RuntimeError(f"the clients ended with {status}")


def read(path: Path) -> list[Sample]:
    """The samples that the clients wrote."""
    return [Sample(*json.loads(line)) for line in path.read_text().splitlines()]
