"""An address goes from one server to another while clients use it, and none of them notices."""

import http.client
import http.server
import os
import socket
import subprocess
import sys
import threading

import pytest

from deployer.remote.agent import socket_takeover

SERVER = """\
import http.server, sys, threading
class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    def do_GET(self):
        if self.path == "/slow":
            print("asked", flush=True)
            sys.stdin.readline()
        self.send_response(200)
        self.send_header("Content-Length", "3")
        self.end_headers()
        self.wfile.write(b"old")
    def log_message(self, *_):
        pass
server = http.server.ThreadingHTTPServer((sys.argv[1], 0), Handler)
print(server.server_port, flush=True)
server.serve_forever()
"""


class New(http.server.BaseHTTPRequestHandler):
    """The server that takes the address over."""

    def do_GET(self):  # noqa: N802 (the name is http.server's)
        self.send_response(200)
        self.end_headers()
        self.wfile.write(b"new")

    def log_message(self, *_):
        pass


@pytest.fixture(params=["127.0.0.1", "0.0.0.0"])
def old(request):
    """A server of another process that keeps connections alive; one that listens on all addresses, too."""
    with subprocess.Popen(
        [sys.executable, "-c", SERVER, request.param], stdin=subprocess.PIPE, text=True, stdout=subprocess.PIPE
    ) as process:
        port = int(process.stdout.readline())
        yield process, [{"address": "127.0.0.1", "port": port, "pid": process.pid, "unit": ""}]
        process.kill()


@pytest.fixture
def beside():
    """Start the new server at the old one's address."""
    servers = []

    def start(held):
        server = http.server.ThreadingHTTPServer(("127.0.0.1", held[0]["port"]), New, bind_and_activate=False)
        server.socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        server.server_bind()
        server.server_activate()
        servers.append(server)
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}).start()

    yield start
    for server in servers:
        server.shutdown()
        server.server_close()


def connected(held):
    connection = http.client.HTTPConnection("127.0.0.1", held[0]["port"], timeout=10)
    connection.connect()
    return connection


def asked(connection, path="/"):
    connection.request("GET", path)
    return connection


def answer(connection):
    return connection.getresponse().read()


def test_nobody_else_may_listen_there_before_it_is_shared(old, beside):
    with pytest.raises(OSError, match="in use"):
        beside(old[1])


def test_new_connections_go_to_the_new_server_once_they_are_steered_there(old, beside):
    _, held = old
    assert socket_takeover.share_port(held, os.geteuid())
    beside(held)
    socket_takeover.lead_to_newest(held)

    assert [answer(asked(connected(held))) for _ in range(40)] == [b"new"] * 40


def test_new_server_can_be_tried_from_one_port_while_all_others_still_reach_the_old_one(old, beside):
    process, held = old
    if process.args[-1] != "127.0.0.1":  # one that listens everywhere gets nothing beside a more exact one
        return
    source = socket_takeover.unused_port()
    socket_takeover.share_port(held, os.geteuid())
    beside(held)
    socket_takeover.keep_with_holders(held, source)
    steered = http.client.HTTPConnection("127.0.0.1", held[0]["port"], timeout=10, source_address=("", source))

    assert [answer(asked(connected(held))) for _ in range(40)] == [b"old"] * 40
    assert answer(asked(steered)) == b"new"
    steered.close()


def test_whoever_answers_http_is_seen_to_do_so(old):
    _, held = old
    port = held[0]["port"]

    assert [socket_takeover.answers_from("127.0.0.1", port, socket_takeover.unused_port()) for _ in range(3)] == [
        True
    ] * 3
    assert not socket_takeover.answers_from("127.0.0.1", socket_takeover.unused_port(), socket_takeover.unused_port())


def test_old_server_answers_until_they_are_steered(old):
    _, held = old
    socket_takeover.share_port(held, os.geteuid())
    socket_takeover.lead_to_newest(held)

    assert [answer(asked(connected(held))) for _ in range(10)] == [b"old"] * 10


def test_request_in_progress_is_answered_before_the_old_server_is_reported_to_be_free(old, beside):
    process, held = old
    slow = asked(connected(held), "/slow")
    assert process.stdout.readline() == "asked\n"
    socket_takeover.share_port(held, os.geteuid())
    beside(held)
    socket_takeover.lead_to_newest(held)

    assert socket_takeover.drain(held, 0.5, 0.01) == 1
    process.stdin.write("go on\n")
    process.stdin.flush()
    assert answer(slow) == b"old"
    assert socket_takeover.drain(held, 10, 0.01) == 0


def test_kept_alive_connection_is_closed_while_it_is_idle_and_its_client_sees_that(old, beside):
    _, held = old
    kept = connected(held)
    assert answer(asked(kept)) == b"old"
    socket_takeover.share_port(held, os.geteuid())
    beside(held)
    socket_takeover.lead_to_newest(held)

    assert socket_takeover.drain(held, 10, 0.01) == 0
    assert kept.sock.recv(1) == b""


def test_connection_that_nobody_has_accepted_yet_is_waited_for():
    with socket.create_server(("127.0.0.1", 0)) as server:
        held = [{"address": "127.0.0.1", "port": server.getsockname()[1], "pid": os.getpid(), "unit": ""}]
        with connected(held).sock:
            assert socket_takeover.not_accepted(held) == 1
            accepted, _ = server.accept()
            accepted.close()
        assert socket_takeover.not_accepted(held) == 0


def test_kernel_that_copies_no_socket_is_no_error(old, monkeypatch):
    monkeypatch.setattr(socket_takeover, "PIDFD_GETFD", 9999)

    assert socket_takeover.share_port(old[1], os.geteuid()) is False


def test_process_that_is_gone_holds_nothing(old):
    process, held = old
    process.kill()
    process.wait()

    assert socket_takeover.share_port(held, os.geteuid())
    assert socket_takeover.drain(held, 0, 0) == 0
