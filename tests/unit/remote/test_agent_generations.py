"""What is deployed to a host is judged and kept there, for root alone, and no longer than it is needed."""

import base64
import errno
import os
import stat
from types import SimpleNamespace

import pytest

from deployer.model.state import digest_of
from deployer.remote.agent import atomic, generations, journal, ledger

ROOM = SimpleNamespace(f_flag=0, f_bavail=2**20, f_frsize=4096)


@pytest.fixture
def folder(tmp_path):
    return tmp_path / "lib" / "heat-scaleout"


@pytest.fixture
def host(folder, tmp_path):
    """Stage generations of one file, by number and text: the problems."""
    path = tmp_path / "etc" / "heat.conf"
    path.parent.mkdir()

    def stage(number, text="text", check=(), comes=True, sent=True):
        content = base64.b64encode(text.encode()).decode() if sent else None
        file = {
            "path": str(path),
            "digest": digest_of(text.encode()),
            "content": content,
            "check": list(check),
            "comes": comes,
        }
        state = {"files": {str(path): {"digest": file["digest"]}}, "units": {}}
        request = {"ledger": f"{folder}/ledger.json", "run": a_run(number), "state": state, "files": [file]}
        return generations.stage(request)["problems"]

    stage.path = path
    return stage


def a_run(number, result=None):
    return {"number": number, "command": "deploy", "who": "alice@desk", "at": "2026-11-21T00:00:00Z", "result": result}


def close(folder, number, result):
    return generations.close({"ledger": f"{folder}/ledger.json", "run": a_run(number, result)})


def recall(folder, **number):
    return generations.recall({"ledger": f"{folder}/ledger.json"} | number)


def kept(folder):
    """What is there of generations and contents."""
    return (
        sorted(int(path.stem) for path in (folder / "generations").iterdir()),
        sorted(path.name for path in (folder / "objects").iterdir()),
    )


def test_staged_content_is_kept_by_its_digest_and_the_host_is_unchanged(host, folder):
    assert host(1) == []

    assert kept(folder) == ([1], [digest_of(b"text")])
    assert (folder / "objects" / digest_of(b"text")).read_bytes() == b"text"
    assert not host.path.exists()


def test_all_that_is_kept_is_for_root_alone(host, folder):
    host(1)
    ledger.write(f"{folder}/ledger.json", ledger.read(""))

    modes = {path.relative_to(folder).as_posix(): stat.S_IMODE(path.stat().st_mode) for path in folder.rglob("*")}
    assert {name: mode for name, mode in modes.items() if name in ("generations", "objects")} == {
        "generations": 0o700,
        "objects": 0o700,
    }
    assert {mode for name, mode in modes.items() if name not in ("generations", "objects")} == {0o600}
    assert len(modes) == 6
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700


def test_folder_that_others_could_read_is_closed(host, folder):
    folder.mkdir(mode=0o755, parents=True)
    host(1)

    assert stat.S_IMODE(folder.stat().st_mode) == 0o700


def test_content_that_is_there_already_is_kept_without_being_sent(host, folder):
    host.path.write_text("text")

    assert host(1, comes=False, sent=False) == []
    assert kept(folder) == ([1], [digest_of(b"text")])


@pytest.mark.parametrize("now", ["other", None])
def test_content_that_is_not_there_any_more_is_a_problem_and_nothing_is_kept(host, folder, now):
    if now:
        host.path.write_text(now)

    assert host(1, comes=False, sent=False) == [f"{host.path} has changed meanwhile"]
    assert not folder.exists()


def test_file_that_its_program_refuses_is_reported_by_its_own_name_and_nothing_is_left_of_the_trial(
    host, folder, tmp_path
):
    assert host(1, check=["sh", "-c", "echo $0 is bad >&2; exit 1", "{}"]) == [f"{host.path}: {host.path} is bad"]

    assert sorted(path.name for path in tmp_path.rglob("*")) == ["etc"]


def test_program_that_says_nothing_is_reported_by_its_status(host):
    assert host(1, check=["sh", "-c", "exit 7"]) == [f"{host.path}: refused with 7"]


def test_trial_is_for_root_alone(host, tmp_path):
    show = 'stat -c %a "$(dirname "$0")" "$0" >&2; exit 1'

    assert host(1, check=["sh", "-c", show, "{}"]) == [f"{host.path}: 700; 600"]


