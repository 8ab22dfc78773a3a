"""A lock is held as long as whoever asked is heard; others are told who that is, may wait for it, or end it."""

import json
import subprocess
import sys
import time

import pytest

from deployer.remote import agent_script
from deployer.remote.agent import site_lock

LIMIT = 20.0
SILENCE = 15.0


class Holder:
    """A process that runs the agent's `hold`, with our side of its conversation."""

    def __init__(self, path, id="1", wait=0.0, silence=SILENCE):
        who = {"id": id, "owner": "alice", "host": "ws", "pid": 7, "command": "invoke deploy"}
        request = {"path": str(path), "wait": wait, "heartbeat_timeout": silence, "who": who}
        self.process = subprocess.Popen(
            [sys.executable, *agent_script.ARGV[1:]], stdin=subprocess.PIPE, stdout=subprocess.PIPE
        )
        self.process.stdin.write(agent_script.of("acquire", request))
        self.process.stdin.flush()
        assert self.process.stdout.readline().decode() == f"{agent_script.BEGIN}\n"

    def say(self, line):
        self.process.stdin.write(f"{line}\n".encode())
        self.process.stdin.flush()

    def answer(self):
        return json.loads(self.process.stdout.readline() or "{}")

    def end(self):
        self.process.stdin.close()
        return json.loads(self.process.stdout.readline() or "{}"), self.process.wait(LIMIT)


@pytest.fixture
def path(tmp_path):
    return tmp_path / "lock"


@pytest.fixture
def holders():
    """A builder of holders, all of which are gone afterwards."""
    made = []

    def build(*args, **how):
        made.append(Holder(*args, **how))
        return made[-1]

    yield build
    for each in made:
        each.process.kill()
        each.process.wait()
        each.process.stdout.close()


def shown(path):
    return site_lock.holder({"path": str(path)})["held_by"]


def test_holder_is_reported_and_shown_and_writes_for_root_alone(path, holders):
    held = holders(path).answer()["held"]

    assert held == shown(path)
    assert {name: held[name] for name in ("id", "owner", "host", "pid", "command")} == {
        "id": "1",
        "owner": "alice",
        "host": "ws",
        "pid": 7,
        "command": "invoke deploy",
    }
    assert time.strptime(held["since"], "%Y-%m-%dT%H:%M:%SZ")
    assert path.stat().st_mode & 0o777 == 0o600


def test_second_holder_is_reported_who_has_the_lock_and_ends(path, holders):
    held = holders(path).answer()["held"]
    second = holders(path, id="2")

    assert second.answer() == {"held_by": held}
    assert second.process.wait(LIMIT) == 0
    assert shown(path) == held


def test_heartbeats_are_answered_by_their_numbers(path, holders):
    first = holders(path)
    first.answer()
    first.say(4)
    first.say(5)

    assert [first.answer(), first.answer()] == [{"heard": 4}, {"heard": 5}]


def test_end_of_its_input_frees_the_lock_and_the_file_names_nobody(path, holders):
    first = holders(path)
    first.answer()

    assert first.end() == ({"released": True}, 0)
    assert (shown(path), path.read_text()) == ({}, "")


def test_silence_frees_the_lock(path, holders):
    first = holders(path, silence=0.3)
    first.answer()

    assert first.answer() == {"released": True}
    assert holders(path, id="2").answer()["held"]["id"] == "2"


def test_waiting_holder_gets_the_lock_when_the_first_ends(path, holders):
    first = holders(path)
    first.answer()
    second = holders(path, id="2", wait=LIMIT)
    first.end()

    assert second.answer()["held"]["id"] == "2"
    assert second.end() == ({"released": True}, 0)


def test_waiting_ends_after_its_seconds_and_reports_who_has_the_lock(path, holders):
    held = holders(path)
    held.answer()

    assert holders(path, id="2", wait=0.2).answer()["held_by"]["id"] == "1"


def test_waiting_of_one_who_is_gone_ends(path, holders):
    held = holders(path)
    held.answer()
    second = holders(path, id="2", wait=600.0)

    assert second.end()[0]["held_by"]["id"] == "1"


def test_killed_holder_holds_nothing_although_its_note_is_still_there(path, holders):
    first = holders(path)
    first.answer()
    first.process.kill()
    first.process.wait()

    assert (shown(path), path.read_text() != "") == ({}, True)
    assert holders(path, id="2").answer()["held"]["id"] == "2"


def test_release_ends_the_holder_with_that_id_and_no_other(path, holders):
    first = holders(path)
    held = first.answer()["held"]

    assert site_lock.release({"path": str(path), "id": "2"}) == {"ended": {}, "held_by": held}
    assert shown(path) == held
    assert site_lock.release({"path": str(path), "id": "1"}) == {"ended": held, "held_by": {}}
    assert first.process.wait(LIMIT) != 0
    assert shown(path) == {}


def test_release_of_a_lock_that_nobody_holds_ends_nobody(path):
    assert site_lock.release({"path": str(path), "id": "1"}) == {"ended": {}, "held_by": {}}


def test_lock_that_may_not_be_written_is_refused_as_text(tmp_path, holders):
    (tmp_path / "link").symlink_to(tmp_path / "elsewhere")

    assert "link" in holders(tmp_path / "link").answer()["refused"]
