"""Whatever a host says, a secret that is known or looks like one becomes `***`, and other words stay readable."""

import json
import time
from urllib.parse import quote, quote_plus

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from deployer.heat import redaction

AWKWARD = "aB3$%@:/#&<x> y\"'\\é"
SPELLINGS = {
    "as it is": str,
    "in a URL": lambda text: quote(text, safe=""),
    "in a query": quote_plus,
    "in a URL, small letters": lambda text: quote(text, safe="").replace("%3A", "%3a").replace("%C3%A9", "%c3%a9"),
    "half encoded": lambda text: quote(text, safe="$:@"),
    "in JSON": lambda text: json.dumps(text)[1:-1],
    "in Python": lambda text: repr(text)[1:-1],
    "in heat.conf": lambda text: text.replace("$", "$$"),
}


@pytest.mark.parametrize("spell", SPELLINGS.values(), ids=SPELLINGS)
@pytest.mark.parametrize(
    "written",
    [AWKWARD, quote(AWKWARD, safe=""), AWKWARD.replace("$", "$$"), f"'{AWKWARD}'"],
    ids=["plain", "encoded", "dollars", "quoted"],
)
def test_secret_is_redacted_however_the_file_has_it_and_however_it_is_printed(written, spell):
    assert redaction.redact_known(f"refused: <{spell(AWKWARD)}>", [written]) == "refused: <***>"


@settings(deadline=None, derandomize=True, database=None)
@given(st.text(min_size=8, max_size=40).filter(lambda text: text == text.strip(" ~")), st.sampled_from(list(SPELLINGS)))
def test_any_secret_of_eight_characters_is_redacted_in_any_spelling(secret, name):
    assert redaction.redact_known(f"~~{SPELLINGS[name](secret)}~~", [secret]) == "~~***~~"


def test_longer_secret_is_redacted_before_one_that_begins_it():
    assert redaction.redact_known("hushhushhush", ["hushhush", "hushhushhush"]) == "***"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("start heat-engine, read /etc/heat/heat.conf", "start heat-engine, read /etc/heat/heat.conf"),
        ("Access denied for 'heat'@'hostB'", "Access denied for '***'@'hostB'"),
        ("it is heat.", "it is ***."),
    ],
)
def test_secret_that_is_a_word_is_redacted_as_a_word_of_its_own_only(text, expected):
    assert redaction.redact(text, ["heat"]) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [("cannot reach abc of c", "cannot reach abc of c"), ("mysql://heat:abc@h/heat", "mysql://heat:***@h/heat")],
)
def test_secret_of_three_letters_is_redacted_where_its_place_shows_it(text, expected):
    assert redaction.redact(text, ["abc"]) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("(http://a:5000 b) mysql://u:p@ss/wo?rd@db/heat, then", "(http://a:5000 b) mysql://u:***@db/heat, then"),
        ("rabbit://u:one@h1:5672,u:two@h2:5672/v", "rabbit://u:***@h1:5672,u:***@h2:5672/v"),
        ("connect(user='u', password='a b')", "connect(user='u', password='***')"),
        ('{"auth_key": "x y", "user": "u"}', '{"auth_key": "***", "user": "u"}'),
        ("--password=one --user=u", "--password=*** --user=u"),
    ],
)
def test_secret_that_nobody_knows_is_redacted_where_its_place_shows_it(text, expected):
    assert redaction.redact(text, []) == expected


@pytest.mark.parametrize(
    "text",
    [
        "Access denied for user 'heat'@'hostB' (using password: YES)",
        "Unit heat-scaleout-engine@1.service failed",
        "http://198.18.2.11:5000/v3 refused user@host",
        "no good answer from 10.0.0.2:8004/healthcheck (status 503)",
        "python3 ended with 1: [keystone_authtoken] password is wrong",
        "",
    ],
)
def test_messages_that_hold_no_secret_stay_as_they_are(text):
    assert redaction.redact(text, []) == text


def test_messages_give_no_commands_to_a_terminal():
    assert redaction.redact("a\x1b]0;x\x07b\r\n\tc\rd\u202e", []) == "a\\x1b]0;x\\x07b\n\tc\\x0dd\\u202e"


def test_line_of_a_secret_of_several_lines_is_redacted():
    assert redaction.redact_known("he said BBBBBBBBBBBB", ["AAAAAAAAAAAA\nBBBBBBBBBBBB"]) == "he said ***"


def test_reply_keeps_what_is_compared_and_redacts_its_messages():
    secret = "controller-1-secret"
    answer = {
        "files": {"/etc/x": {"content": secret}},
        "failed": {"index": 1, "why": f"said {secret}"},
        "done": [json.dumps({"host": "controller", "why": f"no {secret}", secret: 1}), f"told {secret}"],
    }

    shown = redaction.redact_reply(answer, ["controller", secret])

    assert shown["files"] == answer["files"]
    assert shown["failed"] == {"index": 1, "why": "said ***"}
    assert json.loads(shown["done"][0]) == {"host": "controller", "why": "no ***", secret: 1}
    assert shown["done"][1] == "told ***"


def test_field_that_a_reply_never_had_before_is_reported_without_secrets():
    assert redaction.redact_reply({"news": {"of": ["a hushhush b"]}}, ["hushhush"]) == {"news": {"of": ["a *** b"]}}


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        ({"failed": None, "done": ["", '{"rows": [{"host": "hostB-1"}]}']}, False),
        ({"files": {"a": {"content": "a b c"}}, "replies": {"s": "# pxname, svname"}}, False),
        ({"failed": {"why": "it broke"}, "done": []}, True),
        ({"answers": {"engines": {"printed": '{"problems": ["no answer"]}', "why": None}}}, True),
        ({"done": ["mysql://heat:x@h"]}, True),
    ],
)
def test_reply_has_messages_when_it_has_text_for_people(answer, expected):
    assert redaction.has_messages(answer) is expected


@pytest.mark.parametrize(
    "text", ["[" * 50_000, "[" * 900 + "]" * 900, '{"a":' * 5000], ids=["open", "lists", "objects"]
)
def test_output_that_is_nested_without_end_is_redacted_as_a_text(text):
    reply = redaction.redact_reply({"done": [text + " s3cret-canary"]}, ["s3cret-canary"])

    assert reply["done"][0].endswith(" ***")
    assert redaction.has_messages(reply)


@pytest.mark.parametrize("text", ["x" * 60_000, "a-" * 30_000, "x." * 30_000], ids=["letters", "hyphens", "dots"])
def test_time_for_a_long_word_grows_with_its_length_alone(text):
    """A word that is tried from each of its letters takes a minute."""
    started = time.process_time()

    assert redaction.redact(text, []) == text
    assert time.process_time() - started < 5
