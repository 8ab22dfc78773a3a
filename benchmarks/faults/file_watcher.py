"""Runs on a host until its stdin ends: every state that any file of ours was ever in, as digests.

A program for `python3 -c`, standard library only. Arguments: seconds at most, then patterns of paths. It prints
{path: [digest, ...]}; "absent" is the state of a file that others saw and that is not there. A file is read again when
its inode, size or time has changed, which each replacement changes; our own temporary names are no files of ours.
"""

import glob
import hashlib
import json
import os
import select
import sys
import time

PAUSE = 0.01  # seconds between two looks
TEMPORARY = ".heat-scaleout-new"


def watch(patterns, until):
    """Look again and again; return {path: [digest, ...]} in the order in which they were seen."""
    seen, last = {}, {}
    while True:
        there = {path for pattern in patterns for path in glob.glob(pattern, recursive=True) if is_one(path)}
        for path in there | set(last):
            note(path, seen, last)
        if time.monotonic() > until or select.select([0], [], [], PAUSE)[0]:
            return seen


def is_one(path):
    return not path.endswith(TEMPORARY) and not os.path.isdir(path)


def note(path, seen, last):
    try:
        status = os.stat(path)
        mark = (status.st_ino, status.st_size, status.st_mtime_ns)
        if last.get(path) == mark:
            return
        with open(path, "rb") as stream:
            digest = hashlib.sha256(stream.read()).hexdigest()
    except OSError:
        mark, digest = None, "absent"
    last[path] = mark
    states = seen.setdefault(path, [])
    if not states or states[-1] != digest:
        states.append(digest)


if __name__ == "__main__":
    json.dump(watch(sys.argv[2:], time.monotonic() + float(sys.argv[1])), sys.stdout)
