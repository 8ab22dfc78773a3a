"""Over a real SSH connection: only known hosts, one request and one reply, and each failure in the operator's words."""

import logging
import os
import shutil
import signal
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import paramiko
import pytest
import ssh_server
from steps_here import write

from deployer import errors
from deployer.model import events
from deployer.model.events import Level, StageStarted, StepFinished
from deployer.model.hosts import Host, Login
from deployer.remote import agent_script, fleet, lease, ssh, ssh_connection

HOST_KEY, CLIENT_KEY, OTHER_KEY = (paramiko.ECDSAKey.generate() for _ in range(3))


@pytest.fixture(autouse=True)
def quiet():
    """Paramiko logs every refused login of its server."""
    logging.getLogger("paramiko").setLevel(logging.CRITICAL)


@pytest.fixture
def programs(tmp_path):
    """The folder in which the host finds its programs: a python3, and a sudo that needs no password."""
    folder = tmp_path / "bin"
    folder.mkdir()
    (folder / "python3").symlink_to(sys.executable)
    (folder / "sleep").symlink_to(shutil.which("sleep"))
    (folder / "sudo").write_text('#!/bin/sh\nshift\nexec "$@"\n')
    (folder / "sudo").chmod(0o755)
    return folder


@pytest.fixture
def port(programs):
    with ssh_server.listening(HOST_KEY, CLIENT_KEY, {"PATH": str(programs)}) as port:
        yield port


@pytest.fixture
def a_host(tmp_path, port):
    """A builder of hosts at that port; what is not said is right."""
    CLIENT_KEY.write_private_key_file(str(tmp_path / "key"))
    OTHER_KEY.write_private_key_file(str(tmp_path / "other"))

    def build(key=HOST_KEY, name="hostB", **login):
        known = tmp_path / "known_hosts"
        known.write_text(f"[127.0.0.1]:{port} {key.get_name()} {key.get_base64()}\n" if key else "")
        fine = {
            "user": "operator",
            "port": port,
            "key": str(tmp_path / "key"),
            "sudo": False,
            "known_hosts": str(known),
            "connect_timeout": 5.0,
        }
        return Host(name, "127.0.0.1", Login(**fine | login))

    return build


def ask(host, verb="observe", timeout=20.0, **request):
    with fleet.over_ssh({host.name: host}, events.ignore) as hosts:
        return hosts.ask("observe", verb, {host.name: request}, timeout)[host.name]


def test_known_host_answers_with_our_clock_around_its_own(a_host):
    reply = ask(a_host())

    assert reply["uid"] == os.geteuid()
    assert reply["sent"] <= reply["clock"] <= reply["received"]


def test_host_known_by_the_inventory_alone_answers(a_host):
    key = f"{HOST_KEY.get_name()} {HOST_KEY.get_base64()}"

    assert ask(a_host(key=None, host_key=key))["uid"] == os.geteuid()


def test_steps_are_performed_through_sudo(a_host, tmp_path):
    reply = ask(
        a_host(sudo=True),
        "perform",
        ledger=str(tmp_path / "state" / "ledger"),
        steps=[write(tmp_path / "file", "x" * 300_000)],
    )

    assert reply["failed"] is None
    assert (tmp_path / "file").stat().st_size == 300_000


def test_one_connection_serves_several_requests(a_host):
    host = a_host()
    with fleet.over_ssh({"hostB": host}, events.ignore) as hosts:
        first = hosts.ask("observe", "observe", {"hostB": {}}, 20.0)["hostB"]
        connection = hosts._connections["hostB"].result()
        second = hosts.ask("observe", "observe", {"hostB": {}}, 20.0)["hostB"]
        assert hosts._connections["hostB"].result() is connection

    assert first["received"] <= second["sent"]
    assert not connection.is_connected


def test_connection_that_was_opened_ahead_is_the_one_that_serves(a_host):
    with fleet.over_ssh({"hostB": a_host()}, events.ignore) as hosts:
        hosts.open()
        connection = hosts._connections["hostB"].result(timeout=20)
        assert hosts.ask("observe", "observe", {"hostB": {}}, 20.0)["hostB"]["uid"] == os.geteuid()
        assert hosts._connections["hostB"].result() is connection

    assert not connection.is_connected


