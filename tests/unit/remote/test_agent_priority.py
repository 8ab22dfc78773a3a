"""What only reads a host yields to its services, and comes back before anybody would have to wait for it."""

import json
import os
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest
import sites

from deployer.heat import scripts
from deployer.remote import agent_script
from deployer.remote.agent import priority

SHARE = [sys.executable, "-c", "import os; print(os.getpriority(os.PRIO_PROCESS, 0))"]
OWN = os.getpriority(os.PRIO_PROCESS, 0)  # of who runs the tests
LIMIT = 20.0
YIELD = f"import os, signal, subprocess, sys, time\nsys.path.insert(0, {str(sites.ROOT)!r})\n" + textwrap.dedent("""\
    from deployer.remote.agent import exclusive, priority

    def awaited_share(pid):
        deadline = time.monotonic() + 10
        while os.getpriority(os.PRIO_PROCESS, pid) == priority.NICE and time.monotonic() < deadline:
            time.sleep(0.01)
        return os.getpriority(os.PRIO_PROCESS, pid)
    """)


def run(program, *arguments):
    """What Python prints that reads something from stdin, by default its program."""
    ran = subprocess.run(
        [sys.executable, *(arguments or ("-",))], input=program, capture_output=True, timeout=LIMIT, check=False
    )
    assert ran.returncode == 0, ran.stderr.decode()
    return ran.stdout


def answered(verb, request):
    """What the agent answers, which has all the time to yield that this machine may take."""
    program = agent_script.source_of(verb).replace("YIELD_SECONDS = 1.0", "YIELD_SECONDS = 60.0").encode()
    given = b"%d\n%b%b" % (len(program), program, agent_script.request_line(request))
    return json.loads(agent_script.reply_in(run(given, *agent_script.ARGV[1:])))


def test_observation_yields_with_the_programs_that_it_starts():
    program = {"argv": SHARE, "stdin": "", "timeout": LIMIT}

    reply = answered("observe", {"programs": {"share": program}})

    assert reply["answers"]["share"]["printed"] == f"{priority.NICE}\n"


@pytest.mark.parametrize("verb", ["observe", "watch", "measure", "logs", "stage", "recall"])
def test_request_that_changes_nothing_that_runs_yields(verb):
    assert agent_script.PARTS[verb][0] == agent_script.YIELDS


@pytest.mark.parametrize("verb", ["perform", "acquire", "release", "holder", "close"])
def test_request_that_others_wait_for_does_not_yield(verb):
    assert agent_script.YIELDS not in agent_script.PARTS[verb]


def test_step_that_is_performed_does_not_yield():
    reply = answered("perform", {"ledger": "", "steps": [{"do": "run", "argv": SHARE}]})

    assert reply["done"] == [f"{OWN}\n"]


def test_program_for_heats_python_yields_until_it_changes_something(monkeypatch):
    share = "print(priority.os.getpriority(0, 0))"
    with monkeypatch.context() as patch:
        patch.setattr(scripts, "_source", lambda _: f"{share}\npriority.take_share()\n{share}")
        patch.setattr(scripts, "_frame", lambda _: "")
        program = scripts.text("whole").replace("YIELD_SECONDS = 1.0", "YIELD_SECONDS = 60.0")

    assert run(program.encode()).decode().split() == [str(priority.NICE), "0"]


def test_every_program_that_changes_heats_database_takes_its_share_before():
    """A transaction of a process that gets no core would keep the engines waiting for what it has locked."""
    *changes, _ = scripts.program("engine_work").split(".begin() as link:")
    assert len(changes) == 2
    assert all(each.splitlines()[-2].strip().startswith("priority.take_share()") for each in changes)
    others = {path.stem for path in Path(scripts.__file__).parent.glob("*.py") if ".begin()" in path.read_text()}
    assert others == {"engine_work"}


def test_who_yields_comes_back_in_time_with_all_that_it_has_started():
    program = YIELD + textwrap.dedent("""\
        child = subprocess.Popen(["sleep", "20"])
        priority.yield_to_services(1.0)
        print(os.getpriority(os.PRIO_PROCESS, child.pid), awaited_share(child.pid), awaited_share(0))
        child.kill()
        """)

    assert run(program.encode()).split() == [b"%d" % priority.NICE, b"0", b"0"]


def test_who_yields_may_end_before_its_time_to_come_back():
    program = YIELD + textwrap.dedent("""\
        class Late:
            def __del__(self, sleep=time.sleep):
                sleep(0.5)

        late = Late()
        priority.yield_to_services(0.2)
        """)

    assert run(program.encode()) == b""


def test_program_of_who_yields_comes_back_with_it_and_no_later():
    """Else the one that is started last would yield for twice as long."""
    inner = YIELD + "priority.yield_to_services(60); print(priority.is_yielding(), flush=True); print(awaited_share(0))"
    program = YIELD + textwrap.dedent(f"""\
        priority.yield_to_services(60)
        child = subprocess.Popen([sys.executable, "-c", {inner!r}], stdout=subprocess.PIPE)
        print(child.stdout.readline())
        priority.take_share()
        print(child.stdout.read())
        """)

    assert run(program.encode()).split() == [b"b'True\\n'", b"b'0\\n'"]


def test_wait_for_a_lock_does_not_keep_who_yields_from_coming_back(tmp_path):
    program = YIELD + textwrap.dedent("""\
        priority.yield_to_services(0.2)
        exclusive.acquire({"path": sys.argv[1], "seconds": 5}, 1).close()
        print(awaited_share(0))
        """)

    assert run(program.encode(), "-", str(tmp_path / "lock")) == b"0\n"


def test_who_could_not_come_back_does_not_yield(monkeypatch, tmp_path):
    (tmp_path / "status").write_text("Name:\tpython3\nCapEff:\t00000000a80425fb\n")
    monkeypatch.setattr(priority, "STATUS", tmp_path / "status")

    priority.yield_to_services()

    assert os.getpriority(os.PRIO_PROCESS, 0) == OWN


def test_share_is_left_alone_by_who_never_yielded(monkeypatch, tmp_path):
    monkeypatch.setattr(priority, "AUTOGROUP", tmp_path / "autogroup")

    priority.take_share()

    assert not (tmp_path / "autogroup").exists()
