"""YAML text -> a tree in which every key and value knows its place. Refuses what a settings file has no use for."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import islice
from typing import NoReturn

from ruamel.yaml import YAML, events
from ruamel.yaml.error import MarkedYAMLError, YAMLError

DEEPEST = 10
MOST_NODES = 50_000

# YAML 1.2's core schema, in decimal only: `yes`, `0x10`, `010` and `1_000` are texts and then refused as such.
NULL = re.compile(r"(~|null|Null|NULL)?")
TRUE = re.compile(r"true|True|TRUE")
FALSE = re.compile(r"false|False|FALSE")
INTEGER = re.compile(r"0|-?[1-9][0-9]{0,18}")
FLOAT = re.compile(r"-?(0|[1-9][0-9]{0,18})\.[0-9]{1,18}")

# Control characters, line separators, and marks that change the direction of text or are invisible.
INVISIBLE = "\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u200b\u200e\u200f\u2028-\u202e\u2060-\u2069\ufeff\ufffe\uffff"
FORBIDDEN = re.compile(f"[{INVISIBLE}]|\r(?!\n)")
FORBIDDEN_IN_VALUE = re.compile(f"[{INVISIBLE}\t\n\r\u200c\u200d]")
MOST_FORBIDDEN = 20

# The parser's time grows with the square of some lines' length.
LONG_LINE = re.compile(r"[^\n]{5001,}")
# The one escape that the parser does not check itself: above the last character there is.
WRONG_ESCAPE = re.compile(r"\\U(?!000|0010)[0-9A-Fa-f]{8}")


Scalar = str | int | float | bool | None
Path = tuple[str | int, ...]  # the keys and indexes that lead to a value


@dataclass(frozen=True)
class Finding:
    """Something wrong at a place of the file: line and column from 1, the keys that lead there, and why."""

    line: int
    column: int
    path: Path
    message: str


@dataclass(frozen=True)
class Node:
    """A key or a value. `start` and `end` are offsets in the text; `value` is a scalar, or the children."""

    line: int
    column: int
    start: int
    end: int
    value: "Scalar | dict[str, tuple[Node, Node]] | tuple[Node, ...]"
    is_flow: bool = False

    @property
    def entries(self) -> "dict[str, tuple[Node, Node]]":
        """The keys and values of a mapping; none for anything else."""
        return self.value if isinstance(self.value, dict) else {}

    @property
    def items(self) -> "tuple[Node, ...]":
        """The items of a list; none for anything else."""
        return self.value if isinstance(self.value, tuple) else ()

    def child(self, key: str | int) -> "Node | None":
        """Return the value under a key or at an index."""
        if isinstance(key, int):
            return self.items[key] if key < len(self.items) else None
        entry = self.entries.get(key)
        return entry[1] if entry else None

    def entry(self, key: str | int) -> "tuple[Node, Node] | None":
        """Return the key and the value of one entry of a mapping."""
        return self.entries.get(key) if isinstance(key, str) else None

    def plain(self) -> object:
        """Return the values alone: dicts, tuples and scalars."""
        if isinstance(self.value, dict):
            return {name: value.plain() for name, (_, value) in self.value.items()}
        return tuple(item.plain() for item in self.value) if isinstance(self.value, tuple) else self.value


@dataclass
class Reading:
    """The tree of a text (None when it is no YAML at all) and what is wrong with it."""

    root: Node | None = None
    findings: list[Finding] = field(default_factory=list)


class Unreadable(Exception):
    """Reading stops here; what is wrong is among the findings."""


def read(text: str) -> Reading:
    """Given the text of a file, return its tree with every finding that concerns YAML itself."""
    reading = Reading(findings=list(_forbidden(text)))
    if not reading.findings:
        _compose(text, reading)
    return reading


def _forbidden(text: str) -> Iterator[Finding]:
    for found in islice(FORBIDDEN.finditer(text), MOST_FORBIDDEN):
        message = f"the character U+{ord(found[0][0]):04X} is not allowed in an inventory"
        yield Finding(*_place(text, found.start()), (), message)
    if long := LONG_LINE.search(text):
        yield Finding(*_place(text, long.start()), (), "this line is longer than 5000 characters")


def _place(text: str, offset: int) -> tuple[int, int]:
    return text.count("\n", 0, offset) + 1, offset - text.rfind("\n", 0, offset)


def _compose(text: str, reading: Reading) -> None:
    composer = Composer(YAML(typ="safe", pure=True).parse(text), reading.findings)
    try:
        reading.root = composer.document()
    except Unreadable:
        pass
    except MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        reading.findings.append(Finding(mark.line + 1, mark.column + 1, (), _message(error.problem or "")))
    except (YAMLError, ValueError, OverflowError):
        found = WRONG_ESCAPE.search(text)
        place = _place(text, found.start()) if found else (1, 1)
        reading.findings.append(Finding(*place, (), "this is no YAML: no such character"))


def _message(problem: str) -> str:
    """Return the parser's message without the text that it quotes, which may be a secret."""
    if "character '\\t'" in problem:
        return "this is no YAML: a tab stands where only blanks may"
    return "this is no YAML: " + re.sub(r"'[^'<][^']+'", "this", problem)


