"""Keys of both sides of an SSH connection: which host keys are trusted, and which keys open a host. Knows Paramiko."""

import contextlib
import os
import socket
from collections.abc import Collection, Iterator, Sequence
from pathlib import Path

import paramiko
from paramiko.agent import AgentSSH
from paramiko.pkey import PublicBlob

from deployer import errors
from deployer.inventory import local_file
from deployer.remote import known_hosts
from deployer.remote.known_hosts import KnownKeys
from deployer.remote.ssh_config import NO_CONFIG
from deployer.remote.ssh_route import Route

CERTIFICATE = "-cert-v01@openssh.com"


class UnknownKey(paramiko.SSHException):
    """A host showed a key that we have never been told of."""


class ChangedKey(paramiko.SSHException):
    """A host showed another key than the ones we know."""


class RevokedKey(paramiko.SSHException):
    """A host showed a key that `known_hosts` has as revoked."""


class NoPrivateKey(Exception):
    """A file holds no private key that can be read; the message says why."""


class LoginRefused(paramiko.AuthenticationException):
    """No key opened a host; `locked` are files of keys that need a passphrase, `unreadable` says which are no keys."""

    def __init__(self, locked: Sequence[str], unreadable: Sequence[str]) -> None:
        super().__init__("no key was taken")
        self.locked = tuple(locked)
        self.unreadable = tuple(unreadable)


class KnownKeysOnly(paramiko.MissingHostKeyPolicy):
    """Takes the keys that are known, whatever StrictHostKeyChecking says; adds none."""

    def __init__(self, known: KnownKeys) -> None:
        self._known = known

    def missing_host_key(self, client: paramiko.SSHClient, hostname: str, key: paramiko.PKey) -> None:
        """Given a host's key, raise UnknownKey, ChangedKey or RevokedKey unless it is trusted."""
        shown = (key.get_name(), key.asbytes())
        if shown in self._known.revoked:
            raise RevokedKey(hostname)
        if shown not in self._known.trusted:
            raise ChangedKey(hostname) if self._known.trusted else UnknownKey(hostname)

    def transport(self, sock: socket.socket, **options: object) -> paramiko.Transport:
        """Return a transport that asks for a key of a known type first, as a host has one of each type."""
        transport = paramiko.Transport(sock, **options)
        kinds = {kind for kind, _ in self._known.trusted}
        asked = transport.get_security_options()
        asked.key_types = sorted(asked.key_types, key=lambda name: _kind(name) not in kinds)
        return transport


def policy(route: Route) -> KnownKeysOnly:
    """Return who decides on the keys that the host at the end of a way may show."""
    if route.host_key:
        return KnownKeysOnly(known_hosts.of_line(route.host_key))
    texts = [_text(path) for path in route.known_hosts]
    return KnownKeysOnly(known_hosts.of_host(route.known_as, texts))


def refuse_unreadable(paths: Collection[str]) -> None:
    """Raise BadInput for files that the inventory names as private keys when one holds none that can be tried.

    One that needs a passphrase, and one with its public half alone, may be in the agent.
    """
    found = {path: problem for path in paths if (problem := _problem(path))}
    if found:
        raise errors.BadInput(
            "\n".join(f"{path}: {problem}" for path, problem in found.items()),
            hint="`key` of the inventory's `ssh` names it. `ssh-keygen -y -f FILE` reads it too.",
        )


