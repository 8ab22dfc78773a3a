"""Read and edit heat.conf as oslo.config would read it; everything an edit does not name stays byte for byte."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from deployer import errors
from deployer.heat.conf import grammar, references
from deployer.heat.conf.grammar import Kind, Line

_INDENT = "    "


@dataclass(frozen=True)
class Setting:
    """One occurrence of an option: section and key as oslo.config looks them up, first line (1-based), line count.

    `value` is what oslo.config reads before substitution: continuation lines joined with a newline, the outer pair of
    quotes off. `-` and `_` in a key differ: in a file oslo.config knows an option by its underscored name alone.
    """

    section: str
    key: str
    value: str = field(repr=False)
    line: int
    lines: int = 1


@dataclass(frozen=True)
class Edit:
    """Set an option to a raw value, the text before substitution: a literal dollar sign is written `$$`.

    Without `line` the last occurrence changes, which is the one oslo.config reads, or the option is added. With `line`
    the occurrence that starts there changes, as options that may be given several times need.
    """

    section: str
    key: str
    value: str = field(repr=False)
    line: int | None = None


@dataclass(frozen=True)
class Conf:
    """The settings of a file in its order."""

    path: str
    settings: tuple[Setting, ...]

    def values(self, section: str, key: str) -> tuple[str, ...]:
        """Every value of an option, in order, as a MultiStrOpt would have them."""
        name = grammar.section_key(section)
        return tuple(each.value for each in self.settings if each.key == key and each.section == name)

    def value(self, section: str, key: str) -> str | None:
        """The value of an option before substitution: the last one given; None when there is none."""
        return next(reversed(self.values(section, key)), None)

    def resolved(self, section: str, key: str) -> str | None:
        """The value of an option with `$name`, `${group.name}` and `$$` substituted as for a string option.

        None when the option is missing or refers to one that this file does not have (it may have a default, which
        only Heat knows).
        """
        value = self.value(section, key)
        return None if value is None else self.substituted(value, section)

    def substituted(self, value: str, section: str) -> str | None:
        """A raw value of a section's option after substitution; None when a reference leads out of this file."""
        return references.substituted(value, grammar.section_key(section), self.value)

    def reading(self, edits: Sequence[Edit]) -> "Conf":
        """The settings once edits, each with its line or for a new option, are made; the new ones come last."""
        values = {edit.line: edit.value for edit in edits if edit.line}
        kept = [replace(each, value=values[each.line]) if each.line in values else each for each in self.settings]
        added = [Setting(edit.section, edit.key, edit.value, 0) for edit in edits if not edit.line]
        return Conf(self.path, (*kept, *added))


def parse(text: str, path: str = "heat.conf") -> Conf:
    """Read a file's text (bytes that are no UTF-8 as surrogate escapes).

    Raise BadConfig with every line that oslo.config would refuse, and every control character, as `path:line: why`.
    """
    lines = grammar.lines_of(text)
    problems = [f"{path}:{line.number}: {line.problem}" for line in lines if line.problem]
    if problems:
        raise errors.BadConfig("\n".join(problems), hint=f"mend {path}; Heat cannot read it as it is")
    return Conf(path, tuple(_setting(group) for group in _groups(lines)))


def edited(text: str, edits: Sequence[Edit], path: str = "heat.conf") -> str:
    """The file with every edit made (the last one where two name the same); oslo.config then reads each edit's value.

    A new option follows its section's last one, a new section ends the file. Raise BadConfig for a file that does not
    parse, for a line that is not the option's, and for what the grammar has no way to write: control characters, and
    in a value of several lines an empty line after the first or white space around one.
    """
    conf = parse(text, path)
    lines = grammar.lines_of(text)
    changed: dict[Setting, Edit] = {}
    added: dict[tuple[str, str], Edit] = {}
    for edit in edits:
        setting = _occurrence(conf, edit)
        _refuse_unwritable(edit, f"{path}:{setting.line if setting else len(lines)}")
        if setting is None:
            added[grammar.section_key(edit.section), edit.key] = edit
        else:
            changed[setting] = edit
    return _with_added(_with_changed(lines, changed), lines, tuple(added.values()))


def _groups(lines: Sequence[Line]) -> Iterator[tuple[Line, ...]]:
    """The lines of each setting: its first and those that continue it."""
    group: list[Line] = []
    for line in lines:
        if group and line.kind is not Kind.CONTINUATION:
            yield tuple(group)
            group = []
        if line.kind in (Kind.SETTING, Kind.CONTINUATION):
            group.append(line)
    if group:
        yield tuple(group)


def _setting(group: Sequence[Line]) -> Setting:
    first, *more = group
    value = first.text[grammar.separator(first.text) + 1 :].strip()
    if grammar.quote_of(value):
        value = value[1:-1]
    whole = "\n".join((value, *(line.text.strip() for line in more)))
    return Setting(first.section, first.key, whole, first.number, len(group))