def test_host_that_became_known_only_later_answers_as_the_others(a_host):
    later = Host("hostC", a_host().address, a_host().login)
    with fleet.over_ssh({"hostB": a_host()}, events.ignore) as hosts:
        hosts.add_hosts({"hostC": later})
        replies = hosts.ask("observe", "observe", {"hostB": {}, "hostC": {}}, 20.0)

    assert [replies[name]["uid"] for name in ("hostB", "hostC")] == [os.geteuid()] * 2


def test_host_that_was_lost_and_is_back_answers_over_a_new_connection(a_host):
    with fleet.over_ssh({"hostB": a_host()}, events.ignore) as hosts:
        hosts.ask("observe", "observe", {"hostB": {}}, 20.0)
        hosts._connections["hostB"].result().client.get_transport().close()
        lost = hosts.ask("observe", "observe", {"hostB": {}}, 20.0)["hostB"]
        back = hosts.ask("observe", "observe", {"hostB": {}}, 20.0)["hostB"]

    assert isinstance(lost, errors.HostUnreachable)
    assert back["uid"] == os.geteuid()


def test_host_that_cannot_be_reached_ahead_has_its_error_when_it_is_asked(a_host):
    with fleet.over_ssh({"hostB": a_host(key=None)}, events.ignore) as hosts:
        hosts.open()
        assert isinstance(hosts.ask("observe", "observe", {"hostB": {}}, 20.0)["hostB"], errors.HostUnreachable)


def test_connection_that_comes_after_the_end_is_closed(a_host, monkeypatch):
    made, go_on, connect = [], threading.Event(), ssh_connection.connect

    def late(host):
        go_on.wait(10)
        made.append(connect(host))
        return made[0]

    monkeypatch.setattr(ssh_connection, "connect", late)
    with fleet.over_ssh({"hostB": a_host()}, events.ignore) as hosts:
        hosts.open()
        future = hosts._connections["hostB"]
    go_on.set()
    future.result(timeout=20)
    while made[0].is_connected:  # its closing follows its coming at once
        time.sleep(0.01)


def test_unknown_host_key_is_refused_and_nothing_is_sent(a_host):
    error = ask(a_host(key=None))

    assert isinstance(error, errors.HostUnreachable)
    assert "hostB: the host key of operator@127.0.0.1 port" in error.message
    assert "is unknown; nothing was sent" in error.message
    assert "known_hosts" in error.hint and "host_key" in error.hint


def test_changed_host_key_is_refused_and_nothing_is_sent(a_host):
    error = ask(a_host(key=OTHER_KEY))

    assert isinstance(error, errors.HostUnreachable)
    assert "is not the one we know; nothing was sent" in error.message
    assert "reinstalled" in error.hint


@pytest.fixture
def jump_port(programs):
    with ssh_server.listening(OTHER_KEY, CLIENT_KEY, {"PATH": str(programs)}) as port:
        yield port


@pytest.mark.parametrize(("listed", "why"), [("", "is unknown"), ("wrong", "is not the one we know")])
def test_jump_host_whose_key_is_not_known_is_refused_and_nothing_is_sent(a_host, jump_port, tmp_path, listed, why):
    """The key that the inventory gives a host is none of its jump host's."""
    key = f"{HOST_KEY.get_name()} {HOST_KEY.get_base64()}"
    host = a_host(host_key=key, gateway=f"operator@127.0.0.1:{jump_port}")
    with (tmp_path / "known_hosts").open("a") as known:
        known.write(listed and f"[127.0.0.1]:{jump_port} {key}\n")

    error = ask(host)

    assert isinstance(error, errors.HostUnreachable)
    assert f"{why}; nothing was sent" in error.message
    assert f"jump host operator@127.0.0.1 port {jump_port}" in error.message


