"""What the agent's modules import on a host in memory, in place of Python's own: its files, time, accounts, programs.

A name that is missing here is an error of the test that needs it: nothing of the agent reaches this machine.
"""

import builtins
import errno
import fcntl
import glob
import io
import os
import posixpath
import shutil
import signal
import sys
import tempfile
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

from contract import fake_programs, fake_sockets

PURE = {
    "atexit",
    "base64",
    "contextlib",
    "csv",
    "errno",
    "fnmatch",
    "hashlib",
    "itertools",
    "json",
    "re",
    "ssl",
    "struct",
}
PURE_OS = {"fdopen", "read", "pread", "pwrite", "ftruncate", "lseek", "strerror", "memfd_create", "sysconf", "devnull"}
PURE_PATH = {"abspath", "basename", "dirname", "join", "split"}
READ_ONLY, FRAGMENT = 1, 4096
FOREVER = 10.0**9  # seconds


class FakeOs:
    """`os` of a host."""

    def __init__(self, host: Any) -> None:
        self._host, self._root = host, host.root
        at = host.root.at
        self.path = SimpleNamespace(
            **{name: getattr(posixpath, name) for name in PURE_PATH},
            exists=lambda path: host.proc.has(path) or posixpath.exists(at(path)),
            isdir=lambda path: posixpath.isdir(at(path)),
            isfile=lambda path: posixpath.isfile(at(path)),
            lexists=lambda path: posixpath.lexists(at(path)),
            islink=lambda path: posixpath.islink(at(path)),
        )

    def __getattr__(self, name: str) -> Any:
        if name.isupper() or name.startswith(("O_", "SEEK_")) or name in PURE_OS:
            return getattr(os, name)
        raise AttributeError(f"hosts in memory have no os.{name}")

    def open(self, path: str, flags: int, mode: int = 0o777) -> int:
        place, is_new = self._root.at(path), not os.path.lexists(self._root.at(path))
        if flags & os.O_CREAT and is_new:
            self._refuse_read_only(path)
        descriptor = os.open(place, flags, mode)
        if is_new:
            self._root.owners.pop(os.fstat(descriptor).st_ino, None)
        return descriptor

    def write(self, descriptor: int, content: bytes) -> int:
        return self._host.stderr.write(content) if descriptor == 2 else os.write(descriptor, content)

    def close(self, descriptor: int) -> None:
        if self._host.handles.pop(descriptor, None) is None:
            os.close(descriptor)

    def fsync(self, descriptor: int) -> None:
        os.fstat(descriptor)  # the power never fails here

    def fstat(self, descriptor: int) -> SimpleNamespace:
        status = os.fstat(descriptor)
        uid, gid = self._root.owner(status)
        return SimpleNamespace(st_mode=status.st_mode, st_size=status.st_size, st_uid=uid, st_gid=gid)

    def lstat(self, path: str) -> SimpleNamespace:
        status = os.lstat(self._root.at(path))
        uid, gid = self._root.owner(status)
        return SimpleNamespace(st_mode=status.st_mode, st_uid=uid, st_gid=gid)

    def chown(self, path: str, uid: int, gid: int, *, follow_symlinks: bool) -> None:
        self._root.owners[os.stat(self._root.at(path), follow_symlinks=follow_symlinks).st_ino] = (uid, gid)

    def fchown(self, descriptor: int, uid: int, gid: int) -> None:
        if descriptor in self._host.handles:
            return
        self._root.owners[os.fstat(descriptor).st_ino] = (uid, gid)

    def fchmod(self, descriptor: int, mode: int) -> None:
        os.fchmod(descriptor, mode)

    def chmod(self, path: str, mode: int) -> None:
        os.chmod(self._root.at(path), mode)

    def makedirs(self, path: str, mode: int = 0o777, exist_ok: bool = False) -> None:
        os.makedirs(self._root.at(path), mode, exist_ok)

    def rename(self, old: str, new: str) -> None:
        os.rename(self._root.at(old), self._root.at(new))

    def unlink(self, path: str) -> None:
        self._refuse_read_only(path)
        os.unlink(self._root.at(path))

    def rmdir(self, path: str) -> None:
        os.rmdir(self._root.at(path))

    def listdir(self, path: str) -> list[str]:
        return self._host.proc.listed(path) if path.startswith("/proc") else os.listdir(self._root.at(path))

    def readlink(self, path: str) -> str:
        return self._host.proc.link(path) if path.startswith("/proc") else os.readlink(self._root.at(path))

    def walk(self, top: str) -> Iterator[tuple[str, list[str], list[str]]]:
        for folder, folders, names in os.walk(self._root.at(top)):
            yield self._root.inside(folder), folders, names

    def statvfs(self, path: str) -> SimpleNamespace:
        os.stat(self._root.at(path))
        flags = READ_ONLY if self._host.read_only else 0
        return SimpleNamespace(f_flag=flags, f_bavail=self._host.free // FRAGMENT, f_frsize=FRAGMENT)

    def cpu_count(self) -> int:
        return self._host.cpus

    def geteuid(self) -> int:
        return self._host.uid

    def getpid(self) -> int:
        return self._host.agent_pid

    def kill(self, pid: int, _signal: int) -> None:
        self._host.kill(pid)

    def _refuse_read_only(self, path: str) -> None:
        if self._host.read_only:
            raise OSError(errno.EROFS, os.strerror(errno.EROFS), path)


def modules(host: Any) -> dict[str, Any]:
    """Name -> what stands for a module of Python on this host."""
    at, inside = host.root.at, host.root.inside
    return {
        "os": FakeOs(host),
        "glob": SimpleNamespace(glob=lambda pattern: [inside(each) for each in glob.glob(at(pattern))]),
        "shutil": _shutil(host),
        "tempfile": SimpleNamespace(
            TemporaryDirectory=lambda prefix, dir: _Folder(host.root, prefix, dir), TemporaryFile=io.BytesIO
        ),
        "pwd": SimpleNamespace(
            getpwnam=lambda name: SimpleNamespace(pw_uid=_number(host, "getpwnam", name), pw_name=name),
            getpwuid=lambda uid: SimpleNamespace(pw_name=_name(host, uid)),
        ),
        "grp": SimpleNamespace(
            getgrnam=lambda name: SimpleNamespace(gr_gid=_number(host, "getgrnam", name)),
            getgrgid=lambda gid: SimpleNamespace(gr_name=_name(host, gid)),
        ),
        "sys": SimpleNamespace(version_info=tuple(host.python), byteorder=sys.byteorder),
        "fcntl": SimpleNamespace(
            LOCK_EX=fcntl.LOCK_EX, LOCK_SH=fcntl.LOCK_SH, LOCK_NB=fcntl.LOCK_NB, lockf=lambda *how: _lock(host, *how)
        ),
        "signal": _signal(host),
        "select": SimpleNamespace(poll=lambda: SimpleNamespace(register=lambda *_: None, poll=lambda _: [])),
        "resource": SimpleNamespace(RLIMIT_NOFILE=0, getrlimit=lambda _: (1024, 4096), setrlimit=lambda *_: None),
        **fake_programs.modules(host),
        **fake_sockets.modules(host),
    }


def _lock(host: Any, file: Any, how: int) -> None:
    """`fcntl.lockf` of a file that another request may have."""
    inode = os.fstat(file.fileno()).st_ino
    held = {path for path in host.flocks if os.stat(host.root.at(path)).st_ino == inode}
    if held and how & fcntl.LOCK_NB:
        raise BlockingIOError(errno.EAGAIN, os.strerror(errno.EAGAIN))
    assert host.clock.wait_until(lambda: not held & host.flocks, FOREVER), "a lock that nobody releases"


def _signal(host: Any) -> SimpleNamespace:
    """The alarm of the one timer that the agent sets."""
    handlers, due = {}, []

    def handle(number: int, handler: Any) -> Any:
        before, handlers[number] = handlers.get(number), handler
        return before

    def set_timer(_which: int, seconds: float, _interval: float = 0.0) -> tuple[float, float]:
        before = 0.0
        while due:
            number, at = due.pop()
            host.clock.cancel(number)
            before = max(at - host.clock.now, 0.0)
        if seconds:
            number = host.clock.after(seconds, lambda: handlers[signal.SIGALRM](signal.SIGALRM, None))
            due.append((number, host.clock.now + seconds))
        return before, 0.0

    constants = {name: getattr(signal, name) for name in ("SIGALRM", "SIGTERM", "ITIMER_REAL")}
    return SimpleNamespace(**constants, signal=handle, setitimer=set_timer)


def opener(host: Any) -> Any:
    """`open` of a host."""

    def opened(path: str, mode: str = "r", **how: Any) -> Any:
        if path.startswith("/proc/"):
            content = host.proc.content(path)
            return io.BytesIO(content) if "b" in mode else io.StringIO(content.decode())
        return builtins.open(host.root.at(path), mode, **how)

    return opened


def _shutil(host: Any) -> SimpleNamespace:
    at = host.root.at

    def chown(path: str, user: str, group: str) -> None:
        owner = (_number(host, "getpwnam", user), _number(host, "getgrnam", group))
        host.root.owners[os.stat(at(path)).st_ino] = owner

    return SimpleNamespace(
        chown=chown,
        copyfileobj=shutil.copyfileobj,
        copy2=lambda source, target, follow_symlinks: shutil.copy2(
            at(source), at(target), follow_symlinks=follow_symlinks
        ),
        copystat=lambda source, target: shutil.copystat(at(source), at(target)),
        rmtree=lambda path, ignore_errors=False: shutil.rmtree(at(path), ignore_errors),
    )


class _Folder:
    """A temporary folder, under the name that it has on the host."""

    def __init__(self, root: Any, prefix: str, folder: str) -> None:
        self._root = root
        self._real = tempfile.TemporaryDirectory(prefix=prefix, dir=root.at(folder))

    def __enter__(self) -> str:
        return self._root.inside(self._real.__enter__())

    def __exit__(self, *error: object) -> None:
        self._real.__exit__(*error)


def _number(host: Any, function: str, name: str) -> int:
    if name not in host.accounts:
        raise KeyError(f"{function}(): name not found: {name!r}")
    return host.accounts[name]


def _name(host: Any, number: int) -> str:
    return next(name for name, each in host.accounts.items() if each == number)