class Composer:
    """Builds the tree from the parser's events; what is refused becomes a finding, and reading goes on where it can."""

    def __init__(self, stream: Iterator[events.Event], findings: list[Finding]) -> None:
        self.stream = stream
        self.findings = findings
        self.nodes = 0

    def document(self) -> Node | None:
        """Return the only document's root."""
        next(self.stream)
        start = next(self.stream)
        if isinstance(start, events.StreamEndEvent):
            self._stop(start, (), "the file is empty")
        if isinstance(start, events.DocumentStartEvent) and (start.version or start.tags):
            self._stop(start, (), "YAML directives (%) are not read; take them out")
        root = self._node(next(self.stream), ())
        next(self.stream)
        after = next(self.stream)
        if not isinstance(after, events.StreamEndEvent):
            self._find(after, (), "a second document begins here; an inventory is one document")
        return root

    def _node(self, event: events.Event, path: Path) -> Node:
        self._refuse(event, path)
        if isinstance(event, events.MappingStartEvent):
            return self._mapping(event, path)
        if isinstance(event, events.SequenceStartEvent):
            return self._sequence(event, path)
        return _placed(event, event, self._scalar(event, path) if isinstance(event, events.ScalarEvent) else None)

    def _refuse(self, event: events.Event, path: Path) -> None:
        self.nodes += 1
        if self.nodes > MOST_NODES:
            self._stop(event, (), f"more than {MOST_NODES} keys and values")
        if len(path) > DEEPEST:
            self._stop(event, path[:3], f"nested more than {DEEPEST} levels deep")
        if isinstance(event, events.AliasEvent):
            self._find(event, path, "YAML aliases (*) are not read; write the value out, in quotes if it begins with *")
        elif getattr(event, "anchor", None):
            self._find(event, path, "YAML anchors (&) are not read; write the value in quotes if it begins with &")
        if getattr(event, "ctag", None):
            self._find(event, path, "YAML tags (!) are not read; write the value in quotes if it begins with !")

    def _mapping(self, first: events.Event, path: Path) -> Node:
        entries: dict[str, tuple[Node, Node]] = {}
        while not isinstance(event := next(self.stream), events.MappingEndEvent):
            name, key = self._key(event, path)
            value = self._node(next(self.stream), (*path, name))
            if name not in entries:
                entries[name] = (key, value)
                continue
            before = entries[name][0].line
            self._find(key, (*path, name), f"this key is already given at line {before}")
        return _placed(first, event, entries)

    def _key(self, event: events.Event, path: Path) -> tuple[str, Node]:
        if not isinstance(event, events.ScalarEvent):
            self._stop(event, path, "a key should be a single word")
        self._refuse(event, path)
        if event.value == "<<" and event.style is None:
            self._find(event, path, "YAML merge keys (<<) are not read; write the values out")
        self._check_text(event, path)
        return event.value, _placed(event, event, event.value)

    def _sequence(self, first: events.Event, path: Path) -> Node:
        items: list[Node] = []
        while not isinstance(event := next(self.stream), events.SequenceEndEvent):
            items.append(self._node(event, (*path, len(items))))
        return _placed(first, event, tuple(items))

    def _scalar(self, event: events.ScalarEvent, path: Path) -> Scalar:
        self._check_text(event, path)
        return event.value if event.style else _resolved(event.value)

    def _check_text(self, event: events.ScalarEvent, path: Path) -> None:
        found = FORBIDDEN_IN_VALUE.search(event.value)
        if found:
            self._find(event, path, f"the character U+{ord(found[0]):04X} is not allowed in an inventory")

    def _find(self, place: events.Event | Node, path: Path, message: str) -> None:
        line, column = (place.line, place.column) if isinstance(place, Node) else _line_and_column(place)
        self.findings.append(Finding(line, column, path, message))

    def _stop(self, place: events.Event | Node, path: Path, message: str) -> NoReturn:
        self._find(place, path, message)
        raise Unreadable


def _line_and_column(event: events.Event) -> tuple[int, int]:
    return event.start_mark.line + 1, event.start_mark.column + 1


def _placed(
    first: events.Event, last: events.Event, value: Scalar | dict[str, tuple[Node, Node]] | tuple[Node, ...]
) -> Node:
    is_flow = bool(getattr(first, "flow_style", False))
    return Node(*_line_and_column(first), first.start_mark.index, last.end_mark.index, value, is_flow)


def _resolved(text: str) -> Scalar:
    """Return what a text without quotes means."""
    if NULL.fullmatch(text):
        return None
    if TRUE.fullmatch(text) or FALSE.fullmatch(text):
        return text.lower() == "true"
    if INTEGER.fullmatch(text):
        return int(text)
    return float(text) if FLOAT.fullmatch(text) else text
