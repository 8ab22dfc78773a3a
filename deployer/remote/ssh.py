"""Requests to the agent over one SSH connection to one host."""

import base64
import contextlib
import shlex
import threading
import time
from collections.abc import Callable, Iterator

import paramiko
from fabric import Connection

from deployer import errors
from deployer.model.hosts import Host
from deployer.model.wire import Reply, Request
from deployer.remote import agent_script, replies, step_lines
from deployer.remote.lease import Lease
from deployer.remote.ssh_connection import reason

HEARTBEAT_INTERVAL = 5.0  # seconds of waiting for an answer after which a host is asked whether it is there
HEARTBEAT_TIMEOUT = 30.0  # seconds without an answer to that after which a host is given up
EXPLANATION_TIMEOUT = 10.0  # seconds for what may explain why there was no answer
NO_STATUS = -1  # Paramiko's word for a program that ended without an exit status
# `python3 -` reads all of its input before it runs; what goes on listening takes its program from the first line.
FIRST_LINE = "import base64,sys;exec(base64.b64decode(sys.stdin.readline()))"


def ask(
    connection: Connection,
    host: Host,
    verb: str,
    request: Request,
    timeout: float,
    step_finished: step_lines.StepFinished = step_lines.ignore,
) -> Reply:
    """Send the agent one request and return its reply, checked, with our clock when it was sent and received.

    `step_finished` is called, in another thread, as each step ends: its number, its seconds and how it ended.

    Raise HostUnreachable when there is none in `timeout` seconds, or the connection ends before it; HostFailed for one
    that is too long or not what the verb answers.
    """
    sent, deadline = time.time(), time.monotonic() + timeout
    silent = threading.Event()
    try:
        with _heartbeat(connection, silent, deadline):
            command = _command(_is_sudo(connection, host), "python3", "-")
            stdin, stdout, stderr = connection.client.exec_command(command, timeout=timeout)
            stdin.write(agent_script.of(verb, request))
            stdin.channel.shutdown_write()
            printed, talked = _read_both(stdout.channel, step_lines.StepLines(step_finished), deadline)
            if len(printed) > replies.LONGEST_REPLY:
                raise _too_long(host, verb)
            status = _exit_status(stdout.channel, _seconds_to(deadline))
    except (TimeoutError, paramiko.SSHException, OSError, EOFError) as error:
        why = f"no sign of life for {HEARTBEAT_TIMEOUT:.0f} s" if silent.is_set() else reason(error)
        raise errors.HostUnreachable(
            host.name,
            f"lost while it worked ({why}, limit {timeout:.0f} s)",
            hint="`invoke deploy` goes on from what the hosts have, once it answers again.",
        ) from None
    if status:
        raise _no_agent(connection, host, talked)
    received = time.time()
    return replies.with_clock(replies.read(host.name, verb, request, printed), sent, received)


@contextlib.contextmanager
def _heartbeat(connection: Connection, silent: threading.Event, deadline: float) -> Iterator[None]:
    """End a connection whose host does not say that it is there while we wait for it, and note that it is silent.

    Who only waits for an answer is never told by TCP that the host, or the way to it, is gone. Some of what Paramiko
    waits for has no limit of its own: a while after the deadline the connection is ended in any case.
    """
    over, transport = threading.Event(), connection.client.get_transport()

    def give_up() -> None:
        silent.set()
        transport.close()

    def ask_on() -> None:
        while not over.wait(HEARTBEAT_INTERVAL) and transport.is_active():
            late = threading.Timer(HEARTBEAT_TIMEOUT, give_up)
            late.daemon = True
            late.start()
            transport.global_request("keepalive@openssh.com", wait=True)  # returns when answered, or closed
            late.cancel()

    if not transport:
        yield
        return
    last = threading.Timer(deadline - time.monotonic() + HEARTBEAT_INTERVAL, transport.close)
    last.daemon = True
    for each in (threading.Thread(target=ask_on, daemon=True), last):
        each.start()
    try:
        yield
    finally:
        over.set()
        last.cancel()


def _exit_status(channel: paramiko.Channel, timeout: float) -> int:
    """A program's exit status; EOFError when the connection, or the program by a signal, ended without one."""
    if not channel.status_event.wait(timeout):
        raise TimeoutError
    if channel.exit_status == NO_STATUS:
        raise EOFError("its connection ended before it answered")
    return channel.exit_status


