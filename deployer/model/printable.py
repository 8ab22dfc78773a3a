"""Characters that a terminal obeys instead of showing them, written as escapes. Pure."""

import re

# Unicode's categories Cc but for the ends of lines and tabs, Cf (marks that turn or hide text), Zl, Zp and Cs (no
# character at all), as of Unicode 16.
STEERING = (
    "\0-\x08\x0b-\x1f\x7f-\x9f\xad\u0600-\u0605\u061c\u06dd\u070f\u0890\u0891\u08e2\u180e\u200b-\u200f\u2028-\u202e"
    "\u2060-\u206f\ud800-\udfff\ufeff\ufff9-\ufffb\U000110bd\U000110cd\U00013430-\U00013438\U0001bca0-\U0001bca3"
    "\U0001d173-\U0001d17a\U000e0001\U000e0020-\U000e007f"
)
_IN_TEXT = re.compile(f"[{STEERING}]")
_IN_LINE = re.compile(f"[\t\n{STEERING}]")


def escape_controls(text: str) -> str:
    """A text whose control characters are written as escapes; only the ends of lines and tabs stay."""
    return _IN_TEXT.sub(_escape, text.replace("\r\n", "\n"))


def in_one_line(text: str) -> str:
    """A name in one line: the ends of lines and tabs are written as escapes too."""
    return _IN_LINE.sub(_escape, text)


def is_printable(text: str) -> bool:
    """Whether a name holds nothing that would be escaped."""
    return not _IN_LINE.search(text)


def _escape(sign: re.Match[str]) -> str:
    code = ord(sign.group())
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"
