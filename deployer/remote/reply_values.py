"""The kinds of value a reply of the agent has, with their bounds. A host decides nothing but its values. Pure.

What somebody without root may name on a host (titles, units, journals) is escaped or left out, so that they cannot keep
the host from being observed; what only root can be the author of is refused.
"""

import base64
import binascii
import fnmatch
import ipaddress
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from pydantic_core import core_schema as schema
from pydantic_core.core_schema import CoreSchema

from deployer.model import printable
from deployer.model.run import MOST_GENERATIONS
from deployer.model.state import bytes_of, digest_of

LONGEST_NAME = 255
LONGEST_PATH = 4096
LONGEST_PROSE = 65_536  # characters of what a program says to people; a longer one is left out as a whole
NOT_UTF8 = re.compile("[\udc80-\udcff]")  # bytes of a file's name that are none
UNIT = re.compile(r"[A-Za-z0-9:_.\\@][A-Za-z0-9:_.\\@-]{0,254}")
DIGEST = re.compile(r"[0-9a-f]{64}")
WORD = re.compile(r"[A-Za-z0-9_-]{0,64}")
HOST_NAME = re.compile(r"[A-Za-z0-9]([A-Za-z0-9.-]{0,251}[A-Za-z0-9])?")
URL_PATH = re.compile(r"/[A-Za-z0-9._~/-]{0,1000}")


def name(text: object) -> str:
    """A name of anything: one line, cut where nobody would read on."""
    return printable.in_one_line(_text(text)[:LONGEST_PATH])


def account(text: object) -> str:
    """The name of a user or a group of the host."""
    found = _text(text)
    if not found or len(found) > LONGEST_NAME or not printable.is_printable(found) or ":" in found:
        raise ValueError("it is no name of an account")
    return found


def path(text: object) -> str:
    """An absolute path without `.`, `..` and empty parts."""
    found = _text(text)
    parts = found.split("/")
    if parts[0] or any(part in ("", ".", "..") for part in parts[1:]):
        raise ValueError("it is no absolute path without `.`, `..` and empty parts")
    if not printable.is_printable(NOT_UTF8.sub("", found)):
        raise ValueError("it is a path with control characters or direction marks")
    if len(found) > LONGEST_PATH or any(len(bytes_of(part)) > LONGEST_NAME for part in parts):
        raise ValueError("it is a path that no file system has")
    return found


def folder_or_file(text: object) -> str:
    """A path, or that of a folder with its final slash."""
    found = _text(text)
    return path(found.removesuffix("/")) + "/" * found.endswith("/")


def address(text: object) -> str:
    """An IP address without an interface."""
    found = _text(text)
    if "%" in found:
        raise ValueError("it is no IP address")
    ipaddress.ip_address(found)
    return found


def prose(text: object) -> str:
    """What a program says to people."""
    found = _text(text)
    return found if len(found) <= LONGEST_PROSE else f"(left out: a text of {len(found)} characters)"


def content(text: object) -> str:
    """The content of a file, in base64."""
    found = _text(text)
    try:
        base64.b64decode(found, validate=True)
    except (binascii.Error, ValueError):
        raise ValueError("it is no base64") from None
    return found


def matching(pattern: re.Pattern[str], what: str) -> CoreSchema:
    """A text of a pattern, in words `what`."""

    def check(text: object) -> str:
        if not pattern.fullmatch(_text(text)):
            raise ValueError(f"it is no {what}")
        return str(text)

    return of(check)


def of(read: Callable[[object], Any]) -> CoreSchema:
    """What a function returns for a value; it raises ValueError for one that is refused."""
    return schema.no_info_plain_validator_function(read)


def or_none(value: CoreSchema) -> CoreSchema:
    """A value or null."""
    return schema.nullable_schema(value)


def many(value: CoreSchema, most: int | None = None) -> CoreSchema:
    """A list."""
    return schema.list_schema(value, max_length=most, strict=True)


def by(key: CoreSchema, value: CoreSchema) -> CoreSchema:
    """A mapping."""
    return schema.dict_schema(key, value, strict=True)


def record(optional: Mapping[str, CoreSchema] | None = None, **fields: CoreSchema) -> CoreSchema:
    """A record; what it has beyond its fields is dropped."""
    needed = {key: schema.typed_dict_field(each) for key, each in fields.items()}
    others = {key: schema.typed_dict_field(each, required=False) for key, each in (optional or {}).items()}
    return schema.typed_dict_schema(needed | others, strict=True)


def whole(least: int, most: int) -> CoreSchema:
    """A whole number."""
    return schema.int_schema(ge=least, le=most, strict=True)


def number(least: float, most: float) -> CoreSchema:
    """A number, finite."""
    return schema.float_schema(ge=least, le=most, allow_inf_nan=False, strict=True)


def is_inside(file: str, folders: Iterable[str]) -> bool:
    """Whether a normalised path is one of some paths, or below one."""
    return any(file == folder or file.startswith(f"{folder}/") for folder in folders)


def above(file: str) -> Iterator[str]:
    """The folders in which a file is."""
    while file := file.rpartition("/")[0]:
        yield file


def is_like(text: str, patterns: Iterable[str]) -> bool:
    """Whether a name matches one of some patterns, part by part."""
    return any(text.count("/") == each.count("/") and fnmatch.fnmatchcase(text, each) for each in patterns)


def has_digest(encoded: str, digest: str) -> bool:
    """Whether a content in base64 has a digest."""
    return digest_of(base64.b64decode(encoded)) == digest


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise ValueError("it is no text")  # noqa: TRY004  (pydantic takes no TypeError)
    return value


FLAG = schema.bool_schema(strict=True)
NAME, ACCOUNT, PATH, FOLDER_OR_FILE, ADDRESS, PROSE, CONTENT, TEXT = map(
    of, (name, account, path, folder_or_file, address, prose, content, _text)
)
UNIT_NAME, OR_NO_UNIT = matching(UNIT, "name of a unit"), matching(re.compile(f"({UNIT.pattern})?"), "name of a unit")
DIGEST_TEXT, OR_NO_DIGEST = matching(DIGEST, "digest"), matching(re.compile(f"({DIGEST.pattern})?"), "digest")
STATE_WORD = matching(WORD, "word")
TLS_NAME = matching(HOST_NAME, "name of a host")
URL = matching(URL_PATH, "path of a URL")
PORT, PID = whole(1, 65535), whole(0, 2**22)
BYTES = whole(0, 2**63 - 1)
SECONDS = number(0, 10**10)
CLOCK = number(-(10**11), 10**11)
GENERATION = whole(0, MOST_GENERATIONS)
