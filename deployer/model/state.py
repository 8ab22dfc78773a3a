"""Frozen vocabulary of every stage: hosts, processes, files and units, as a host has or should have them."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from types import MappingProxyType
from typing import Any

from deployer.model.tls import Trust

NOTHING: Mapping[Any, Any] = MappingProxyType({})


class Service(StrEnum):
    """The four kinds of process this product runs; the values are the words of the inventory and of JSON."""

    API = "api"
    CFN = "cfn"
    ENGINE = "engine"
    PROXY = "proxy"


class Secret:
    """A text that prints as `***` everywhere; `reveal()` is the only way to its value."""

    __slots__ = ("_value",)

    def __init__(self, value: str) -> None:
        self._value = value

    def reveal(self) -> str:
        return self._value

    def __str__(self) -> str:
        return "***"

    __repr__ = __str__

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and other._value == self._value

    def __hash__(self) -> int:
        return hash(self._value)

    def __reduce__(self) -> tuple:
        raise TypeError("a secret is never serialised")


@dataclass(frozen=True)
class Login:
    """What the inventory states of how SSH reaches a host; what is None is left to the SSH configuration.

    `key`, `known_hosts` and `ssh_config` are absolute paths, `ssh_config` may be "none"; `host_key` is a `type base64`
    line. `sudo` is None where it depends on who logs in.
    """

    user: str | None = None
    port: int | None = None
    key: str | None = None
    gateway: str | None = None
    sudo: bool | None = None
    host_key: str | None = None
    known_hosts: str | None = None
    connect_timeout: float | None = None
    ssh_config: str | None = None


@dataclass(frozen=True)
class Host:
    """One host of the inventory, as the fleet sees it; `address` is where SSH reaches it."""

    name: str
    address: str
    login: Login


@dataclass(frozen=True, order=True)
class Instance:
    """One process that the inventory asks for. `number` is 1..N for engines and the port for APIs.

    `drained`: the proxy sends it nothing.
    """

    host: str
    service: Service
    number: int
    address: str = ""
    drained: bool = field(default=False, compare=False)

    @property
    def unit(self) -> str:
        return unit_name(self.service, self.number)

    @property
    def port(self) -> int | None:
        return self.number if self.service in (Service.API, Service.CFN) else None


def unit_name(service: Service, number: int = 0) -> str:
    """The systemd unit of an instance; the proxy is alone on its host and has no number."""
    return "heat-scaleout-proxy.service" if service is Service.PROXY else f"heat-scaleout-{service}@{number}.service"


def digest_of(content: bytes) -> str:
    """The digest by which files are compared: sha256, hexadecimal."""
    return hashlib.sha256(content).hexdigest()


@dataclass(frozen=True)
class Probe:
    """How a started process proves that it is ready, within `timeout` seconds; one kind a subclass."""

    timeout: float = field(default=60.0, kw_only=True)


@dataclass(frozen=True)
class AnswersHttp(Probe):
    """An HTTP GET, over TLS if `secure`, is answered with one of `expect`; `trust`: by whom alone (None: anybody)."""

    address: str
    port: int
    path: str = "/"
    expect: tuple[int, ...] = (200, 300)
    secure: bool = False
    trust: Trust | None = None


@dataclass(frozen=True)
class AnswersSocket(Probe):
    """A unix socket's answer to a line contains a text."""

    socket: str
    send: str
    contains: str


@dataclass(frozen=True)
class Program(Probe):
    """A program given `stdin` ends with 0; its last words say why it does not.

    Within `patience` seconds it may end with 75 any number of times, and then says what it still waits for.
    """

    argv: tuple[str, ...]
    stdin: str = field(default="", repr=False)
    patience: float = 0.0


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


def file_of(path: str, content: bytes, **how: Any) -> File:
    """A File with its content; `how` are the fields of File."""
    return File(path, digest_of(content), content=content, **how)


@dataclass(frozen=True)
class Unit:
    """A systemd unit. `config` is the digest of everything its process read when it started (None: not running).

    `ready` proves a start, `reached` that the proxy's host reaches it (None: as `ready`); `needs` are the (address,
    port) pairs that it listens on; `reads` are the files, and with a final slash the folders, that its process reads
    when it starts; `drained`: the proxy sends it nothing; `secure`: it speaks TLS.
    """

    name: str
    running: bool = True
    enabled: bool = True
    config: str | None = None
    pid: int | None = field(default=None, compare=False)
    ready: Probe | None = field(default=None, compare=False)
    reached: Probe | None = field(default=None, compare=False)
    needs: tuple[tuple[str, int], ...] = field(default=(), compare=False)
    reads: tuple[str, ...] = field(default=(), compare=False)
    drained: bool = field(default=False, compare=False)
    secure: bool = field(default=False, compare=False)


@dataclass(frozen=True)
class HostState:
    """What a host has or should have: path -> File, unit name -> Unit.

    `managed`: paths that we put there. `stale`: systemd must read its unit files again. `farewells`: unit name -> how
    a process that is not wanted any more proves that it has left.
    """

    files: Mapping[str, File] = field(default_factory=dict)
    units: Mapping[str, Unit] = field(default_factory=dict)
    managed: frozenset[str] = field(default=frozenset(), compare=False)
    stale: bool = field(default=False, compare=False)
    shutdown_probes: Mapping[str, Probe] = field(default_factory=dict, compare=False)
