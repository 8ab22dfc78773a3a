"""Requests to the agent over one SSH connection to one host."""

import contextlib
import shlex
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass

import paramiko
from fabric import Connection

from deployer import errors
from deployer.model.hosts import Host
from deployer.model.wire import Json, Reply, Request
from deployer.remote import agent_script, channel_io, replies, step_lines
from deployer.remote.lease import Lease
from deployer.remote.ssh_connection import reason

HEARTBEAT_INTERVAL = 5.0  # seconds of waiting for an answer after which a host is asked whether it is there
HEARTBEAT_TIMEOUT = 30.0  # seconds without an answer to that after which a host is given up
HINT_WHEN_LOST = "`invoke deploy` goes on from what the hosts have, once it answers again."
EXPLANATION_TIMEOUT = 10.0  # seconds for what may explain why there was no answer
NOT_FOUND = 127  # a shell's exit status for a program that is not there


@dataclass(frozen=True)
class StartedAgent:
    """An agent that has its program for a verb and waits for the request."""

    verb: str
    channel: paramiko.Channel


@dataclass(frozen=True)
class Ended:
    """What a program has left: its exit status and what it printed on stdout and stderr."""

    status: int
    printed: bytes
    talked: str

    def last_line(self) -> str:
        """Return the last line in which it may have said why."""
        said = self.talked.strip() or self.printed.decode("utf-8", "replace").strip()
        return said.splitlines()[-1].strip() if said else "no message"


def ask(
    connection: Connection,
    host: Host,
    verb: str,
    request: Request,
    timeout: float,
    step_finished: step_lines.StepFinished = step_lines.ignore,
    started: StartedAgent | None = None,
) -> Reply:
    """Send the agent one request and return its reply, checked, with our clock when it was sent and received.

    `step_finished` is called, in another thread, as each step ends: its number, its seconds and how it ended.
    `started`: the agent that was started ahead, which is used if it is one for this verb.

    Raise HostUnreachable when there is none in `timeout` seconds, or the connection ends before it; HostFailed when the
    agent did not run, failed itself, or answered with what is too long or not what the verb answers; NotRoot when the
    login may not work as root.
    """
    sent, deadline = time.time(), time.monotonic() + timeout
    silent = threading.Event()
    try:
        with _heartbeat(connection, silent, deadline):
            if started and started.verb != verb:
                started.channel.close()
                started = None
            channel = (started or _start(connection, host, verb, timeout)).channel
            channel.settimeout(timeout)
            channel_io.send(channel, agent_script.request_line(request))
            channel.shutdown_write()
            printed, talked = channel_io.read_both(channel, step_lines.StepLines(step_finished), deadline)
            if len(printed) > replies.LONGEST_REPLY:
                raise _too_long(host, verb)
            status = channel_io.exit_status(channel, channel_io.seconds_to(deadline))
    except (TimeoutError, paramiko.SSHException, OSError, EOFError) as error:
        if silent.is_set():
            raise silence(host.name) from None
        raise errors.HostUnreachable(
            host.name, f"lost while it worked ({reason(error)}, limit {timeout:.0f} s)", hint=HINT_WHEN_LOST
        ) from None
    received = time.time()
    if status or not agent_script.has_begun(printed):
        raise _no_reply(connection, host, Ended(status, printed, talked))
    reply = replies.parsed(host.name, verb, agent_script.reply_in(printed))
    _refuse_denied(connection, host, reply)
    return replies.with_clock(replies.checked(host.name, verb, request, reply), sent, received)


def start_ahead(connection: Connection, host: Host, verb: str, timeout: float) -> StartedAgent | None:
    """Start the agent of a verb whose request will come; None where that fails, which the request will explain."""
    try:
        with _heartbeat(connection, threading.Event(), time.monotonic() + timeout):
            return _start(connection, host, verb, timeout)
    except (TimeoutError, paramiko.SSHException, OSError, EOFError):
        return None


def _start(connection: Connection, host: Host, verb: str, timeout: float) -> StartedAgent:
    """Start the agent of a verb and send it its program; raise SSHException, OSError or EOFError when that fails."""
    channel = connection.client.get_transport().open_session(timeout=timeout)
    channel.settimeout(timeout)
    channel.exec_command(_command(_is_sudo(connection, host), *agent_script.ARGV))
    channel_io.send(channel, agent_script.program(verb))
    return StartedAgent(verb, channel)


def silence(host: str) -> errors.HostSilent:
    """The error of a host that gave no sign of life for too long."""
    return errors.HostSilent(
        host, f"lost while it worked (no sign of life for {HEARTBEAT_TIMEOUT:.0f} s)", hint=HINT_WHEN_LOST
    )


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


