"""Looks on a host, again and again while something runs, for secrets that others can see; streamed to `python3 -`.

Before this text stand SECRETS, a list of texts, CONTROL, one that is no secret and is looked for all the same, FOLDERS,
and STOP, the file whose end is the end; after 240 seconds it ends by itself. Printed as JSON: how often it looked, in
which files it saw a text, which of them others could read at any moment, and whose command line held one, or the
control. It prints no secret.
"""

import json
import os
import time

MARKS = [each.encode() for each in SECRETS]  # noqa: F821 (given before this text)
SIGN = CONTROL.encode()  # noqa: F821


def holds(content):
    return any(mark in content for mark in MARKS)


def files():
    for folder in FOLDERS:  # noqa: F821 (given before this text)
        for place, _, names in os.walk(folder):
            yield from (os.path.join(place, name) for name in names)


def look_at(path):
    try:
        with open(path, "rb") as stream:
            mode = os.fstat(stream.fileno()).st_mode  # before it is read: it may be closed to others meanwhile
            content = stream.read()
            if holds(content) or SIGN in content:
                found["private" if not mode & 0o007 else "open"].add(path)
    except OSError:  # gone, or a socket
        pass


def look_at_command_lines():
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open("/proc/%s/cmdline" % pid, "rb") as stream:
                line = stream.read()
        except OSError:
            continue
        name = "%s of process %s" % (line.split(b"\0")[0].decode("utf-8", "replace"), pid)
        if holds(line):
            found["argv"].add(name)
        elif SIGN in line:
            found["control"].add(name)


found = {"private": set(), "open": set(), "argv": set(), "control": set()}
looks, end = 0, time.monotonic() + 240
while os.path.exists(STOP) and time.monotonic() < end:  # noqa: F821 (given before this text)
    for path in files():
        look_at(path)
    look_at_command_lines()
    looks += 1
    time.sleep(0.001)  # the hosts of a lab share the machine
print(json.dumps(dict({name: sorted(paths) for name, paths in found.items()}, looks=looks)))
