"""What is done to a host, step by step: a line is on the disk before the step begins, and one when it has ended."""

import json
import os
import time

from deployer.remote.agent import atomic

NAME = "journal"
MOST_LINES = 2000
MODE = 0o600


def begin(folder, run):
    """Record that a run begins, given {number, command, who, at, ...}; old lines are removed."""
    path = os.path.join(folder, NAME)
    lines = read_lines(path)
    if len(lines) > MOST_LINES:
        atomic.replace(path, "".join(line + "\n" for line in lines[-MOST_LINES // 2 :]).encode(), MODE)
    note(folder, dict(run, event="begin"))


def note(folder, entry):
    """Append an entry that survives a power failure; nothing where our folder is gone."""
    if not os.path.isdir(folder):
        return
    line = json.dumps(dict(entry, at=entry.get("at") or now())) + "\n"
    descriptor = os.open(os.path.join(folder, NAME), os.O_RDWR | os.O_CREAT | os.O_APPEND, MODE)
    try:
        os.write(descriptor, (line if is_whole(descriptor) else "\n" + line).encode())
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def is_whole(descriptor):
    """Whether a file's last line has its end: the next would be lost in one that a power failure cut off."""
    size = os.fstat(descriptor).st_size
    return not size or os.pread(descriptor, 1, size - 1) == b"\n"


def step_started(request, step):
    """Record which step of a run begins, if the request belongs to one."""
    if "run" in request:
        note(
            os.path.dirname(request["ledger"]),
            {"event": "doing", "number": request["run"], "step": step["description"]},
        )


def step_done(request):
    """Record that the step has ended well."""
    if "run" in request:
        note(os.path.dirname(request["ledger"]), {"event": "did", "number": request["run"]})


def last_run(folder):
    """The last run that began here, with what it is doing: {number, command, who, at, ..., doing, result}.

    `result` is None while it has not ended, and `doing` the step that is under way, or None. {} when there was none.
    """
    run = {}
    for line in read_lines(os.path.join(folder, NAME)):
        entry = parsed(line)
        event = entry.pop("event", "")
        if event == "begin":
            run = dict(entry, doing=None, result=None)
        elif event == "doing" and entry["number"] == run.get("number"):
            run["doing"] = entry["step"]
        elif event == "did" and entry["number"] == run.get("number"):
            run["doing"] = None
        elif event == "end" and entry["number"] == run.get("number"):
            run.update(result=entry["result"], doing=None)
    return run


def parsed(line):
    """An entry; an empty one for a line that a power failure cut off."""
    try:
        entry = json.loads(line)
    except ValueError:
        return {}
    return entry if isinstance(entry, dict) else {}


def read_lines(path):
    try:
        with open(path, encoding="utf-8", errors="replace") as stream:
            return stream.read().splitlines()
    except FileNotFoundError:
        return []


def now():
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
