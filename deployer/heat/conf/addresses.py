"""Find the hosts named in a value of heat.conf: alone, in a list, or in a URL. Works on text, keeps all the rest."""

import ipaddress
import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

_NAMES = {"localhost", "localhost.localdomain", "localhost4", "localhost4.localdomain4", "localhost6",
          "localhost6.localdomain6", "ip6-localhost", "ip6-loopback"}  # fmt: skip
_UNSPECIFIED = ("0.0.0.0", "[::]", "::")
_SHORT_IPV4 = re.compile(r"127(\.\d{1,3}){1,3}")

_SCHEME = re.compile(r"(?:[A-Za-z][A-Za-z0-9+._-]*)://")
_AUTHORITY = re.compile(r"[^/?#\s]*")
# As sqlalchemy.engine.url reads it: a password may hold anything but @, and nothing ends it but @.
_DATABASE_LOGIN = re.compile(r"[^:/@]*(?::[^@]*)?@")
_DATABASE_HOSTS = re.compile(r"[^/?]*")

_ITEM = re.compile(r"[^,\s]+")
_FAMILY = re.compile(r"(?:inet6?:)?")  # python-memcached: inet6:[::1]:11211


@dataclass(frozen=True)
class Spot:
    """Where a value names a host: value[start:stop] is prefix, host as written (brackets included), tail (`:port`)."""

    start: int
    stop: int
    prefix: str
    host: str
    tail: str


# Given a spot, the text that takes its place; None leaves it.
Replacement = Callable[[Spot], str | None]


def is_loopback(host: str) -> bool:
    """Whether a host, in brackets or not, is this machine's loopback: 127/8, ::1, or a name that stands for it."""
    name = host.removeprefix("[").removesuffix("]").lower().rstrip(".")
    if name in _NAMES or _SHORT_IPV4.fullmatch(name):
        return True
    try:
        address = ipaddress.ip_address(name)
    except ValueError:
        return False
    return (getattr(address, "ipv4_mapped", None) or address).is_loopback


def is_own_host(host: str) -> bool:
    """Whether a client that connects to a host stays on its machine: loopback, or an address that stands for all."""
    return is_loopback(host) or host in _UNSPECIFIED


def replaced(value: str, spots: Iterable[Spot], replacement: Replacement) -> str:
    """The value with the text of each spot (in order, none overlapping) replaced."""
    parts: list[str] = []
    done = 0
    for spot in spots:
        new = replacement(spot)
        if new is not None:
            parts += [value[done : spot.start], new]
            done = spot.stop
    return "".join((*parts, value[done:]))


def in_urls_or_list(value: str) -> Iterator[Spot]:
    """Hosts of a list of URLs, or of a list of hosts when nothing in it is a URL."""
    return in_urls(value) if "://" in value else in_list(value)


def in_urls(value: str) -> Iterator[Spot]:
    """Hosts of every URL in a value; a URL may name several, each with its login (oslo.messaging's transport URLs)."""
    place = 0
    while scheme := _SCHEME.search(value, place):
        authority = _AUTHORITY.match(value, scheme.end())
        assert authority is not None  # it matches the empty text too
        yield from _in_authority(authority.group(), authority.start())
        place = max(authority.end(), scheme.end())


def in_database_url(value: str) -> Iterator[Spot]:
    """Hosts of one database URL, as SQLAlchemy finds them."""
    scheme = _SCHEME.match(value)
    if scheme:
        login = _DATABASE_LOGIN.match(value, scheme.end())
        hosts = _DATABASE_HOSTS.match(value, login.end() if login else scheme.end())
        assert hosts is not None  # it matches the empty text too
        yield from _in_authority(hosts.group(), hosts.start())


def in_list(value: str) -> Iterator[Spot]:
    """Hosts of a comma-separated list of `host`, `host:port`, `[address]:port` or `inet6:[address]:port`."""
    for item in _ITEM.finditer(value):
        if not item.group().startswith(("/", "unix:")):
            prefix = _FAMILY.match(item.group())
            yield _spot(item.group(), item.start(), prefix.group() if prefix else "")


def scheme(value: str) -> str:
    """The scheme of a URL without its driver, in lower case (`mysql+pymysql://` is mysql); "" for none."""
    found = _SCHEME.match(value)
    return found.group().partition(":")[0].partition("+")[0].lower() if found else ""


def _in_authority(authority: str, start: int) -> Iterator[Spot]:
    for item in authority.split(","):
        login, at, address = item.rpartition("@")
        yield _spot(address, start + len(login) + len(at), "")
        start += len(item) + 1


def _spot(text: str, start: int, prefix: str) -> Spot:
    address = text.removeprefix(prefix)
    if address.startswith("["):
        host = address[: address.find("]") + 1] or address
    else:
        host = address if address.count(":") != 1 else address.partition(":")[0]  # a bare IPv6 address has no port
    return Spot(start, start + len(text), prefix, host, address.removeprefix(host))
