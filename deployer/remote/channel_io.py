"""Sending to a program on a host and reading what it says, over the channel of an SSH connection, in bounded time."""

import contextlib
import threading
import time
from collections.abc import Callable

import paramiko

from deployer.remote import replies, step_lines

NO_STATUS = -1  # Paramiko's word for a program that ended without an exit status


def send(channel: paramiko.Channel, data: bytes) -> None:
    """Send a program its input; one that ends without reading all of it says why by how it ends."""
    try:
        channel.sendall(data)
    except TimeoutError:
        raise
    except OSError:
        pass


def exit_status(channel: paramiko.Channel, timeout: float) -> int:
    """A program's exit status; EOFError when the connection, or the program by a signal, ended without one."""
    if not channel.status_event.wait(timeout):
        raise TimeoutError
    if channel.exit_status == NO_STATUS:
        raise EOFError("its connection ended before it answered")
    return channel.exit_status


def read_both(channel: paramiko.Channel, lines: step_lines.StepLines, deadline: float) -> tuple[bytes, str]:
    """Read both streams at once: a program that fills one while we wait on the other would hang."""

    def read() -> None:
        with contextlib.suppress(OSError, EOFError):  # too late: reading the other stream says so
            while part := channel.recv_stderr(65536):
                lines.feed(part)

    reader = threading.Thread(target=read, daemon=True)
    reader.start()
    printed = read_limited(channel, channel.recv, deadline)
    reader.join(timeout=5)
    return printed, lines.talk()


def read_limited(channel: paramiko.Channel, receive: Callable[[int], bytes], deadline: float) -> bytes:
    """All that comes of a stream until a deadline; of one that is too long, a little more than is allowed.

    Raise TimeoutError when it has not ended by then: a host that sends a byte now and then does not keep us.
    """
    parts = bytearray()
    while len(parts) <= replies.LONGEST_REPLY:
        channel.settimeout(seconds_to(deadline))
        part = receive(65536)
        if not part:
            break
        parts += part
    return bytes(parts)


def seconds_to(deadline: float) -> float:
    """Seconds that are left; raise TimeoutError for none."""
    left = deadline - time.monotonic()
    if left <= 0:
        raise TimeoutError
    return left