class OperatorsKeys:
    """Logs in with the keys that OpenSSH would try, in its order."""

    def __init__(self, route: Route) -> None:
        self._route = route
        self._locked: list[str] = []
        self._unreadable: list[str] = []

    def authenticate(self, transport: paramiko.Transport) -> list[str]:
        """Log in; raise LoginRefused when no key does, or the host wants more than a key."""
        with _agent(self._route) as agent:
            for key, certificate in self._candidates(agent):
                key.public_blob = certificate
                with contextlib.suppress(paramiko.AuthenticationException):
                    if not transport.auth_publickey(self._route.user, key):
                        return []
                if not transport.is_active():  # it allows no further try
                    break
        raise LoginRefused(self._locked, self._unreadable)

    def _candidates(self, agent: AgentSSH) -> Iterator[tuple[paramiko.PKey, PublicBlob | None]]:
        """Keys with a certificate, keys of the agent that the way names, its other keys, then keys in files."""
        files = [key for key in map(self._private, self._route.keys) if key]
        named = {key.asbytes() for key in files} | {blob for path in self._route.keys for blob in _public(path)}
        held = sorted(agent.get_keys(), key=lambda key: key.asbytes() not in named)
        if self._route.only_keys:
            held = [key for key in held if key.asbytes() in named]
        in_agent = {key.asbytes() for key in held}
        self._locked = [path for path in self._locked if not in_agent & set(_public(path))]
        own = [key for key in files if key.asbytes() not in in_agent]
        for key in (*held, *own):
            yield from ((key, certificate) for certificate in self._certificates(key))
        yield from ((key, _certificate_in_agent(key)) for key in held)
        yield from ((key, None) for key in own)

    def _private(self, path: str) -> paramiko.PKey | None:
        try:
            return _read(path)
        except paramiko.PasswordRequiredException:
            self._locked.append(path)
        except NoPrivateKey as error:
            if Path(path).exists() and not any(_public(path)):
                self._unreadable.append(f"{path}: {error}")
        return None

    def _certificates(self, key: paramiko.PKey) -> Iterator[PublicBlob]:
        """The certificates that were made for a key, of those that the way names and those beside its keys."""
        beside = (f"{path}-cert.pub" for path in self._route.keys)
        for path in dict.fromkeys((*self._route.certificates, *beside)):
            certificate = _blob(path)
            if certificate and _belongs(certificate, key):
                yield certificate


def _read(path: str) -> paramiko.PKey:
    """The private key in a file; raise PasswordRequiredException, or NoPrivateKey with the reason."""
    try:
        local_file.content(Path(path), 0)  # of a pipe Paramiko would wait for an end
        return paramiko.PKey.from_path(path)
    except TypeError:
        raise paramiko.PasswordRequiredException(path) from None
    except paramiko.PasswordRequiredException:
        raise
    except OSError as error:
        raise NoPrivateKey(f"the private key cannot be read: {error.strerror}") from None
    except errors.BadInput:
        raise NoPrivateKey("the private key is not a regular file") from None
    except Exception:  # Paramiko lets pass what the library below it raises
        raise NoPrivateKey("this file cannot be read as a private key") from None


def _problem(path: str) -> str:
    """Why a file has no key to try; nothing where it has one, or an agent may have it."""
    try:
        _read(path)
    except paramiko.PasswordRequiredException:
        return ""
    except NoPrivateKey as error:
        return "" if any(_public(path)) else str(error)
    return ""


@contextlib.contextmanager
def _agent(route: Route) -> Iterator[AgentSSH]:
    """The operator's agent, or one without keys where there is none."""
    agent, path = AgentSSH(), route.agent or os.environ.get("SSH_AUTH_SOCK") or NO_CONFIG
    with socket.socket(socket.AF_UNIX) as connection:
        connection.settimeout(route.timeout)
        with contextlib.suppress(OSError, paramiko.SSHException):
            if path != NO_CONFIG:
                connection.connect(path)
                agent._connect(connection)
        yield agent


def _certificate_in_agent(key: paramiko.agent.AgentKey) -> PublicBlob | None:
    """The certificate that an agent holds under a name of its own; Paramiko would offer its bare key."""
    return PublicBlob(key.get_name(), key.blob) if key.get_name().endswith(CERTIFICATE) else None


def _public(path: str) -> Iterator[bytes]:
    """The public half of a key in a file: it tells which key of the agent is meant where the file itself is locked."""
    yield from (blob.key_blob for blob in map(_blob, (f"{path}.pub", path)) if blob)


def _blob(path: str) -> PublicBlob | None:
    """The public key or the certificate in a file, if it has one."""
    try:
        return PublicBlob.from_string(local_file.content(Path(path)).decode())
    except (OSError, ValueError, errors.BadInput):
        return None


def _belongs(certificate: PublicBlob, key: paramiko.PKey) -> bool:
    """Whether a certificate is one for a key: it has the fields of the public key behind its own type and nonce."""
    if not certificate.key_type.endswith(CERTIFICATE):
        return False
    read, plain = paramiko.Message(certificate.key_blob), paramiko.Message(key.asbytes())
    kind, _, own = read.get_text(), read.get_binary(), plain.get_text()
    return kind.startswith(own) and read.get_remainder().startswith(plain.get_remainder())


def _kind(algorithm: str) -> str:
    """The type of key that an algorithm signs with."""
    return "ssh-rsa" if algorithm.startswith("rsa-sha2-") else algorithm


def _text(path: str) -> str:
    try:
        return local_file.content(Path(path)).decode("utf-8", "replace")
    except (OSError, errors.BadInput):  # /dev/null has no keys either
        return ""
