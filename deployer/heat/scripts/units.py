"""What systemd says of a unit of this host: for programs in Heat's Python."""

import os
import subprocess
import time

KEYS = "ActiveState,Job,MainPID,NRestarts,ExecMainStartTimestampMonotonic"


def state(unit):
    shown = subprocess.run(["systemctl", "show", "--property=" + KEYS, unit], stdout=subprocess.PIPE, timeout=30)
    return dict(line.split("=", 1) for line in shown.stdout.decode().splitlines())


def is_stopping(shown):
    """Whether a process that was told to stop, or to start again, still ends its work."""
    return shown["ActiveState"] == "deactivating" or shown.get("Job", "0") not in ("", "0")


def started(shown):
    """When a unit's process started, as a wall clock of this host reads it now."""
    return time.time() - time.monotonic() + int(shown["ExecMainStartTimestampMonotonic"]) / 1e6


def children(pid):
    try:
        with open(os.path.join("/proc", str(pid), "task", str(pid), "children")) as stream:
            return stream.read().split()
    except OSError:
        return []


def last_words(unit):
    shown = subprocess.run(["journalctl", "--unit", unit, "--lines=15", "--no-pager", "--output=cat"],
                           stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, timeout=30)
    return shown.stdout.decode("utf-8", "replace")
