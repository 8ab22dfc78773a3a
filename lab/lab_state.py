"""What this machine knows of its labs: one record each, beside the hosts' own files, and the locks for both."""

import dataclasses
import fcntl
import json
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from lab.lab_errors import LabTaken
from lab.machine import Process
from lab.progress import say

HOME = Path("/var/lib/heat-scaleout")
LOCKS = Path("/run/lock")
MACHINE = "MACHINE"


@dataclass(frozen=True)
class Record:
    """A lab as it was asked for and started; `processes` has the hosts that were ever booted.

    `node_layers` and `controller_layers` are paths, the topmost first: a lab keeps the layers it began with.
    """

    name: str
    heat: str
    subnet: int
    owner: str
    hosts: int
    node_layers: tuple[str, ...]
    controller_layers: tuple[str, ...]
    processes: Mapping[str, Process]

    @property
    def folder(self) -> Path:
        """Return where the lab's hosts keep their files."""
        return folder_of(self.name)

    def with_process(self, host: str, process: Process) -> "Record":
        """Return the record with a host's process in it."""
        return replace(self, processes={**self.processes, host: process})


def folder_of(name: str) -> Path:
    """Return a lab's folder on this machine."""
    return HOME / "labs" / name


def read(name: str) -> Record | None:
    """Return a lab's record, or None if there is no such lab."""
    try:
        written = json.loads((folder_of(name) / "state.json").read_text())
    except FileNotFoundError:
        return None
    # Another checkout's version of this file may know more than ours.
    fields = {field.name: written[field.name] for field in dataclasses.fields(Record)}
    fields["processes"] = {host: Process(**process) for host, process in fields["processes"].items()}
    for layers in ("node_layers", "controller_layers"):
        fields[layers] = tuple(fields[layers])
    return Record(**fields)


def write(record: Record) -> None:
    """Keep a record, whole or not at all."""
    record.folder.mkdir(parents=True, exist_ok=True)
    HOME.chmod(0o700)
    processes = {host: asdict(process) for host, process in record.processes.items()}
    aside = record.folder / "state.json.new"
    aside.write_text(json.dumps({**asdict(record), "processes": processes}))
    aside.rename(record.folder / "state.json")


def every() -> list[Record]:
    """Return the records of all labs of this machine."""
    folder = HOME / "labs"
    found = [read(path.name) for path in sorted(folder.iterdir())] if folder.is_dir() else []
    return [record for record in found if record is not None]


def require_owner(record: Record, checkout: Path) -> None:
    """Raise LabTaken if a lab belongs to another checkout that still exists."""
    if record.owner != str(checkout) and Path(record.owner).is_dir():
        raise LabTaken(
            f"lab {record.name} belongs to the checkout {record.owner}",
            hint=f"Use it from there, or choose another name: --name {record.name}2",
        )


@contextmanager
def locked(what: str) -> Iterator[None]:
    """Hold a lock of this machine, a lab's or MACHINE, after whoever holds it now."""
    path = LOCKS / f"heat-scaleout-{what}.lock"
    LOCKS.mkdir(parents=True, exist_ok=True)
    handle = open_locked(path)
    try:
        yield
    finally:
        path.unlink(missing_ok=True)
        os.close(handle)


def open_locked(path: Path) -> int:
    """Open and lock a file; anew if whoever had it before us removed it meanwhile."""
    while True:
        handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            say(f"waiting for another run, which holds {path.name}")
            fcntl.flock(handle, fcntl.LOCK_EX)
        if path.exists() and path.stat().st_ino == os.fstat(handle).st_ino:
            return handle
        os.close(handle)
