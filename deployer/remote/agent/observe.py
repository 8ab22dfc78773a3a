"""Read a host: files, units, accounts, clock and disk, in one go."""

import base64
import glob
import grp
import hashlib
import os
import pwd
import socket
import subprocess
import sys
import time

from deployer.remote.agent import certificates, exclusive, journal, ledger, measure, programs, sockets

NOT_LOADED = {
    "active": "inactive",
    "sub": "",
    "pid": 0,
    "stale": False,
    "restarts": 0,
    "enabled": False,
    "masked": False,
    "drop_ins": [],
}
UNIT_KEYS = "Id,LoadState,ActiveState,SubState,MainPID,NeedDaemonReload,NRestarts,UnitFileState,DropInPaths"
OWN_DROP_IN = "/heat-scaleout.conf"  # of a start or stop of ours that is under way


def observe(request):
    """Given what to observe, return what is there now; what is missing is left out, never an error.

    {busy: why} when the host was to be `settled` and is not.
    """
    busy = exclusive.wait_until_idle(request.get("settled"))
    if busy:
        return {"busy": busy}
    carry = tuple(request.get("carry", []))
    begun = {name: programs.begin(each) for name, each in request.get("programs", {}).items()}  # they run meanwhile
    units = units_like(request.get("units", []))
    processes = sockets.processes_like(request.get("processes", []))
    return {
        "python": list(sys.version_info[:3]),
        "hostname": socket.gethostname(),
        "clock": time.time(),
        "cpus": os.cpu_count(),
        "uid": os.geteuid(),
        "systemd": os.path.isdir("/run/systemd/system"),
        "files": dict(read_files(request.get("trees", []), carry)),
        "globs": {
            name: sorted(sum((glob.glob(each) for each in patterns), []))
            for name, patterns in request.get("globs", {}).items()
        },
        "texts": {path: text_of(path) for pattern in request.get("texts", []) for path in glob.glob(pattern)},
        "units": units,
        "listeners": with_own_units(sockets.listeners(), request.get("sure_of", []), units),
        "processes": processes,
        "replies": {path: sockets.ask_or_none(path, question) for path, question in request.get("ask", {}).items()},
        "free": {path: free_bytes(path) for path in request.get("disk", [])},
        "accounts": {name: account(name) for name in request.get("accounts", [])},
        "at_work": exclusive.at_work(request["perform_lock"]) if request.get("perform_lock") else None,
        "ledger": ledger.read(request.get("ledger", "")),
        "newest": journal.last_run(os.path.dirname(request["ledger"])) if request.get("ledger") else {},
        "resources": measured(request, processes),
        "certificates": {name: certificates.inspect(each) for name, each in request.get("certificates", {}).items()},
        "answers": {name: programs.answer(each, request["programs"][name]["timeout"]) for name, each in begun.items()},
    }


def measured(request, processes):
    """What the host has to spare and what the units hold, those of the processes that were asked for included."""
    if "measure" not in request:
        return None
    return measure.measure({"units": request["measure"] + [each["unit"] for each in processes if each["unit"]]})


def read_files(trees, carry):
    for path in files_under(trees):
        try:
            yield path, file_at(path, carry)
        except FileNotFoundError:  # gone since its folder was read
            continue


def files_under(trees):
    for tree in trees:
        if os.path.isfile(tree):
            yield tree
        for folder, _, names in os.walk(tree):
            for name in names:
                path = os.path.join(folder, name)
                if os.path.isfile(path):
                    yield path


def file_at(path, carry=()):
    with open(path, "rb") as stream:
        status = os.fstat(stream.fileno())
        content = stream.read()
    found = {
        "digest": hashlib.sha256(content).hexdigest(),
        "owner": user_name(status.st_uid),
        "group": group_name(status.st_gid),
        "mode": status.st_mode & 0o7777,
    }
    if path.startswith(carry):
        found["content"] = base64.b64encode(content).decode()
    return found


def text_of(path):
    with open(path, encoding="utf-8", errors="replace") as stream:
        return stream.read(4096)


def user_name(uid):
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return str(uid)


def group_name(gid):
    try:
        return grp.getgrgid(gid).gr_name
    except KeyError:
        return str(gid)


def account(name):
    try:
        return pwd.getpwnam(name).pw_uid
    except KeyError:
        return None


def free_bytes(path):
    while path and not os.path.exists(path):
        path = os.path.dirname(path)
    status = os.statvfs(path or "/")
    return status.f_bavail * status.f_frsize


def units_like(patterns):
    """Unit name -> its state, for loaded units and for enabled ones that are not loaded."""
    found = {}
    if patterns:
        shown = subprocess.run(
            ["systemctl", "show", "--property=" + UNIT_KEYS] + patterns,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            timeout=30,
        )
        for block in shown.stdout.decode().split("\n\n"):
            keys = dict(line.split("=", 1) for line in block.split("\n") if "=" in line)
            if keys.get("Id", "").endswith(".service"):
                found[keys["Id"]] = unit_state(keys)
    for pattern in patterns:
        for link in glob.glob("/etc/systemd/system/*.wants/" + pattern):
            found.setdefault(os.path.basename(link), dict(NOT_LOADED))["enabled"] = True
        for link in glob.glob("/etc/systemd/system/" + pattern):
            if os.path.islink(link) and os.readlink(link) == os.devnull:
                found.setdefault(os.path.basename(link), dict(NOT_LOADED))["masked"] = True
    return found


def with_own_units(listeners, ports, units):
    """Listeners; on some ports (None: all) each keeps its unit only where it is its main process or a child of it.

    A process that somebody started from a shell is in the control group of sshd or of its login session.
    """
    asked = [each for each in listeners if ports is None or each["port"] in ports]
    others = {each["unit"] for each in asked if each.get("unit", "").endswith(".service")} - set(units)
    mains = {name: state["pid"] for name, state in units_like(sorted(others)).items()}
    return [
        dict(each, unit="") if each.get("unit") in mains and not is_of(each["pid"], mains[each["unit"]]) else each
        for each in listeners
    ]


def is_of(pid, main):
    return main in (pid, sockets.parent_of(pid))


def unit_state(keys):
    return {
        "active": keys["ActiveState"],
        "sub": keys.get("SubState", ""),
        "enabled": False,
        "pid": int(keys.get("MainPID") or 0),
        "stale": keys.get("NeedDaemonReload") == "yes",
        "restarts": int(keys.get("NRestarts") or 0),
        "masked": keys.get("LoadState") == "masked",
        "drop_ins": [path for path in keys.get("DropInPaths", "").split() if not path.endswith(OWN_DROP_IN)],
    }
