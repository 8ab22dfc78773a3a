"""Redaction of what hosts report: known secrets, and what stands where a secret does, become `***`. Pure.

A secret may be so short that it is a common word. To keep messages readable, one of fewer than 4 characters is redacted
only in logins and after names like `password=`, one of fewer than 8 only as a whole word.
"""

import functools
import itertools
import json
import re
from collections.abc import Iterable, Mapping
from urllib.parse import unquote

from deployer.heat.conf import secret_values
from deployer.heat.conf.secret_values import REDACTED
from deployer.model.printable import escape_controls
from deployer.model.wire import Json, Reply

SHORTEST, CERTAIN = 4, 8  # characters of a secret that is redacted as a whole word, and anywhere
LIKE_NO_NAME = 16  # characters of one that cannot be the name of a host, a queue or an engine
DATA = (
    "files",
    "texts",
    "globs",
    "units",
    "listeners",
    "processes",
    "replies",
    "free",
    "accounts",
    "ledger",
    "newest",
    "runs",
    "state",
    "certificates",
    "cursor",
    "usage",
    "resources",
)
LOGGED = ("entries",)  # what programs wrote for people: never data, whatever it looks like
BRACKETS = re.compile(r"[][{}]")
DEEPEST = 100  # lists and objects within one another
ENDS_OF_A_WORD = r"(?<![\w/-]){}(?![\w/-])"


def redact(text: str, known: Iterable[str]) -> str:
    """A text without the secrets that are known, in any spelling, and without what looks like one.

    Control characters and direction marks, which a terminal would obey, are written as escapes.
    """
    return escape_controls(secret_values.replace_secrets_in_prose(redact_known(text, known), lambda _: REDACTED))


def redact_known(text: str, known: Iterable[str]) -> str:
    """A text without the secrets that are known, the longest first: one may begin another."""
    pattern = _any_of(frozenset(known))
    return pattern.sub(REDACTED, text) if pattern else text


@functools.lru_cache(maxsize=4)  # the lines of a journal are many, and the secrets of all are the same
def _any_of(known: frozenset[str]) -> re.Pattern[str] | None:
    meant = {each for secret in known for each in _meanings(secret) if len(each) >= SHORTEST}
    patterns = [_pattern(each) for each in sorted(meant, key=len, reverse=True)]
    return re.compile("|".join(patterns)) if patterns else None


def redact_reply(answer: Reply, known: Iterable[str]) -> Reply:
    """A host's reply without secrets; data on files, processes and sockets is no message and stays as it is."""
    held = frozenset(known)
    return {
        key: value if key in DATA else _redact_logged(value, held) if key in LOGGED else _redact_value(value, held)
        for key, value in answer.items()
    }


def replace_messages(answer: Reply, sentence: str) -> Reply:
    """A host's reply with one sentence in place of each message for people; data, names and JSON stay what they are."""
    return {key: value if key in DATA else _replaced(value, sentence) for key, value in answer.items()}


def _replaced(value: Json, sentence: str) -> Json:
    if isinstance(value, Mapping):
        return {key: _replaced(part, sentence) for key, part in value.items()}
    if isinstance(value, list | tuple):
        return [_replaced(part, sentence) for part in value]
    if not isinstance(value, str):
        return value
    parsed = _parsed(value)
    if parsed is not None:
        return json.dumps(_replaced(parsed, sentence))
    return sentence if _is_message(value) else value


def has_messages(answer: Reply) -> bool:
    """Whether a host's reply holds messages for people: why a step failed, or a text with a blank or a URL in it."""
    return (
        has_log(answer)
        or bool(answer.get("failed"))
        or any(_is_message(text) for key, value in answer.items() if key not in DATA for text in _texts(value))
    )


def has_log(answer: Reply) -> bool:
    """Whether a host's reply holds what programs wrote to its journal, of which a single word may be a secret."""
    return any(answer.get(key) for key in LOGGED)


def _is_message(text: str) -> bool:
    return "://" in text or len(text.split()) > 1


def _texts(value: Json) -> Iterable[str]:
    if isinstance(value, str):
        parsed = _parsed(value)
        return [value] if parsed is None else _texts(parsed)
    parts = value.values() if isinstance(value, Mapping) else value if isinstance(value, list | tuple) else ()
    return [text for part in parts for text in _texts(part)]


def _redact_value(value: Json, known: frozenset[str], in_json: bool = False) -> Json:
    if isinstance(value, Mapping):
        return {key: _redact_value(part, known, in_json) for key, part in value.items()}
    if isinstance(value, list | tuple):
        return [_redact_value(part, known, in_json) for part in value]
    return _redact_text(value, known, in_json) if isinstance(value, str) else value


def _redact_logged(value: Json, known: frozenset[str]) -> Json:
    """What programs wrote, without secrets: it is compared with nothing, so that no text is spared as a name."""
    if isinstance(value, Mapping):
        return {key: _redact_logged(part, known) for key, part in value.items()}
    if isinstance(value, list | tuple):
        return [_redact_logged(part, known) for part in value]
    return redact(value, known) if isinstance(value, str) else value


def _redact_text(text: str, known: frozenset[str], in_json: bool) -> str:
    """A program's output, which may be JSON. Names in JSON are compared with others: they must stay as they are."""
    parsed = _parsed(text)
    if parsed is not None:
        return json.dumps(_redact_value(parsed, known, in_json=True))
    is_name = in_json and not _is_message(text)
    return redact(text, [each for each in known if len(each) >= LIKE_NO_NAME] if is_name else known)


def _parsed(text: str) -> Json:
    """What a text is in JSON; None for any other text."""
    if not text.lstrip().startswith(("{", "[")) or _is_deep(text):
        return None
    try:
        return json.loads(text)
    except ValueError:
        return None


def _is_deep(text: str) -> bool:
    """Whether a text opens more lists and objects within one another than any program of ours prints."""
    depths = itertools.accumulate(1 if sign in "[{" else -1 for sign in BRACKETS.findall(text))
    return any(depth > DEEPEST for depth in depths)


def _meanings(secret: str) -> set[str]:
    """What a secret may be for programs, given how a file has it: in quotes, with $$ for $, encoded for a URL."""
    bare = secret[1:-1] if len(secret) > 1 and secret[0] == secret[-1] and secret[0] in "'\"" else secret
    plain = {secret, bare, bare.replace("$$", "$")}
    lines = {line.strip() for each in plain for line in each.splitlines() if len(line.strip()) >= CERTAIN}
    return plain | lines | {unquote(each) for each in plain}


def _pattern(secret: str) -> str:
    spelled = "".join(map(_spellings, secret))
    return spelled if len(secret) >= CERTAIN else ENDS_OF_A_WORD.format(spelled)


def _spellings(letter: str) -> str:
    """A letter as it is and, where it is none, as URLs, JSON, Python and XML write it."""
    if letter.isascii() and letter.isalnum():
        return letter
    encoded = "".join(f"%{byte:02x}" for byte in letter.encode("utf-8", "surrogateescape"))
    others = {"$": r"\$\$", " ": r"\+", "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;"}
    escaped = {re.escape(write(letter)[1:-1]) for write in (json.dumps, repr, ascii)} - {re.escape(letter)}
    forms = [encoded, *sorted(escaped, key=len, reverse=True), *filter(None, [others.get(letter)])]
    return rf"(?:(?i:{'|'.join(forms)})|\\*{re.escape(letter)})"