def test_refused_key_is_a_refused_login(a_host, tmp_path):
    error = ask(a_host(key=HOST_KEY, user="stranger"))

    assert isinstance(error, errors.HostUnreachable)
    assert "stranger@127.0.0.1" in error.message and "refused the login" in error.message
    assert error.hint.startswith("Try: ssh -p ")


def test_operators_known_hosts_is_never_written(a_host, tmp_path):
    host = a_host()
    before = (tmp_path / "known_hosts").read_text()

    ask(host)

    assert (tmp_path / "known_hosts").read_text() == before


def test_host_without_python_is_told_what_it_needs(a_host, programs):
    (programs / "python3").unlink()

    error = ask(a_host())

    assert isinstance(error, errors.HostFailed)
    assert "the agent did not run: " in error.message and "python3" in error.message
    assert "python3 3.8 or later" in error.hint


def as_python(programs, script):
    """Put a shell script in the place of the host's Python."""
    (programs / "python3").unlink()
    (programs / "python3").write_text(f"#!/bin/sh\n{script}\n")
    (programs / "python3").chmod(0o755)


def test_output_of_a_login_profile_is_no_part_of_a_reply(a_host, programs, tmp_path):
    """The last line of it has no end."""
    noise = """echo 'Welcome, {"operator": 1}'; printf 'you have mail: '"""
    as_python(programs, f'{noise}\nexec {sys.executable} "$@"')
    with fleet.over_ssh({"hostB": a_host()}, events.ignore) as hosts:
        assert hosts.acquire_lease("hostB", lock_request(tmp_path), 20.0)["held"]["id"] == "1"
        assert hosts.ask("observe", "observe", {"hostB": {}}, 20.0)["hostB"]["uid"] == os.geteuid()
        assert hosts.holds_lease()


@pytest.mark.parametrize("status", [0, 1])
def test_login_that_ends_before_the_agent_is_told_with_its_words(a_host, programs, tmp_path, status):
    as_python(programs, f"echo 'This account is not available.'\nexit {status}")

    with fleet.over_ssh({"hostB": a_host()}, events.ignore) as hosts:
        for error in (
            hosts.ask("observe", "observe", {"hostB": {}}, 20.0)["hostB"],
            hosts.acquire_lease("hostB", lock_request(tmp_path), 20.0),
        ):
            assert isinstance(error, errors.HostFailed)
            assert error.message == "hostB: the agent did not run: This account is not available."
            assert "forced command" in error.hint and "3.8" not in error.hint


def test_login_that_ends_before_all_was_sent_is_told_with_its_words(a_host, programs, tmp_path, monkeypatch):
    as_python(programs, "echo 'This account is not available.'\nexit 1")
    sendall = paramiko.Channel.sendall
    monkeypatch.setattr(  # our sides send when it has ended: the server, which runs here too, passes its output on
        paramiko.Channel,
        "sendall",
        lambda self, data: (
            sendall(self, data) if self.transport.server_mode else await_end(self) or sendall(self, data)
        ),
    )
    with fleet.over_ssh({"hostB": a_host()}, events.ignore) as hosts:
        for error in (
            hosts.ask("observe", "observe", {"hostB": {}}, 20.0)["hostB"],
            hosts.acquire_lease("hostB", lock_request(tmp_path), 20.0),
        ):
            assert isinstance(error, errors.HostFailed)
            assert error.message == "hostB: the agent did not run: This account is not available."


def await_end(channel):
    assert channel.status_event.wait(20.0)
    while not channel.closed:  # the end of the channel follows that of the program at once
        time.sleep(0.01)


def test_lock_whose_connection_ends_is_told_as_a_lost_host(a_host, tmp_path):
    with fleet.over_ssh({"hostB": a_host()}, events.ignore) as first, ThreadPoolExecutor(1) as pool:
        first.acquire_lease("hostB", lock_request(tmp_path), 20.0)
        with fleet.over_ssh({"hostB": a_host()}, events.ignore) as second:
            asked = pool.submit(second.acquire_lease, "hostB", lock_request(tmp_path, "2", wait=15.0), 20.0)
            while "hostB" not in second._lease_connections:  # it is put there before it is used
                time.sleep(0.01)
            second._lease_connections["hostB"].result().client.get_transport().close()
            error = asked.result(20)

    assert isinstance(error, errors.HostUnreachable)


