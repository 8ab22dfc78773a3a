"""A control group for each machine, where PID 1 is not systemd and nspawn cannot get one by itself.

Without it all machines would share one tree: each systemd would find the others' processes under its own units.
"""

import time
from pathlib import Path

PARENT = "heat-scaleout"
DEADLINE = 20
KILL = "cgroup.kill"


def folders(machine: str) -> list[Path]:
    """Return the machine's group in every hierarchy that systemd uses; none where systemd itself gives groups."""
    if Path("/run/systemd/system").is_dir():
        return []
    return [mount / PARENT / machine for mount in hierarchies()]


def hierarchies() -> list[Path]:
    """Return where the unified hierarchy and systemd's own named one are mounted."""
    found = []
    for line in Path("/proc/self/mounts").read_text().splitlines():
        _device, place, kind, options = line.split()[:4]
        if kind == "cgroup2" or (kind == "cgroup" and "name=systemd" in options.split(",")):
            found.append(Path(place))
    return found


def remove(machine: str) -> None:
    """Remove the groups of a machine that was ended, with whatever still runs there; raise OSError if it stays."""
    deadline = time.monotonic() + DEADLINE
    for killer in (folder / KILL for folder in folders(machine)):
        if killer.exists():
            killer.write_text("1\n")
    for folder in folders(machine):
        while folder.is_dir():
            try:
                remove_tree(folder)
            except OSError:
                if time.monotonic() > deadline:
                    raise
                time.sleep(0.05)


def remove_tree(folder: Path) -> None:
    """Remove a group with all groups inside it; their parent too, with the last machine's."""
    inner = [path for path in folder.rglob("*") if path.is_dir()]
    for group in [*sorted(inner, key=lambda path: -len(path.parts)), folder]:
        group.rmdir()
    if not any(path.is_dir() for path in folder.parent.iterdir()):
        folder.parent.rmdir()
