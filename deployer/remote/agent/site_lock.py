"""The site lock: a lease on this host that lasts as long as heartbeats come; who holds it, and its forced release."""

import errno
import fcntl
import json
import os
import select
import signal
import struct
import sys
import threading
import time

RECORD = "hhqqi"  # struct flock of fcntl(2), as a Python with large files passes it
POLL_INTERVAL = 0.01  # seconds: no event announces it
MOST_POLLS = 300


def acquire(request):
    """Given a path and who wants its lock, take it, waiting up to `wait` seconds, and keep it while heartbeats come.

    {held} is sent at once, and {heard: number} for each heartbeat, a numbered line on stdin. The lock is released after
    `heartbeat_timeout` seconds without one, or at the end of stdin. {held_by} is the answer when another has it.
    """
    try:
        lock = os.open(request["path"], os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
    except OSError as error:
        return {"refused": str(error)}
    if not try_lock(lock) and not (
        request["wait"] and wait_for_lock(lock, request["wait"], request["heartbeat_timeout"])
    ):
        return {"held_by": read_holder(lock)}
    note = dict(request["who"], since=time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()), holder=os.getpid())
    write_holder(lock, note)
    send({"held": note})
    answer_heartbeats(request["heartbeat_timeout"])
    os.ftruncate(lock, 0)
    os.close(lock)
    return {"released": True}


def try_lock(lock):
    """Take a lock that nobody has; whoever has just got it is given a moment to write who it is."""
    for _ in range(MOST_POLLS):
        try:
            fcntl.lockf(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return True
        except OSError as error:
            if error.errno not in (errno.EAGAIN, errno.EACCES):
                raise
        if read_holder(lock):
            return False
        time.sleep(POLL_INTERVAL)
    return False


def wait_for_lock(lock, seconds, heartbeat_timeout):
    """Wait for a lock, as long as whoever asked for it is heard."""
    got, tell = os.pipe()
    threading.Thread(target=lambda: (fcntl.lockf(lock, fcntl.LOCK_EX), os.write(tell, b"!")), daemon=True).start()
    deadline = time.monotonic() + seconds
    while True:
        left = deadline - time.monotonic()
        ready = select.select([0, got], [], [], max(0.0, min(left, heartbeat_timeout)))[0]
        if got in ready:
            return True
        if not ready or not os.read(0, 4096):
            return False


def answer_heartbeats(heartbeat_timeout):
    """Answer each line with its number, until there is none for some seconds, or no more to come."""
    unread = b""
    while select.select([0], [], [], heartbeat_timeout)[0]:
        part = os.read(0, 4096)
        if not part:
            return
        lines, _, unread = (unread + part).rpartition(b"\n")
        for line in lines.split():
            send({"heard": int(line)})


def send(answer):
    sys.stdout.write(json.dumps(answer) + "\n")
    sys.stdout.flush()


def write_holder(lock, note):
    os.ftruncate(lock, 0)
    os.pwrite(lock, json.dumps(note).encode(), 0)


def read_holder(lock):
    """What the process that has the lock wrote of itself; empty when nobody has it, or it has not written yet."""
    asked = struct.pack(RECORD, fcntl.F_WRLCK, os.SEEK_SET, 0, 0, 0)
    kind, _, _, _, pid = struct.unpack(RECORD, fcntl.fcntl(lock, fcntl.F_GETLK, asked))
    if kind == fcntl.F_UNLCK:
        return {}
    try:
        note = json.loads(os.pread(lock, 65536, 0))
    except ValueError:
        return {}
    return note if note["holder"] == pid else {}


def holder(request):
    """Who holds the lock of a path: {held_by}, empty when nobody does."""
    try:
        lock = os.open(request["path"], os.O_RDWR | os.O_CLOEXEC | os.O_NOFOLLOW)
    except FileNotFoundError:
        return {"held_by": {}}
    try:
        return {"held_by": read_holder(lock)}
    finally:
        os.close(lock)


def release(request):
    """End who holds the lock, if it has this id: {ended: who, or empty, held_by: who else holds it}."""
    found = holder(request)["held_by"]
    if not found or found["id"] != request["id"]:
        return {"ended": {}, "held_by": found}
    os.kill(found["holder"], signal.SIGTERM)
    for _ in range(MOST_POLLS):
        if holder(request)["held_by"] != found:
            return {"ended": found, "held_by": {}}
        time.sleep(POLL_INTERVAL)
    return {"ended": {}, "held_by": found}
