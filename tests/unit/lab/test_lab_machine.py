"""Processes are told apart by more than their PID, and only ours are ended."""

import subprocess
import sys
import time
from dataclasses import replace

import pytest

from lab import keeper, machine
from lab.machine import Process


@pytest.fixture
def child():
    running = subprocess.Popen(["sleep", "30"])
    yield Process(running.pid, machine.start_time(running.pid), machine.this_boot())
    running.kill()
    running.wait()


def test_running_process_is_alive_until_it_is_killed(child):
    assert machine.alive(child)
    machine.kill(child)
    assert not machine.alive(child)


@pytest.mark.parametrize("other", [{"started": 1}, {"boot": "another boot"}])
def test_process_that_only_shares_the_pid_is_left_alone(child, other):
    stranger = replace(child, **other)
    machine.kill(stranger)
    assert not machine.alive(stranger)
    assert machine.alive(child)


def test_start_time_is_now_for_a_process_of_now(child):
    assert abs(machine.started_at(child) - time.time()) < 5


def test_killing_ends_the_keeper_and_what_it_keeps(tmp_path):
    pid_file = tmp_path / "pid"
    kept = f"import os, time, pathlib; pathlib.Path({str(pid_file)!r}).write_text(str(os.getpid())); time.sleep(30)"
    argv = [sys.executable, "-I", "-S", keeper.__file__, "heat-none-hostA", "--", sys.executable, "-c", kept]
    running = subprocess.Popen(argv)
    process = Process(running.pid, machine.start_time(running.pid), machine.this_boot())
    deadline = time.monotonic() + 60  # for a busy machine; it takes 0.1 s on a calm one
    while not (pid_file.exists() and pid_file.read_text()) and time.monotonic() < deadline:
        time.sleep(0.02)

    machine.kill(process)

    assert not machine.alive(process)
    assert machine.start_time(int(pid_file.read_text())) is None


def test_keeper_ends_with_the_status_of_what_it_kept():
    argv = [sys.executable, "-I", "-S", keeper.__file__, "heat-none-hostA", "--", sys.executable, "-c", "exit(7)"]
    assert subprocess.run(argv, check=False).returncode == 7


def test_keeper_runs_its_command_again_after_a_reboot(tmp_path):
    counter = tmp_path / "boots"
    kept = (
        f"import pathlib; boots = pathlib.Path({str(counter)!r}); "
        "seen = boots.read_text() if boots.exists() else ''; boots.write_text(seen + 'x'); "
        f"exit({keeper.REBOOT} if not seen else 0)"
    )
    argv = [sys.executable, "-I", "-S", keeper.__file__, "heat-none-hostA", "--", sys.executable, "-c", kept]
    assert subprocess.run(argv, check=False).returncode == 0
    assert counter.read_text() == "xx"
