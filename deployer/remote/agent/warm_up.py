"""Have every thread of a started API answer once before clients meet it: its first answers take tens of milliseconds.

Heat builds a part of what it needs with the first request of each worker and of each thread.
"""

import contextlib
import http.client

from deployer.remote.agent import certificates

WARM_UP_TIMEOUT = 5  # seconds for an answer; what is not warm by then serves as it is


def warm_up(step):
    """Ask an API for each path over as many connections as it has threads, so that each thread answers one of them.

    A thread that has half a request waits for the rest of it. Connections are taken in their order: when the last one
    is answered, the others are in a thread each. Only then they end their requests. That nobody answers is no failure
    here: the API has just proven that it does.
    """
    for path in step.get("warm_up_paths", []):
        with contextlib.suppress(OSError, http.client.HTTPException), contextlib.ExitStack() as opened:
            begun = [opened.enter_context(Begun(step, path)) for _ in range(step["warm_up_connections"])]
            for request in reversed(begun):
                request.end()


class Begun:
    """A request of which the last line is still to come."""

    def __init__(self, step, path):
        self.connection = http.client.HTTPConnection(step["address"], step["port"], timeout=WARM_UP_TIMEOUT)
        self.connection.connect()
        if step.get("secure"):
            self.connection.sock = certificates.secured(self.connection.sock, step.get("trust"))
        head = "GET %s HTTP/1.1\r\nHost: %s\r\nUser-Agent: heat-scaleout\r\nConnection: close\r\n"
        self.connection.sock.sendall((head % (path, step["address"])).encode())

    def end(self):
        self.connection.sock.sendall(b"\r\n")
        self.connection.sock.makefile("rb").read()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.connection.close()