def acquire_lease(connection: Connection, host: Host, request: Request, timeout: float) -> tuple[Lease, Reply]:
    """Start what holds a lock on a host while heartbeats come; return the lease, before them, and the first answer.

    Raise HostUnreachable when there is none in `timeout` seconds, NotRoot when the login may not work as root.
    """
    try:
        channel = _start(connection, host, "acquire", timeout).channel
        channel_io.send(channel, agent_script.request_line(request))
        lease = Lease(channel)
        try:
            reply = lease.answer(timeout)
        except EOFError:
            raise _no_reply(connection, host, _ended(channel, lease.printed)) from None
    except (TimeoutError, paramiko.SSHException, OSError, EOFError) as error:
        raise errors.HostUnreachable(
            host.name,
            f"no lock can be taken ({reason(error)}, limit {timeout:.0f} s)",
            hint="Nothing was changed. Run the same command again.",
        ) from None
    _refuse_denied(connection, host, reply)
    return lease, replies.checked(host.name, "acquire", request, reply)


def _refuse_denied(connection: Connection, host: Host, reply: Json) -> None:
    if isinstance(reply, dict) and isinstance(reply.get("denied"), int):
        why = f"{connection.user} is not root there (uid {reply['denied']})"
        raise errors.NotRoot(host.name, why, hint="Log in as root, or set `sudo: true`.")


def _ended(channel: paramiko.Channel, printed: bytes) -> Ended:
    """What the program of a channel has left; TimeoutError or EOFError when that does not come in a while."""
    talked = _last_words(channel)
    return Ended(channel_io.exit_status(channel, EXPLANATION_TIMEOUT), printed, talked)


def _is_sudo(connection: Connection, host: Host) -> bool:
    return connection.user != "root" if host.login.sudo is None else host.login.sudo


def _command(sudo: bool, *argv: str) -> str:
    return shlex.join([*(["sudo", "-n"] if sudo else []), *argv])


def _too_long(host: Host, verb: str) -> errors.HostFailed:
    return errors.HostFailed(
        host.name,
        f"its answer to `{verb}` is longer than {replies.LONGEST_REPLY >> 20} MiB",
        hint="Is there something big below the folder of its heat.conf? If not, do not trust this host.",
    )


def _no_reply(connection: Connection, host: Host, ended: Ended) -> errors.HostFailed:
    """Why there is no reply: the agent failed, or did not run at all."""
    last = ended.last_line()
    if agent_script.has_begun(ended.printed):
        return errors.HostFailed(host.name, "the agent failed", _hint_for_failure(connection, host, last), words=last)
    if _is_sudo(connection, host) and _status(connection, "sudo -n true"):
        hint = f"{connection.user} needs `sudo -n` without a password: add NOPASSWD for it, or log in as root."
        return errors.NotRoot(host.name, f"the agent did not run: {last}", hint=hint)
    return errors.HostFailed(host.name, f"the agent did not run: {last}", hint=_hint(connection, ended, last))


def _hint_for_failure(connection: Connection, host: Host, last: str) -> str:
    if "PermissionError" in last and not _is_sudo(connection, host):
        return f"{connection.user} may not do that: log in as root, or set `sudo: true`."
    return "What it had done stays. Run the same command again; if it ends so again, report this line."


def _hint(connection: Connection, ended: Ended, last: str) -> str:
    """What is to be done about an agent that did not run."""
    if ended.status == NOT_FOUND or "python3" in last:
        return "It needs python3 3.8 or later in the PATH of a non-interactive login."
    return (
        f"The login of {connection.user} ended before it: by its profile, its shell or a forced command of its key? "
        "`ssh HOST python3 --version` must print a version."
    )


def _last_words(channel: paramiko.Channel) -> str:
    """What a program that has ended wrote to stderr, as far as it comes at once."""
    try:
        words = channel_io.read_limited(channel, channel.recv_stderr, time.monotonic() + EXPLANATION_TIMEOUT)
    except (OSError, EOFError):
        return ""
    return words[-step_lines.LONGEST :].decode("utf-8", "replace")


def _status(connection: Connection, command: str) -> int:
    """A command's exit status; 0 for one that could not be asked, of which nothing is known."""
    try:
        _, stdout, _ = connection.client.exec_command(command, timeout=EXPLANATION_TIMEOUT)
        return channel_io.exit_status(stdout.channel, EXPLANATION_TIMEOUT)
    except (paramiko.SSHException, OSError, EOFError):
        return 0