def test_agent_that_fails_itself_is_told_with_its_last_line_and_not_as_one_without_python(a_host):
    error = ask(a_host(), "observe", trees=5)

    assert isinstance(error, errors.HostFailed)
    assert (error.why, error.words) == ("the agent failed", "TypeError: 'int' object is not iterable")
    assert error.message == f"hostB: the agent failed: {error.words}"
    assert "3.8" not in error.hint and "report this line" in error.hint


def test_agent_that_may_not_read_a_file_is_told_to_have_root(a_host, programs):
    denied = "PermissionError: [Errno 13] Permission denied: '/etc/heat/heat.conf'"
    as_python(programs, f'echo {agent_script.BEGIN}\necho "{denied}" >&2\nexit 1')

    error = ask(a_host())

    assert (error.why, error.words) == ("the agent failed", denied)
    assert "operator may not do that: log in as root, or set `sudo: true`" in error.hint


def test_python_that_is_too_old_is_told_with_its_version(a_host, programs):
    """Each version of Python reads the first lines of the agent."""
    old = "import sys; sys.version_info = (3, 6, 9); exec(sys.stdin.read())"
    as_python(programs, f"exec {sys.executable} -c '{old}'")

    error = ask(a_host())

    assert error.message == "hostB: the agent did not run: python3 is 3.6 there"
    assert "python3 3.8 or later" in error.hint


def test_user_who_needs_a_password_for_sudo_is_told_so(a_host, programs):
    (programs / "sudo").write_text("#!/bin/sh\necho 'sudo: a password is required' >&2\nexit 1\n")

    error = ask(a_host(sudo=True))

    assert isinstance(error, errors.NotRoot)
    assert "the agent did not run: sudo: a password is required" in error.message
    assert "operator needs `sudo -n`" in error.hint


@pytest.mark.parametrize("verb", ["observe", "recall", "logs", "holder"])
def test_login_that_is_not_root_is_told_so_before_anything_is_asked(a_host, monkeypatch, verb):
    """What root alone may read would otherwise count as missing."""
    monkeypatch.setattr(agent_script, "ROOT", os.geteuid() + 1)

    error = ask(a_host(), verb, ledger="/nowhere/ledger")

    assert isinstance(error, errors.NotRoot) and error.exit_code == 3
    assert error.message == f"hostB: operator is not root there (uid {os.geteuid()})"
    assert error.hint == "Log in as root, or set `sudo: true`."


def test_lock_needs_root(a_host, tmp_path, monkeypatch):
    monkeypatch.setattr(agent_script, "ROOT", os.geteuid() + 1)
    with fleet.over_ssh({"hostB": a_host()}, events.ignore) as hosts:
        error = hosts.acquire_lease("hostB", lock_request(tmp_path), 20.0)

    assert isinstance(error, errors.NotRoot)
    assert not (tmp_path / "lock").exists()


def test_host_that_takes_too_long_is_given_up(a_host):
    error = ask(a_host(), "perform", timeout=0.5, ledger="", steps=[{"do": "run", "argv": ["sleep", "3"]}])

    assert isinstance(error, errors.HostUnreachable)
    assert "lost while it worked (no answer in time" in error.message
    assert "`invoke deploy` goes on" in error.hint


def test_host_whose_session_ends_under_way_is_lost_and_not_without_python(a_host, tmp_path):
    started, go_on = tmp_path / "started", tmp_path / "go_on"
    os.mkfifo(started)
    os.mkfifo(go_on)
    program = f"open({str(started)!r}, 'w').close(); open({str(go_on)!r}).read()"
    steps = [{"do": "run", "argv": [sys.executable, "-c", program]}]
    with fleet.over_ssh({"hostB": a_host()}, events.ignore) as hosts, ThreadPoolExecutor(1) as pool:
        hosts.ask("observe", "observe", {"hostB": {}}, 20.0)
        asked = pool.submit(hosts.ask, "work", "perform", {"hostB": {"ledger": "", "steps": steps}}, 20.0)
        started.read_text()
        hosts._connections["hostB"].result().client.get_transport().close()
        error = asked.result(20)["hostB"]
        os.close(os.open(go_on, os.O_RDWR))  # whoever still reads there comes to an end

    assert isinstance(error, errors.HostUnreachable)
    assert "lost while it worked" in error.message


