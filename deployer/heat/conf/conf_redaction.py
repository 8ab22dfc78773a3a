"""Redaction of heat.conf: its values, its lines and its diff, without the secrets."""

import difflib
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from deployer.heat.conf import grammar, secret_values
from deployer.heat.conf.grammar import Kind, Line
from deployer.heat.conf.secret_values import REDACTED

_OPTION = re.compile(r"[\w.-]+")
_NAMED = re.compile(r"""(\s*(?:- )?["']?([\w.-]+)["']?\s*[:=]\s*)(\S.*?)(\s*)""")


@dataclass(frozen=True)
class _Shown:
    """A line as it is and as it may be shown, with the secrets that were redacted in it."""

    raw: str = field(repr=False)
    redacted: str
    owner: tuple[str, str]
    secrets: tuple[str, ...] = field(repr=False)


def redact_value(key: str, value: str) -> str:
    """An option's value with `***` for every secret in it; as many lines as before."""
    return secret_values.replace_secret(key, value, _redacted)


def secrets_in(text: str) -> frozenset[str]:
    """Every secret that the file gives to who reads it, as it is written there; what comments hold is nobody's."""
    shown = _shown([line for line in grammar.lines_of(text) if line.kind is not Kind.COMMENT])
    return frozenset(secret.strip() for each in shown for secret in each.secrets)


def redact_lines(text: str) -> str:
    """A file of another grammar than heat.conf's, such as YAML, with `***` for every secret."""
    return "".join(_redacted_line(line) for line in text.splitlines(keepends=True))


def redacted_diff(before: str, after: str, path: str) -> str:
    """A unified diff of two files that marks which secrets changed and shows none; "" when they are equal."""
    old, new = (_shown(grammar.lines_of(text)) for text in (before, after))
    matcher = difflib.SequenceMatcher(None, [each.raw for each in old], [each.raw for each in new], autojunk=False)
    lines = [line for group in matcher.get_grouped_opcodes() for line in _hunk(group, old, new)]
    return "\n".join((f"--- {path} (before)", f"+++ {path} (after)", *lines, "")) if lines else ""


def _redacted_line(line: str) -> str:
    named = _NAMED.fullmatch(line)
    if named and secret_values.is_secret(named[2]):
        return f"{named[1]}{REDACTED}{named[4]}"
    return secret_values.replace_secrets_in_prose(line, _redacted)


def _redacted(secret: str) -> str:
    return "\n".join([REDACTED] * (secret.count("\n") + 1))


_Opcode = tuple[str, int, int, int, int]


def _hunk(group: Sequence[_Opcode], old: Sequence[_Shown], new: Sequence[_Shown]) -> Iterator[str]:
    first, last = group[0], group[-1]
    yield f"@@ -{first[1] + 1},{last[2] - first[1]} +{first[3] + 1},{last[4] - first[3]} @@"
    known = {each.owner: each.secrets for tag, start, stop, _, _ in group if tag != "equal" for each in old[start:stop]}
    for tag, start, stop, new_start, new_stop in group:
        if tag == "equal":
            yield from (f" {each.redacted}" for each in old[start:stop])
            continue
        yield from (f"-{each.redacted}" for each in old[start:stop])
        yield from (f"+{each.redacted}{_mark(each, known)}" for each in new[new_start:new_stop])


def _mark(shown: _Shown, known: dict[tuple[str, str], tuple[str, ...]]) -> str:
    """The mark on a new line whose secrets differ from those of the lines that it replaces."""
    if not shown.secrets or known.get(shown.owner) == shown.secrets:
        return ""
    return " (changed)" if known.get(shown.owner) else " (new)"


def _shown(lines: Sequence[Line]) -> list[_Shown]:
    shown: list[_Shown] = []
    while len(shown) < len(lines):
        line = lines[len(shown)]
        if line.kind is Kind.SETTING:
            shown += _setting(_with_continuations(lines, len(shown)))
        elif line.kind is Kind.COMMENT:
            shown.append(_comment(line, shown[-1] if shown else None))
        else:
            shown.append(_other(line))
    return shown


def _setting(group: Sequence[Line]) -> Iterator[_Shown]:
    """The lines of an option, whose secret may span several."""
    first = group[0]
    place = grammar.separator(first.text) + 1
    texts = [first.text[place:], *(line.text for line in group[1:])]
    found: list[str] = []
    value = secret_values.replace_secret(first.key, "\n".join(text.strip() for text in texts), _collecting(found))
    for line, text, part in zip(group, texts, value.split("\n"), strict=True):
        head = first.text[:place] if line is first else ""
        yield _Shown(line.text, head + _in_place(text, part), (line.section, line.key), tuple(found))


def _comment(line: Line, previous: _Shown | None) -> _Shown:
    """A comment, which may be an option switched off."""
    body = line.text.lstrip("#;")
    sign = line.text[: len(line.text) - len(body)]
    place = grammar.separator(body) + 1
    key = body[: max(place - 1, 0)].strip()
    found: list[str] = []
    if previous and previous.secrets and previous.owner[1].startswith("#") and _may_continue(body, key):
        return _Shown(line.text, sign + _in_place(body, REDACTED), previous.owner, (body,))
    if _OPTION.fullmatch(key):
        shown = body[:place] + _in_place(
            body[place:], secret_values.replace_secret(key, body[place:].strip(), _collecting(found))
        )
        return _Shown(line.text, sign + shown, (line.section, f"#{key}"), tuple(found))
    return _Shown(
        line.text, sign + secret_values.replace_secret("", body, _collecting(found)), (line.section, "#"), tuple(found)
    )


def _may_continue(body: str, key: str) -> bool:
    """Whether a comment after a secret that is switched off may be its next line."""
    indent = len(body) - len(body.lstrip())
    return indent > 1 or (indent == 1 and not _OPTION.fullmatch(key))


def _other(line: Line) -> _Shown:
    if line.kind is not Kind.BROKEN:
        return _Shown(line.text, line.text, (line.section, ""), ())
    return _Shown(line.text, _in_place(line.text, REDACTED), (line.section, "?"), (line.text,))


def _with_continuations(lines: Sequence[Line], start: int) -> Sequence[Line]:
    stop = start + 1
    while stop < len(lines) and lines[stop].kind is Kind.CONTINUATION:
        stop += 1
    return lines[start:stop]


def _collecting(found: list[str]) -> secret_values.Replace:
    """A redaction that also collects the secrets."""

    def replace(secret: str) -> str:
        found.append(secret)
        return _redacted(secret)

    return replace


def _in_place(text: str, part: str) -> str:
    """Another text between the white space around a text."""
    stripped = text.strip()
    lead, _, trail = text.partition(stripped) if stripped else (text, "", "")
    return lead + part + trail
