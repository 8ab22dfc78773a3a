"""Classify each physical line of a heat.conf, on the grammar of oslo_config.iniparser; keeps every character.

What the lines mean together is conf_editor's business; what may be shown of them is conf_redaction's.
"""

import functools
import re
import unicodedata
from dataclasses import dataclass, field
from enum import StrEnum

DEFAULT = "DEFAULT"
QUOTES = ("'", '"')
# Files are read with universal newlines, so a lone carriage return ends a line too.
_LINE = re.compile(r"([^\r\n]*)(\r\n|\r|\n|\Z)")


class Kind(StrEnum):
    """What a physical line is."""

    BLANK = "blank"
    COMMENT = "comment"
    SECTION = "section"
    SETTING = "setting"
    CONTINUATION = "continuation"
    BROKEN = "broken"


@dataclass(frozen=True)
class Line:
    """A physical line: its text without the line end, the line end, and the section and key it belongs to.

    `section` is the name in force, as oslo.config looks it up; "" before the first section. `problem` says what is
    wrong with the line and never quotes it: a broken line may hold a secret.
    """

    number: int
    text: str = field(repr=False)
    end: str
    kind: Kind
    section: str = ""
    key: str = ""
    problem: str = ""


@functools.lru_cache(maxsize=4)  # every node's file is made from the same source file
def lines_of(text: str) -> tuple[Line, ...]:
    """Every line of a file, classified; joined again (text + end) they are the file."""
    found: list[Line] = []
    previous = Line(0, "", "", Kind.BLANK)
    for number, match in enumerate(_LINE.finditer(text), start=1):
        if not match.group():
            continue
        previous = _classified(number, match.group(1), match.group(2), previous)
        found.append(previous)
    return tuple(found)


def separator(text: str) -> int:
    """Where the key of a setting's first line ends: at the first `=` or `:`; -1 without one."""
    places = [place for place in (text.find("="), text.find(":")) if place >= 0]
    return min(places, default=-1)


def quote_of(value: str) -> str:
    """The one pair of quotes that oslo.config takes off a stripped value ("" for none)."""
    return value[0] if value and value[0] in QUOTES and value[0] == value[-1] else ""


def section_key(name: str) -> str:
    """A section's name as oslo.config looks it up: case counts in DEFAULT alone."""
    return name if name == DEFAULT else name.lower()


def control_character(text: str) -> str:
    """The first control character in a text but tabs, as `U+0000`; "" when there is none."""
    if text.isprintable():
        return ""
    found = (f"U+{ord(sign):04X}" for sign in text if sign != "\t" and unicodedata.category(sign) == "Cc")
    return next(found, "")


def _classified(number: int, text: str, end: str, previous: Line) -> Line:
    """The line after `previous`; a line after a broken one is only judged by itself."""
    kind, section, key, problem = _meaning(text.rstrip(), previous)
    if character := control_character(text):
        kind, problem = Kind.BROKEN, f"control character {character}"
    return Line(number, text, end, kind, section, key, problem)


def _meaning(text: str, previous: Line) -> tuple[Kind, str, str, str]:
    """Kind, section, key and problem of a line, given its text without trailing white space."""
    section = previous.section
    if not text:
        return Kind.BLANK, section, "", ""
    if text.startswith((" ", "\t")):
        return _continuation(previous)
    if text.startswith("["):
        return _header(text, section)
    if text.startswith(("#", ";")):
        return Kind.COMMENT, section, "", ""
    return _assignment(text, section)


def _continuation(previous: Line) -> tuple[Kind, str, str, str]:
    if previous.kind is Kind.BROKEN:
        return Kind.BROKEN, previous.section, previous.key, ""  # reported once, at the line that it continues
    if previous.key:
        return Kind.CONTINUATION, previous.section, previous.key, ""
    return Kind.BROKEN, previous.section, "", "starts with white space but continues no option"


def _header(text: str, section: str) -> tuple[Kind, str, str, str]:
    if not text.endswith("]"):
        return Kind.BROKEN, section, "", "a section must end with ]"
    if len(text) <= 2:
        return Kind.BROKEN, section, "", "a section needs a name"
    return Kind.SECTION, section_key(text[1:-1]), "", ""


def _assignment(text: str, section: str) -> tuple[Kind, str, str, str]:
    place = separator(text)
    if place < 0:
        return Kind.BROKEN, section, "", "neither a section, a comment nor an option with = or :"
    key = text[:place].strip()
    if not key:
        return Kind.BROKEN, section, "", "an option needs a name"
    problem = "" if section else "an option stands before the first section"
    return Kind.SETTING if section else Kind.BROKEN, section, key, problem