def test_host_that_gives_no_sign_of_life_is_given_up_long_before_its_work_must_end(a_host, monkeypatch):
    thaw = threading.Event()
    monkeypatch.setattr(ssh, "HEARTBEAT_INTERVAL", 0.05)
    monkeypatch.setattr(ssh, "HEARTBEAT_TIMEOUT", 0.3)
    monkeypatch.setattr(ssh_server.Server, "check_global_request", lambda *_: thaw.wait(30) and False)

    error = ask(a_host(), "perform", timeout=60.0, ledger="", steps=[{"do": "run", "argv": ["sleep", "3"]}])
    thaw.set()

    assert isinstance(error, errors.HostUnreachable)
    assert "lost while it worked (no sign of life for 0 s)" in error.message


def test_host_that_was_silent_is_not_waited_for_again_until_some_time_has_passed(a_host, monkeypatch):
    thaw = threading.Event()
    monkeypatch.setattr(ssh, "HEARTBEAT_INTERVAL", 0.05)
    monkeypatch.setattr(ssh, "HEARTBEAT_TIMEOUT", 0.3)
    monkeypatch.setattr(ssh_server.Server, "check_global_request", lambda *_: thaw.wait(30) and False)
    slow = {"ledger": "", "steps": [{"do": "run", "argv": ["sleep", "3"]}]}
    with fleet.over_ssh({"hostB": a_host()}, events.ignore) as hosts:
        lost = hosts.ask("work", "perform", {"hostB": slow}, 60.0)["hostB"]
        thaw.set()
        monkeypatch.setattr(hosts, "_connect", lambda _: pytest.fail("it was connected to"))
        assert hosts.ask("observe", "observe", {"hostB": {}}, 20.0)["hostB"] is lost
        monkeypatch.undo()
        monkeypatch.setattr(fleet, "SILENT_TIMEOUT", 0.0)
        assert hosts.ask("observe", "observe", {"hostB": {}}, 20.0)["hostB"]["uid"] == os.geteuid()


def test_host_that_works_for_long_and_says_that_it_is_there_is_waited_for(a_host, monkeypatch):
    monkeypatch.setattr(ssh, "HEARTBEAT_INTERVAL", 0.05)
    asked = []
    monkeypatch.setattr(ssh_server.Server, "check_global_request", lambda self, kind, message: asked.append(kind))
    program = [sys.executable, "-c", "import time; time.sleep(0.5)"]

    reply = ask(a_host(), "perform", timeout=60.0, ledger="", steps=[{"do": "run", "argv": program}])

    assert (reply["failed"], len(asked) > 1) == (None, True)


def test_failure_of_one_host_leaves_the_answers_of_the_others(a_host):
    hosts = {"hostB": a_host(), "hostC": a_host(name="hostC", user="stranger")}
    with fleet.over_ssh(hosts, events.ignore) as reached:
        replies = reached.ask("observe", "observe", dict.fromkeys(hosts, {}), 20.0)

    assert replies["hostB"]["uid"] == os.geteuid()
    assert isinstance(replies["hostC"], errors.HostUnreachable)


def test_stage_is_told_from_its_beginning_to_its_end(a_host):
    told = []

    with fleet.over_ssh({"hostB": a_host()}, told.append) as hosts:
        hosts.ask("start engines", "observe", {"hostB": {}}, 20.0, Level.VERBOSE)

    begun, finished, ended = told
    assert begun == StageStarted("start engines", ("hostB",), level=Level.VERBOSE)
    assert (finished.host, finished.failed) == ("hostB", False)
    assert (ended.hosts, ended.failed, ended.level) == (("hostB",), (), Level.VERBOSE)
    assert 0 < finished.seconds <= ended.seconds


