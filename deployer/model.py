"""Frozen vocabulary of every stage: what a host should have, what it has, and the steps between the two."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from types import MappingProxyType
from typing import Any

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
    """How SSH reaches a host. `key` and `known_hosts` are absolute paths; `host_key` is a `type base64` line."""

    user: str
    port: int = 22
    key: str | None = None
    gateway: str | None = None
    sudo: bool = True
    host_key: str | None = None
    known_hosts: str | None = None
    connect_timeout: float = 10.0


@dataclass(frozen=True)
class Host:
    """One host of the inventory, as the fleet sees it."""

    name: str
    address: str
    login: Login


@dataclass(frozen=True, order=True)
class Instance:
    """One process that the inventory asks for. `number` is 1..N for engines and the port for APIs."""

    host: str
    service: Service
    number: int
    address: str = ""

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
class File:
    """A file on a host. Compared by digest, owner, group and mode; the content is carried, never compared or printed."""

    path: str
    digest: str
    owner: str = "root"
    group: str = "root"
    mode: int = 0o644
    content: bytes | None = field(default=None, compare=False, repr=False)

    @classmethod
    def of(cls, path: str, content: bytes, owner: str = "root", group: str = "root", mode: int = 0o644) -> "File":
        return cls(path, digest_of(content), owner, group, mode, content)


@dataclass(frozen=True)
class Unit:
    """A systemd unit. `config` is the digest of everything its process read when it started (None: not running)."""

    name: str
    running: bool = True
    enabled: bool = True
    config: str | None = None
    pid: int | None = field(default=None, compare=False)


@dataclass(frozen=True)
class HostState:
    """What a host has or should have: path -> File, unit name -> Unit. `stale_units`: systemd must read them again."""

    files: Mapping[str, File] = NOTHING
    units: Mapping[str, Unit] = NOTHING
    stale_units: bool = field(default=False, compare=False)


@dataclass(frozen=True)
class Listener:
    """A listening TCP socket of a host and who holds it. `unit` is its systemd unit, `argv` its command line."""

    address: str
    port: int
    pid: int = 0
    program: str = ""
    unit: str = ""
    argv: tuple[str, ...] = field(default=(), repr=False)
