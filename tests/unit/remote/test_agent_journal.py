"""The journal of a host: what is under way is on the disk before it begins, and survives a line that was cut off."""

import json
import stat
from pathlib import Path

import pytest

from deployer.remote.agent import journal, perform

RUN = {"number": 3, "command": "deploy", "who": "alice@desk", "at": "2026-11-21T00:00:00Z", "result": None}


@pytest.fixture
def folder(tmp_path):
    return str(tmp_path)


def lines(folder):
    return [json.loads(line) for line in of(folder).read_text().splitlines()]


def of(folder):
    return Path(folder) / journal.NAME


def cut_off(folder, count):
    """Take the last bytes of the journal away."""
    of(folder).write_bytes(of(folder).read_bytes()[:-count])


def access(folder):
    return stat.S_IMODE(of(folder).stat().st_mode)


def told(folder):
    newest = journal.last_run(folder)
    return newest and (newest["number"], newest["doing"], newest["result"])


def request(folder, number=3):
    return {"ledger": f"{folder}/ledger.json", "run": number}


def test_host_without_a_journal_has_no_newest_run(folder):
    assert journal.last_run(folder) == {}


def test_run_that_begins_is_the_newest_with_its_author_and_has_no_step(folder):
    journal.begin(folder, RUN)

    assert journal.last_run(folder) == RUN | {"doing": None}


def test_step_is_reported_from_before_it_begins_until_it_has_ended(folder):
    journal.begin(folder, RUN)
    journal.step_started(request(folder), {"description": "restart it"})
    during = told(folder)
    journal.step_done(request(folder))

    assert (during, told(folder)) == ((3, "restart it", None), (3, None, None))


def test_run_that_ended_has_its_result_and_no_step(folder):
    journal.begin(folder, RUN)
    journal.step_started(request(folder), {"description": "restart it"})
    journal.note(folder, {"event": "end", "number": 3, "result": "failed"})

    assert told(folder) == (3, None, "failed")


def test_words_of_another_run_change_nothing_of_the_newest(folder):
    journal.begin(folder, RUN)
    journal.step_started(request(folder, 2), {"description": "an orphan's step"})
    journal.note(folder, {"event": "end", "number": 2, "result": "done"})

    assert told(folder) == (3, None, None)


def test_request_without_a_run_notes_nothing(folder):
    journal.begin(folder, RUN)
    perform.perform({"ledger": f"{folder}/ledger.json", "steps": [{"do": "run", "argv": ["true"]}]})

    assert [line["event"] for line in lines(folder)] == ["begin"]


def test_step_is_on_the_disk_while_it_is_done(folder):
    journal.begin(folder, RUN)
    look = ["cat", str(of(folder))]

    reply = perform.perform(request(folder) | {"steps": [{"do": "run", "argv": look, "description": "look at it"}]})

    assert json.loads(reply["done"][0].splitlines()[-1])["step"] == "look at it"
    assert told(folder) == (3, None, None)


@pytest.mark.parametrize("cut", range(2, 13, 5))
def test_last_line_that_was_cut_off_is_as_if_it_had_not_been(folder, cut):
    journal.begin(folder, RUN)
    journal.step_started(request(folder), {"description": "restart it"})
    cut_off(folder, cut)

    assert told(folder) == (3, None, None)


def test_run_after_a_line_that_was_cut_off_is_reported(folder):
    journal.begin(folder, RUN)
    cut_off(folder, 9)
    journal.begin(folder, RUN | {"number": 4})

    assert told(folder) == (4, None, None)


@pytest.mark.parametrize("line", [b"\xff\xfe\n", b"7\n", b"[]\n", b"{}\n", b"null\n"])
def test_line_that_is_no_entry_is_left_out(folder, line):
    journal.begin(folder, RUN)
    with of(folder).open("ab") as stream:
        stream.write(line)

    assert told(folder) == (3, None, None)


def test_journal_is_roots_alone(folder):
    journal.begin(folder, RUN)

    assert access(folder) == 0o600


def test_lines_of_runs_long_past_go_and_the_newest_stays(folder, monkeypatch):
    monkeypatch.setattr(journal, "MOST_LINES", 10)
    for number in range(1, 15):
        journal.begin(folder, RUN | {"number": number})

    assert len(lines(folder)) <= 11
    assert told(folder) == (14, None, None)
    assert access(folder) == 0o600
    assert list(Path(folder).iterdir()) == [of(folder)]


def test_note_where_our_folder_is_gone_does_nothing(tmp_path):
    journal.note(str(tmp_path / "none"), {"event": "end", "number": 3, "result": "done"})

    assert list(tmp_path.iterdir()) == []
