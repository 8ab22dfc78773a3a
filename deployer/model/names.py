"""The names of what we run: systemd units, engines in Heat's table, endpoints with IPv6 in brackets. Pure."""

import ipaddress
import re
from dataclasses import dataclass
from typing import NamedTuple

from deployer.model.service import Service

PREFIX = "heat-scaleout-"
UNIT_PATTERN = f"{PREFIX}*"  # every unit of ours, as systemctl takes it
SLICE = "heat-scaleout.slice"

_UNIT = re.compile(rf"{PREFIX}(?:proxy|(?P<service>[a-z]+)@(?P<number>0|[1-9][0-9]*))\.service")
# Scopes, sshd where no scope is made of its logins, a user's own systemd, and cron.
_SESSION = re.compile(r".+\.scope|sshd?(@.*)?\.service|user@.*\.service|crond?\.service")
_ENGINE = re.compile(r"(?P<host>.+)-engine-(?P<number>0|[1-9][0-9]*)")


@dataclass(frozen=True)
class OwnUnit:
    """What a unit of ours runs. `number` is 1..N for engines, the port for APIs and 0 for the proxy."""

    service: Service
    number: int = 0


@dataclass(frozen=True)
class OwnEngine:
    """The host and the number of an engine of ours."""

    host: str
    number: int


def unit_name(service: Service, number: int = 0) -> str:
    """The systemd unit of an instance; the proxy is alone on its host and has no number."""
    return f"{PREFIX}proxy.service" if service is Service.PROXY else f"{PREFIX}{service}@{number}.service"


def short(unit: str) -> str:
    """A unit's name for a column: `engine@1` for heat-scaleout-engine@1.service, `heat-engine` for a host's own."""
    return unit.removesuffix(".service").removeprefix(PREFIX)


def unit_template(service: Service) -> str:
    """The unit file from which systemd makes the units of a service."""
    return f"{PREFIX}{service}@.service"


def parse_unit(unit: str) -> OwnUnit | None:
    """What `unit_name` made a unit's name of; None for any other unit."""
    found = _UNIT.fullmatch(unit)
    if not found:
        return None
    if not found["service"]:
        return OwnUnit(Service.PROXY)
    numbered = found["service"] in set(Service) - {Service.PROXY}
    return OwnUnit(Service(found["service"]), int(found["number"])) if numbered else None


def is_ours(unit: str) -> bool:
    """Whether a unit is one of ours."""
    return unit.startswith(PREFIX)


def service_of(unit: str) -> str:
    """The service in the name of a unit of ours, `api` of heat-scaleout-api@8004.service; "" for any other unit."""
    return unit.removeprefix(PREFIX).removesuffix(".service").partition("@")[0] if is_ours(unit) else ""


def engine_name(host: str, number: int | str) -> str:
    """The name under which Heat lists an engine of ours: one name a process, so that a row tells which it is."""
    return f"{host}-engine-{number}"


def parse_engine(name: str) -> OwnEngine | None:
    """What `engine_name` made a name of; None for the name of a host's own engine."""
    found = _ENGINE.fullmatch(name)
    return OwnEngine(found["host"], int(found["number"])) if found else None


def engine_of_unit(host: str, unit: str) -> str | None:
    """The name under which Heat lists the engine that a unit of ours runs; None for a unit of something else."""
    number = unit.removesuffix(".service").partition("@")[2]
    return engine_name(host, number) if service_of(unit) == Service.ENGINE and number else None


def starts_processes(unit: str) -> bool:
    """Whether a process of a unit is one that systemd starts; False in a login's session, where somebody starts it."""
    return bool(unit) and not _SESSION.fullmatch(unit)


class Endpoint(NamedTuple):
    """An address and a port to listen on; `address` is an IP address without brackets, or `*` for every address."""

    address: str
    port: int

    @property
    def is_wildcard(self) -> bool:
        return self.address in ("*", "0.0.0.0", "::")

    @property
    def is_loopback(self) -> bool:
        return self.address != "*" and ipaddress.ip_address(self.address).is_loopback

    def __str__(self) -> str:
        return endpoint(self.address, self.port)


def bracketed(address: str) -> str:
    """An address as URLs and `host:port` lists have it: IPv6 in brackets."""
    return f"[{address}]" if ":" in address and not address.startswith("[") else address


def endpoint(address: str, port: int | str) -> str:
    """`address:port`, with brackets around IPv6, as HAProxy and URLs have it."""
    return f"{bracketed(address)}:{port}"


def parse_endpoint(text: str) -> Endpoint | None:
    """What `endpoint` made a text of; None for a text without a port."""
    address, _, port = text.rpartition(":")
    return Endpoint(address.removeprefix("[").removesuffix("]"), int(port)) if address and port.isdecimal() else None
