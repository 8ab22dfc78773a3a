"""pydantic's errors -> findings with messages for operators. Never repeats a value that may be a secret."""

import re
from collections.abc import Iterator, Mapping
from typing import get_args

from pydantic import BaseModel, ValidationError
from pydantic.fields import FieldInfo
from pydantic_core import ErrorDetails

from deployer.inventory import formatting, values
from deployer.inventory.document import Finding, Node, Path
from deployer.inventory.sections import Document, HostEntry

# Keys whose value is not repeated: a gateway may be given as user:password@host by mistake.
NOT_REPEATED = ("password", "gateway")
STATS = ("proxy", "stats")
# A key with anything else in it, such as the colon of `password:VALUE`, is a mistake that may show a value.
KEY = re.compile(r"[A-Za-z][\w.-]{0,60}")

KINDS = {
    "int_type": "should be a whole number",
    "float_type": "should be a number",
    "bool_type": "should be true or false",
    "string_type": "should be a text; write it in quotes",
    "tuple_type": "should be a list",
    "finite_number": "should be a finite number",
    "mapping_type": "should be a mapping of names to settings",
    "dict_type": "should be a mapping of names to settings",
    "model_type": "should be a mapping of keys to values",
}
LIMITS = {
    "greater_than_equal": "should be {ge} or more",
    "less_than_equal": "should be {le} or less",
    "too_long": "should have at most {max_length} entries",
    "too_short": "should have at least {min_length} entry",
    "string_too_long": "should have at most {max_length} characters",
    "string_too_short": "should not be empty",
}
# Where a known key belongs when it is met elsewhere.
BELONGS = {
    "host_key": "hosts.<name>.ssh",
    "source": "heat",
    "engine": "hosts.<name>, as `engines`",
}


def findings(error: ValidationError, root: Node) -> Iterator[Finding]:
    """Given pydantic's errors on a whole document, yield a finding for each error, at its place."""
    for item in error.errors(include_url=False):
        yield _finding(item, root)


def described(item: ErrorDetails, path: Path) -> str:
    """Return the message on a wrong value. One that stands where a section belongs may be a secret of that section."""
    kind, context = item["type"], item.get("ctx", {})
    shown = "" if kind == "model_type" else _shown(item["input"], path)
    if kind == "string_pattern_mismatch":
        return f"{shown}should be {values.MEANING[context['pattern']]}"
    if kind == "literal_error":
        return (
            f"{shown}should be {context['expected']}{formatting.nearest(item['input'], _choices(context['expected']))}"
        )
    if kind == "value_error":
        return f"{shown}{context['error']}"
    if kind == "string_type" and ("timeouts" in path or path[-1] == "interval"):
        return f"{shown}should be {values.MEANING[values.DURATION]}"
    if kind in LIMITS:
        return shown + LIMITS[kind].format(**context)
    return shown + _with_hint(KINDS.get(kind, item["msg"]), item["input"], kind)


def path_in(root: Node, location: Path) -> Path:
    """Return pydantic's location without the parts that are no keys of the file, such as the member of a union."""
    path: list[str | int] = []
    node: Node | None = root
    for index, part in enumerate(location):
        inside = node.child(part) if node else None
        is_last = index == len(location) - 1
        if inside or (is_last and part not in ("count", "ports", "[key]")):
            path.append(part)
            node = inside or node
    return tuple(path)


def place_of(root: Node, path: Path, of_key: bool = False) -> tuple[int, int]:
    """Return the line and column of the value at a path (or of its key), or of the nearest that exists around it."""
    node = entry = root
    for part in path:
        if not (child := node.child(part)):
            return entry.line, entry.column
        pair = node.entry(part)
        node, entry = child, pair[0] if pair else child
    # The content of a block begins on the next line; the line of its key is clearer.
    is_block = isinstance(node.value, dict | tuple) and not node.is_flow
    place = entry if of_key or is_block or node.value is None else node
    return place.line, place.column


def _finding(item: ErrorDetails, root: Node) -> Finding:
    location, kind = item["loc"], item["type"]
    if kind == "extra_forbidden":
        path = location[:-1]
        return Finding(*place_of(root, location, of_key=True), path, _unknown(location))
    path = path_in(root, location)
    if kind == "missing":
        return Finding(*place_of(root, path[:-1], of_key=True), path, "is missing")
    return Finding(*place_of(root, path, of_key="[key]" in location), path, described(item, path))


def _unknown(location: Path) -> str:
    key, known = location[-1], list(_fields_at(location[:-1]))
    hint = formatting.nearest(key, known) or (f"; it belongs in {BELONGS[key]}" if key in BELONGS else "")
    is_shown = KEY.fullmatch(str(key)) and (hint or not _has_secrets(location[:-1]))
    shown = f'unknown key "{formatting.printable(key)}"' if is_shown else "unknown key, not shown as it may be a secret"
    return shown + (hint if hint and is_shown else f"; known here: {', '.join(known)}")


def _has_secrets(section: Path) -> bool:
    return tuple(section) == STATS


def _choices(expected: str) -> list[str]:
    return re.findall(r"'([^']+)'", expected)


def _fields_at(path: Path) -> Mapping[str, FieldInfo]:
    """Return the fields of the section at a path."""
    section: type[BaseModel] = Document
    for index, part in enumerate(path):
        if path[0] == "hosts" and index < 2:
            section = HostEntry
            continue
        field = section.model_fields.get(str(part))
        section = _section_of(field.annotation) if field else section
    return section.model_fields


def _section_of(annotation: object) -> type[BaseModel]:
    candidates = (annotation, *get_args(annotation))
    return next(kind for kind in candidates if isinstance(kind, type) and issubclass(kind, BaseModel))


def _with_hint(message: str, value: object, kind: str) -> str:
    if value is None:
        return f"{message}; it has no value: give one, or take the key out"
    if isinstance(value, bool) and kind != "bool_type":
        return f"{message}, not {str(value).lower()}"
    return message


def _shown(value: object, path: Path) -> str:
    """Return a short scalar as it may be shown in front of a message."""
    is_secret = set(NOT_REPEATED) & set(path) or (_has_secrets(path[:-1]) and path[-1] != "bind")
    if isinstance(value, bool) or value is None or is_secret or isinstance(value, dict | tuple):
        return ""
    text = formatting.printable(value)
    return f'"{text}": ' if isinstance(value, str) else f"{text}: "
