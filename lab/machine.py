"""One systemd-nspawn machine: start it, tell whether it lives, end it; only ever by the PID we recorded."""

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from lab import cgroups, keeper

NSPAWN = Path("/run/systemd/nspawn")
BOOT_ID = Path("/proc/sys/kernel/random/boot_id")


@dataclass(frozen=True)
class Process:
    """A process we started: its PID, with what makes sure that the PID is still that process."""

    pid: int
    started: int
    boot: str


def unit_flags() -> list[str]:
    """Return how nspawn finds its cgroup: by a scope of its own, or, where PID 1 is not systemd, right where it is."""
    managed = Path("/run/systemd/system").is_dir()
    return ["--register=no"] if managed else ["--register=no", "--keep-unit"]


def boot(root: Path, name: str, hostname: str, network: Sequence[str], console: Path) -> Process:
    """Boot the tree at `root`; `network` is nspawn's own flags for it, `console` the file its console goes to."""
    argv = [
        *kept(name),
        "systemd-nspawn",
        "--quiet",
        "--boot",
        *unit_flags(),
        *network,
        "--console=read-only",
        "--settings=no",
        "--resolv-conf=off",
        "--timezone=off",
        "--link-journal=no",
        # A host of its own lets its root take another process's socket over; nspawn refuses that call otherwise.
        "--system-call-filter=pidfd_getfd",
        f"--machine={name}",
        f"--hostname={hostname}",
        f"--directory={root}",
    ]
    with console.open("ab") as sink:
        child = subprocess.Popen(argv, stdin=subprocess.DEVNULL, stdout=sink, stderr=sink, start_new_session=True)
    return Process(child.pid, start_time(child.pid) or 0, this_boot())


def kept(name: str) -> list[str]:
    """Return the start of a command that runs nspawn under a keeper, in control groups of the machine's own."""
    groups = [str(folder) for folder in cgroups.folders(name)]
    return [sys.executable, "-I", "-S", keeper.__file__, name, *groups, "--"]


def alive(process: Process) -> bool:
    """Tell whether that very process still runs."""
    reap(process.pid)
    return process.boot == this_boot() and start_time(process.pid) == process.started


def power_off(process: Process, timeout: float) -> None:
    """Ask the machine to shut down, wait, and kill it if it does not in time."""
    deadline = time.monotonic() + timeout
    end(process, signal.SIGTERM)
    while alive(process) and time.monotonic() < deadline:
        time.sleep(0.05)
    kill(process)


def kill(process: Process) -> None:
    """End the machine at once, as a power cut would, and wait until all that kept it is gone."""
    ended = [process, *family(process)]
    for each in ended:
        end(each, signal.SIGKILL)
    deadline = time.monotonic() + 10
    while any(map(alive, ended)) and time.monotonic() < deadline:
        time.sleep(0.02)


def clear_traces(name: str, root: Path) -> None:
    """Remove what nspawn leaves of an ended machine: control groups, a folder for passing mounts in, a lock."""
    cgroups.remove(name)
    shutil.rmtree(NSPAWN / "propagate" / name, ignore_errors=True)
    if root.is_dir():
        tree = root.stat()
        (NSPAWN / "locks" / f"inode-{tree.st_dev}:{tree.st_ino}").unlink(missing_ok=True)


def family(process: Process) -> list[Process]:
    """Return the keeper, its nspawn and the machine's first process: each outlives the one that started it."""
    found = [process] if alive(process) else []
    for generation in range(2):
        found += [child for parent in found[generation:] for child in children(parent)]
    return found


def children(process: Process) -> list[Process]:
    """Return the processes that a process started and that still run."""
    try:
        listed = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()
    except FileNotFoundError:
        return []
    started = {int(pid): start_time(int(pid)) for pid in listed}
    return [Process(pid, when, process.boot) for pid, when in started.items() if when is not None]


def end(process: Process, number: signal.Signals) -> None:
    """Send a signal, to that process or to none."""
    if alive(process):
        try:
            os.kill(process.pid, number)
        except ProcessLookupError:
            return


def start_time(pid: int) -> int | None:
    """Return when a process began, in clock ticks since boot; None if it is gone or only waits to be reaped."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except (FileNotFoundError, ProcessLookupError):
        return None
    return None if fields[0] in "ZX" else int(fields[19])


def started_at(process: Process) -> float:
    """Return when a process of this boot of the machine began, in Unix time."""
    ago = float(Path("/proc/uptime").read_text().split()[0]) - process.started / os.sysconf("SC_CLK_TCK")
    return time.time() - ago


def reap(pid: int) -> None:
    """Take the exit status of a child of ours, so that it does not stay as a zombie."""
    try:
        os.waitpid(pid, os.WNOHANG)
    except ChildProcessError:
        return


def this_boot() -> str:
    """Name this boot of this machine: after a reboot every recorded PID is void."""
    return BOOT_ID.read_text().strip()
