"""What an inventory names: hosts, how SSH reaches them, secrets, and the processes that they should run."""

from dataclasses import dataclass, field
from typing import NoReturn

from deployer.model.names import unit_name
from deployer.model.service import Service


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

    def __reduce__(self) -> NoReturn:
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
