"""Run commands, one set after another, and say for each what it took: wall time, CPU time, memory, what it printed."""

import os
import subprocess
import tempfile
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

LIMIT = 300.0  # seconds for one command
CALM = 0.35  # part of all cores that others may keep busy when a measurement begins
PATIENCE = 30.0  # seconds to wait for calm


class CommandFailed(Exception):
    """A command that was measured ended as it must not."""


@dataclass(frozen=True)
class Sample:
    """What a set of commands took, from the start of the first to the end of the last; memory is the largest one's."""

    wall: float
    cpu: float
    memory_mib: float
    output: str


@dataclass(frozen=True)
class Command:
    """Programs that run side by side, with what they need."""

    argvs: Sequence[Sequence[str]]
    environment: Mapping[str, str] = field(default_factory=dict)
    folder: Path | None = None


def run(command: Command) -> Sample:
    """Run a set of commands at once and wait for all; raise CommandFailed if one of them fails or is too slow."""
    with tempfile.TemporaryFile() as output:
        began = time.perf_counter()
        processes = [_start(argv, command, output) for argv in command.argvs]
        usages = [_end(process) for process in processes]
        wall = time.perf_counter() - began
        output.seek(0)
        printed = output.read().decode("utf-8", "replace")
    failed = [process for process in processes if process.returncode]
    if failed:
        raise CommandFailed(f"{failed[0].args[0]} ended with {failed[0].returncode}:\n{printed[-3000:]}")
    return Sample(
        wall,
        sum(usage.ru_utime + usage.ru_stime for usage in usages),
        max(usage.ru_maxrss for usage in usages) / 1024,
        printed,
    )


def _start(argv: Sequence[str], command: Command, output) -> subprocess.Popen:
    return subprocess.Popen(
        argv,
        stdin=subprocess.DEVNULL,
        stdout=output,
        stderr=subprocess.STDOUT,
        cwd=command.folder,
        env={**os.environ, **command.environment},
    )


def _end(process: subprocess.Popen):
    """Wait for a process and return what the kernel counted for it and its children."""
    alarm = threading.Timer(LIMIT, process.kill)
    alarm.start()
    _, status, usage = os.wait4(process.pid, 0)
    alarm.cancel()
    process.returncode = os.waitstatus_to_exitcode(status)
    return usage


def settle() -> float:
    """Wait a while until the machine is calm; return the part of all cores that was busy at last."""
    deadline = time.monotonic() + PATIENCE
    while True:
        busy = _busy(1.0)
        if busy <= CALM or time.monotonic() > deadline:
            return busy


def _busy(seconds: float) -> float:
    before = _ticks()
    time.sleep(seconds)
    idle, total = (after - earlier for after, earlier in zip(_ticks(), before, strict=True))
    return 1 - idle / max(total, 1)


def _ticks() -> tuple[int, int]:
    """Ticks that all cores spent idle (waiting for a disk included), and ticks in all; proc(5), /proc/stat."""
    ticks = [int(each) for each in Path("/proc/stat").read_text().splitlines()[0].split()[1:9]]
    return ticks[3] + ticks[4], sum(ticks)
