"""Find the secrets in a value of heat.conf: whole values by the option's name, passwords in URLs and parameters. Pure.

When in doubt more is taken for a secret than is one.
"""

import re
from collections.abc import Callable

REDACTED = "***"  # what is shown for a secret
# Given a secret, what is shown instead; of as many lines as the secret.
Replace = Callable[[str], str]

_WORDS = ("password", "passwd", "passphrase", "secret", "credential")
_ENDS = ("token", "_key", "_keys", "_pass", "pwd")
_PUBLIC = ("allow_credentials",)  # a switch of oslo.middleware's CORS
_NO_VALUE = ("", "<None>", "None")

# A URL's beginning; without a scheme when a file lost the option's name and the scheme stands for it.
# A name is tried from its beginning alone: a host's word of a thousand letters must not take a million steps.
_SCHEME = re.compile(r"(?:(?<![A-Za-z0-9+._-])[A-Za-z][A-Za-z0-9+._-]*:)?//")
_HOST = r"(?:\[[^\]@\s]*\]|[^:@/,?#\s\[\]]*)(?::(?:\d*|\$\{?[\w.]+\}?))?"
_LOGIN = r"[^:@/,?#\s]*(?::[^@/,?#\s]*)?@"
# A login that is clearly apart from the host, with nothing special in it; only brokers have several.
_CLEAN = re.compile(rf"{_LOGIN}{_HOST}(?=[/?#\s,'\"]|$)")
_FULL_LOGIN = r"[^:@/,?#\s]*:[^@/,?#\s]*@"
_CLEAN_LIST = re.compile(rf"{_FULL_LOGIN}{_HOST}(?:,\s*{_FULL_LOGIN}{_HOST})+(?=[/?#\s'\"]|$)")
_BROKERS = ("rabbit://", "amqp://", "kafka://")
_CLEAN_PASSWORD = re.compile(r"(?<=:)[^@/,?#\s:][^@/,?#\s]*(?=@)")
_NEXT_URL = re.compile(r"[\s,]+(?=[A-Za-z][A-Za-z0-9+._-]*://)")
_ARGUMENT = re.compile(r"(?<![\w-])([\w-]+):")  # oslo.cache's backend_argument is `name:value`
_PARAMETER = re.compile(r"(?<![\w-])([\w-]+)(\s*=\s*|:)([^&;,\s]+)")
# What a program prints of its own values: `password='a b'`, `"password": "..."`.
_QUOTED = re.compile(r"""(?<![\w-])([\w-]+)(["']?\s*[=:]\s*)(["'])(.*?)(?<!\\)\3""")


def is_secret(key: str) -> bool:
    """Whether an option holds a secret, judged by its name: also one that no release of Heat knows."""
    name = key.lower().replace("-", "_")
    return name not in _PUBLIC and (any(word in name for word in _WORDS) or name.endswith(_ENDS))


def replace_secret(key: str, value: str, replace: Replace) -> str:
    """An option's value with every secret in it replaced; it keeps its number of lines."""
    if is_secret(key):
        return value if value in _NO_VALUE else replace(value)
    argument = _ARGUMENT.match(value)
    if argument and is_secret(argument[1]):
        return argument.group() + replace(value[argument.end() :])
    return _with_parameters(_with_urls(value, replace), replace)


def replace_secrets_in_prose(text: str, replace: Replace) -> str:
    """A program's message with every text replaced that stands where a secret does: in a login or after its name."""

    def quoted(match: re.Match[str]) -> str:
        name, sign, quote, secret = match.groups()
        return f"{name}{sign}{quote}{replace(secret)}{quote}" if secret and is_secret(name) else match.group()

    def word(match: re.Match[str]) -> str:
        return _with_parameters(_with_urls(match.group(), replace), replace)

    return re.sub(r"\S+", word, _QUOTED.sub(quoted, text))


def _with_urls(value: str, replace: Replace) -> str:
    start = _SCHEME.search(value)
    if not start or "@" not in value[start.end() :]:
        return value
    lead, rest = value[: start.end()], value[start.end() :]
    clean = lead.endswith(_BROKERS) and _CLEAN_LIST.match(rest) or _CLEAN.match(rest)
    if not clean:
        return lead + _from_colon_to_at(rest, replace)
    after = rest[clean.end() :]
    following = _NEXT_URL.search(after)
    own = after[: following.start()] if following else after
    if "@" in own:  # what looked clean was the beginning of a password
        return lead + _from_colon_to_at(rest, replace)
    replaced = _CLEAN_PASSWORD.sub(lambda match: replace(match.group()), clean.group())
    return lead + replaced + own + _with_urls(after[len(own) :], replace)


def _from_colon_to_at(rest: str, replace: Replace) -> str:
    """Everything that could be a password in what follows `//`: from the first colon to the last @."""
    end = rest.rfind("@")
    start = rest.find(":", 0, end) + 1
    return rest[:start] + replace(rest[start:end]) + rest[end:] if 0 < start < end else rest


def _with_parameters(value: str, replace: Replace) -> str:
    """`password=...` in queries and connection strings, and `password:...` in lists."""

    def replacement(match: re.Match[str]) -> str:
        name, sign, secret = match.groups()
        return f"{name}{sign}{replace(secret)}" if is_secret(name) and REDACTED not in secret else match.group()

    return _PARAMETER.sub(replacement, value)
