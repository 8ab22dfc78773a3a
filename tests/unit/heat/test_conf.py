"""conf reads what oslo.config reads, and changes nothing but what it is told to."""

import heat_confs
import pytest
from hypothesis import given
from hypothesis import strategies as st
from oslo_config import cfg, iniparser

from deployer import errors
from deployer.heat.conf import conf_editor, grammar
from deployer.heat.conf.conf_editor import Edit


def as_oslo_has_them(parsed: conf_editor.Conf) -> dict:
    pairs = {(each.section, each.key) for each in parsed.settings}
    return {pair: parsed.values(*pair) for pair in pairs}


@heat_confs.examples(60)
@given(heat_confs.files())
def test_parse_of_a_valid_file_reads_what_oslo_config_reads(text):
    assert as_oslo_has_them(conf_editor.parse(text)) == heat_confs.oslo_reads(text)


@heat_confs.examples(60)
@given(heat_confs.anything | heat_confs.anything.map(lambda text: f"[DEFAULT]\n{text}"))
def test_parse_of_any_text_accepts_and_refuses_as_oslo_config_does(text):
    try:
        meant = heat_confs.oslo_reads(text)
    except iniparser.ParseError as refused:
        with pytest.raises(errors.BadConfig) as raised:
            conf_editor.parse(text, "heat.conf")
        lines = [int(problem.split(":")[1]) for problem in str(raised.value).split("\n")]
        assert lines == sorted(set(lines))
        # oslo.config tells an option before the first section only where the option ends.
        assert lines[0] == refused.lineno or (lines[0] < refused.lineno and "Section must" in refused.msg)
    else:
        assert as_oslo_has_them(conf_editor.parse(text)) == meant


@heat_confs.examples(60)
@given(heat_confs.files(), heat_confs.sections, heat_confs.words, heat_confs.values)
def test_edit_without_a_line_makes_oslo_config_read_the_value_and_nothing_else_differ(text, section, key, value):
    before = heat_confs.oslo_reads(text)

    after = heat_confs.oslo_reads(conf_editor.edited(text, [Edit(section, key, value)]))

    pair = (grammar.section_key(section), key)
    assert after.pop(pair) == (*before.pop(pair, ())[:-1], value)
    assert after == before


@heat_confs.examples(60)
@given(heat_confs.files(), st.data(), heat_confs.values)
def test_edit_of_a_line_changes_that_occurrence_alone(text, data, value):
    settings = conf_editor.parse(text).settings
    if not settings:
        return
    chosen = data.draw(st.sampled_from(settings))

    edited = conf_editor.edited(text, [Edit(chosen.section, chosen.key, value, chosen.line)])

    meant = [value if each is chosen else each.value for each in settings]
    assert [each.value for each in conf_editor.parse(edited).settings] == meant
    assert as_oslo_has_them(conf_editor.parse(edited)) == heat_confs.oslo_reads(edited)


@heat_confs.examples(60)
@given(heat_confs.files(), st.data(), heat_confs.inline)
def test_edit_leaves_every_other_line_byte_for_byte(text, data, value):
    settings = conf_editor.parse(text).settings
    if not settings:
        return
    chosen = data.draw(st.sampled_from(settings))
    lines = [line.text + line.end for line in grammar.lines_of(text)]

    edited = conf_editor.edited(text, [Edit(chosen.section, chosen.key, value, chosen.line)])

    head, tail = lines[: chosen.line - 1], lines[chosen.line - 1 + chosen.lines :]
    assert edited.startswith("".join(head))
    assert edited.endswith("".join(tail))
    place = grammar.separator(lines[chosen.line - 1]) + 1
    assert edited[len("".join(head)) :].startswith(lines[chosen.line - 1][:place])


@heat_confs.examples(60)
@given(
    heat_confs.files(),
    st.lists(st.tuples(heat_confs.sections, heat_confs.words, heat_confs.values), max_size=5),
)
def test_edits_made_again_change_nothing(text, wanted):
    edits = [Edit(*each) for each in wanted]
    once = conf_editor.edited(text, edits)

    assert conf_editor.edited(once, edits) == once


@heat_confs.examples(60)
@given(heat_confs.files(), heat_confs.sections, heat_confs.words, heat_confs.values)
def test_edit_keeps_the_end_of_the_file_as_it_was(text, section, key, value):
    edited = conf_editor.edited(text, [Edit(section, key, value)])

    assert edited.endswith(("\n", "\r")) == text.endswith(("\n", "\r"))


@heat_confs.examples(60)
@given(heat_confs.files())
def test_edit_to_the_value_it_has_changes_no_byte(text):
    edits = [Edit(each.section, each.key, each.value, each.line) for each in conf_editor.parse(text).settings]

    assert conf_editor.edited(text, edits) == text
    assert conf_editor.edited(text, []) == text


references = st.lists(
    st.sampled_from(["$a", "${b}", "$g.a", "${g.b}", "$$", "\\$", "$", "$1", "x", "${a", ":", "$DEFAULT.a"]), max_size=4
).map("".join)


@heat_confs.examples(60)
@given(references, references, references, st.sampled_from(["DEFAULT", "g"]))
def test_resolved_substitutes_as_oslo_config_does(one, two, three, section):
    text = f"[DEFAULT]\na = {one}\n[g]\nb = {two}\na = plain\n[{section}]\nc = {three}\n"
    try:
        meant = heat_confs.oslo_option(text, section, "c")
    except (cfg.Error, RecursionError):
        meant = None

    assert conf_editor.parse(text).resolved(section, "c") == meant


