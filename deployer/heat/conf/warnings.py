"""Warnings on a rewritten heat.conf: what the operator should check, as it still means the node itself. Pure."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from deployer.heat.conf import addresses, conf_redaction, grammar, options, secret_values
from deployer.heat.conf.conf_editor import Conf, Setting
from deployer.heat.conf.options import Role

API_SECTIONS = ("heat_api", "heat_api_cfn")
# Words that could be hosts; not the names of folders in a path.
_WORD = re.compile(r"\[[0-9A-Fa-f:.]+\]|(?<![\w:.])::1(?![\w:.])|(?<![\w.-])(?<!(?<!/)/)[\w.-]+")
_BROKERS = ("transport_url", "rabbit_host", "rabbit_hosts")


@dataclass(frozen=True)
class ConfWarning:
    """Something left alone that a node may not be meant to have. `line` is the source's, 0 for a missing option."""

    path: str
    line: int
    section: str
    key: str
    sentence: str

    def __str__(self) -> str:
        where = f"{self.path}:{self.line}" if self.line else self.path
        return f"{where}: [{self.section}] {self.key}: {self.sentence}"


def warnings_for(before: Conf, after: Conf) -> Iterator[ConfWarning]:
    """Given the source's settings and the node's, yield what to check, in the order of the source's file."""
    kept = after.settings[: len(before.settings)]  # new options come last
    for old, new in zip(before.settings, kept, strict=True):
        for sentence in _sentences(before, after, old, new):
            yield ConfWarning(before.path, old.line, old.section, old.key, sentence)
    yield from _missing(before)


def _sentences(before: Conf, after: Conf, old: Setting, new: Setting) -> Iterator[str]:
    """The warnings on one setting, given its value before and after."""
    if new.key == "bind_host" and new.section in API_SECTIONS:
        return
    role = options.role_of(new.section, new.key)
    now = after.substituted(new.value, new.section)
    value = new.value if now is None else now
    if role in options.AT_PROXY:
        yield from _of_callers(role, new.key, value)
    else:
        for host in loopbacks(new.key, value):
            yield f"still names loopback host {host}"
    if role is Role.DATABASE and options.is_local_file(new.value):
        yield "is a file or socket of the host itself, which other hosts do not share"
    if role is None and old.value == new.value and before.substituted(old.value, old.section) != now:
        yield "reads differently on the node, because it refers to an option that changes"


def _of_callers(role: Role, key: str, value: str) -> Iterator[str]:
    """Where the proxy is on loopback, behind a load balancer of its host, whose address nothing here tells."""
    for spot in options.spots(role, key, value):
        if addresses.is_own_host(spot.host):
            yield (
                f"still names {spot.host}, as the proxy listens on loopback: instances would call themselves. Set it "
                f"on the source host to the address where instances reach {role}"
            )


def loopbacks(key: str, value: str) -> tuple[str, ...]:
    """The loopback hosts that a value names anywhere but in its secrets."""
    if secret_values.is_secret(key):
        return ()
    words = _WORD.findall(conf_redaction.redact_value(key, value))
    return tuple(dict.fromkeys(word for word in words if addresses.is_loopback(word)))


def _missing(conf: Conf) -> Iterator[ConfWarning]:
    """Options that are not there, and whose default is the node itself."""
    roles = {options.role_of(each.section, each.key) for each in conf.settings if each.key != "slave_connection"}
    if not any(each.key in _BROKERS for each in conf.settings):
        yield ConfWarning(
            conf.path, 0, grammar.DEFAULT, "transport_url", "is not set, so Heat takes a broker on loopback"
        )
    if Role.DATABASE not in roles:
        yield ConfWarning(
            conf.path, 0, "database", "connection", "is not set, so Heat has no database that hosts share"
        )
