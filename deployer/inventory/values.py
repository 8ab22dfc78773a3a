"""The kinds of value an inventory has: the pattern of each and its description. Knows no section."""

import base64
import binascii
import ipaddress
import re
import string
from collections.abc import Callable
from typing import Annotated, Literal

from pydantic import AfterValidator, BeforeValidator, Field, GetPydanticSchema, StringConstraints
from pydantic_core import core_schema

from deployer.model.hosts import Secret
from deployer.model.names import Endpoint

MOST_PROCESSES = 64
MOST_HOSTS = 1000

# These texts end in unit files, HAProxy's config and Heat's engine names: no blanks, quotes, `%` or `$` anywhere.
HOST_NAME = r"^[A-Za-z0-9]([A-Za-z0-9.-]*[A-Za-z0-9])?$"
SYSTEM_USER = r"^[a-z_][a-z0-9_-]*$"
SSH_USER = r"^[A-Za-z_][A-Za-z0-9_.-]*$"
HOST_PATH = r"^(/\.?[A-Za-z0-9_+@-][A-Za-z0-9._+@-]*)+$"
OWN_FOLDER = r"^(/\.?[A-Za-z0-9_+@-][A-Za-z0-9._+@-]*){2,}$"
LOCAL_PATH = r"^(~/|/)?[\w.+@]([\w ./+@:,=~-]*[\w.+@~-])?$"
DURATION = r"^[0-9]{1,9}(us|ms|s|m|h|d)$"
URL_PATH = r"^(auto|/[A-Za-z0-9._~/-]*)$"
GATEWAY = r"^([A-Za-z_][A-Za-z0-9_.-]*@)?([A-Za-z0-9][A-Za-z0-9.-]*|\[[0-9A-Fa-f:.]+\])(:[0-9]{1,5})?$"
REACHABLE = r"^([A-Za-z0-9]([A-Za-z0-9.-]*[A-Za-z0-9])?|[0-9A-Fa-f]*:[0-9A-Fa-f:.]+)$"
HOST_KEY = r"^(ssh-(rsa|ed25519)|ecdsa-sha2-nistp(256|384|521)) [A-Za-z0-9+/]+={0,2}$"
ADDRESS = r"^[0-9A-Fa-f:.]+$"
ENDPOINT = r"^(\*|[0-9.]+|\[[0-9A-Fa-f:.]+\]):[0-9]{1,5}$"
CLOUD_NAME = r"^[A-Za-z0-9_][A-Za-z0-9_.-]*$"
STATS_USER = r"^[A-Za-z0-9_][A-Za-z0-9_.-]*$"
PASSWORD = r"^[A-Za-z0-9!&()*+,./:;<=>?@^_|~{}\[\]-]+$"

MEANING = {
    HOST_NAME: "a name of letters, digits, dots and hyphens that begins and ends with a letter or digit",
    SYSTEM_USER: "a system account: small letters, digits, `_` and `-`, not beginning with a digit",
    SSH_USER: "a login name: letters, digits, `_`, `.` and `-`, not beginning with a digit",
    HOST_PATH: "an absolute path of letters, digits and `. _ + @ -`, without `..` and without a final slash",
    OWN_FOLDER: "an absolute path at least two folders deep, such as /etc/heat, of letters, digits and `. _ + @ -`",
    LOCAL_PATH: "a path on this machine: letters, digits, blanks and `. _ ~ / + @ : , = -`",
    DURATION: "a duration with its unit, such as 500ms, 10s or 1m",
    URL_PATH: "`auto`, or a path such as /healthcheck",
    GATEWAY: "a jump host as user@host:port, where user and port may be left out",
    REACHABLE: "a host name or an IP address",
    HOST_KEY: "a public host key as `type base64`, such as a line of `ssh-keyscan` without its first word",
    ADDRESS: "an IP address; Heat's bind_host takes no names, so give the number",
    ENDPOINT: "an address and a port, such as 10.0.0.1:8004, [2001:db8::1]:8004 or *:8004",
    CLOUD_NAME: "letters, digits, `_`, `.` and `-`",
    STATS_USER: "letters, digits, `_`, `.` and `-`",
    PASSWORD: "letters, digits and signs that HAProxy's config takes: no blanks, quotes, `#`, `$`, `%` or backslashes",
}

# HAProxy keeps timers as 31 bits of milliseconds.
LONGEST_MILLISECONDS = 2**31 - 1
MILLISECONDS = {"us": 0.001, "ms": 1, "s": 1000, "m": 60_000, "h": 3_600_000, "d": 86_400_000}


def read_version(value: object) -> object:
    """Return the version as written; raise ValueError for `true` and `1.0`, which Python takes for 1."""
    if type(value) is not int or value != 1:
        raise ValueError("should be 1, the only version there is")
    return value