def _occurrence(conf: Conf, edit: Edit) -> Setting | None:
    """The setting that an edit means; None when it adds one."""
    name = grammar.section_key(edit.section)
    found = [each for each in conf.settings if each.key == edit.key and each.section == name]
    if edit.line is None:
        return found[-1] if found else None
    for each in found:
        if each.line == edit.line:
            return each
    raise errors.BadConfig(f"{conf.path}:{edit.line}: [{name}] {edit.key} does not start here")


def _refuse_unwritable(edit: Edit, where: str) -> None:
    """Raise BadConfig for an edit that the grammar cannot express; the message never holds the value."""
    first, *more = edit.value.split("\n")
    if any(grammar.control_character(part) for part in (edit.section, edit.key, first, *more)):
        raise errors.BadConfig(f"{where}: an option cannot hold a control character")
    if any(not part or part != part.strip() for part in more):
        raise errors.BadConfig(f"{where}: [{edit.section}] {edit.key}: a line of its value is empty or has blank ends")
    key = edit.key
    if not edit.section or not key or key != key.strip() or key[0] in "[#;" or grammar.separator(key) >= 0:
        raise errors.BadConfig(f"{where}: no option can be called [{edit.section}] {key}")


def _with_changed(lines: Sequence[Line], changed: Mapping[Setting, Edit]) -> list[str]:
    """The text of each line, line end included; a changed setting is all in its last line's place."""
    texts = [line.text + line.end for line in lines]
    for setting, edit in changed.items():
        if setting.value != edit.value:
            start, stop = setting.line - 1, setting.line - 1 + setting.lines
            written = _rewritten(lines[start:stop], edit.value.split("\n"), _line_end(lines))
            texts[start:stop] = [""] * (setting.lines - 1) + [written]
    return texts


def _rewritten(group: Sequence[Line], parts: Sequence[str], end: str) -> str:
    """The lines of a setting with another value; lines whose part stays the same stay byte for byte."""
    texts = [_first_line(group[0].text, parts[0])]
    for number, part in enumerate(parts[1:], start=1):
        texts.append(_continuation(group[number].text if number < len(group) else _INDENT, part))
    return (group[0].end or end).join(texts) + group[-1].end


def _first_line(text: str, part: str) -> str:
    place = grammar.separator(text) + 1
    rest = text[place:]
    old = rest.strip()
    lead, trail = _around(rest, old)
    if not rest and text[: place - 1].endswith(" "):
        lead = " "  # `key =` goes on as `key = value`
    quote = grammar.quote_of(old) or ('"' if part != part.strip() or grammar.quote_of(part) else "")
    return f"{text[:place]}{lead}{quote}{part}{quote}{trail}"


def _continuation(text: str, part: str) -> str:
    lead, trail = _around(text, text.strip())
    return lead + part + trail


def _around(text: str, stripped: str) -> tuple[str, str]:
    """The white space before and after the stripped part of a text."""
    lead, _, trail = text.partition(stripped) if stripped else (text, "", "")
    return lead, trail


def _with_added(texts: list[str], lines: Sequence[Line], edits: Sequence[Edit]) -> str:
    """The file with new options after the last line of their section, or in new sections at its end."""
    end = _line_end(lines)
    fresh: dict[str, list[str]] = {}
    for edit in edits:
        section = grammar.section_key(edit.section)
        written = _rewritten([Line(0, f"{edit.key} =", "", Kind.SETTING)], edit.value.split("\n"), end)
        place = _last_line_of(section, lines)
        if place is None:
            fresh.setdefault(section, []).append(written)
        else:
            texts[place] += written + end if lines[place].end else end + written
    return "".join(texts) + _new_sections(fresh, lines, end)


def _last_line_of(section: str, lines: Sequence[Line]) -> int | None:
    """The index of a section's last setting, else of its last header; None when the file has no such section."""
    places = {line.kind is Kind.SECTION: line.number - 1 for line in lines if _belongs(line, section)}
    return places.get(False, places.get(True))


def _belongs(line: Line, section: str) -> bool:
    return line.section == section and line.kind in (Kind.SECTION, Kind.SETTING, Kind.CONTINUATION)


def _new_sections(fresh: Mapping[str, Sequence[str]], lines: Sequence[Line], end: str) -> str:
    """What follows a file's last line; it ends with a line end if the file did, or was empty."""
    closed = not lines or bool(lines[-1].end)
    blocks = [end.join((f"[{section}]", *written)) for section, written in fresh.items()]
    if not blocks:
        return ""
    gap = "" if not lines or lines[-1].kind is Kind.BLANK else end
    return ("" if closed else end) + gap + f"{end}{end}".join(blocks) + (end if closed else "")


def _line_end(lines: Sequence[Line]) -> str:
    """The line end of the file's first line, which new lines get too."""
    return lines[0].end if lines and lines[0].end else "\n"
