"""Edits of a YAML text at the place of a node: every byte outside the touched value stays as it was."""

import re

from deployer import errors
from deployer.inventory.document import Node


def replaced(text: str, node: Node, value: str) -> str:
    """Return the text with the node's value written anew."""
    return text[: node.start] + value + text[node.end :]


def with_entry(text: str, mapping: Node, entry: str) -> str:
    """Return the text with `key: value` added at the end of a mapping, in the mapping's own style."""
    _, last = list(mapping.entries.values())[-1]
    end = _end(text, last)
    if mapping.is_flow:
        return f"{text[:end]}, {entry}{text[end:]}"
    indentation = " " * (mapping.column - 1)
    return _with_line(text, end, indentation + entry)


def without_entry(text: str, mapping: Node, key: str) -> str:
    """Return the text without one entry of a mapping that has others: with its own comments, not with theirs."""
    name, value = mapping.entries[key]
    if not mapping.is_flow:
        start = text.rfind("\n", 0, name.start) + 1
        return text[:start] + text[_block_end(text, name, value) :]
    keys = list(mapping.entries)
    at = keys.index(key)
    if at + 1 < len(keys):
        return text[: name.start] + text[mapping.entries[keys[at + 1]][0].start :]
    before = mapping.entries[keys[at - 1]][1].end
    has_comment = "#" in text[before : name.start]
    return text[: name.start if has_comment else before] + text[value.end :]


def lengthened(text: str, sequence: Node, items: list[str]) -> str:
    """Return the text with items added at the end of a list."""
    if not sequence.items:
        return replaced(text, sequence, f"[{', '.join(items)}]")
    last = sequence.items[-1]
    if sequence.is_flow:
        return text[: last.end] + "".join(f", {item}" for item in items) + text[last.end :]
    prefix = _dash(text, last)
    for item in reversed(items):
        text = _with_line(text, last.end, prefix + item)
    return text


def shortened(text: str, key: Node, sequence: Node, kept: int) -> str:
    """Return the text with only the first `kept` items of the list under a key."""
    if sequence.is_flow and not kept:
        return replaced(text, sequence, "[]")
    last = sequence.items[-1]
    if sequence.is_flow:
        return text[: sequence.items[kept - 1].end] + text[last.end :]
    above = sequence.items[kept - 1] if kept else key
    rest = text[: _line_end(text, above.end)] + text[_line_end(text, last.end) :]
    colon = rest.index(":", key.end) + 1
    return rest if kept else f"{rest[:colon]} []{rest[colon:]}"


def _with_line(text: str, place: int, line: str) -> str:
    """Return the text with a line added below the one that holds an offset."""
    end = _line_end(text, place)
    newline = "\r\n" if "\r\n" in text else "\n"
    return text[:end] + newline + line + text[end:]


def _line_end(text: str, place: int) -> int:
    """Return the offset where the line that holds an offset ends, before its line break."""
    end = text.find("\n", place)
    if end == -1:
        return len(text)
    return end - 1 if text[end - 1] == "\r" and end > place else end


def _end(text: str, node: Node) -> int:
    """Return where a value's own text ends; the parser puts the end of a block below its last line."""
    while (inside := (*(value for _, value in node.entries.values()), *node.items)) and not node.is_flow:
        node = inside[-1]
    return len(text[: node.end].rstrip())


def _block_end(text: str, name: Node, value: Node) -> int:
    """Return where the line after a block entry begins, behind the comments that stand deeper than its key."""
    end = _end(text, value)
    while True:
        newline = text.find("\n", end)
        if newline == -1:
            return len(text)
        end = newline + 1
        line = text[end:].split("\n", 1)[0]
        if not line.lstrip().startswith("#") or len(line) - len(line.lstrip()) < name.column:
            return end


def _dash(text: str, item: Node) -> str:
    """Return what stands in front of an item of a block list."""
    prefix = text[text.rfind("\n", 0, item.start) + 1 : item.start]
    if not re.fullmatch(r" *- +", prefix):
        raise errors.BadInput(f"line {item.line}: this form of list cannot be edited", "Write it as [8004, 8005].")
    return prefix
