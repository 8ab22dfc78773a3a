"""Host keys that the operator knows, as `known_hosts` files list them. Pure: reads texts, opens no file."""

import base64
import binascii
import hashlib
import hmac
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

REVOKED = "@revoked"


@dataclass(frozen=True)
class KnownKeys:
    """The public keys that a host may show, as (type, key) pairs, and those that it must not."""

    trusted: frozenset[tuple[str, bytes]] = frozenset()
    revoked: frozenset[tuple[str, bytes]] = frozenset()


def of_line(line: str) -> KnownKeys:
    """Given a `type base64` line, return that key as the only one that is known."""
    return KnownKeys(frozenset(_keys([line.split()])))


def of_host(names: Sequence[str], texts: Sequence[str]) -> KnownKeys:
    """Given the texts of known_hosts files, return the keys under the first of a host's names that has any.

    Keys that are revoked under any of the names are in no case trusted. Certificate authorities do not count.
    """
    lines = [line.split() for text in texts for line in text.splitlines() if line.strip()[:1] not in ("", "#")]
    revoked = frozenset(
        _keys(
            fields[2:]
            for fields in lines
            if fields[0] == REVOKED and len(fields) > 3 and any(is_listed(name, fields[1]) for name in names)
        )
    )
    for name in names:
        trusted = frozenset(_keys(fields[1:] for fields in lines if fields[0][0] != "@" and is_listed(name, fields[0])))
        if trusted:
            return KnownKeys(trusted - revoked, revoked)
    return KnownKeys(revoked=revoked)


def is_listed(name: str, patterns: str) -> bool:
    """Whether a line's first word is about a name: names with `*` and `?`, or one name hashed; `!` excludes."""
    if patterns.startswith("|1|"):
        return _is_hashed(name, patterns)
    each = patterns.lower().split(",")
    excluded = any(_fits(name.lower(), pattern[1:]) for pattern in each if pattern.startswith("!"))
    return not excluded and any(_fits(name.lower(), pattern) for pattern in each if not pattern.startswith("!"))


def _is_hashed(name: str, hashed: str) -> bool:
    try:
        salt, digest = (base64.b64decode(part, validate=True) for part in hashed.split("|")[2:])
    except (ValueError, binascii.Error):
        return False
    return hmac.compare_digest(hmac.new(salt, name.lower().encode(), hashlib.sha1).digest(), digest)


def _fits(name: str, pattern: str) -> bool:
    wild = re.escape(pattern).replace(r"\*", ".*").replace(r"\?", ".")
    return re.fullmatch(wild, name) is not None


def _keys(lines: Iterator[Sequence[str]] | Sequence[Sequence[str]]) -> Iterator[tuple[str, bytes]]:
    for kind, encoded, *_ in (fields for fields in lines if len(fields) > 1):
        try:
            yield kind, base64.b64decode(encoded, validate=True)
        except binascii.Error:  # a damaged line is nobody's key
            continue
