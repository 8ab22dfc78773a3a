"""Each thread of a started API answers once before clients meet it, and an API that cannot is none the worse."""

import contextlib
import socket
import ssl
import threading

import pytest

from deployer.remote.agent import warm_up
from lab import authority

THREADS = 6
PATHS = ["/healthcheck", "/v1/heat-scaleout/stacks"]


class Api:
    """Some threads with one socket; each serves one connection at a time, as uWSGI's do, and notes its requests."""

    def __init__(self, threads, context):
        self.answered = [[] for _ in range(threads)]
        self._context = context
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.port = self._socket.getsockname()[1]
        for mine in self.answered:
            threading.Thread(target=self._serve, args=(mine,), daemon=True).start()

    def _serve(self, mine):
        with contextlib.suppress(OSError):  # the end
            while True:
                plain, _ = self._socket.accept()
                with contextlib.suppress(ConnectionError), self._secured(plain) as client:
                    if path := _path_of(client.makefile("rb")):
                        mine.append(path)
                        client.sendall(b"HTTP/1.1 401 Unauthorized\r\n\r\n")

    def _secured(self, plain):
        return self._context.wrap_socket(plain, server_side=True) if self._context else plain

    def close(self):
        self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()


def _path_of(stream):
    """The path of a request; "" of one whose client leaves before its end."""
    lines = []
    while (line := stream.readline()) not in (b"\r\n", b""):
        lines.append(line)
    return lines[0].split()[1].decode() if line else ""


@pytest.fixture
def serve():
    """A builder of APIs that end with the test."""
    with contextlib.ExitStack() as until_the_end:

        def build(threads=THREADS, context=None):
            return until_the_end.enter_context(contextlib.closing(Api(threads, context)))

        yield build


def a_step(api, **how):
    fine = {"address": "127.0.0.1", "port": api.port, "warm_up_paths": PATHS, "warm_up_connections": THREADS}
    return {**fine, **how}


def test_every_thread_answers_each_path_once(serve):
    api = serve()

    warm_up.warm_up(a_step(api))

    assert api.answered == [PATHS] * THREADS


def test_every_thread_of_an_api_with_tls_answers(serve, tmp_path):
    authority.make(tmp_path)
    (tmp_path / "both.pem").write_text("".join(authority.sign(tmp_path, "hostB", "127.0.0.1")))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(tmp_path / "both.pem")
    api = serve(context=context)

    warm_up.warm_up(a_step(api, secure=True))

    assert api.answered == [PATHS] * THREADS


def test_api_with_fewer_threads_than_expected_is_left_as_it_is(serve, monkeypatch):
    api = serve(threads=1)
    with monkeypatch.context() as patch:
        patch.setattr(warm_up, "WARM_UP_TIMEOUT", 0.1)
        warm_up.warm_up(a_step(api))

    warm_up.warm_up(a_step(api, warm_up_paths=["/then"], warm_up_connections=1))

    assert api.answered[0][-1] == "/then"


def test_api_that_nothing_is_to_warm_up_is_asked_nothing(serve):
    api = serve()

    warm_up.warm_up({"address": "127.0.0.1", "port": api.port})

    assert api.answered == [[]] * THREADS
