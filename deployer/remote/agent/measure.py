"""What a host has to spare, and what the processes of some units hold; from /proc."""

import fnmatch
import os
import resource

from deployer.remote.agent import programs, sockets


def measure(request):
    """Given patterns of units: {available: bytes, most_files, units: {name: {processes, memory: bytes}}, answers}.

    None for what this system does not show. `answers` are those of `programs`, which run meanwhile.
    """
    asked = request.get("programs", {})
    begun = {name: programs.begin(each) for name, each in asked.items()}
    return {
        "available": available(),
        "most_files": most_files(),
        "units": held_by(request.get("units", [])),
        "answers": {name: programs.answer(each, asked[name]["timeout"]) for name, each in begun.items()},
    }


def available():
    kilobytes = field_of("/proc/meminfo", "MemAvailable:")
    return kilobytes and kilobytes * 1024


def most_files():
    """How many files a unit may be allowed to open: the kernel's number, or less where root may not raise limits."""
    most = number_in("/proc/sys/fs/nr_open")
    try:
        resource.setrlimit(resource.RLIMIT_NOFILE, (resource.getrlimit(resource.RLIMIT_NOFILE)[0], most))
    except (
        OSError,
        ValueError,
        TypeError,
    ):  # a container: systemd has what it was started with
        return hard_limit_of(1) or most
    return most


def hard_limit_of(pid):
    try:
        with open("/proc/%d/limits" % pid) as stream:
            return next((int(line.split()[4]) for line in stream if line.startswith("Max open files")), None)
    except (OSError, ValueError):
        return None


def held_by(patterns):
    found = {}
    for pid in [name for name in os.listdir("/proc") if patterns and name.isdigit()]:
        unit = sockets.unit_of(int(pid))
        if any(fnmatch.fnmatchcase(unit, pattern) for pattern in patterns):
            unit = found.setdefault(unit, {"processes": 0, "memory": 0})
            unit["processes"] += 1
            unit["memory"] += memory_of(pid)
    return found


def memory_of(pid):
    """Bytes that a process holds, with its share of what it has in common with others (PSS); else all of it (RSS)."""
    share = field_of("/proc/%s/smaps_rollup" % pid, "Pss:")
    return (share or field_of("/proc/%s/status" % pid, "VmRSS:") or 0) * 1024


def field_of(path, name):
    """The number behind a name at the start of a line; None where there is none."""
    try:
        with open(path) as stream:
            return next((int(line.split()[1]) for line in stream if line.startswith(name)), None)
    except OSError:
        return None


def number_in(path):
    try:
        with open(path) as stream:
            return int(stream.read())
    except (OSError, ValueError):
        return None
