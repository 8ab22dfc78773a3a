"""What the operator of the lab sees: tables, sentences, errors and exit codes."""

from pathlib import Path

import pytest

from lab import lab_report, tasks
from lab.lab_errors import BadInput, HostFailed, LabTaken
from lab.site import Lab


def a_lab(count):
    return Lab("demo", Path("/some/.lab"), {f"host{n}": f"198.18.0.{n}" for n in range(count)}, "27.0.1")


@pytest.mark.parametrize(("error", "code"), [(BadInput, 3), (HostFailed, 5), (LabTaken, 6)])
def test_error_is_two_lines_and_an_exit_code(error, code, capsys):
    def fails():
        raise error("hostB broke", hint="mend it")

    with pytest.raises(SystemExit) as ended:
        tasks.finish(fails)

    assert ended.value.code == code
    assert capsys.readouterr().err == "error: hostB broke\nhint: mend it\n"


def test_unexpected_error_keeps_its_traceback():
    with pytest.raises(ZeroDivisionError):
        tasks.finish(lambda: 1 / 0)


@pytest.mark.parametrize(("text", "number"), [("", None), ("12", 12)])
def test_number_of_hosts_may_be_left_out(text, number):
    assert lab_report.number(text) == number


def test_number_of_hosts_that_is_none_is_refused():
    with pytest.raises(BadInput, match="three"):
        lab_report.number("three")


def test_sentence_names_few_hosts_and_shortens_many():
    assert lab_report.sentence(a_lab(2)) == "host0 198.18.0.0, host1 198.18.0.1"
    assert lab_report.sentence(a_lab(9)) == "host0 198.18.0.0, host1 198.18.0.1, ..., host8 198.18.0.8"


def test_table_aligns_columns_and_marks_what_is_missing():
    rows = [{"host": "hostA", "address": "198.18.0.11", "machine": "off", "pid": None, "ssh": "silent"}]
    assert lab_report.table(rows).splitlines() == [
        "host   address      machine  pid  ssh",
        "hostA  198.18.0.11  off      -    silent",
    ]
