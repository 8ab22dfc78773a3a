"""Where finished layers live, and how one is built: alone, aside, and put in place only when whole."""

import fcntl
import hashlib
import os
import shutil
import time
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from lab import mounts
from lab.progress import say, timed

KEEP_SECONDS = 14 * 24 * 3600


@dataclass(frozen=True)
class Layer:
    """A folder tree that overlays those it needs; `recipe` is every text that decides its content."""

    name: str
    recipe: tuple[str, ...]
    build: Callable[["Layer", Path], None]
    needs: tuple["Layer", ...] = ()

    @property
    def key(self) -> str:
        """Name the layer by all that went into it, the layers beneath included."""
        parts = [self.name, *self.recipe, *(layer.key for layer in self.needs)]
        return f"{self.name}-{hashlib.sha256(chr(0).join(parts).encode()).hexdigest()[:12]}"

    @property
    def path(self) -> Path:
        """Return where the finished layer is, or will be."""
        return root() / "layers" / self.key

    @property
    def log(self) -> Path:
        """Return the file that everything said while building goes to."""
        return root() / "logs" / f"{self.key}.log"


def root() -> Path:
    """Return the cache's folder: $XDG_CACHE_HOME/heat-scaleout, or the same under ~/.cache."""
    home = os.environ.get("XDG_CACHE_HOME") or str(Path.home() / ".cache")
    return Path(home) / "heat-scaleout"


def ensure(layer: Layer) -> Path:
    """Return the layer's folder, built now unless it is there; raise HostFailed, naming a log, if that fails."""
    mark_used(layer.key)
    if layer.path.is_dir():
        return layer.path
    with locked(layer.key):
        if not layer.path.is_dir():
            build_aside(layer)
    return layer.path


def mark_used(key: str) -> None:
    """Note that a layer was asked for now."""
    folder = root() / "used"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / key).touch()


def prune(in_use: Collection[Path]) -> None:
    """Remove the layers that no lab stands on and that nobody asked for in two weeks: those of older recipes."""
    oldest = time.time() - KEEP_SECONDS
    for mark in sorted((root() / "used").iterdir()):
        path = root() / "layers" / mark.name
        if mark.stat().st_mtime < oldest and path not in in_use:
            shutil.rmtree(path, ignore_errors=True)
            mark.unlink()


def build_aside(layer: Layer) -> None:
    """Build a layer in a folder of its own and rename it into place; what an interrupted build left goes first."""
    aside = root() / "building" / layer.key
    discard(aside)
    aside.mkdir(parents=True)
    layer.log.unlink(missing_ok=True)
    try:
        with timed(f"building {layer.name}"):
            layer.build(layer, aside)
        layer.path.parent.mkdir(parents=True, exist_ok=True)
        (aside / "layer").rename(layer.path)
    finally:
        discard(aside)


def discard(folder: Path) -> None:
    """Remove a build folder with the overlay that may still be mounted in it."""
    mounts.detach_below(folder)
    if folder.exists():
        shutil.rmtree(folder)


@contextmanager
def locked(key: str) -> Iterator[None]:
    """Hold the cache's lock of that name; a second builder of the same layer waits here."""
    folder = root() / "locks"
    root().mkdir(parents=True, exist_ok=True)
    root().chmod(0o700)
    folder.mkdir(exist_ok=True)
    with (folder / key).open("w") as handle:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            say(f"waiting for {key}, which is being built")
            fcntl.flock(handle, fcntl.LOCK_EX)
        yield


def texts_below(folder: Path) -> str:
    """Return the names and texts of all files below a folder, for a recipe."""
    files = sorted(path for path in folder.rglob("*") if path.is_file() and path.suffix != ".pyc")
    return "\0".join(f"{path.relative_to(folder)}\0{path.read_text()}" for path in files)
