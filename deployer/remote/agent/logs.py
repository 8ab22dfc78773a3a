"""Read what some units wrote to the journal, within limits: the last of it, or what came after a cursor."""

import base64
import fnmatch
import json
import os
import re
import subprocess
import tempfile
import threading
import time

from deployer.remote.agent import generations, sockets

# journalctl refuses to run when no unit of the journal is like any pattern; a plain name it always takes.
NO_UNIT = "heat-scaleout-none.service"
UNIT_FIELDS = ("UNIT", "OBJECT_SYSTEMD_UNIT", "COREDUMP_UNIT")  # the unit that systemd itself writes about
FIELDS = ("MESSAGE", "PRIORITY", "_PID", "_SYSTEMD_UNIT") + UNIT_FIELDS
NUMBER = re.compile(r"[0-9]{1,10}\Z")
LONGEST_MESSAGE = 65536  # characters; a longer one is left out as a whole: half a secret would not be known as one
OVERHEAD = 200  # characters of an entry beside its message


def logs(request):
    """Return the entries of some units, oldest first: {entries, cursor, cut, failed, units, clock, files}.

    Given {units: [pattern], programs: [name], lines, size, seconds, grep, configuration} and {after: cursor}, or
    {since} or neither for the newest entries. `programs`: the services of processes of these names count too; they
    come back as `units`. `cut` is None, or the limit that was met: "lines", "size" (characters) or "seconds".
    `failed`: why there is nothing. An entry is {time (microseconds), unit, pid, priority, message}. `files`: see
    `configuration`; {} without entries.
    """
    own = services_of(request.get("programs", []))
    clock = time.time()  # before it is read: who has nothing to go on from reads again what came since
    reply = dict(read(request, request["units"] + own), units=own, clock=clock)
    has_words = reply["entries"] or reply["failed"]
    reply["files"] = configuration(request["configuration"]) if has_words else {}
    return reply


def services_of(programs):
    """The services of processes of some names that are not ours; a login session is none, whoever works in it."""
    units = {each.get("unit", "") for each in sockets.processes_like(programs)}
    return sorted(unit for unit in units if unit.endswith(".service") and not unit.startswith("heat-scaleout-"))


def read(request, units):
    """Run journalctl for as long as there is room for more of it."""
    with tempfile.TemporaryFile() as complaints:
        try:
            ran = subprocess.Popen(
                arguments(request, units), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=complaints
            )
        except OSError as error:
            return {"entries": [], "cursor": None, "cut": None, "failed": "journalctl: %s" % error.strerror}
        entries, cursor, cut, status = within(request["seconds"], ran, request, units)
        complaints.seek(0)
        last = complaints.read().decode("utf-8", "replace").strip().splitlines()[-1:]
    failed = "journalctl: %s" % (last or ["ended with %d" % status])[0] if status and not cut else None
    return {"entries": entries, "cursor": cursor, "cut": cut, "failed": failed}


def within(seconds, ran, request, units):
    """What is taken of a program's output, the limit that was met, and its exit status."""
    late = threading.Event()

    def end():
        late.set()
        ran.kill()

    limit = threading.Timer(seconds, end)
    limit.start()
    try:
        entries, cursor, cut = taken(ran.stdout, request, units)
        if cut:
            ran.kill()
        status = ran.wait()
    finally:
        limit.cancel()
        ran.stdout.close()
    return entries, cursor, cut or ("seconds" if late.is_set() else None), status


def arguments(request, units):
    since = ["--since=" + request["since"]] if request.get("since") else []
    return (
        ["journalctl", "--output=json", "--all", "--no-pager", "--quiet", "--output-fields=" + ",".join(FIELDS)]
        + (["--after-cursor=" + request["after"]] if request.get("after") else ["--reverse"] + since)
        + ["--unit=" + unit for unit in units + [NO_UNIT]]
    )


def taken(stream, request, units):
    """Entries up to the limits, the cursor to go on from, and the limit that was met.

    The newest come first unless there was a cursor; then what is beyond the limits comes with the next request.
    """
    found, room, cursor, forward = [], request["size"], None, bool(request.get("after"))
    needle = request.get("grep", "").casefold()
    for entry in filter(None, map(parsed, stream)):  # the last may be cut off with journalctl itself
        shown = entry_of(entry, units)
        if needle in shown["message"].casefold():
            room -= len(shown["message"]) + OVERHEAD
            if room < 0 or len(found) == request["lines"]:
                return in_order(found, forward), cursor, "size" if room < 0 else "lines"
            found.append(shown)
        cursor = entry["__CURSOR"] if forward or cursor is None else cursor
    return in_order(found, forward), cursor, None


def in_order(found, forward):
    return found if forward else found[::-1]


def parsed(line):
    try:
        return json.loads(line.decode("utf-8", "replace"))
    except ValueError:
        return None


def entry_of(entry, patterns):
    message = text_of(entry.get("MESSAGE"))
    if len(message) > LONGEST_MESSAGE:
        message = "(left out: a message of %d characters)" % len(message)
    return {
        "time": int(entry["__REALTIME_TIMESTAMP"]),
        "unit": unit_of(entry, patterns),
        "pid": number_of(entry.get("_PID")),
        "priority": number_of(entry.get("PRIORITY")),
        "message": message,
    }


def unit_of(entry, patterns):
    """The unit that wrote an entry or, where that is none of those asked for, the one that it is about."""
    names = [entry.get(field) for field in ("_SYSTEMD_UNIT",) + UNIT_FIELDS]
    texts = [each for each in names if isinstance(each, str)]
    asked = [each for each in texts if any(fnmatch.fnmatchcase(each, pattern) for pattern in patterns)]
    return (asked or texts or [""])[0]


def text_of(value):
    """A field as text; journalctl writes what is no UTF-8, or would steer a terminal, as a list of bytes."""
    if isinstance(value, list) and all(isinstance(each, int) for each in value):
        return bytes(value).decode("utf-8", "replace")
    if isinstance(value, list):  # the field was sent more than once
        return "\n".join(text_of(each) for each in value)
    return "" if value is None else str(value)


def number_of(text):
    """A number; None for what whoever writes to the journal has put in its place."""
    return int(text) if isinstance(text, str) and NUMBER.match(text) else None


def configuration(asked):
    """Path -> {content} of the files that say what is secret, given {folders, endings, ledger}: those below folders,
    and those of all generations that are kept, under the path of what is kept followed by their own."""
    paths = {path: path for folder in asked["folders"] for path in files_below(folder)}
    folder = os.path.dirname(asked["ledger"])
    for number in generations.numbers_in(folder):
        state = generations.read(folder, number)["state"] or {"files": {}}
        for path, each in state["files"].items():
            kept = generations.object_path(folder, each["digest"])
            paths[kept + path] = kept
    return {
        name: {"content": base64.b64encode(content_of(path)).decode()}
        for name, path in paths.items()
        if name.endswith(tuple(asked["endings"]))
    }


def files_below(folder):
    return [os.path.join(place, name) for place, _, names in os.walk(folder) for name in names]


def content_of(path):
    try:
        with open(path, "rb") as stream:
            return stream.read()
    except OSError:  # gone since its folder was read
        return b""
