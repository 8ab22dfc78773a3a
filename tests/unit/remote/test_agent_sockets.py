"""Who listens where is read from the kernel's own tables."""

import os
import socket
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from deployer.remote.agent import observe, sockets

SLEEPER = "import sys; print('ready', flush=True); sys.stdin.read()"


@pytest.fixture
def listening():
    """A listening socket of this very process: its port."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server.getsockname()[1]


@pytest.fixture
def sleeper(tmp_path):
    """A process whose script is called heat-engine: its PID."""
    script = tmp_path / "heat-engine"
    script.write_text(SLEEPER)
    with subprocess.Popen([sys.executable, str(script)], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        process.stdout.readline()
        yield process.pid
        process.stdin.close()


@pytest.fixture
def answering(tmp_path):
    """A unix socket that answers one line with what it was sent, twice: its path."""
    path = str(tmp_path / "socket")
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(path)
        server.listen()
        thread = threading.Thread(target=_answer_once, args=(server,), daemon=True)
        thread.start()
        yield path
        thread.join(timeout=5)


def _answer_once(server):
    connection, _ = server.accept()
    with connection:
        connection.sendall(connection.recv(100) * 2)


def test_listeners_know_a_socket_with_its_process(listening):
    (found,) = (each for each in sockets.listeners() if each["port"] == listening)

    assert (found["address"], found["pid"]) == ("127.0.0.1", os.getpid())
    assert found["argv"][0] == Path("/proc/self/cmdline").read_text().split("\0")[0]
    assert found["program"] == Path("/proc/self/comm").read_text().strip()


def test_listeners_know_an_ipv6_socket_by_its_address():
    with socket.create_server(("::1", 0), family=socket.AF_INET6) as server:
        port = server.getsockname()[1]
        assert [each["address"] for each in sockets.listeners() if each["port"] == port] == ["::1"]


def test_listeners_forget_a_socket_that_is_closed():
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]

    assert port not in [each["port"] for each in sockets.listeners()]


def test_connected_socket_is_no_listener(listening):
    with socket.create_connection(("127.0.0.1", listening)) as client:
        assert client.getsockname()[1] not in [each["port"] for each in sockets.listeners()]


@pytest.mark.parametrize(
    ("text", "family", "address"),
    [
        ("0100007F", socket.AF_INET, "127.0.0.1"),
        ("00000000", socket.AF_INET, "0.0.0.0"),
        ("00000000000000000000000001000000", socket.AF_INET6, "::1"),
        ("B80D0120000000000000000002000000", socket.AF_INET6, "2001:db8::2"),
    ],
)
def test_address_of_the_kernels_table_is_read(text, family, address):
    assert sockets.address_from(text, family) == address


def test_process_is_found_by_the_name_of_its_script(sleeper):
    assert [each["pid"] for each in sockets.processes_like(["heat-engine"]) if each["pid"] == sleeper] == [sleeper]


def test_process_with_the_name_elsewhere_in_its_arguments_is_not_found(tmp_path):
    with subprocess.Popen(
        [sys.executable, "-c", SLEEPER, "heat-engine"], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as process:
        process.stdout.readline()
        assert process.pid not in [each["pid"] for each in sockets.processes_like(["heat-engine"])]
        process.stdin.close()


def test_process_with_a_title_is_found_by_its_program():
    assert sockets.name_in("/opt/heat/bin/heat-engine: parent process") == "heat-engine"


def test_no_process_is_searched_without_a_name():
    assert sockets.processes_like([]) == []


@pytest.mark.parametrize(
    ("group", "unit"),
    [
        ("/system.slice/heat-api.service", "heat-api.service"),
        ("/system.slice/devstack@h-eng.service", "devstack@h-eng.service"),
        ("/user.slice/user@1000.service/--all.service", "user@1000.service"),
        ("/user.slice/user@1000.service/a b\x1b[2K.service", "user@1000.service"),
        ("/user.slice", ""),
    ],
)
def test_unit_of_a_process_is_one_that_systemd_would_name_so(tmp_path, monkeypatch, group, unit):
    (tmp_path / "cgroup").write_text(f"0::{group}\n")
    monkeypatch.setattr(sockets, "open", lambda path: (tmp_path / "cgroup").open(), raising=False)

    assert sockets.unit_of(1) == unit


def test_process_that_is_gone_is_empty():
    assert (sockets.process(2**22 + 1), sockets.unit_of(2**22 + 1), sockets.parent_of(2**22 + 1)) == ({}, "", 0)


def test_parent_of_a_child_is_this_process(sleeper):
    assert sockets.parent_of(sleeper) == os.getpid()
    assert observe.is_of(sleeper, os.getpid())
    assert not observe.is_of(os.getpid(), sleeper)


def test_ask_returns_everything_that_a_socket_answers(answering):
    assert sockets.ask(answering, "show info\n") == "show info\nshow info\n"


def test_ask_of_a_socket_that_is_not_there_is_nothing(tmp_path):
    assert sockets.ask_or_none(str(tmp_path / "nothing"), "?\n") is None
