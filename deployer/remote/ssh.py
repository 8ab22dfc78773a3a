"""One SSH connection to one host: the only place that knows Fabric."""

import base64
import contextlib
import json
import logging
import shlex
import threading
import time
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import paramiko
from fabric import Config, Connection
from paramiko.channel import ChannelFile
from paramiko.hostkeys import HostKeyEntry

from deployer import errors
from deployer.model.state import Host
from deployer.remote import agent_script, step_lines
from deployer.remote.lease import Lease

HEARTBEAT_INTERVAL = 5.0  # seconds of waiting for an answer after which a host is asked whether it is there
HEARTBEAT_TIMEOUT = 30.0  # seconds until one that does not say so is given up
NO_STATUS = -1  # Paramiko's word for a program that ended without an exit status
# `python3 -` reads all of its input before it runs; what goes on listening takes its program from the first line.
FIRST_LINE = "import base64,sys;exec(base64.b64decode(sys.stdin.readline()))"


class UnknownKey(paramiko.SSHException):
    """A host showed a key that we have never been told of."""


class RefuseUnknown(paramiko.MissingHostKeyPolicy):
    """Only keys we know: Fabric itself adds any key it meets."""

    def missing_host_key(self, client: paramiko.SSHClient, hostname: str, key: paramiko.PKey) -> None:
        raise UnknownKey(hostname)


def connect(host: Host) -> Connection:
    """Open a connection to a host whose key is known; raise HostUnreachable otherwise."""
    # Paramiko's threads log what they raise as well; the error itself says all there is to say.
    logging.getLogger("paramiko").setLevel(logging.CRITICAL + 1)
    connection = Connection(
        host.address,
        user=host.login.user,
        port=host.login.port,
        connect_timeout=host.login.connect_timeout,
        gateway=_gateway(host),
        config=Config(overrides={"load_ssh_configs": False}),
        connect_kwargs=_keys(host)
        | {"banner_timeout": host.login.connect_timeout, "auth_timeout": host.login.connect_timeout},
    )
    _trust(connection.client, host)
    try:
        connection.open()
    except (OSError, paramiko.SSHException, EOFError) as error:
        raise _unreachable(host, connection, _meant(connection, error)) from None
    return connection


def ask(
    connection: Connection,
    host: Host,
    verb: str,
    request: Mapping[str, Any],
    timeout: float,
    step_finished: step_lines.StepFinished = step_lines.ignore,
) -> dict:
    """Send the agent one request and return its reply, with our clock when it was sent and received.

    `step_finished` is called, in another thread, as each step ends: its number, its seconds and how it ended.

    Raise HostUnreachable when there is none in `timeout` seconds, or the connection ends before it.
    """
    sent = time.time()
    silent = threading.Event()
    try:
        with _heartbeat(connection, silent):
            stdin, stdout, stderr = connection.client.exec_command(_command(host, "python3", "-"), timeout=timeout)
            stdin.write(agent_script.of(verb, request))
            stdin.channel.shutdown_write()
            printed, talked = _read_both(stdout, stderr, step_lines.StepLines(step_finished))
            status = _exit_status(stdout.channel, timeout)
    except (TimeoutError, paramiko.SSHException, OSError, EOFError) as error:
        why = f"no sign of life for {HEARTBEAT_TIMEOUT:.0f} s" if silent.is_set() else _why(error)
        raise errors.HostUnreachable(
            host.name,
            f"lost while it worked ({why}, limit {timeout:.0f} s)",
            hint="`invoke deploy` goes on from what the hosts have, once it answers again.",
        ) from None
    if status:
        raise _no_agent(connection, host, talked)
    return json.loads(printed) | {"sent": sent, "received": time.time()}


@contextlib.contextmanager
def _heartbeat(connection: Connection, silent: threading.Event) -> Iterator[None]:
    """End a connection whose host does not say that it is there while we wait for it, and note that it is silent.

    Who only waits for an answer is never told by TCP that the host, or the way to it, is gone.
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

    if transport:
        threading.Thread(target=ask_on, daemon=True).start()
    try:
        yield
    finally:
        over.set()


def _exit_status(channel: paramiko.Channel, timeout: float) -> int:
    """A program's exit status; EOFError when the connection, or the program by a signal, ended without one."""
    if not channel.status_event.wait(timeout):
        raise TimeoutError
    if channel.exit_status == NO_STATUS:
        raise EOFError("its connection ended before it answered")
    return channel.exit_status


def acquire_lease(connection: Connection, host: Host, request: Mapping[str, Any], timeout: float) -> tuple[Lease, dict]:
    """Start what holds a lock on a host while it hears us; return it, not kept up yet, and its first answer.

    Raise HostUnreachable when there is none in `timeout` seconds.
    """
    try:
        channel = connection.client.get_transport().open_session(timeout=timeout)
        channel.exec_command(_command(host, "python3", "-c", FIRST_LINE))
        channel.sendall(base64.b64encode(agent_script.of("acquire", request)) + b"\n")
        held = Lease(channel)
        return held, held.answer(timeout)
    except EOFError:
        channel.settimeout(timeout)
        raise _no_agent(connection, host, channel.makefile_stderr("rb").read().decode("utf-8", "replace")) from None
    except (TimeoutError, paramiko.SSHException, OSError) as error:
        raise errors.HostUnreachable(
            host.name,
            f"no lock can be taken ({_why(error)}, limit {timeout:.0f} s)",
            hint="Nothing was changed. Run the same command again.",
        ) from None


