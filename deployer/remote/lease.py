"""Our side of a lease on a host: its first answer, our heartbeats, its release."""

import contextlib
import threading
import time
from typing import Protocol

from deployer.model.wire import Reply
from deployer.remote import agent_script, replies

HEARTBEAT_INTERVAL = 10.0  # seconds between two heartbeats
HEARTBEAT_TIMEOUT = 30.0  # seconds for the answer to one: less than the host waits for a heartbeat
CLOSE_TIMEOUT = 5.0
LONGEST = 65_536  # bytes of a line, and of what a login profile may print before the first one


class Channel(Protocol):
    """What this needs of the channel to the program."""

    def settimeout(self, timeout: float) -> None: ...

    def sendall(self, data: bytes) -> None: ...

    def recv(self, most: int) -> bytes: ...

    def shutdown_write(self) -> None: ...

    def close(self) -> None: ...


class Lease:
    """A lease is held by a program on the host. Its lines are JSON; ours are numbers, which it repeats.

    `printed`: what came before its first line of JSON. `is_silent`: its host has not answered in time.
    """

    def __init__(self, channel: Channel) -> None:
        self._channel = channel
        self.printed = b""
        self.is_silent = False
        self._unread = b""
        self._number = 0
        self._one_at_a_time = threading.Lock()
        self._ended = threading.Event()

    def answer(self, seconds: float) -> Reply:
        """Wait for its first answer, with heartbeats meanwhile; raise EOFError or OSError when there is none."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            with contextlib.suppress(TimeoutError):
                return self._read(min(HEARTBEAT_INTERVAL, max(0.0, deadline - time.monotonic())))
            self._send()
        raise TimeoutError

    def keep(self) -> None:
        """From now on send a heartbeat every few seconds."""
        threading.Thread(target=self._send_heartbeats, daemon=True).start()

    def is_alive(self) -> bool:
        """Whether it answers a heartbeat now; once it has not, it never will."""
        with self._one_at_a_time:
            if self._ended.is_set():
                return False
            try:
                number = self._send()
                self._read_until("heard", number, HEARTBEAT_TIMEOUT)
            except (OSError, EOFError) as error:
                self.is_silent = isinstance(error, TimeoutError)
                self._ended.set()
            return not self._ended.is_set()

    def close(self) -> None:
        """Release it, and wait until that is done: our next command must not find it."""
        is_lost = self._ended.is_set()  # there is nothing to release, or nobody who would
        self._ended.set()
        if not is_lost and self._one_at_a_time.acquire(timeout=CLOSE_TIMEOUT):
            with contextlib.suppress(OSError, EOFError):
                self._channel.shutdown_write()
                self._read_until("released", True, CLOSE_TIMEOUT)
            self._one_at_a_time.release()
        self._channel.close()

    def _send_heartbeats(self) -> None:
        while not self._ended.wait(HEARTBEAT_INTERVAL):
            self.is_alive()

    def _send(self) -> int:
        self._number += 1
        self._channel.settimeout(HEARTBEAT_TIMEOUT)
        self._channel.sendall(b"%d\n" % self._number)
        return self._number

    def _read_until(self, name: str, value: object, seconds: float) -> None:
        """Pass over its lines until one says this; raise EOFError or OSError when none does in time."""
        deadline = time.monotonic() + seconds
        while self._read(deadline - time.monotonic()).get(name) != value:
            continue

    def _read(self, seconds: float) -> Reply:
        """Its next line, or the last; raise EOFError when it has ended or what comes is no line of it."""
        deadline = time.monotonic() + seconds
        while not agent_script.has_begun(self.printed):
            self.printed += self._line(deadline)
            if len(self.printed) > LONGEST:
                raise EOFError("it has not begun")
        return _record(self._line(deadline))

    def _line(self, deadline: float) -> bytes:
        while b"\n" not in self._unread:
            self._channel.settimeout(max(0.0, deadline - time.monotonic()))
            part = self._channel.recv(65536)
            if not part and not self._unread:
                raise EOFError("it has ended")
            self._unread += part or b"\n"
            if len(self._unread) > LONGEST and b"\n" not in self._unread:
                raise EOFError("it does not answer as the agent does")
        line, _, self._unread = self._unread.partition(b"\n")
        return line + b"\n"


def _record(line: bytes) -> Reply:
    try:
        found = replies.parse(line)
    except ValueError:
        raise EOFError("it does not answer as the agent does") from None
    return found if isinstance(found, dict) else {}
