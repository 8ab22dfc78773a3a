"""Keep what is deployed to a host, by number: each file's content by its digest, and who, when and from what.

`<folder of the ledger>/generations/<number>.json` holds {run, state}, `objects/<digest>` the contents. All are root's.
"""

import base64
import glob
import hashlib
import json
import os
import socket
import subprocess
import tempfile

from deployer.remote.agent import atomic, journal, ledger

MOST = 20  # generations that are kept
ROOM = 2**20  # bytes that must be free beyond what is written
READ_ONLY = 1  # ST_RDONLY of statvfs


def stage(request):
    """Judge every file that is to be written, keep what the generation is made of, and begin it: {problems: [text]}.

    Given {ledger, run: {number, ...}, state, files: [{path, digest, content, check, comes}], binds: [address]}; a file
    that does not come is there already and has no content. Nothing but our own records is changed; with problems, not
    even those.
    """
    folder = os.path.dirname(request["ledger"])
    files = request["files"]
    problems = refused(folder, request["run"]) + unbound(request.get("binds", [])) + judged(files, folder)
    if not problems:
        make(folder)
        for each in files:
            keep(folder, each)
        write(folder, request["run"], request["state"])
        journal.begin(folder, request["run"])
        prune(folder)
    return {"problems": problems}


def close(request):
    """Record how a run has ended; one that has changed nothing on any host is as if it had never been."""
    folder, run = os.path.dirname(request["ledger"]), request["run"]
    if not os.path.isdir(folder):
        return {}
    journal.note(folder, {"event": "end", "number": run["number"], "result": run["result"]})
    if run["result"] == "refused":
        remove(path_of(folder, run["number"]))
    elif os.path.exists(path_of(folder, run["number"])):
        write(folder, run, read(folder, run["number"])["state"])
    return {}


def recall(request):
    """Return every generation's run and, given a number, its state with all contents, or that of the newest before it.

    One before it counts when it was done: what a run that failed has left on the host is not what it had kept.
    {runs: [run], state: null | {..., files: {path: {..., content}}}}
    """
    folder = os.path.dirname(request["ledger"])
    numbers = numbers_in(folder)
    upto = [number for number in numbers if number <= request.get("number", -1)]
    kept = [read(folder, each) for each in reversed(upto)]
    had = [
        each["state"]
        for each in kept
        if each["state"] is not None and (each["run"]["result"] == "done" or each["run"]["number"] == request["number"])
    ]
    state = had[0] if had else None
    for each in (state or {"files": {}})["files"].values():
        each["content"] = encoded(object_path(folder, each["digest"]))
    return {"runs": [read(folder, number)["run"] for number in numbers], "state": state}


def refused(folder, run):
    """A run that is older than the newest here belongs to somebody who was thought dead."""
    newest = journal.last_run(folder)
    if newest and newest["number"] >= run["number"]:
        return ["generation %d was begun meanwhile: %s by %s" % (newest["number"], newest["command"], newest["who"])]
    return []


def unbound(addresses):
    """Why nobody can listen on some addresses here, at whatever port."""
    problems = []
    for address in addresses:
        with socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET) as tried:
            try:
                tried.bind((address, 0))
            except OSError as error:
                problems.append("nobody can listen on %s here: %s" % (address, error.strerror))
    return problems


def judged(files, folder):
    """Why files that come cannot be used here, each by its own program and by where it goes."""
    coming = [each for each in files if each["comes"]]
    space = sum(len(each["content"]) for each in files if each["content"])
    places = {existing(os.path.dirname(each["path"])) for each in coming} | {existing(folder)}
    problems = [why for place in sorted(places) for why in unfit(place, space)]
    problems += ["%(path)s has changed meanwhile" % each for each in files if not each["comes"] and is_other(each)]
    if problems:
        return problems
    with tempfile.TemporaryDirectory(prefix="heat-scaleout-", dir=existing(folder)) as private:
        return [why for each in coming if each["check"] for why in faults(each, private, coming)]


def unfit(place, space):
    status = os.statvfs(place)
    if status.f_flag & READ_ONLY:
        yield "%s cannot be written to: its file system is read-only" % place
    elif status.f_bavail * status.f_frsize < space + ROOM:
        yield "%s has no room: %d bytes are free, %d are needed" % (
            place,
            status.f_bavail * status.f_frsize,
            space + ROOM,
        )


def faults(file, private, coming):
    """The judgement of the program that is to read a file; programs that come along with it may be missing so far."""
    path = os.path.join(private, os.path.basename(file["path"]))
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as stream:
        stream.write(base64.b64decode(file["content"]))
    argv = [path if part == "{}" else part for part in file["check"]]
    ran = subprocess.run(argv, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=60)
    os.unlink(path)
    if not ran.returncode:
        return
    lines = (ran.stderr or ran.stdout).decode("utf-8", "replace").replace(path, file["path"]).strip().splitlines()
    missing = ["Command %s is not executable" % each["path"] for each in coming]
    left = [line for line in lines if not any(each in line for each in missing)]
    if left or not lines:
        yield "%s: %s" % (file["path"], "; ".join(left[-5:])[-1000:] or "refused with %d" % ran.returncode)


def is_other(file):
    try:
        with open(file["path"], "rb") as stream:
            return hashlib.sha256(stream.read()).hexdigest() != file["digest"]
    except FileNotFoundError:
        return True


def existing(folder):
    while not os.path.isdir(folder):
        folder = os.path.dirname(folder)
    return folder


def make(folder):
    for each in (folder, os.path.join(folder, "generations"), os.path.join(folder, "objects")):
        os.makedirs(each, 0o700, exist_ok=True)
        os.chmod(each, 0o700)


def keep(folder, file):
    """Have a file's content among the objects: as sent, or as it is on the host already."""
    path = object_path(folder, file["digest"])
    if os.path.exists(path):
        return
    if file["content"] is None:
        with open(file["path"], "rb") as stream:
            content = stream.read()
    else:
        content = base64.b64decode(file["content"])
    atomic.replace(path, content, ledger.MODE)


def write(folder, run, state):
    atomic.replace(path_of(folder, run["number"]), json.dumps({"run": run, "state": state}).encode(), ledger.MODE)


def read(folder, number):
    with open(path_of(folder, number)) as stream:
        return json.load(stream)


def prune(folder):
    """Take away generations beyond the number that is kept, and contents that none has any more."""
    for number in numbers_in(folder)[:-MOST]:
        os.unlink(path_of(folder, number))
    states = [read(folder, number)["state"] for number in numbers_in(folder)]
    needed = {each["digest"] for state in states if state for each in state["files"].values()}
    for path in glob.glob(object_path(folder, "*")):
        if os.path.basename(path) not in needed:
            os.unlink(path)


def numbers_in(folder):
    names = [os.path.basename(path) for path in glob.glob(path_of(folder, "*"))]
    return sorted(int(name[: -len(".json")]) for name in names)


def path_of(folder, number):
    return os.path.join(folder, "generations", "%s.json" % number)


def object_path(folder, digest):
    return os.path.join(folder, "objects", digest)


def encoded(path):
    with open(path, "rb") as stream:
        return base64.b64encode(stream.read()).decode()


def remove(path):
    if os.path.exists(path):
        os.unlink(path)
