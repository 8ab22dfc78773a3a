"""What we did to a host, remembered on it; and the one way in which a file there is replaced."""

import grp
import json
import os
import pwd


def read(path):
    """What we did to this host: {files: {path: {original}}, folders: [path], stopped: [{unit, ...}]}."""
    ledger = {"files": {}, "folders": [], "stopped": []}
    if path and os.path.exists(path):
        with open(path) as stream:
            ledger.update(json.load(stream))
    return ledger


def write(path, ledger):
    os.makedirs(os.path.dirname(path), mode=0o700, exist_ok=True)
    replace(path, json.dumps(ledger, indent=1).encode(), ours())


def ours():
    """How a file is that nobody but us may read."""
    return {"owner": pwd.getpwuid(os.geteuid()).pw_name, "group": grp.getgrgid(os.getegid()).gr_name, "mode": 0o600}


def replace(path, content, step):
    """Temporary file in the same folder, owner and mode first, on the disk, then renamed over."""
    temporary = path + ".heat-scaleout-new"
    if os.path.exists(temporary):  # left by an interrupted run
        os.unlink(temporary)
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        os.fchown(descriptor, pwd.getpwnam(step["owner"]).pw_uid, grp.getgrnam(step["group"]).gr_gid)
        os.fchmod(descriptor, step["mode"])
        with os.fdopen(descriptor, "wb") as stream:
            stream.write(content)
            stream.flush()
            os.fsync(stream.fileno())
        os.rename(temporary, path)
    except BaseException:
        os.unlink(temporary)
        raise
    sync_folder(os.path.dirname(path))


def sync_folder(folder):
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
