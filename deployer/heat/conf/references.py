"""Substitute `$name`, `${group.name}` and `$$` in a value the way oslo.config does."""

import string
from collections.abc import Callable

from deployer.heat.conf import grammar

# Given a section and a key, the raw value of that option, or None.
Lookup = Callable[[str, str], str | None]

# oslo.config gives up on references that circle; so deep a chain is one.
_DEEPEST_CHAIN = 16


def substituted(value: str, section: str, lookup: Lookup) -> str | None:
    """A raw value of a section's option after substitution; None when a reference has no answer or circles."""
    try:
        return _substituted(value, section, lookup, _DEEPEST_CHAIN)
    except _UnknownReference:
        return None


def escaped(value: str) -> str:
    """The raw value that reads as the given text: every dollar sign doubled."""
    return value.replace("$", "$$")


class _UnknownReference(LookupError):
    """A `$name` that `lookup` does not answer."""


class _Template(string.Template):
    idpattern = r"[_a-z][\._a-z0-9]*"  # as in oslo_config.cfg.ConfigOpts.Template


class _Names(dict[str, str]):
    """Answers a template's names: those of the own section first, then of DEFAULT; `$DEFAULT.name` has no answer."""

    def __init__(self, section: str, lookup: Lookup, depth: int) -> None:
        self._section, self._lookup, self._depth = section, lookup, depth

    def __missing__(self, name: str) -> str:
        for section, key in self._places(name):
            value = self._lookup(section, key)
            if value is not None:
                return _substituted(value, section, self._lookup, self._depth)
        raise _UnknownReference(name)

    def _places(self, name: str) -> list[tuple[str, str]]:
        group, dot, key = name.partition(".")
        if not dot:
            return [(self._section, name), (grammar.DEFAULT, name)]
        return [] if group == grammar.DEFAULT else [(group, key)]


def _substituted(value: str, section: str, lookup: Lookup, depth: int) -> str:
    if not depth:
        raise _UnknownReference
    # "\$" is oslo.config's other way to write a dollar sign.
    return _Template(value.replace(r"\$", "$$")).safe_substitute(_Names(section, lookup, depth - 1))