def acquire_lease(connection: Connection, host: Host, request: Request, timeout: float) -> tuple[Lease, Reply]:
    """Start what holds a lock on a host while heartbeats come; return the lease, before them, and the first answer.

    Raise HostUnreachable when there is none in `timeout` seconds.
    """
    try:
        channel = connection.client.get_transport().open_session(timeout=timeout)
        channel.exec_command(_command(_is_sudo(connection, host), "python3", "-c", FIRST_LINE))
        channel.sendall(base64.b64encode(agent_script.of("acquire", request)) + b"\n")
        lease = Lease(channel)
        return lease, replies.checked(host.name, "acquire", request, lease.answer(timeout))
    except EOFError:
        raise _no_agent(connection, host, _last_words(channel)) from None
    except (TimeoutError, paramiko.SSHException, OSError) as error:
        raise errors.HostUnreachable(
            host.name,
            f"no lock can be taken ({reason(error)}, limit {timeout:.0f} s)",
            hint="Nothing was changed. Run the same command again.",
        ) from None


def _is_sudo(connection: Connection, host: Host) -> bool:
    return connection.user != "root" if host.login.sudo is None else host.login.sudo


def _command(sudo: bool, *argv: str) -> str:
    return shlex.join([*(["sudo", "-n"] if sudo else []), *argv])


def _read_both(channel: paramiko.Channel, lines: step_lines.StepLines, deadline: float) -> tuple[bytes, str]:
    """Read both streams at once: a program that fills one while we wait on the other would hang."""

    def read() -> None:
        with contextlib.suppress(OSError):  # too late: reading the other stream says so
            while part := channel.recv_stderr(65536):
                lines.feed(part)

    reader = threading.Thread(target=read, daemon=True)
    reader.start()
    printed = _read_limited(channel, channel.recv, deadline)
    reader.join(timeout=5)
    return printed, lines.talk()


def _read_limited(channel: paramiko.Channel, receive: Callable[[int], bytes], deadline: float) -> bytes:
    """All that comes of a stream until a deadline; of one that is too long, a little more than is allowed.

    Raise TimeoutError when it has not ended by then: a host that sends a byte now and then does not keep us.
    """
    parts = bytearray()
    while len(parts) <= replies.LONGEST_REPLY:
        channel.settimeout(_seconds_to(deadline))
        part = receive(65536)
        if not part:
            break
        parts += part
    return bytes(parts)


def _seconds_to(deadline: float) -> float:
    """Seconds that are left; raise TimeoutError for none."""
    left = deadline - time.monotonic()
    if left <= 0:
        raise TimeoutError
    return left


def _too_long(host: Host, verb: str) -> errors.HostFailed:
    return errors.HostFailed(
        host.name,
        f"its answer to `{verb}` is longer than {replies.LONGEST_REPLY >> 20} MiB",
        hint="Is there something big below the folder of its heat.conf? If not, do not trust this host.",
    )


def _no_agent(connection: Connection, host: Host, talked: str) -> errors.HostFailed:
    last = talked.strip().splitlines()[-1] if talked.strip() else "no message"
    if _is_sudo(connection, host) and _status(connection, "sudo -n true"):
        hint = f"{connection.user} needs `sudo -n` without a password: add NOPASSWD for it, or set `sudo: false`."
    else:
        hint = "It needs python3 3.8 or later in the PATH of a non-interactive login."
    return errors.HostFailed(host.name, f"the agent did not run: {last}", hint=hint)


def _last_words(channel: paramiko.Channel) -> str:
    """What a program that has ended wrote to stderr, as far as it comes at once."""
    try:
        words = _read_limited(channel, channel.recv_stderr, time.monotonic() + EXPLANATION_TIMEOUT)
    except (OSError, EOFError):
        return ""
    return words[-step_lines.LONGEST :].decode("utf-8", "replace")


def _status(connection: Connection, command: str) -> int:
    """A command's exit status; 0 for one that could not be asked, of which nothing is known."""
    try:
        _, stdout, _ = connection.client.exec_command(command, timeout=EXPLANATION_TIMEOUT)
        return _exit_status(stdout.channel, EXPLANATION_TIMEOUT)
    except (paramiko.SSHException, OSError, EOFError):
        return 0
