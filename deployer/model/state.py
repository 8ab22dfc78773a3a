"""What a host has or should have: its files and its units. Both states share this shape and compare by it."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from types import MappingProxyType
from typing import Never, TypedDict, Unpack

from deployer.model.names import Endpoint
from deployer.model.probe import Probe, Program
from deployer.model.service import Service

NOTHING: Mapping[str, Never] = MappingProxyType({})
KEPT = ".before-heat-scaleout"  # what the agent appends to a file that was there before ours


def digest_of(content: bytes) -> str:
    """The digest by which files are compared: sha256, hexadecimal."""
    return hashlib.sha256(content).hexdigest()


def text_of(content: bytes) -> str:
    """Text of which every byte survives, also those that are no UTF-8."""
    return content.decode("utf-8", "surrogateescape")


def bytes_of(text: str) -> bytes:
    """The bytes of such a text."""
    return text.encode("utf-8", "surrogateescape")


@dataclass(frozen=True)
class File:
    """A file on a host. Compared by digest, owner and mode; the content is carried, never compared or printed.

    `check` is the command that judges it before it replaces the old one (`{}` is its path); `only` names the service
    that alone reads it.
    """

    path: str
    digest: str
    owner: str = "root"
    group: str = "root"
    mode: int = 0o644
    content: bytes | None = field(default=None, compare=False, repr=False)
    check: tuple[str, ...] = field(default=(), compare=False)
    only: Service | None = field(default=None, compare=False)


class FileOptions(TypedDict, total=False):
    """The fields of a File that have a default."""

    owner: str
    group: str
    mode: int
    check: tuple[str, ...]
    only: Service | None


def file_of(path: str, content: bytes, **options: Unpack[FileOptions]) -> File:
    """A File with its content."""
    return File(path, digest_of(content), content=content, **options)


class UnitState(StrEnum):
    """What systemd calls the state of a unit: one that is stopping is neither running nor gone."""

    ACTIVE = "active"
    ACTIVATING = "activating"
    DEACTIVATING = "deactivating"
    AUTO_RESTART = "auto-restart"  # it has failed, and systemd is going to start it again
    FAILED = "failed"
    INACTIVE = "inactive"


@dataclass(frozen=True)
class Unit:
    """A systemd unit. `config` is the digest of everything its process read when it started (None: not running).

    `ready` proves a start, `answers` that its clients are answered (None: it has none), `reached` that the proxy's host
    reaches it (None: as `ready`); `needs` are the (address, port) pairs that it listens on; `reads` are the files, and
    with a final slash the folders, that its process reads when it starts; `drained`: the proxy sends it nothing;
    `secure`: it serves TLS; `started_with`: the digest of the unit file with which the proxy's process started (None:
    not known).
    """

    name: str
    state: UnitState = UnitState.ACTIVE
    enabled: bool = True
    config: str | None = None
    pid: int | None = field(default=None, compare=False)
    ready: Probe | None = field(default=None, compare=False)
    reached: Probe | None = field(default=None, compare=False)
    answers: Program | None = field(default=None, compare=False)
    needs: tuple[tuple[str, int], ...] = field(default=(), compare=False)
    reads: tuple[str, ...] = field(default=(), compare=False)
    drained: bool = field(default=False, compare=False)
    secure: bool = field(default=False, compare=False)
    started_with: str | None = field(default=None, compare=False)

    @property
    def running(self) -> bool:
        """Whether its process has started and nobody has told it to stop."""
        return self.state is UnitState.ACTIVE

    @property
    def stopping(self) -> bool:
        """Whether its process was told to stop, and still ends its work."""
        return self.state is UnitState.DEACTIVATING

    @property
    def is_left(self) -> bool:
        """Whether it has a process, or will have one after a reboot."""
        return self.enabled or self.state not in (UnitState.INACTIVE, UnitState.FAILED)


@dataclass(frozen=True)
class HostState:
    """What a host has or should have: path -> File, unit name -> Unit.

    `managed`: paths that we put there. `stale`: systemd must read its unit files again. `shutdown_probes`: unit
    name -> how a process that is no longer desired proves that it has stopped.
    """

    files: Mapping[str, File] = field(default_factory=dict)
    units: Mapping[str, Unit] = field(default_factory=dict)
    managed: frozenset[str] = field(default=frozenset(), compare=False)
    stale: bool = field(default=False, compare=False)
    shutdown_probes: Mapping[str, Probe] = field(default_factory=dict, compare=False)


@dataclass(frozen=True)
class Desired:
    """What every host should have, where clients reach the APIs, and warnings about values of heat.conf left as is."""

    states: Mapping[str, HostState]
    binds: Mapping[Service, Endpoint]
    warnings: tuple[str, ...] = ()
