"""A request changes a host alone, and goes no further when nobody waits for its answer any more."""

import json
import os
import subprocess
import sys

import pytest
from steps_here import write

from deployer.remote import agent_script
from deployer.remote.agent import exclusive, observe, perform

LIMIT = 20.0


def run(*argv, **how):
    return {"do": "run", "argv": list(argv), **how}


@pytest.fixture
def alone(tmp_path):
    return {"path": str(tmp_path / "perform.lock"), "seconds": 0.2}


@pytest.fixture
def performed(tmp_path):
    """Begin to perform steps in a process of their own, whose answer is read, or not; all are gone afterwards."""
    made = []

    def begin(*steps, **how):
        request = {"ledger": str(tmp_path / "ledger"), "steps": list(steps), **how}
        made.append(
            subprocess.Popen(
                [sys.executable, *agent_script.ARGV[1:]],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
            )
        )
        made[-1].stdin.write(agent_script.of("perform", request))
        made[-1].stdin.close()
        made[-1].stdin = None
        return made[-1]

    yield begin
    for each in made:
        each.kill()
        each.communicate()


@pytest.fixture
def pipes(tmp_path):
    """Two named pipes by which a step says that it has begun, and is told to end."""
    for name in ("begun", "end"):
        os.mkfifo(tmp_path / name)
    return tmp_path / "begun", tmp_path / "end"


def waits(pipes):
    return run("sh", "-c", f"echo > {pipes[0]}; cat {pipes[1]}")


def test_next_step_is_not_begun_when_nobody_reads_the_answer(performed, pipes, tmp_path):
    orphan = performed(waits(pipes), write(tmp_path / "file"))
    pipes[0].read_text()
    orphan.stdout.close()
    orphan.stdout = None
    pipes[1].write_text("")
    orphan.wait(LIMIT)

    assert not (tmp_path / "file").exists()


@pytest.mark.parametrize(
    "step",
    [
        {"do": "await_reply", "socket": "/none", "send": "?", "contains": "!", "timeout": 60},
        {
            "do": "await_http",
            "unit": "heat-scaleout-none.service",
            "address": "127.0.0.1",
            "port": 1,
            "path": "/",
            "expect": [200],
            "timeout": 60,
        },
    ],
    ids=["await_reply", "await_http"],
)
def test_waiting_ends_when_nobody_reads_the_answer(performed, pipes, step):
    orphan = performed(waits(pipes), step)
    pipes[0].read_text()
    pipes[1].write_text("")
    orphan.stdout.close()
    orphan.stdout = None

    assert orphan.wait(LIMIT) != 0  # its answer could not be written either


def test_second_request_fails_while_the_first_is_at_work_and_reports_at_what(performed, pipes, alone):
    first = performed(run("true"), waits(pipes), exclusive=alone)
    pipes[0].read_text()

    second = perform.perform({"ledger": "", "steps": [run("true")], "exclusive": alone})
    pipes[1].write_text("")

    why = second["failed"]["why"]
    assert (second["done"], second["failed"]["index"]) == ([], 0)
    assert f"another command is still at work here after 0 s (pid {first.pid}, since " in why
    assert "at step 2 of 2: run)" in why
    assert json.loads(agent_script.reply_in(first.communicate(timeout=LIMIT)[0]))["failed"] is None


def test_second_request_begins_when_the_first_has_ended(performed, pipes, alone):
    first = performed(waits(pipes), exclusive=alone)
    pipes[0].read_text()
    second = performed(run("true"), exclusive=alone | {"seconds": LIMIT})
    pipes[1].write_text("")

    assert json.loads(agent_script.reply_in(first.communicate(timeout=LIMIT)[0]))["failed"] is None
    assert json.loads(agent_script.reply_in(second.communicate(timeout=LIMIT)[0]))["failed"] is None


def test_request_that_changes_nothing_waits_for_nobody(performed, pipes, alone):
    performed(waits(pipes), exclusive=alone)
    pipes[0].read_text()

    assert perform.perform({"ledger": "", "steps": [run("true")]})["failed"] is None
    assert "busy" not in observe.observe({})
    pipes[1].write_text("")


def test_observation_of_a_host_that_is_to_be_settled_reports_who_is_at_work(performed, pipes, alone):
    first = performed(waits(pipes), exclusive=alone)
    pipes[0].read_text()

    busy = observe.observe({"settled": alone})
    pipes[1].write_text("")
    first.communicate(timeout=LIMIT)

    assert "another command is still at work here" in busy["busy"]
    assert "busy" not in observe.observe({"settled": alone})


def test_observation_names_who_is_at_work_without_waiting_for_it(performed, pipes, alone):
    asked = {"perform_lock": alone["path"]}
    assert observe.observe(asked)["at_work"] is None
    first = performed(run("true"), waits(pipes), exclusive=alone)
    pipes[0].read_text()

    who = observe.observe(asked)["at_work"]
    pipes[1].write_text("")
    first.communicate(timeout=LIMIT)

    assert who.startswith(f" (pid {first.pid}, since ") and who.endswith(" at step 2 of 2: run)")
    assert observe.observe(asked)["at_work"] is None


def test_host_where_nothing_may_be_written_counts_as_settled(monkeypatch, alone):
    def refuse(*_):
        raise PermissionError

    monkeypatch.setattr(exclusive.os, "open", refuse)

    assert exclusive.wait_until_idle(alone) is None
