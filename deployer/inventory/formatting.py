"""How errors show names, paths and near misses."""

import difflib
from collections.abc import Iterable


def printable(value: object) -> str:
    """Return a text of at most 60 characters that a terminal shows as it is."""
    text = str(value)
    short = text if len(text) <= 60 else text[:57] + "..."
    return "".join(letter if letter.isprintable() else f"\\u{ord(letter):04x}" for letter in short)


def dotted(path: Iterable[str | int]) -> str:
    """Return a path as it is shown: `hosts.hostB.api[1]`."""
    shown = "".join(f"[{part}]" if isinstance(part, int) else f".{printable(part)}" for part in path)
    return shown.removeprefix(".")


def nearest(word: object, known: Iterable[str]) -> str:
    """Return `, did you mean "…"?` for the nearest known word, or nothing."""
    spellings = {candidate.lower(): candidate for candidate in known}
    near = difflib.get_close_matches(str(word)[:100].lower(), list(spellings), n=1, cutoff=0.6)
    return f', did you mean "{spellings[near[0]]}"?' if near else ""
