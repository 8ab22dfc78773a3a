"""The clients, as a process of their own: each request is sent when it is due, whatever became of those before it.

    python -m benchmarks.load.client ADDRESS RUN OUT --rate 200 --most 180000 --seconds 900

It begins at once and ends when it has sent so many, when the time is up, or when its stdin closes; then it writes every
request to OUT, one JSON list a line, with times of the monotonic clock, which all processes of a machine share.
"""

import argparse
import contextlib
import gc
import json
import logging
import os
import sys
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import cycle
from pathlib import Path

import urllib3

from benchmarks.load import requests
from benchmarks.load.requests import KINDS, Order
from benchmarks.load.samples import Sample

AT_ONCE = 200  # requests in flight; more are late, which their latency shows
KEPT = 8  # kept connections for each API, used in turn, so that each rests a while between two requests
ANSWER_LIMIT = 60.0  # seconds until a request counts as failed
PRIORITY = -10  # a client has a machine of its own; here it shares the hosts' cores and must not wait for them


def main() -> None:
    """Send, wait for the last answers, write."""
    options = _options()
    requests.refuse_stranger(options.address)
    logging.getLogger("urllib3").addHandler(logging.NullHandler())
    _go_first()
    gc.disable()  # it would look through all requests so far: after ten minutes nothing is sent for a second
    sys.setswitchinterval(0.0005)  # a thread that has an answer to time should not wait 5 ms for its turn
    over = threading.Event()
    threading.Thread(target=_wait_for_end, args=(over,), daemon=True).start()
    samples = list(_sent(options, over))
    options.out.write_text("".join(json.dumps(sample.row()) + "\n" for sample in samples))


def _go_first() -> None:
    """Raise the priority, also that of the session, by which Linux shares the processors where it groups by session."""
    with contextlib.suppress(PermissionError, FileNotFoundError):
        os.setpriority(os.PRIO_PROCESS, 0, PRIORITY)
        Path("/proc/self/autogroup").write_text(f"{PRIORITY}\n")


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="benchmarks.load.client")
    parser.add_argument("address")
    parser.add_argument("run")
    parser.add_argument("out", type=Path)
    parser.add_argument("--rate", type=float, required=True)
    parser.add_argument("--most", type=int, required=True)
    parser.add_argument("--seconds", type=float, required=True)
    return parser.parse_args()


def _wait_for_end(over: threading.Event) -> None:
    sys.stdin.read()
    over.set()


def _sent(options: argparse.Namespace, over: threading.Event) -> Iterator[Sample]:
    """Send what is due until the end, then hand out what became of each request."""
    connections = Connections(options.address)
    start = time.monotonic()
    with ThreadPoolExecutor(AT_ONCE) as pool:
        sent = []
        for number in range(options.most):
            order = requests.order(number, options.run, options.rate)
            if order.due > options.seconds or over.wait(max(0.0, start + order.due - time.monotonic())):
                break
            sent.append(pool.submit(connections.send, order, start))
        return (future.result() for future in sent)


class Connections:
    """The kept connections, each used in turn, and a new one for every other request. Nothing is sent twice."""

    def __init__(self, address: str) -> None:
        self._address = address
        self._kept = {port: cycle([self._pool(port) for _ in range(KEPT)]) for port in {kind.port for kind in KINDS}}

    def send(self, order: Order, start: float) -> Sample:
        """Send one request and say what became of it; whatever goes wrong is part of that."""
        sent = time.monotonic()
        try:
            status, why = self._ask(order), ""
        except (urllib3.exceptions.HTTPError, OSError) as error:
            status, why = 0, f"{type(error).__name__}: {error}"
        return Sample(order.number, start + order.due, sent, time.monotonic(), status, why)

    def _ask(self, order: Order) -> int:
        if order.kept:
            return self._asked(next(self._kept[order.kind.port]), order)
        with self._pool(order.kind.port) as pool:
            return self._asked(pool, order)

    def _pool(self, port: int) -> urllib3.HTTPConnectionPool:
        return urllib3.HTTPConnectionPool(self._address, port, timeout=ANSWER_LIMIT, maxsize=1, retries=False)

    @staticmethod
    def _asked(pool: urllib3.HTTPConnectionPool, order: Order) -> int:
        kind = order.kind
        return pool.request(kind.method, order.path, body=kind.body, headers=order.headers, redirect=False).status


if __name__ == "__main__":
    main()
