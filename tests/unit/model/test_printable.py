"""What a terminal would obey is shown as an escape, in texts and in names."""

import unicodedata

import pytest

from deployer.model import printable

# Python's own table of Unicode may be older or newer than ours; these are in all of them.
STEERING = [
    chr(code)
    for code in range(0x20000)
    if unicodedata.category(chr(code)) in ("Cc", "Zl", "Zp", "Cs") or unicodedata.bidirectional(chr(code)) in (
        "LRE", "RLE", "LRO", "RLO", "PDF", "LRI", "RLI", "FSI", "PDI"
    ) or chr(code) in "\u200e\u200f\u061c\u200b\ufeff"
]  # fmt: skip


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("\x1b[31mred", "\\x1b[31mred"),
        ("a\x9b31m", "a\\x9b31m"),
        ("exe\u202etxt.\u2069", "exe\\u202etxt.\\u2069"),
        ("\U000e0041tag", "\\U000e0041tag"),
        ("lone \udce9", "lone \\udce9"),
        ("lines\r\nand\ttabs\n", "lines\nand\ttabs\n"),
        ("Grüße 你好 ✓ שלום", "Grüße 你好 ✓ שלום"),
    ],
)
def test_signs_that_steer_a_terminal_are_escaped_in_a_text_and_letters_stay(text, shown):
    assert printable.escape_controls(text) == shown


def test_no_control_character_or_direction_mark_is_left_in_a_text():
    text = "".join(STEERING).replace("\r\n", "")

    assert set(STEERING) & set(printable.escape_controls(text)) == {"\n", "\t"}


def test_name_stays_in_one_line():
    assert (
        printable.in_one_line("heat-api\nhostA: all is well\t\x1b[2K") == "heat-api\\x0ahostA: all is well\\x09\\x1b[2K"
    )


def test_name_is_printable_unless_something_in_it_would_be_escaped():
    assert printable.is_printable("Ünit@1.service")
    assert not any(printable.is_printable(f"a{each}") for each in STEERING)
