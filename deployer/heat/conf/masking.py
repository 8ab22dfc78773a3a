"""Show heat.conf, or how it changes, without its secrets."""

import difflib
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from deployer.heat.conf import grammar, secrets
from deployer.heat.conf.grammar import Kind, Line

MASK = "***"
_OPTION = re.compile(r"[\w.-]+")
_NAMED = re.compile(r"""(\s*(?:- )?["']?([\w.-]+)["']?\s*[:=]\s*)(\S.*?)(\s*)""")


@dataclass(frozen=True)
class _Shown:
    """A line as it is and as it may be shown, and the secrets that were taken out of it."""

    raw: str = field(repr=False)
    masked: str
    owner: tuple[str, str]
    secrets: tuple[str, ...] = field(repr=False)


def redact_value(key: str, value: str) -> str:
    """An option's value with `***` for every secret in it; as many lines as before."""
    return secrets.replace_secret(key, value, _mask)


def secrets_in(text: str) -> frozenset[str]:
    """Every secret that the file gives to who reads it, as it is written there; what comments hold is nobody's."""
    shown = _shown([line for line in grammar.lines_of(text) if line.kind is not Kind.COMMENT])
    return frozenset(secret.strip() for each in shown for secret in each.secrets)


def redact_lines(text: str) -> str:
    """A file of another grammar than heat.conf's (YAML, say) with `***` for every secret that its line tells as one."""
    return "".join(_named_or_in_prose(line) for line in text.splitlines(keepends=True))


def redacted_diff(before: str, after: str, path: str) -> str:
    """A unified diff of two files that tells which secrets changed and shows none; "" when they are equal."""
    old, new = (_shown(grammar.lines_of(text)) for text in (before, after))
    matcher = difflib.SequenceMatcher(None, [each.raw for each in old], [each.raw for each in new], autojunk=False)
    lines = [line for group in matcher.get_grouped_opcodes() for line in _hunk(group, old, new)]
    return "\n".join((f"--- {path} (before)", f"+++ {path} (after)", *lines, "")) if lines else ""


def _named_or_in_prose(line: str) -> str:
    named = _NAMED.fullmatch(line)
    if named and secrets.is_secret(named[2]):
        return f"{named[1]}{MASK}{named[4]}"
    return secrets.replace_secrets_in_prose(line, _mask)


def _mask(secret: str) -> str:
    return "\n".join([MASK] * (secret.count("\n") + 1))


_Opcode = tuple[str, int, int, int, int]


def _hunk(group: Sequence[_Opcode], old: Sequence[_Shown], new: Sequence[_Shown]) -> Iterator[str]:
    first, last = group[0], group[-1]
    yield f"@@ -{first[1] + 1},{last[2] - first[1]} +{first[3] + 1},{last[4] - first[3]} @@"
    known = {each.owner: each.secrets for tag, start, stop, _, _ in group if tag != "equal" for each in old[start:stop]}
    for tag, start, stop, new_start, new_stop in group:
        if tag == "equal":
            yield from (f" {each.masked}" for each in old[start:stop])
            continue
        yield from (f"-{each.masked}" for each in old[start:stop])
        yield from (f"+{each.masked}{_note(each, known)}" for each in new[new_start:new_stop])


def _note(shown: _Shown, known: dict[tuple[str, str], tuple[str, ...]]) -> str:
    """What there is to say of a new line's secrets, given those of the lines that it replaces."""
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
    value = secrets.replace_secret(first.key, "\n".join(text.strip() for text in texts), _collecting(found))
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
        return _Shown(line.text, sign + _in_place(body, MASK), previous.owner, (body,))
    if _OPTION.fullmatch(key):
        shown = body[:place] + _in_place(
            body[place:], secrets.replace_secret(key, body[place:].strip(), _collecting(found))
        )
        return _Shown(line.text, sign + shown, (line.section, f"#{key}"), tuple(found))
    return _Shown(
        line.text, sign + secrets.replace_secret("", body, _collecting(found)), (line.section, "#"), tuple(found)
    )


def _may_continue(body: str, key: str) -> bool:
    """Whether a comment after a secret that is switched off may be its next line."""
    indent = len(body) - len(body.lstrip())
    return indent > 1 or (indent == 1 and not _OPTION.fullmatch(key))


def _other(line: Line) -> _Shown:
    if line.kind is not Kind.BROKEN:
        return _Shown(line.text, line.text, (line.section, ""), ())
    return _Shown(line.text, _in_place(line.text, MASK), (line.section, "?"), (line.text,))


def _with_continuations(lines: Sequence[Line], start: int) -> Sequence[Line]:
    stop = start + 1
    while stop < len(lines) and lines[stop].kind is Kind.CONTINUATION:
        stop += 1
    return lines[start:stop]


def _collecting(found: list[str]) -> secrets.Replace:
    """A mask that remembers what it hid."""

    def stamp(secret: str) -> str:
        found.append(secret)
        return _mask(secret)

    return stamp


def _in_place(text: str, part: str) -> str:
    """Another text between the white space around a text."""
    stripped = text.strip()
    lead, _, trail = text.partition(stripped) if stripped else (text, "", "")
    return lead + part + trail
