"""What the units of a host have used: by their control groups or, where those do not count, by their processes."""

import fnmatch
import os
import time

from deployer.remote.agent import measure, observe, sockets

CGROUP = "/sys/fs/cgroup"
# Where the hierarchies are mounted: version 2 alone, or beside version 1, whose controllers may share a folder.
UNIFIED = ("", "unified")
CPUACCT = ("cpuacct", "cpu,cpuacct")
TICKS = os.sysconf("SC_CLK_TCK")  # a second, of the CPU times in /proc


def watch(request):
    """Return what `observe` does, and `usage`: {at: seconds of this host's own clock, units: {name: {cpu, memory}}}.

    `cpu` are seconds since the unit started, `memory` bytes; of units of ours and of the engines that are not.
    """
    reply = observe.observe(request)
    patterns = request["units"] + [each["unit"] for each in reply.get("processes", []) if each["unit"]]
    return dict(reply, usage={"at": time.monotonic(), "units": used_by(patterns)})


def used_by(patterns):
    pids = {}
    for pid in [int(name) for name in os.listdir("/proc") if name.isdigit()]:
        unit = sockets.unit_of(pid)
        if unit.endswith(".service") and any(fnmatch.fnmatchcase(unit, pattern) for pattern in patterns):
            pids.setdefault(unit, []).append(pid)
    return {unit: {"cpu": cpu_of(unit, each), "memory": memory_of(unit, each)} for unit, each in pids.items()}


def cpu_of(unit, pids):
    """Seconds of CPU that a unit has used."""
    groups = groups_of(pids[0])
    microseconds = in_group(
        unit, groups.get(""), UNIFIED, lambda path: measure.field_of(path, "usage_usec"), "cpu.stat"
    )
    if microseconds is not None:
        return microseconds / 1e6
    nanoseconds = in_group(unit, groups.get("cpuacct"), CPUACCT, measure.number_in, "cpuacct.usage")
    return sum(map(cpu_of_process, pids)) if nanoseconds is None else nanoseconds / 1e9


def memory_of(unit, pids):
    """Bytes of memory that a unit holds."""
    groups = groups_of(pids[0])
    held = in_group(unit, groups.get(""), UNIFIED, measure.number_in, "memory.current")
    if held is None:
        held = in_group(unit, groups.get("memory"), ("memory",), measure.number_in, "memory.usage_in_bytes")
    return sum(map(measure.memory_of, pids)) if held is None else held


def in_group(unit, group, mounts, read, name):
    """What a file of a unit's own control group says; None where it has none of its own, or no such file."""
    if not group or os.path.basename(group) != unit:
        return None
    found = (read(os.path.join(CGROUP, mount, group.lstrip("/"), name)) for mount in mounts)
    return next((each for each in found if each is not None), None)


def groups_of(pid):
    """Controller -> the control group of a process; "" stands for version 2."""
    try:
        with open("/proc/%d/cgroup" % pid) as stream:
            rows = [line.strip().split(":", 2) for line in stream]
    except OSError:
        return {}
    return {controller: group for _, controllers, group in rows for controller in controllers.split(",")}


def cpu_of_process(pid):
    """Seconds of CPU of a process and of those of its children that have ended."""
    try:
        with open("/proc/%d/stat" % pid) as stream:
            fields = stream.read().rpartition(")")[2].split()
    except OSError:
        return 0.0
    return sum(int(each) for each in fields[11:15]) / TICKS