def test_host_that_cannot_be_asked_is_told_as_failed(a_host):
    told = []

    with fleet.over_ssh({"hostB": a_host(key=None)}, told.append) as hosts:
        hosts.ask("observe", "observe", {"hostB": {}}, 20.0)

    assert [told[1].failed, told[2].failed] == [True, ("hostB",)]


def test_step_is_told_as_it_ends_while_the_next_one_is_at_work(a_host, tmp_path):
    """The second step waits for a file that whoever is told of the first one makes."""
    wait = f"import os\nwhile not os.path.exists({str(tmp_path / 'told')!r}): pass"
    steps = [
        {"do": "run", "argv": [sys.executable, "-c", ""], "description": "the first"},
        {"do": "run", "argv": [sys.executable, "-c", wait], "description": "the second"},
        {"do": "run", "argv": [sys.executable, "-c", "raise SystemExit(1)"], "description": "the last"},
    ]
    told = []

    def handle(event):
        if isinstance(event, StepFinished):
            told.append((event.host, event.step, event.number, event.total, event.result.value))
            (tmp_path / "told").touch()

    with fleet.over_ssh({"hostB": a_host()}, handle) as hosts:
        reply = hosts.ask("try", "perform", {"hostB": {"ledger": "", "steps": steps}}, 20.0)["hostB"]

    assert reply["failed"]["index"] == 2
    assert told == [
        ("hostB", "the first", 1, 3, "done"),
        ("hostB", "the second", 2, 3, "done"),
        ("hostB", "the last", 3, 3, "failed"),
    ]


def lock_request(tmp_path, id="1", **how):
    who = {"id": id, "owner": "alice", "host": "ws", "pid": 7, "command": "invoke deploy"}
    return {"path": str(tmp_path / "lock"), "wait": 0.0, "heartbeat_timeout": 20.0, "who": who} | how


def test_lock_is_held_until_the_fleet_is_closed_and_free_when_that_is_done(a_host, tmp_path):
    for id in ("1", "2", "3"):
        with fleet.over_ssh({"hostB": a_host(sudo=True)}, events.ignore) as hosts:
            assert hosts.acquire_lease("hostB", lock_request(tmp_path, id), 20.0)["held"]["id"] == id
            assert hosts.holds_lease()
            assert hosts.ask("observe", "observe", {"hostB": {}}, 20.0)["hostB"]["uid"] == os.geteuid()


def test_lock_of_another_is_told_and_not_held(a_host, tmp_path):
    with fleet.over_ssh({"hostB": a_host()}, events.ignore) as first:
        held = first.acquire_lease("hostB", lock_request(tmp_path), 20.0)["held"]
        with fleet.over_ssh({"hostB": a_host()}, events.ignore) as second:
            assert second.acquire_lease("hostB", lock_request(tmp_path, "2"), 20.0) == {"held_by": held}
            assert (first.holds_lease(), second.holds_lease()) == (True, False)


def test_heartbeats_keep_a_lock_whose_host_allows_little_silence(a_host, tmp_path, monkeypatch):
    monkeypatch.setattr(lease, "HEARTBEAT_INTERVAL", 0.05)
    beaten = threading.Event()
    with fleet.over_ssh({"hostB": a_host()}, events.ignore) as hosts:
        hosts.acquire_lease("hostB", lock_request(tmp_path, heartbeat_timeout=2.0), 20.0)
        send, times = hosts._lease._send, []
        hosts._lease._send = lambda: times.append(1) or len(times) > 60 and beaten.set() or send()
        assert beaten.wait(20.0)  # longer than the silence that would end it
        assert hosts.holds_lease()


def test_waiting_for_a_lock_is_heard_meanwhile(a_host, tmp_path, monkeypatch):
    monkeypatch.setattr(lease, "HEARTBEAT_INTERVAL", 0.05)
    with fleet.over_ssh({"hostB": a_host()}, events.ignore) as first:
        first.acquire_lease("hostB", lock_request(tmp_path), 20.0)
        with fleet.over_ssh({"hostB": a_host()}, events.ignore) as second:
            begun = time.monotonic()
            reply = second.acquire_lease("hostB", lock_request(tmp_path, "2", wait=2.0, heartbeat_timeout=1.5), 20.0)
            assert (reply["held_by"]["id"], time.monotonic() - begun >= 2.0) == ("1", True)