def read_endpoint(text: str) -> Endpoint:
    """Given text that fits ENDPOINT, return its parts; raise ValueError for a wrong address or port."""
    address, _, port = text.rpartition(":")
    if not 1 <= int(port) <= 65535:
        raise ValueError("the port should be between 1 and 65535")
    return Endpoint(address if address == "*" else str(_ip(address.strip("[]"))), int(port))


def read_address(text: str) -> str:
    """Return the shortest spelling of the IP address where other hosts reach this one; raise ValueError otherwise."""
    address = _ip(text)
    if address.is_unspecified or address.is_multicast:
        raise ValueError("this address stands for no single host")
    if address.is_loopback:
        raise ValueError("a loopback address cannot be reached from the other hosts; give the host's own address")
    if address.version == 6 and address.ipv4_mapped:
        raise ValueError(f"write this IPv4 address as {address.ipv4_mapped}")
    if address.version == 6 and address.is_link_local:
        raise ValueError("a link-local address needs an interface to be reached; give a routed address")
    return str(address)


def read_duration(text: str) -> str:
    """Return the duration as written; raise ValueError when HAProxy's timers cannot hold it."""
    if not 1 <= seconds(text) * 1000 <= LONGEST_MILLISECONDS:
        raise ValueError("a duration should be between 1ms and 24d")
    return text


def seconds(duration: str) -> float:
    """How long a duration of the inventory is."""
    number = duration.rstrip(string.ascii_lowercase)
    return int(number) * MILLISECONDS[duration.removeprefix(number)] / 1000


def read_host_key(text: str) -> str:
    """Return the key line as written; raise ValueError when its base64 is not a key of the type it names."""
    kind, encoded = text.split(" ")
    try:
        blob = base64.b64decode(encoded, validate=True)
    except binascii.Error:
        raise ValueError("the key's base64 is damaged; copy the whole line again") from None
    name = kind.encode()
    if not blob.startswith(len(name).to_bytes(4, "big") + name) or len(blob) < len(name) + 32:
        raise ValueError(f"this is not a whole {kind} key; copy the whole line again")
    return text


def read_gateway(text: str) -> str:
    """Return the jump host as written; raise ValueError for a port that does not exist."""
    port = re.search(r":([0-9]{1,5})$", text)
    if port and not 1 <= int(port[1]) <= 65535:
        raise ValueError("the port should be between 1 and 65535")
    return text


def _ip(text: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address:
    try:
        return ipaddress.ip_address(text)
    except ValueError:
        raise ValueError("this is no IP address") from None


def _text(pattern: str, longest: int) -> StringConstraints:
    return StringConstraints(pattern=pattern, max_length=longest)


def _read_as(reader: Callable[[str], object], pattern: str, longest: int) -> GetPydanticSchema:
    """A text in the file that becomes another type when read; its JSON Schema stays that of the text."""
    text = core_schema.str_schema(pattern=pattern, max_length=longest, strict=True)
    return GetPydanticSchema(lambda _source, _handler: core_schema.no_info_after_validator_function(reader, text))


Version = Annotated[Literal[1], BeforeValidator(read_version)]
HostName = Annotated[str, _text(HOST_NAME, 63)]
SystemUser = Annotated[str, _text(SYSTEM_USER, 32)]
SshUser = Annotated[str, _text(SSH_USER, 64)]
HostPath = Annotated[str, _text(HOST_PATH, 200)]
OwnFolder = Annotated[str, _text(OWN_FOLDER, 200)]
LocalPath = Annotated[str, _text(LOCAL_PATH, 1000)]
CloudName = Annotated[str, _text(CLOUD_NAME, 64)]
Duration = Annotated[str, _text(DURATION, 12), AfterValidator(read_duration)]
UrlPath = Annotated[str, _text(URL_PATH, 200)]
Gateway = Annotated[str, _text(GATEWAY, 300), AfterValidator(read_gateway)]
Reachable = Annotated[str, _text(REACHABLE, 253)]
HostKey = Annotated[str, _text(HOST_KEY, 2000), AfterValidator(read_host_key)]
TlsName = Annotated[str, _text(HOST_NAME, 253)]
Address = Annotated[str, _text(ADDRESS, 45), AfterValidator(read_address)]
StatsUser = Annotated[str, _text(STATS_USER, 64)]
BindAddress = Annotated[Endpoint, _read_as(read_endpoint, ENDPOINT, 60)]
Password = Annotated[Secret, _read_as(Secret, PASSWORD, 200)]
Port = Annotated[int, Field(ge=1, le=65535)]
ApiPort = Annotated[int, Field(ge=1024, le=65535)]
Processes = Annotated[int, Field(ge=0, le=MOST_PROCESSES)]
Workers = Annotated[int, Field(ge=1, le=64)]
Seconds = Annotated[int, Field(ge=0, le=86400)]
