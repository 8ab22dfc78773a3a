"""Overlay mounts: put up, listed from the kernel, and taken down."""

from collections.abc import Sequence
from pathlib import Path

from lab import command


def overlay(root: Path, lowers: Sequence[Path], upper: Path, work: Path) -> None:
    """Mount at `root` the lower trees (the topmost first) with `upper` over them."""
    for folder in (root, upper, work):
        folder.mkdir(parents=True, exist_ok=True)
    lower = ":".join(escaped(path) for path in lowers)
    options = f"lowerdir={lower},upperdir={escaped(upper)},workdir={escaped(work)}"
    command.run(["mount", "-t", "overlay", "overlay", "-o", options, str(root)])


def escaped(path: Path) -> str:
    """Quote what overlay options give a meaning to."""
    return str(path).replace("\\", "\\\\").replace(":", "\\:").replace(",", "\\,")


def is_mounted(folder: Path) -> bool:
    """Tell whether something is mounted right at this folder."""
    return str(folder) in points()


def points() -> list[str]:
    """Return every mount point, in the order mounted."""
    lines = Path("/proc/self/mounts").read_text().splitlines()
    return [line.split()[1].replace("\\040", " ") for line in lines]


def detach_below(folder: Path) -> None:
    """Unmount all that is mounted at or under a folder, the last mounted first."""
    inside = [point for point in points() if point == str(folder) or point.startswith(f"{folder}/")]
    for point in reversed(inside):
        command.run(["umount", point])