@pytest.mark.parametrize("value", ["a\n", "a\n b", "a\n\nb", "a\nb ", "a\rb", "nul\0", "bell\a", "\x85"])
def test_edit_to_a_value_that_the_grammar_cannot_write_is_refused_without_showing_it(value):
    with pytest.raises(errors.BadConfig) as refused:
        conf_editor.edited("[a]\nb = 1\n", [Edit("a", "b", f"secret{value}")], "/etc/heat/heat.conf")

    assert str(refused.value).startswith("/etc/heat/heat.conf:2: ")
    assert "secret" not in str(refused.value)


@pytest.mark.parametrize("key", ["", " a", "a=b", "a:b", "#a", ";a", "[a", "a\nb"])
def test_edit_of_a_key_that_cannot_be_one_is_refused(key):
    with pytest.raises(errors.BadConfig):
        conf_editor.edited("", [Edit("a", key, "1")])


def test_edit_of_a_line_that_holds_another_option_is_refused():
    with pytest.raises(errors.BadConfig, match="^heat.conf:3: "):
        conf_editor.edited("[a]\nb = 1\nc = 2\n", [Edit("a", "b", "3", line=3)])


def test_parse_reports_every_broken_line_at_once_and_quotes_none():
    text = "hunter2 = 1\n[DEFAULT]\nhunter2\n  hunter2\n\n  hunter2\n= hunter2\n[hunter2\n[]\nok = a\0hunter2\n"

    with pytest.raises(errors.BadConfig) as refused:
        conf_editor.parse(text, "hostA:/etc/heat/heat.conf")

    lines = [problem.split(": ")[0] for problem in str(refused.value).split("\n")]
    assert lines == [f"hostA:/etc/heat/heat.conf:{number}" for number in (1, 3, 6, 7, 8, 9, 10)]
    assert "hunter2" not in str(refused.value)


def test_parse_keeps_dashes_apart_because_oslo_config_reads_underscored_names_alone():
    text = "[heat_api]\nbind-host = 192.0.2.1\n"

    assert conf_editor.parse(text).value("heat_api", "bind_host") is None
    assert ("heat_api", "bind_host") not in heat_confs.oslo_reads(text)


def test_parse_takes_bytes_that_are_no_utf_8():
    text = b"[DEFAULT]\n# caf\xe9\npassword = p\xff\n".decode(errors="surrogateescape")

    edited = conf_editor.edited(text, [Edit("DEFAULT", "debug", "true")])

    assert edited.encode(errors="surrogateescape") == b"[DEFAULT]\n# caf\xe9\npassword = p\xff\ndebug = true\n"


def test_settings_and_edits_never_print_their_values():
    parsed = conf_editor.parse("[a]\npassword = hunter2\n")

    assert "hunter2" not in repr(parsed) + repr(Edit("a", "password", "hunter2"))


@pytest.mark.parametrize(
    ("before", "edit", "after"),
    [
        ("[a]\nb=1\n", Edit("a", "b", "2"), "[a]\nb=2\n"),
        ("[a]\r\nb :\t1  \r\n", Edit("a", "b", "2"), "[a]\r\nb :\t2  \r\n"),
        ("[a]\nb = '1'\n", Edit("a", "b", "2"), "[a]\nb = '2'\n"),
        ("[a]\nb = 1\n  2\n  3\n# c\n", Edit("a", "b", "4"), "[a]\nb = 4\n# c\n"),
        ("[a]\nb = 1,\n\t2,\n   3", Edit("a", "b", "1,\n4,\n3"), "[a]\nb = 1,\n\t4,\n   3"),
        ("[a]\nb =\n", Edit("a", "b", "1"), "[a]\nb = 1\n"),
        ("[a]\nb = 1\n", Edit("a", "b", " 1"), '[a]\nb = " 1"\n'),
        ("[a]\nb = 1\n", Edit("a", "b", "'1'"), "[a]\nb = \"'1'\"\n"),
        ("[a]\nb = 1\nb = 2\n", Edit("a", "b", "3"), "[a]\nb = 1\nb = 3\n"),
        ("[a]\nb = 1\n\n# next\n[c]\n", Edit("a", "d", "2"), "[a]\nb = 1\nd = 2\n\n# next\n[c]\n"),
        ("[a]\n# nothing\n", Edit("a", "d", "2"), "[a]\nd = 2\n# nothing\n"),
        ("[a]\nb = 1", Edit("a", "d", "2"), "[a]\nb = 1\nd = 2"),
        ("[a]\nb = 1\n", Edit("c", "d", "2"), "[a]\nb = 1\n\n[c]\nd = 2\n"),
        ("[a]\nb = 1\n\n", Edit("c", "d", "2"), "[a]\nb = 1\n\n[c]\nd = 2\n"),
        ("[a]\r\nb = 1", Edit("c", "d", "2"), "[a]\r\nb = 1\r\n\r\n[c]\r\nd = 2"),
        ("", Edit("c", "d", "2"), "[c]\nd = 2\n"),
    ],
)
def test_edit_writes_as_the_file_is_written(before, edit, after):
    assert conf_editor.edited(before, [edit]) == after
