"""Requests to the agent over one SSH connection to one host."""

import base64
import contextlib
import functools
import json
import shlex
import threading
import time
from collections.abc import Iterator, Mapping
from importlib import resources
from typing import Any

import paramiko
from fabric import Connection

from deployer import errors
from deployer.model import Host
from deployer.remote.holding import Hold
from deployer.remote.ssh_connection import reason

PARTS = {
    "observe": ("session", "sockets", "journal", "ledger", "certificates", "look"),
    "measure": ("sockets", "measure"),
    "perform": ("session", "sockets", "journal", "ledger", "certificates", "look", "programs", "drains", "handover",
                "waits", "files", "act"),
    **dict.fromkeys(("hold", "holder", "release"), ("hold",)),
    **dict.fromkeys(("stage", "close", "recall"), ("journal", "ledger", "generations")),
}
# The agent's files become the modules they are here, so that they import one another in both places.
FRAME = """\
import base64, json, sys, types
for name in ("deployer", "deployer.remote", "deployer.remote.agent"):
    sys.modules[name] = types.ModuleType(name)
for name, source in {parts!r}:
    module = sys.modules["deployer.remote.agent." + name] = types.ModuleType(name)
    setattr(sys.modules["deployer.remote.agent"], name, module)
    exec(compile(source, name + ".py", "exec"), module.__dict__)
request = json.loads(base64.b64decode({request!r}))
json.dump({verb}(request), sys.stdout)
"""
VERBS = {"observe": "sys.modules['deployer.remote.agent.look'].observe",
         "measure": "sys.modules['deployer.remote.agent.measure'].measure",
         "perform": "sys.modules['deployer.remote.agent.act'].perform",
         **{verb: f"sys.modules['deployer.remote.agent.hold'].{verb}" for verb in ("hold", "holder", "release")},
         **{verb: f"sys.modules['deployer.remote.agent.generations'].{verb}" for verb in ("stage", "close", "recall")}}
HEARTBEAT = 5.0  # seconds of waiting for an answer after which a host is asked whether it is there
SILENCE = 30.0  # seconds until one that does not say so is given up
NO_STATUS = -1  # Paramiko's word for a program that ended without an exit status
# `python3 -` reads all of its input before it runs; what goes on listening takes its program from the first line.
FIRST_LINE = "import base64,sys;exec(base64.b64decode(sys.stdin.readline()))"


def ask(connection: Connection, host: Host, verb: str, request: Mapping[str, Any], timeout: float) -> dict:
    """Send the agent one request and return its reply, with our clock when it was sent and received.

    Raise HostUnreachable when there is none in `timeout` seconds, or the connection ends before it.
    """
    sent = time.time()
    silent = threading.Event()
    try:
        with _asked_for_life(connection, silent):
            command = _command(_is_sudo(connection, host), "python3", "-")
            stdin, stdout, stderr = connection.client.exec_command(command, timeout=timeout)
            stdin.write(script(verb, request))
            stdin.channel.shutdown_write()
            printed, talked = _read_both(stdout, stderr)
            status = _exit_status(stdout.channel, timeout)
    except (TimeoutError, paramiko.SSHException, OSError, EOFError) as error:
        why = f"no sign of life for {SILENCE:.0f} s" if silent.is_set() else reason(error)
        raise errors.HostUnreachable(host.name, f"lost while it worked ({why}, limit {timeout:.0f} s)",
                                     hint="`invoke deploy` goes on from what the hosts have, once it answers again."
                                     ) from None
    if status:
        raise _no_agent(connection, host, talked)
    return json.loads(printed) | {"sent": sent, "received": time.time()}


@contextlib.contextmanager
def _asked_for_life(connection: Connection, silent: threading.Event) -> Iterator[None]:
    """End a connection whose host does not say that it is there while we wait for it, and note that it is silent.

    Who only waits for an answer is never told by TCP that the host, or the way to it, is gone.
    """
    over, transport = threading.Event(), connection.client.get_transport()

    def give_up() -> None:
        silent.set()
        transport.close()

    def ask_on() -> None:
        while not over.wait(HEARTBEAT) and transport.is_active():
            late = threading.Timer(SILENCE, give_up)
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


def hold(connection: Connection, host: Host, request: Mapping[str, Any], timeout: float) -> tuple[Hold, dict]:
    """Start what holds a lock on a host while it hears us; return it, not kept up yet, and its first answer.

    Raise HostUnreachable when there is none in `timeout` seconds.
    """
    try:
        channel = connection.client.get_transport().open_session(timeout=timeout)
        channel.exec_command(_command(_is_sudo(connection, host), "python3", "-c", FIRST_LINE))
        channel.sendall(base64.b64encode(script("hold", request)) + b"\n")
        held = Hold(channel)
        return held, held.answer(timeout)
    except EOFError:
        channel.settimeout(timeout)
        raise _no_agent(connection, host, channel.makefile_stderr("rb").read().decode("utf-8", "replace")) from None
    except (TimeoutError, paramiko.SSHException, OSError) as error:
        raise errors.HostUnreachable(host.name, f"no lock can be taken ({reason(error)}, limit {timeout:.0f} s)",
                                     hint="Nothing was changed. Run the same command again.") from None


def _is_sudo(connection: Connection, host: Host) -> bool:
    return connection.user != "root" if host.login.sudo is None else host.login.sudo


def _command(sudo: bool, *argv: str) -> str:
    return shlex.join([*(["sudo", "-n"] if sudo else []), *argv])


def script(verb: str, request: Mapping[str, Any]) -> bytes:
    """The program for `python3 -`: the agent's parts for this verb and the request, which so never shows in argv."""
    parts = [(name, _source(name)) for name in PARTS[verb]]
    encoded = base64.b64encode(json.dumps(request).encode()).decode()
    return FRAME.format(parts=parts, request=encoded, verb=VERBS[verb]).encode()


@functools.cache
def _source(name: str) -> str:
    return resources.files("deployer.remote.agent").joinpath(name + ".py").read_text()


def _read_both(stdout, stderr) -> tuple[bytes, str]:
    """Read both streams at once: a program that fills one while we wait on the other would hang."""
    talked: list[bytes] = []

    def read() -> None:
        with contextlib.suppress(OSError):  # too late: reading the other stream says so
            talked.append(stderr.read())

    reader = threading.Thread(target=read, daemon=True)
    reader.start()
    printed = stdout.read()
    reader.join(timeout=5)
    return printed, b"".join(talked).decode("utf-8", "replace")


def _no_agent(connection: Connection, host: Host, talked: str) -> errors.HostFailed:
    last = talked.strip().splitlines()[-1] if talked.strip() else "no message"
    if _is_sudo(connection, host) and _status(connection, "sudo -n true"):
        hint = f"{connection.user} needs `sudo -n` without a password: add NOPASSWD for it, or set `sudo: false`."
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
