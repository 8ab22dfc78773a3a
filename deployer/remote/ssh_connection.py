"""Opens one SSH connection to one host, over its jump hosts, and says in the operator's words why it cannot."""

import collections
import logging
import os
import shlex
import shutil
import socket
import subprocess
import threading

import paramiko
from fabric import Config, Connection

from deployer import errors
from deployer.model.hosts import Host
from deployer.remote import ssh_config, ssh_keys, ssh_route
from deployer.remote.ssh_route import Route

PROXY_TIMEOUT = 1.0  # seconds for the last words of a ProxyCommand that has ended


class ProxyFailed(OSError):
    """A ProxyCommand complained, or ended before the host answered."""


class ProxyProcess:
    """A ProxyCommand under way. `socket` speaks to it as to the host; it ends with that socket."""

    def __init__(self, command: str) -> None:
        self._program = command.split()[0]  # its arguments may hold a password
        self.socket, theirs = socket.socketpair()
        # OpenSSH too runs it by the user's shell, whose place it takes. A session of its own: Ctrl-C is ours to answer.
        shell = shutil.which(os.environ.get("SHELL") or "sh") or "/bin/sh"
        with theirs:
            self._process = subprocess.Popen(
                [shell, "-c", f"exec {command}"],
                stdin=theirs.fileno(),
                stdout=theirs.fileno(),
                stderr=subprocess.PIPE,
                text=True,
                errors="replace",
                start_new_session=True,
            )
        self._lines: collections.deque[str] = collections.deque(maxlen=1)
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def complaint(self) -> str:
        """Return the last line that it said, or an empty text."""
        self._reader.join(PROXY_TIMEOUT)
        said = "".join(self._lines).strip()
        return said and f"ProxyCommand: {said}"

    def ending(self) -> str:
        """Return how it ended, or an empty text while it runs."""
        if self._reader.is_alive():
            return ""
        return f"the ProxyCommand `{self._program} ...` ended with {self._process.returncode} before the host answered"

    def _read(self) -> None:
        with self._process:
            self._lines.extend(self._process.stderr or ())


class Chain(Connection):
    """A connection with those to its jump hosts, which are closed with it."""

    proxy: ProxyProcess | None = None

    def close(self) -> None:
        """Close every connection of the way."""
        super().close()
        self.client.close()  # of one that did not come to a login too
        if self.proxy:
            self.proxy.socket.close()
        if self.gateway:
            self.gateway.close()


def connect(host: Host) -> Chain:
    """Open a connection to a host whose key is known; raise HostUnreachable otherwise."""
    # Paramiko's threads log what they raise as well; the error itself says all there is to say.
    logging.getLogger("paramiko").setLevel(logging.CRITICAL + 1)
    try:
        route = ssh_route.find(host)
    except ssh_config.ConfigUnreadable as error:
        raise errors.HostUnreachable(
            host.name,
            f"the SSH configuration cannot be used: {error}",
            hint="`ssh -G HOST` reads it too. With `ssh_config: none` in the inventory's `ssh`, the inventory alone "
            "counts.",
        ) from None
    connection = _connection(route)
    try:
        connection.open()
    except (OSError, paramiko.SSHException, EOFError) as error:
        failure = _unreachable(host, route, connection, error)
        connection.close()
        raise failure from None
    return connection


def reason(error: Exception) -> str:
    """Return in few words why a connection failed."""
    if isinstance(error, TimeoutError):
        return "no answer in time"
    if isinstance(error, paramiko.ssh_exception.NoValidConnectionsError):
        return next(each.strerror or str(each) for each in error.errors.values()).lower()
    return str(error) or type(error).__name__


def _connection(route: Route) -> Chain:
    """A connection that is not open yet, over those to its jump hosts."""
    host_keys = ssh_keys.policy(route)
    times = dict.fromkeys(("timeout", "banner_timeout", "auth_timeout", "channel_timeout"), route.timeout)
    proxy = ProxyProcess(route.proxy_command) if route.proxy_command else None
    connection = Chain(
        route.address,
        user=route.user,
        port=route.port,
        gateway=_connection(route.jump) if route.jump else None,
        config=Config(overrides={"load_ssh_configs": False}),
        connect_kwargs={
            **times,
            **({"sock": proxy.socket} if proxy else {}),
            "auth_strategy": ssh_keys.OperatorsKeys(route),
            "transport_factory": host_keys.transport,
        },
    )
    connection.proxy = proxy
    connection.client.set_missing_host_key_policy(host_keys)
    return connection


def _unreachable(host: Host, route: Route, connection: Chain, error: Exception) -> errors.HostUnreachable:
    """The first part of the way that is not open: which it is, why, and what shows the same."""
    role = ""
    while route.jump and not connection.gateway.is_connected:
        role, route, connection = "the jump host ", route.jump, connection.gateway
    where = f"{role}{route.user}@{route.address} port {route.port}"
    return _key_refused(host, route, where, error) or _not_open(host, route, where, _complaint(connection, error))


def _key_refused(host: Host, route: Route, where: str, error: Exception) -> errors.HostUnreachable | None:
    file, name = next(iter(route.known_hosts), "known_hosts"), route.known_as[0]
    listed = "`host_key` in the inventory" if route.host_key else f"its line for {name} in {file}"
    said = {
        ssh_keys.UnknownKey: (
            "unknown",
            f"Add its line for {name} to {file}, or set `host_key` for the host in the inventory.",
        ),
        ssh_keys.ChangedKey: (
            "not the one we know",
            f"If the host was reinstalled, replace {listed}; if not, find out who answers.",
        ),
        ssh_keys.RevokedKey: ("revoked", "Give the host a new key, then list that one."),
    }.get(type(error))
    return said and errors.HostUnreachable(
        host.name, f"the host key of {where} is {said[0]}; nothing was sent", hint=said[1]
    )


def _not_open(host: Host, route: Route, where: str, error: Exception) -> errors.HostUnreachable:
    command = shlex.join(route.command)
    if isinstance(error, ssh_keys.LoginRefused):
        locked = [f"{path} has a passphrase: `ssh-add` it. " for path in error.locked[:1]]
        keys = "".join([*locked, *(f"{each}. " for each in error.unreadable)])
        return errors.HostUnreachable(host.name, f"{where} refused the login", hint=f"{keys}Try: {command}")
    if isinstance(error, paramiko.ChannelException):
        error = OSError(f"not reachable from the jump host ({error.text.lower()})")
    question = "" if isinstance(error, ProxyFailed) else "Is sshd up? "
    return errors.HostUnreachable(host.name, f"{where}: {reason(error)}", hint=f"{question}Try: {command}")


def _complaint(connection: Chain, error: Exception) -> Exception:
    """The words or the end of a ProxyCommand in place of what came of them."""
    if not connection.proxy or isinstance(error, ssh_keys.LoginRefused):
        return error
    transport = connection.client.get_transport()
    has_answered = transport and transport.remote_version  # what ends then is ended by us
    said = connection.proxy.complaint() or ("" if has_answered else connection.proxy.ending())
    return ProxyFailed(said) if said else error
