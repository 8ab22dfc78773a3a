"""The file system of a host in memory: a folder of this machine that its programs take for the whole of it.

Names, folders, links, modes and open files are this machine's; owners are remembered, as only root may give files away.
"""

import copy
import os
import shutil
import tempfile
import weakref
from collections.abc import Iterator, MutableMapping
from pathlib import Path
from typing import Any

MEMORY = "/dev/shm"
SYSTEM = ("/proc", "/run", "/var/lib/heat-scaleout", "/opt", "/usr", "/bin")  # not files that a test put there


class Root:
    """A temporary folder, gone with this object; a deep copy has a folder of its own."""

    def __init__(self) -> None:
        self.folder = tempfile.mkdtemp(prefix="host-", dir=MEMORY if os.access(MEMORY, os.W_OK) else None)
        self.owners: dict[int, tuple[int, int]] = {}  # inode -> uid, gid; root's when it is not here
        weakref.finalize(self, shutil.rmtree, self.folder, ignore_errors=True)
        for each in ("etc/systemd/system", "run/systemd/system", "var/lib", "tmp"):
            os.makedirs(f"{self.folder}/{each}")

    def at(self, path: str) -> str:
        """Where a path of the host is on this machine."""
        is_plain = path[:1] == "/" and "//" not in path and "/." not in path
        return self.folder + (path if is_plain else os.path.normpath("/" + path.lstrip("/")))

    def inside(self, path: str) -> str:
        return path.removeprefix(self.folder) or "/"

    def owner(self, status: os.stat_result) -> tuple[int, int]:
        return self.owners.get(status.st_ino, (0, 0))

    def put(self, path: str, content: bytes, owner: tuple[int, int] = (0, 0), mode: int = 0o644) -> None:
        """Have a file there, whatever was there before."""
        place = Path(self.at(path))
        place.parent.mkdir(parents=True, exist_ok=True)
        place.unlink(missing_ok=True)
        place.write_bytes(content)
        place.chmod(mode)
        self.owners[place.stat().st_ino] = owner

    def __deepcopy__(self, memo: dict[int, Any]) -> "Root":
        twin = Root()
        shutil.copytree(self.folder, twin.folder, symlinks=True, dirs_exist_ok=True)
        for folder, folders, names in os.walk(self.folder):
            for path in (f"{folder}/{name}" for name in folders + names):
                if owner := self.owners.get(os.lstat(path).st_ino):
                    twin.owners[os.lstat(twin.folder + path.removeprefix(self.folder)).st_ino] = copy.copy(owner)
        return twin


class FakeFile:
    """A file as a test sees it, equal to one of the same content and access. What a test sets is written at once."""

    FIELDS = ("content", "owner", "group", "mode")

    def __init__(self, files: "Files", path: str, *values: Any) -> None:
        self.__dict__.update(zip(self.FIELDS, values, strict=True), _files=files, _path=path)

    def __setattr__(self, name: str, value: Any) -> None:
        self.__dict__[name] = value
        self._files[self._path] = self

    def __eq__(self, other: object) -> bool:
        return isinstance(other, FakeFile) and self.values() == other.values()

    def __repr__(self) -> str:
        return f"FakeFile{self.values()}"

    def values(self) -> tuple[Any, ...]:
        return tuple(self.__dict__[name] for name in self.FIELDS)


class Files(MutableMapping[str, FakeFile]):
    """Path -> file, of all that are not the system's or our records."""

    def __init__(self, root: Root, accounts: dict[str, int]) -> None:
        self.root, self.accounts = root, accounts

    def __getitem__(self, path: str) -> FakeFile:
        place = self.root.at(path)
        if not os.path.isfile(place):
            raise KeyError(path)
        status = os.stat(place)
        names = {number: name for name, number in self.accounts.items()}
        owner, group = (names[each] for each in self.root.owner(status))
        return FakeFile(self, path, Path(place).read_bytes(), owner, group, status.st_mode & 0o7777)

    def __setitem__(self, path: str, file: FakeFile) -> None:
        content, owner, group, mode = file.values()
        self.root.put(path, content, (self.accounts[owner], self.accounts[group]), mode)

    def __delitem__(self, path: str) -> None:
        os.unlink(self.root.at(path))

    def __iter__(self) -> Iterator[str]:
        for folder, _, names in os.walk(self.root.folder):
            inside = self.root.inside(folder)
            for path in (os.path.join(inside, name) for name in names):
                if not path.startswith(SYSTEM) and not os.path.islink(self.root.at(path)):
                    yield path

    def __len__(self) -> int:
        return sum(1 for _ in self)

    def __eq__(self, other: object) -> bool:
        return dict(self) == (dict(other) if isinstance(other, Files) else other)