def _command(host: Host, *argv: str) -> str:
    return shlex.join([*(["sudo", "-n"] if host.login.sudo else []), *argv])


def _read_both(stdout: ChannelFile, stderr: ChannelFile, lines: step_lines.StepLines) -> tuple[bytes, str]:
    """Read both streams at once: a program that fills one while we wait on the other would hang."""

    def read() -> None:
        with contextlib.suppress(OSError):  # too late: reading the other stream says so
            while part := stderr.channel.recv_stderr(65536):
                lines.feed(part)

    reader = threading.Thread(target=read, daemon=True)
    reader.start()
    printed = stdout.read()
    reader.join(timeout=5)
    return printed, lines.talk()


def _trust(client: paramiko.SSHClient, host: Host) -> None:
    """Trust the keys of the operator's file and, beside them, the one that the inventory gives the host."""
    client.set_missing_host_key_policy(RefuseUnknown())
    if host.login.known_hosts and Path(host.login.known_hosts).exists():
        client.load_system_host_keys(host.login.known_hosts)  # as "system" keys they are read and never written
    if host.login.host_key:
        entry = HostKeyEntry.from_line(f"{_known_name(host)} {host.login.host_key}")
        client.get_host_keys().add(_known_name(host), entry.key.get_name(), entry.key)


def _known_name(host: Host) -> str:
    address, port = host.address, host.login.port
    return address if port == 22 else f"[{address}]:{port}"


def _keys(host: Host) -> dict[str, Any]:
    """The inventory's key alone, or else what the SSH agent and the user's own folder have."""
    named = {"key_filename": host.login.key} if host.login.key else {}  # Fabric takes no None here
    return named | {"look_for_keys": not named, "allow_agent": not named}


def _gateway(host: Host) -> Connection | None:
    """The jump host, as the host's own user unless the inventory names another; its key must be known too."""
    if not host.login.gateway:
        return None
    user = None if "@" in host.login.gateway else host.login.user  # Fabric refuses a user given twice
    gateway = Connection(
        host.login.gateway,
        user=user,
        connect_timeout=host.login.connect_timeout,
        config=Config(overrides={"load_ssh_configs": False}),
        connect_kwargs=_keys(host),
    )
    _trust(gateway.client, replace(host, login=replace(host.login, host_key=None)))
    return gateway


def _meant(connection: Connection, error: Exception) -> Exception:
    """A refused login as such: for all but Ed25519 keys Paramiko ends with how the key is no key of another type."""
    transport = connection.client.get_transport()
    is_vague = type(error) is paramiko.SSHException and transport is not None and transport.is_active()
    return paramiko.AuthenticationException(str(error)) if is_vague else error


def _unreachable(host: Host, connection: Connection, error: Exception) -> errors.HostUnreachable:
    jump = connection.gateway
    by_jump = jump is not None and not jump.is_connected
    other = jump if by_jump else connection
    where = f"{'the jump host ' if by_jump else ''}{other.user}@{other.host} port {other.port}"
    command = f"ssh -p {other.port} {other.user}@{other.host}"
    if isinstance(error, paramiko.BadHostKeyException):
        return errors.HostUnreachable(
            host.name,
            f"the host key of {where} is not the one we know; nothing was sent",
            hint="If the host was reinstalled, replace its line in "
            f"{host.login.known_hosts or 'known_hosts'}; if not, find out who answers.",
        )
    if isinstance(error, paramiko.AuthenticationException):
        return errors.HostUnreachable(host.name, f"{where} refused the login", hint=f"Try: {command}")
    if isinstance(error, UnknownKey):
        return errors.HostUnreachable(
            host.name,
            f"the host key of {where} is unknown; nothing was sent",
            hint=f"Add its line to {host.login.known_hosts or 'known_hosts'}, or set "
            "`host_key` for the host in the inventory.",
        )
    return errors.HostUnreachable(host.name, f"{where}: {_why(error)}", hint=f"Is sshd up? Try: {command}")


def _why(error: Exception) -> str:
    if isinstance(error, TimeoutError):
        return "no answer in time"
    if isinstance(error, paramiko.ssh_exception.NoValidConnectionsError):
        return next(each.strerror or str(each) for each in error.errors.values()).lower()
    return str(error) or type(error).__name__


def _no_agent(connection: Connection, host: Host, talked: str) -> errors.HostFailed:
    last = talked.strip().splitlines()[-1] if talked.strip() else "no message"
    if host.login.sudo and _status(connection, "sudo -n true"):
        hint = f"{host.login.user} needs `sudo -n` without a password: add NOPASSWD for it, or set `sudo: false`."
    else:
        hint = "It needs python3 3.8 or later in the PATH of a non-interactive login."
    return errors.HostFailed(host.name, f"the agent did not run: {last}", hint=hint)


def _status(connection: Connection, command: str) -> int:
    """A command's exit status; 0 for one that could not be asked, of which nothing is known."""
    try:
        _, stdout, _ = connection.client.exec_command(command, timeout=10)
        return stdout.channel.recv_exit_status()
    except (paramiko.SSHException, OSError, EOFError):
        return 0
