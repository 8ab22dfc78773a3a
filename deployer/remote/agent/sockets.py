"""Who listens where, which process is whose, what a unix socket answers; from /proc, as no tool is surely there."""

import os
import re
import socket
import sys

# Users may make control groups of their own below their session, with any name: none of those is a unit's.
UNIT = re.compile(r"[A-Za-z0-9:_.\\@][A-Za-z0-9:_.\\@-]{0,240}\.(service|scope)\Z")


def listeners():
    """Every listening TCP socket with the process that holds it: [{address, port, pid, program, unit, argv}]."""
    inodes = {}
    for table, family in (("/proc/net/tcp", socket.AF_INET), ("/proc/net/tcp6", socket.AF_INET6)):
        for row in rows_of(table):
            if row[3] == "0A":
                address, port = row[1].split(":")
                inodes["socket:[%s]" % row[9]] = (address_from(address, family), int(port, 16))
    owners = owners_of(set(inodes))
    return [
        dict(process(owners[inode]) if inode in owners else {}, address=address, port=port)
        for inode, (address, port) in sorted(inodes.items(), key=lambda item: item[1])
    ]


def rows_of(table):
    if not os.path.exists(table):
        return []
    with open(table) as stream:
        return [line.split() for line in stream.readlines()[1:]]


def address_from(text, family):
    raw = bytes.fromhex(text)
    words = b"".join(raw[start : start + 4][::-1] for start in range(0, len(raw), 4))
    return socket.inet_ntop(family, words if sys.byteorder == "little" else raw)


def owners_of(inodes):
    """Socket -> the lowest PID that holds it: the parent of its forked workers."""
    owners = {}
    for pid in sorted(int(name) for name in os.listdir("/proc") if name.isdigit()):
        try:
            for number in os.listdir("/proc/%d/fd" % pid):
                target = os.readlink("/proc/%d/fd/%s" % (pid, number))
                if target in inodes:
                    owners.setdefault(target, pid)
        except OSError:
            continue
    return owners


def process(pid):
    try:
        with open("/proc/%d/cmdline" % pid, "rb") as stream:
            argv = stream.read().decode("utf-8", "replace").rstrip("\0").split("\0")
        with open("/proc/%d/comm" % pid) as stream:
            program = stream.read().strip()
    except OSError:
        return {}
    return {"pid": pid, "argv": argv, "program": program, "unit": unit_of(pid)}


def parent_of(pid):
    try:
        with open("/proc/%d/stat" % pid) as stream:
            return int(stream.read().rpartition(")")[2].split()[1])
    except OSError:
        return 0


def unit_of(pid):
    try:
        with open("/proc/%d/cgroup" % pid) as stream:
            names = [part for line in stream for part in line.strip().split("/")]
    except OSError:
        return ""
    return next((name for name in reversed(names) if UNIT.match(name)), "")


def processes_like(words):
    """Main processes whose program or script is named by one of the words: [{pid, program, unit, argv}]."""
    found = {}
    for pid in sorted(int(name) for name in os.listdir("/proc") if words and name.isdigit()):
        each = process(pid)
        if any(name_in(part) in words for part in each.get("argv", [])[:2]):
            found.setdefault(each["unit"] or pid, each)
    return list(found.values())


def name_in(argument):
    """The program that an argument names; a process that gives itself a title writes `program: what it does`."""
    return os.path.basename(argument.split(":")[0])


def ask_or_none(path, question):
    try:
        return ask(path, question)
    except OSError:
        return None


def ask(path, question):
    """Send one line to a unix socket and return everything it answers."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection:
        connection.settimeout(5)
        connection.connect(path)
        connection.sendall(question.encode())
        connection.shutdown(socket.SHUT_WR)
        parts = []
        while True:
            part = connection.recv(65536)
            if not part:
                return b"".join(parts).decode("utf-8", "replace")
            parts.append(part)
