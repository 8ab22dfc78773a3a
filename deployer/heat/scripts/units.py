"""The state of systemd units of this host: for programs in Heat's Python."""

import datetime
import glob
import os
import subprocess

KEYS = "ActiveState,Job,MainPID,NRestarts,ExecMainStartTimestamp"


def state(unit):
    shown = subprocess.run(
        ["systemctl", "show", "--property=" + KEYS, unit],
        stdout=subprocess.PIPE,
        timeout=30,
        env=dict(os.environ, TZ="UTC"),  # systemd writes times as local ones
    )
    return dict(line.split("=", 1) for line in shown.stdout.decode().splitlines())


def is_stopping(shown):
    """Whether a process that is stopping or restarting still ends its work."""
    return shown["ActiveState"] == "deactivating" or shown.get("Job", "0") not in ("", "0")


def has_process(shown):
    """Whether a unit runs, or is about to."""
    return shown["ActiveState"] in ("active", "activating")


def forget_failure(unit):
    """Have systemd list a unit no longer whose process was killed; one that ended well it has forgotten by now."""
    if state(unit)["ActiveState"] == "failed":
        subprocess.run(["systemctl", "reset-failed", unit], timeout=30)


def started(shown):
    """When a unit's process started, in whole seconds, by the wall clock of then: it may have been stepped since.

    An engine writes the time of its row by the same clock, right after. 0.0 for one that has never started.
    """
    text = shown["ExecMainStartTimestamp"]
    if not text:
        return 0.0
    read = datetime.datetime.strptime(text, "%a %Y-%m-%d %H:%M:%S UTC")
    return read.replace(tzinfo=datetime.timezone.utc).timestamp()


def children(pid):
    """The processes that a process has started, whichever of its threads did."""
    found = []
    for path in glob.glob("/proc/%d/task/*/children" % pid):
        try:
            with open(path) as stream:
                found += stream.read().split()
        except OSError:  # that thread is gone
            continue
    return found


def last_lines(unit):
    shown = subprocess.run(
        ["journalctl", "--unit", unit, "--lines=15", "--no-pager", "--output=cat"],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        timeout=30,
    )
    return shown.stdout.decode("utf-8", "replace")
