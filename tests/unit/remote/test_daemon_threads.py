"""Calls in threads that never keep a process from ending."""

import subprocess
import sys
import threading

import pytest
import sites

from deployer.remote.daemon_threads import DaemonThreads

NEVER_ENDING = """
import threading
from deployer.remote.daemon_threads import DaemonThreads

begun = threading.Event()

def wait_for_ever():
    begun.set()
    threading.Event().wait()

DaemonThreads(2).submit(wait_for_ever)
begun.wait()
"""


@pytest.fixture
def threads():
    made = DaemonThreads(2)
    yield made
    made.close()


def test_futures_have_what_calls_return_and_raise(threads):
    def fail():
        raise OSError("no route")

    assert [threads.submit(divmod, number, 3).result(10.0) for number in range(5)] == [divmod(n, 3) for n in range(5)]
    assert str(threads.submit(fail).exception(10.0)) == "no route"


def test_no_more_calls_at_once_than_allowed_and_the_others_in_order(threads):
    free, order = threading.Semaphore(0), []
    both = threading.Barrier(3)

    def hold(number):
        order.append(number)
        both.wait(10.0)
        free.acquire(timeout=10.0)

    first = [threads.submit(hold, number) for number in (1, 2)]
    both.wait(10.0)
    later = [threads.submit(order.append, number) for number in (3, 4, 5)]

    assert sorted(order) == [1, 2]
    free.release()
    assert [each.result(10.0) for each in later] == [None, None, None]
    assert order[2:] == [3, 4, 5]
    free.release()
    assert [each.result(10.0) for each in first] == [None, None]


def test_calls_that_have_not_begun_are_cancelled_by_close():
    threads, begun, end = DaemonThreads(1), threading.Event(), threading.Event()
    first = threads.submit(lambda: begun.set() or end.wait(10.0))
    begun.wait(10.0)
    second = threads.submit(int)
    threads.close()
    end.set()

    assert first.result(10.0) is True
    assert second.cancelled()


def test_process_ends_while_a_call_does_not():
    ended = subprocess.run([sys.executable, "-c", NEVER_ENDING], cwd=sites.ROOT, timeout=30, check=False)

    assert ended.returncode == 0
