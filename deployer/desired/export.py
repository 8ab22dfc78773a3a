"""Writes desired files below a local folder, and reads a local folder as if a host had it."""

import os
from dataclasses import dataclass
from pathlib import Path

from deployer import errors
from deployer.model.state import Desired, File, HostState, file_of


@dataclass(frozen=True)
class Export:
    """The files that were written, and the warnings about what they say."""

    files: tuple[Path, ...]
    warnings: tuple[str, ...]


def write(desired: Desired, out: Path) -> Export:
    """Write every host's files to `out/<host>/<path on the host>`, readable by their owner alone: they hold secrets.

    Raise BadInput, before anything is written, for a path that would lead out of there.
    """
    files = {
        _below(out / host, path): file.content or b""
        for host, state in desired.states.items()
        for path, file in sorted(state.files.items())
    }
    return Export(tuple(_write(path, content) for path, content in files.items()), desired.warnings)


def _below(folder: Path, path: str) -> Path:
    """Where a file of a host goes: names of files come from hosts."""
    if os.path.normpath(path) != path or not path.strip("/") or not path.startswith("/") or "\0" in path:
        raise errors.BadInput(f"{path!r} is no path of a file on a host", hint="Nothing was written.")
    return folder / path.lstrip("/")


def _write(path: Path, content: bytes) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    path.unlink(missing_ok=True)  # a process that has an older file open reads nothing of this one
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as stream:
        stream.write(content)
    return path


def read(folder: Path, target: str) -> HostState:
    """Read a local copy of a host's folder `target`; raise BadInput when it is not a folder."""
    if not folder.is_dir():
        raise errors.BadInput(
            f"{folder} is not a folder", hint="--source takes a local copy of the source's /etc/heat."
        )
    paths = sorted(path for path in folder.rglob("*") if path.is_file())
    return HostState({file.path: file for file in (_read(folder, path, target) for path in paths)})


def _read(folder: Path, path: Path, target: str) -> File:
    return file_of(f"{target}/{path.relative_to(folder).as_posix()}", path.read_bytes())
