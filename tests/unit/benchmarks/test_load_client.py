"""The clients are tried as what they are: a process that asks a server of this machine."""

import contextlib
import http.server
import itertools
import threading
import time

import pytest

from benchmarks.load import client_process, requests
from benchmarks.load.client_process import Bounds

ADDRESS = "127.18.0.11"  # loopback, and nobody else's


CONNECTIONS = itertools.count()


class Server(http.server.BaseHTTPRequestHandler):
    """Answers as Heat's APIs do, and notes who asked what over which connection."""

    protocol_version = "HTTP/1.1"
    timeout = 60  # as long as a client waits: a busy machine's may rest a while between two requests
    seen: list[tuple[str, int]]

    def setup(self):
        super().setup()
        self.number = next(CONNECTIONS)  # a client's port may come again

    def do_GET(self):
        self.answer(200)

    def do_POST(self):
        self.rfile.read(int(self.headers["Content-Length"]))
        self.answer(401 if self.path.endswith("/stacks") else 400)

    def answer(self, status):
        self.seen.append((self.headers[requests.HEADER], self.number))
        self.send_response(status)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_):
        pass


class Listening(http.server.ThreadingHTTPServer):
    """Accepts as many connections at once as clients open: Python's own 5 are soon full where it waits for its turn.

    The kernel drops those beyond, and tries each again after 1, 2, 4, 8 and 16 seconds.
    """

    request_queue_size = 256


@pytest.fixture
def served():
    """Heat's two ports on a loopback address of their own; gives the requests that came."""
    with serving(8004, 8000) as seen:
        yield seen


@contextlib.contextmanager
def serving(*ports):
    seen = []
    handler = type("Handler", (Server,), {"seen": seen})
    servers = [Listening((ADDRESS, port), handler) for port in ports]
    for server in servers:
        threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
    try:
        yield seen
    finally:
        for server in servers:
            server.shutdown()
            server.server_close()


def test_clients_send_every_request_once_and_tell_of_each(served):
    with client_process.clients(ADDRESS, Bounds(rate=400, most=96, seconds=10)) as load:
        wait_for(lambda: len(served) >= 96)

    result = load.result()
    assert (result.requests, result.failed) == (96, 0)
    assert sorted(identity for identity, _ in served) == sorted(requests.identity(load.run, n) for n in range(96))
    assert len({number for identity, number in served if requests.number_of(identity) % 2 == 1}) == 48


def test_clients_end_when_they_are_told_to(served):
    with client_process.clients(ADDRESS, Bounds(rate=50, most=10_000, seconds=100)) as load, load.window("all"):
        wait_for(lambda: len(served) >= 5)

    result = load.result()
    assert 5 <= result.requests < 1000
    assert result.window("all").failed == 0


def test_server_that_is_not_there_fails_its_requests_and_no_others():
    with serving(8004) as seen, client_process.clients(ADDRESS, Bounds(rate=400, most=64, seconds=10)) as load:
        wait_for(lambda: len(seen) >= 48)

    result = load.result()
    assert result.requests >= 48 and result.failed == result.requests - 48
    assert all("refused" in each["why"] and each["kind"].startswith("cfn") for each in result.failures)


def test_strangers_get_no_clients_at_all():
    with pytest.raises(ValueError, match="no host of a lab"), client_process.clients("192.0.2.1", Bounds()):
        pass


def wait_for(true, seconds=20.0):
    deadline = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < deadline, "not in time"
        time.sleep(0.02)
