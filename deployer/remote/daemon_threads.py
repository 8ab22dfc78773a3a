"""Calls in threads that never keep a process from ending.

Python waits at its end for the threads of a ThreadPoolExecutor. An interrupt can leave one of them in front of a lock
that the interrupted thread took and will not release (threading.Semaphore is Python code, and takes it there), or in
front of a host that takes its time.
"""

import contextlib
import queue
import threading
from collections.abc import Callable
from concurrent.futures import Future
from functools import partial
from typing import Any, ParamSpec, TypeVar

Parameters = ParamSpec("Parameters")
Result = TypeVar("Result")


class DaemonThreads:
    """At most so many calls at once, the others after them in the order in which they came."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._started = 0
        self._calls: queue.SimpleQueue[tuple[Future[Any], Callable[[], Any]] | None] = queue.SimpleQueue()

    def submit(
        self, call: Callable[Parameters, Result], *args: Parameters.args, **named: Parameters.kwargs
    ) -> Future[Result]:
        """Have a function called; the future has what it returns or raises."""
        future: Future[Result] = Future()
        self._calls.put((future, partial(call, *args, **named)))
        if self._started < self._most:
            self._started += 1
            threading.Thread(target=self._work, daemon=True).start()
        return future

    def close(self) -> None:
        """Cancel the calls that have not begun, and let each thread end after its own."""
        with contextlib.suppress(queue.Empty):
            while waiting := self._calls.get_nowait():
                waiting[0].cancel()
        for _ in range(self._started):
            self._calls.put(None)

    def _work(self) -> None:
        while taken := self._calls.get():
            future, call = taken
            if not future.set_running_or_notify_cancel():
                continue
            try:
                result = call()
            except BaseException as error:  # it belongs to who asks for the result, as in the library's own pool
                future.set_exception(error)
            else:
                future.set_result(result)
