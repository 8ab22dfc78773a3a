"""An engine that is told to stop tells the broker, and works on what it has been sent by then."""

import contextlib
import threading
from types import SimpleNamespace

import pytest

from deployer.heat.scripts import heat_engine


class Consumer:
    """A consumer of a queue; what the broker has sent before it is cancelled arrives then."""

    def __init__(self, listener, late):
        self.listener, self.late, self.cancelled = listener, late, []

    def cancel(self, tag):
        self.cancelled.append(tag)
        self.listener.incoming += self.late


class Listener:
    """oslo.messaging's listener as far as it matters here: it hands on what has come, stopped or not."""

    def __init__(self, *late):
        self._shutdown, self.incoming = threading.Event(), []
        self.consumers = {Consumer(self, late): 1, Consumer(self, []): 2}
        self.conn = SimpleNamespace(
            connection=SimpleNamespace(_consumers=self.consumers, _connection_lock=contextlib.nullcontext())
        )

    def poll(self, timeout=None):
        return self.incoming.pop(0) if self.incoming else None


@pytest.fixture
def poll():
    return heat_engine.with_consumers_cancelled(Listener.poll)


def test_listener_that_goes_on_cancels_nothing(poll):
    listener = Listener("late")

    assert poll(listener, timeout=1) is None
    assert [consumer.cancelled for consumer in listener.consumers] == [[], []]


def test_listener_that_stops_cancels_each_consumer_once_and_hands_on_what_came_before(poll):
    listener = Listener("first", "second")
    listener._shutdown.set()

    assert [poll(listener) for _ in range(3)] == ["first", "second", None]
    assert [consumer.cancelled for consumer in listener.consumers] == [[1], [2]]


def test_connection_that_is_gone_ends_nothing_else(poll, capsys):
    listener = Listener()
    listener.incoming.append("one")
    listener.conn = SimpleNamespace(connection=None)
    listener._shutdown.set()

    assert poll(listener) == "one"
    assert "heat-scaleout: consumers are left as they are" in capsys.readouterr().err


@pytest.mark.parametrize("is_there", [True, False])
def test_nice_value_counts_also_where_the_kernel_shares_by_session(monkeypatch, tmp_path, is_there):
    path = tmp_path / ("autogroup" if is_there else "none") / "file"
    (tmp_path / "autogroup").mkdir()
    monkeypatch.setattr(heat_engine, "AUTOGROUP", str(path))
    monkeypatch.setattr(heat_engine.os, "getpriority", lambda *_: 10)

    heat_engine.lower_priority()

    assert [each.read_text() for each in tmp_path.rglob("file")] == (["10\n"] if is_there else [])