def test_lock_that_was_silent_for_too_long_stops_every_change(a_host, tmp_path):
    with fleet.over_ssh({"hostB": a_host()}, events.ignore) as hosts:
        hosts.acquire_lease("hostB", lock_request(tmp_path, heartbeat_timeout=0.1), 20.0)
        hosts._lease._channel.status_event.wait(20.0)
        request = {"ledger": str(tmp_path / "ledger"), "steps": [write(tmp_path / "file")]}
        refused = hosts.ask("write", "perform", {"hostB": request}, 20.0)["hostB"]

    assert isinstance(refused, errors.Locked)
    assert "the lock was lost" in refused.message
    assert not (tmp_path / "file").exists()


def test_lock_outlives_a_request_to_its_host_that_is_given_up(a_host, tmp_path):
    with fleet.over_ssh({"hostB": a_host()}, events.ignore) as hosts:
        hosts.acquire_lease("hostB", lock_request(tmp_path), 20.0)
        slow = {"ledger": "", "steps": [{"do": "run", "argv": ["sleep", "3"]}]}
        lost = hosts.ask("work", "perform", {"hostB": slow}, 0.5)["hostB"]
        assert isinstance(lost, errors.HostUnreachable)

        assert hosts.holds_lease()
        request = {"ledger": str(tmp_path / "ledger"), "steps": [write(tmp_path / "file")]}
        assert hosts.ask("revert", "perform", {"hostB": request}, 20.0)["hostB"]["failed"] is None


def test_lock_whose_host_is_silent_is_given_up_once_for_all_that_follows(a_host, tmp_path, monkeypatch):
    monkeypatch.setattr(lease, "HEARTBEAT_TIMEOUT", 0.3)
    with fleet.over_ssh({"hostB": a_host()}, events.ignore) as hosts:
        held = hosts.acquire_lease("hostB", lock_request(tmp_path), 20.0)["held"]
        hosts.ask("observe", "observe", {"hostB": {}}, 20.0)
        os.kill(held["holder"], signal.SIGSTOP)
        try:
            refused = hosts.ask("work", "perform", {"hostB": {}}, 20.0)["hostB"]
            monkeypatch.setattr(ssh, "ask", lambda *_: pytest.fail("it was asked"))
            lost = hosts.ask("observe", "observe", {"hostB": {}}, 20.0)["hostB"]
            begun = time.monotonic()
            hosts.close()
            seconds = time.monotonic() - begun
        finally:
            os.kill(held["holder"], signal.SIGCONT)

    assert isinstance(refused, errors.Locked)
    assert isinstance(lost, errors.HostSilent) and "no sign of life" in lost.message
    assert seconds < lease.CLOSE_TIMEOUT  # nobody would release it


def test_connection_of_a_lock_is_opened_beside_that_of_requests(a_host, tmp_path, monkeypatch):
    both, connect = threading.Barrier(2), ssh_connection.connect
    monkeypatch.setattr(ssh_connection, "connect", lambda host: both.wait(20.0) is not None and connect(host))
    with fleet.over_ssh({"hostB": a_host()}, events.ignore) as hosts:
        hosts.open(lease_host="hostB")
        assert "held" in hosts.acquire_lease("hostB", lock_request(tmp_path), 20.0)
        opened = [each.result(20.0) for each in (hosts._connections["hostB"], hosts._lease_connections["hostB"])]

    assert [each.is_connected for each in opened] == [False, False]


def test_lock_of_a_host_without_python_says_what_it_needs(a_host, tmp_path, programs):
    (programs / "python3").unlink()
    with fleet.over_ssh({"hostB": a_host()}, events.ignore) as hosts:
        error = hosts.acquire_lease("hostB", lock_request(tmp_path), 20.0)

    assert isinstance(error, errors.HostFailed)
    assert "the agent did not run: " in error.message and "python3 3.8 or later" in error.hint
