"""One command at a time changes a site, whatever becomes of it, and none goes on that nobody waits for."""

import contextlib
import json
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

pytestmark = [pytest.mark.lab, pytest.mark.on("newest")]

ROOT = Path(__file__).resolve().parents[2]
DRAINS = "drain hosts: hostA"
LIMIT = 60  # seconds for what takes a moment
HEARTBEAT_TIMEOUT, HEARTBEAT_INTERVAL = (
    8.0,
    0.5,
)  # seconds, instead of 45 and 10; a command begins within it on a busy machine, too
# A command whose imports are done and whose settings are ours; it begins at a line on its stdin.
READY = f"""\
import sys
from invoke.main import program
from deployer.apply import lock
from deployer.cli import write_commands
from deployer.remote import lease, ssh
lock.HEARTBEAT_TIMEOUT, lease.HEARTBEAT_INTERVAL = {HEARTBEAT_TIMEOUT}, {HEARTBEAT_INTERVAL}
print("ready", flush=True)
sys.stdin.readline()
program.run(["invoke", *sys.argv[1:]])
"""
# Fails unless nothing changes the host within a moment.
IDLE = """\
import fcntl, signal
signal.alarm(10)
fcntl.lockf(open("/run/heat-scaleout-perform.lock", "r+b"), fcntl.LOCK_EX)
"""


@contextlib.contextmanager
def requests_in_progress(site):
    """A request at each REST API, which it goes on waiting for: a drain of any of them takes as long as this `with`."""
    head = b"POST /v1/none/stacks HTTP/1.1\r\nHost: lab\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n"
    with contextlib.ExitStack() as all_of_them:
        asked = [all_of_them.enter_context(socket.create_connection((site.lab.hosts["hostA"], 8004))) for _ in range(2)]
        for each in asked:
            each.sendall(head)
        yield


@contextlib.contextmanager
def command(site, *arguments):
    """A command that is ready to begin; it is gone after the `with`."""
    argv = [sys.executable, "-c", READY, *arguments, "--yes", "--inventory", str(site.inventory)]
    with subprocess.Popen(
        argv, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        try:
            assert process.stdout.readline() == "ready\n"
            yield process
        finally:
            process.kill()


def begin(process):
    process.stdin.write("\n")
    process.stdin.flush()


def begin_to_drain(process):
    """Begin a command that drains, and return when it waits for requests in progress."""
    begin(process)
    assert any(line.strip() == DRAINS for line in iter(process.stderr.readline, ""))


def ended(process):
    said = process.communicate(timeout=LIMIT)
    return process.returncode, *said


def holder(site):
    return site.json("lock")["held_by"]


def proxys(site):
    return site.on("hostA", "sha256sum", "/etc/heat-scaleout/apis-proxy.conf")


def timed(site, *arguments):
    """A command that is refused the lock, and the seconds that it took."""
    began = time.monotonic()
    return site.invoke(*arguments, code=6), time.monotonic() - began


def test_second_writer_is_refused_in_two_seconds_and_readers_and_the_first_go_on(restored):
    with command(restored, "drain", "hostB") as first:
        with requests_in_progress(restored):
            begin_to_drain(first)
            refused, took = zip(*(timed(restored, "deploy", "--yes") for _ in range(4)), strict=True)
            held = holder(restored)
            for reader in ("plan", "status", "preflight"):
                restored.invoke(reader)
            restored.invoke("unlock", "--id", "no-such-id", code=3)
            assert holder(restored) == held
        code, *said = ended(first)

    assert min(took) < 2.0, took  # the machine may have other labs at work
    assert [f"(pid {first.pid}, since " in each.stderr and "invoke drain hostB" in each.stderr for each in refused] == (
        [True] * 4
    )
    assert (held["pid"], held["host"]) == (first.pid, socket.gethostname())
    assert code == 0, said
    assert holder(restored) is None


def test_waiting_writer_runs_when_the_first_has_ended(restored):
    with (
        command(restored, "add-api", "hostB") as first,
        command(restored, "add-engine", "hostC", "--lock-wait", "120") as second,
    ):
        begin(first)
        assert any("about to be applied" in line for line in iter(first.stderr.readline, ""))
        begin(second)
        second_said = second.communicate(timeout=180)
        first_said = first.communicate(timeout=LIMIT)

    assert (first.returncode, second.returncode) == (0, 0), (first_said, second_said)
    assert "waiting up to 120 s for " in second_said[1]
    running = restored.processes()
    assert ("hostB", "heat-scaleout-api@8005.service") in running
    assert ("hostC", "heat-scaleout-engine@2.service") in running
    assert restored.json("plan")["changes"] == 0
    assert holder(restored) is None


def test_killed_writer_frees_the_lock_and_leaves_no_orphan_that_goes_on(restored):
    config = proxys(restored)
    with command(restored, "drain", "hostB") as first, requests_in_progress(restored):
        begin_to_drain(first)
        first.kill()
        first.wait(LIMIT)
        restored.on("hostA", "python3", "-c", IDLE)
        restored.invoke("recover", "--yes")

    assert proxys(restored) == config
    assert holder(restored) is None


def test_suspended_writer_loses_the_lock_and_changes_nothing_when_it_goes_on(restored):
    config = proxys(restored)
    with command(restored, "drain", "hostB") as first:
        with requests_in_progress(restored):
            begin_to_drain(first)
            first.send_signal(signal.SIGSTOP)
            taken = restored.invoke("recover", "--yes", "--lock-wait", str(LIMIT))
        first.send_signal(signal.SIGCONT)
        code, out, _ = ended(first)

    assert f"(pid {first.pid}, since " in taken.stderr and "waiting up to" in taken.stderr
    assert (code, "the lock was lost" in out) == (6, True)
    assert proxys(restored) == config


def test_unlocked_writer_changes_nothing_more_and_ends_with_6(restored):
    config = proxys(restored)
    with command(restored, "drain", "hostB") as first:
        with requests_in_progress(restored):
            begin_to_drain(first)
            shown = restored.invoke("unlock", "--id", holder(restored)["id"])
            assert holder(restored) is None
        code, out, _ = ended(first)

    assert f"(pid {first.pid}, since " in shown.stdout
    assert (code, "the lock was lost" in out) == (6, True)
    assert proxys(restored) == config


def test_two_deploys_at_once_with_changes_are_one_that_runs_and_one_that_is_refused(restored):
    text = restored.inventory.read_text()
    codes = []
    for balance in ("leastconn", "roundrobin") * 5:
        restored.inventory.write_text(text.replace("{host: hostA}", f"{{host: hostA, balance: {balance}}}", 1))
        codes.append(at_once(restored))

    assert codes == [[0, 6]] * 10
    assert restored.json("plan")["changes"] == 0


def test_two_deploys_at_once_without_changes_never_are_both_refused(restored):
    codes = [at_once(restored) for _ in range(10)]

    assert {tuple(each) for each in codes} <= {(0, 6), (0, 0)}  # one may have ended before the other asks
    assert [0, 6] in codes
    assert holder(restored) is None


def at_once(site):
    """The exit codes of two deploys that begin at the same time."""
    with command(site, "deploy") as first, command(site, "deploy") as second:
        begin(first)
        begin(second)
        said = [ended(each) for each in (first, second)]
    assert all("Traceback" not in each[2] for each in said), json.dumps(said)
    return sorted(each[0] for each in said)
