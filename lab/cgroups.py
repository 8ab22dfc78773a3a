"""A control group for each machine, where PID 1 is not systemd and nspawn cannot get one by itself.

Without it all machines would share one tree: each systemd would find the others' processes under its own units.
"""

import os
import sys
from pathlib import Path

PARENT = "heat-scaleout"


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


def launcher(machine: str) -> list[str]:
    """Return the start of a command that enters the machine's groups and then becomes the rest of the command."""
    groups = [str(folder) for folder in folders(machine)]
    return [sys.executable, "-I", "-S", __file__, *groups, "--"] if groups else []


def remove(machine: str) -> None:
    """Remove the groups of a machine that has ended, and their parent with the last of them."""
    for folder in folders(machine):
        inner = [path for path in folder.rglob("*") if path.is_dir()]
        for group in [*sorted(inner, key=lambda path: -len(path.parts)), folder]:
            if group.is_dir():
                group.rmdir()
        if folder.parent.is_dir() and not any(path.is_dir() for path in folder.parent.iterdir()):
            folder.parent.rmdir()


def enter(arguments: list[str]) -> None:
    """Join the groups named before `--` and become the program named after it, under the same PID."""
    split = arguments.index("--")
    for group in map(Path, arguments[:split]):
        group.mkdir(parents=True, exist_ok=True)
        (group / "cgroup.procs").write_text(f"{os.getpid()}\n")
    os.execvp(arguments[split + 1], arguments[split + 1:])


if __name__ == "__main__":
    enter(sys.argv[1:])
