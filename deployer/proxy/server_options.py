"""How the proxy of a running site speaks to each server, in the text of its configuration. Pure."""

import re
from collections.abc import Mapping

from deployer.model.state import digest_of
from deployer.proxy.config import MARK

SERVER = re.compile(r"(?m)^(?P<before>    server \S+ (?P<at>\S+) check)(?: (?P<link>ssl .*?))?(?P<after> weight 0)?$")
DESCRIPTION = re.compile(rf"(?m)^(    description {MARK})([0-9a-f]*)$")


def options_by_address(text: str) -> dict[str, str]:
    """Address -> the options of TLS with which the proxy speaks to a server, "" for plain HTTP."""
    return {found["at"]: found["link"] or "" for found in SERVER.finditer(text)}


def with_options(text: str, changed: Mapping[str, str]) -> tuple[str, str]:
    """Return the text with the servers at some addresses spoken to otherwise, all else as it is, and its digest."""
    text = SERVER.sub(lambda found: _line(found, changed), text)
    digest = digest_of(DESCRIPTION.sub(r"\1", text).encode())
    return DESCRIPTION.sub(rf"\g<1>{digest}", text), digest


def _line(found: re.Match, changed: Mapping[str, str]) -> str:
    link = changed.get(found["at"], found["link"] or "")
    return f"{found['before']}{' ' if link else ''}{link}{found['after'] or ''}"