def test_program_of_a_unit_that_comes_along_may_be_missing_so_far(host):
    words = f"echo Command {host.path} is not executable >&2; exit 1"

    assert host(1, check=["sh", "-c", words]) == []


def test_file_that_does_not_come_is_not_judged(host):
    host.path.write_text("text")

    assert host(1, comes=False, check=["false"]) == []


@pytest.mark.parametrize(
    ("found", "why"),
    [
        (SimpleNamespace(f_flag=os.ST_RDONLY, f_bavail=2**20, f_frsize=4096), "its file system is read-only"),
        (SimpleNamespace(f_flag=0, f_bavail=3, f_frsize=4096), "has no room: 12288 bytes are free, 1048584 are needed"),
    ],
)
def test_place_that_takes_no_file_is_reported_and_nothing_is_judged_or_kept(host, folder, monkeypatch, found, why):
    monkeypatch.setattr(os, "statvfs", lambda place: found if place == str(host.path.parent) else ROOM)

    problems = host(1, check=["false"])

    assert len(problems) == 1
    assert problems[0].startswith(f"{host.path.parent} ") and problems[0].endswith(why)
    assert not folder.exists()


def test_place_of_our_own_notes_must_take_them_too(host, folder, tmp_path, monkeypatch):
    full = SimpleNamespace(f_flag=0, f_bavail=0, f_frsize=4096)
    monkeypatch.setattr(os, "statvfs", lambda place: full if place == str(tmp_path) else ROOM)

    assert [problem.split(" ")[0] for problem in host(1)] == [str(tmp_path)]


def test_write_that_fails_half_way_begins_no_run(host, folder, monkeypatch):
    def full(*_):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(atomic, "replace", full)

    with pytest.raises(OSError, match="No space"):
        host(1)
    assert journal.last_run(str(folder)) == {}


@pytest.mark.parametrize("number", [1, 2])
def test_run_that_is_not_newer_is_refused_and_leaves_no_trace(host, folder, number):
    host(2, "first")

    assert host(number, "second") == ["generation 2 was begun meanwhile: deploy by alice@desk"]
    assert kept(folder) == ([2], [digest_of(b"first")])


def test_end_is_noted_with_the_generation_and_in_the_journal(host, folder):
    host(1)
    close(folder, 1, "done")

    assert recall(folder)["runs"] == [a_run(1, "done")]
    assert journal.last_run(str(folder))["result"] == "done"


def test_refused_run_is_as_if_it_had_never_been_but_for_its_number(host, folder):
    host(1, "first")
    close(folder, 1, "done")
    host(2, "second")
    close(folder, 2, "refused")

    assert recall(folder)["runs"] == [a_run(1, "done")]
    assert host(2) == ["generation 2 was begun meanwhile: deploy by alice@desk"]
    assert host(3, "third") == []
    assert kept(folder) == ([1, 3], sorted([digest_of(b"first"), digest_of(b"third")]))


def test_end_where_our_folder_is_gone_makes_none(folder):
    assert close(folder, 1, "done") == {}
    assert not folder.exists()


def test_generations_beyond_those_that_are_kept_go_with_contents_that_no_other_needs(host, folder):
    host(1, "of the first alone")
    for number in range(2, generations.MOST + 2):
        host(number, "of all others")

    assert kept(folder) == (list(range(2, generations.MOST + 2)), [digest_of(b"of all others")])


def test_state_comes_back_with_contents_or_that_of_the_newest_before_it_that_was_done(host, folder):
    host(1, "first")
    close(folder, 1, "done")
    host(4, "fourth")
    close(folder, 4, "failed")

    texts = {
        number: [base64.b64decode(each["content"]) for each in recall(folder, number=number)["state"]["files"].values()]
        for number in (1, 3, 4, 9)
    }
    assert texts == {1: [b"first"], 3: [b"first"], 4: [b"fourth"], 9: [b"first"]}
    assert recall(folder, number=0) == {"runs": [a_run(1, "done"), a_run(4, "failed")], "state": None}
    assert recall(folder)["state"] is None


def test_host_on_which_nothing_was_deployed_has_no_generation(folder):
    assert recall(folder, number=7) == {"runs": [], "state": None}
