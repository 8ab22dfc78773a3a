"""What OpenSSH's own configuration says of a destination: the answer of `ssh -G` as data.

OpenSSH reads the files itself, so that Match, Include and everything else mean here what they mean to `ssh`.
"""

import os
import pwd
import re
import shutil
import socket
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import NamedTemporaryFile

QUERY_TIMEOUT = 10.0  # seconds for `ssh -G`; it takes milliseconds, but a `Match exec` may take longer
NO_CONFIG = "none"  # as in `ssh -F none`
SYSTEM_CONFIG = Path("/etc/ssh/ssh_config")
UNSTATED = "heat-scaleout-unstated"
TOKEN = re.compile(r"%(.)")
# What counts where no file is read; the same as OpenSSH's defaults.
DEFAULTS = """\
port 22
identityfile ~/.ssh/id_rsa
identityfile ~/.ssh/id_ecdsa
identityfile ~/.ssh/id_ed25519
userknownhostsfile ~/.ssh/known_hosts ~/.ssh/known_hosts2
globalknownhostsfile /etc/ssh/ssh_known_hosts /etc/ssh/ssh_known_hosts2
"""


class ConfigUnreadable(Exception):
    """OpenSSH could not be asked, or cannot read its configuration; the message says why."""


@dataclass(frozen=True)
class Destination:
    """What one would type after `ssh`; what is None is left to the configuration.

    `file` is that of `ssh -F`: a path, or "none" to read none at all.
    """

    name: str
    hostname: str | None = None
    port: int | None = None
    user: str | None = None
    jump: str | None = None
    file: str | None = None

    def options(self) -> tuple[str, ...]:
        """The command line's options; those of the command line win over every file."""
        given = {"-F": self.file, "-p": self.port, "-l": self.user, "-J": self.jump}
        own_name = ("-o", f"HostName={self.hostname}") if self.hostname not in (None, self.name) else ()
        return (*(str(part) for item in given.items() if item[1] is not None for part in item), *own_name)


@dataclass(frozen=True)
class SshConfig:
    """The settings for one destination that count here. Paths and commands may have `~` and tokens: see `expanded`.

    `user` is None where neither the destination nor a file names one, `identity_agent` where SSH_AUTH_SOCK counts.
    """

    hostname: str = ""
    user: str | None = None
    port: int = 22
    identity_files: tuple[str, ...] = ()
    certificate_files: tuple[str, ...] = ()
    identities_only: bool = False
    identity_agent: str | None = None
    host_key_alias: str | None = None
    known_hosts: tuple[str, ...] = ()
    proxy_jump: str | None = None
    proxy_command: str | None = None
    proxy_passes_socket: bool = False
    connect_timeout: float | None = None


def resolve(destination: Destination) -> SshConfig:
    """Return what OpenSSH reads for a destination; `user` may be the local one. Raise ConfigUnreadable."""
    has_nothing_to_read = destination.file is None and not shutil.which("ssh") and not _files(destination)
    if destination.file == NO_CONFIG or has_nothing_to_read:
        return _without_files(destination)
    return parse(_printed(destination))


def parse(printed: str) -> SshConfig:
    """Return the settings in what `ssh -G` printed: a keyword and its value on each line."""
    found: dict[str, list[str]] = {}
    for line in printed.splitlines():
        keyword, _, value = line.partition(" ")
        if value not in ("", NO_CONFIG):
            found.setdefault(keyword.lower(), []).append(value)
    first = {keyword: values[0] for keyword, values in found.items()}
    agent = first.get("identityagent")
    return SshConfig(
        hostname=first.get("hostname", ""),
        user=first.get("user"),
        port=int(first.get("port", 22)),
        identity_files=tuple(found.get("identityfile", ())),
        certificate_files=tuple(found.get("certificatefile", ())),
        identities_only=first.get("identitiesonly") == "yes",
        identity_agent=NO_CONFIG if "identityagent none" in printed.splitlines() else agent,
        host_key_alias=first.get("hostkeyalias"),
        known_hosts=_paths(first.get("userknownhostsfile", "")) + _paths(first.get("globalknownhostsfile", "")),
        proxy_jump=first.get("proxyjump"),
        proxy_command=first.get("proxycommand"),
        proxy_passes_socket=first.get("proxyusefdpass") == "yes",
        connect_timeout=float(first["connecttimeout"]) if "connecttimeout" in first else None,
    )


def names_user(destination: Destination, config: SshConfig) -> bool:
    """Whether the destination or a file names the user, who otherwise is the local one. Raise ConfigUnreadable.

    `ssh -G` prints the local user in both cases, so a file that names another one last of all finds it out.
    """
    if destination.user or config.user not in (None, local_user()):
        return True
    if config.user is None:
        return False
    with NamedTemporaryFile("w", prefix="heat-", suffix=".ssh_config") as file:
        file.write("".join(f'Include "{path}"\n' for path in _files(destination)) + f"Match all\nUser {UNSTATED}\n")
        file.flush()
        return parse(_printed(replace(destination, file=file.name))).user != UNSTATED


def expanded(config: SshConfig, destination: Destination) -> SshConfig:
    """Return the settings with `~`, environment variables and tokens such as %h replaced, as OpenSSH does when it uses
    them."""
    tokens = _tokens(config, destination)

    def paths(texts: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(_path(_replaced(text, tokens)) for text in texts)

    return replace(
        config,
        identity_files=paths(config.identity_files),
        certificate_files=paths(config.certificate_files),
        known_hosts=tuple(_path(text) for text in config.known_hosts),  # `ssh -G` has replaced their tokens
        identity_agent=_agent(config.identity_agent),
        proxy_jump=config.proxy_jump and _replaced(config.proxy_jump, tokens),
        proxy_command=config.proxy_command and _replaced(config.proxy_command, tokens),
    )


def local_user() -> str | None:
    """Who runs this, by the system's accounts, as OpenSSH sees it; None for a user without an account."""
    try:
        return pwd.getpwuid(os.getuid()).pw_name
    except KeyError:
        return None


def _home() -> str:
    """The home folder of the account, as OpenSSH sees it: $HOME does not count."""
    try:
        return pwd.getpwuid(os.getuid()).pw_dir
    except KeyError:
        return os.path.expanduser("~")  # noqa: PTH111


def _files(destination: Destination) -> tuple[Path, ...]:
    """The files that OpenSSH reads for a destination, if they exist."""
    files = (Path(destination.file),) if destination.file else (Path(_home(), ".ssh/config"), SYSTEM_CONFIG)
    return tuple(file for file in files if file.exists())


def _without_files(destination: Destination) -> SshConfig:
    jump = destination.jump if destination.jump != NO_CONFIG else None
    hostname = destination.hostname or destination.name
    return replace(
        parse(DEFAULTS), hostname=hostname, port=destination.port or 22, user=destination.user, proxy_jump=jump
    )


def _printed(destination: Destination) -> str:
    argv = ["ssh", "-G", "-T", *destination.options(), "--", destination.name]
    try:
        ended = subprocess.run(argv, stdin=subprocess.DEVNULL, capture_output=True, timeout=QUERY_TIMEOUT, check=False)
    except FileNotFoundError:
        files = ", ".join(map(str, _files(destination)))
        raise ConfigUnreadable(f"{files}: needs the program `ssh`, which is not installed here") from None
    except subprocess.TimeoutExpired:
        raise ConfigUnreadable(f"`ssh -G` did not end in {QUERY_TIMEOUT:.0f} s") from None
    if ended.returncode:
        complaint = ended.stderr.decode("utf-8", "replace").strip()
        raise ConfigUnreadable("; ".join(complaint.splitlines()) or f"`ssh -G` ended with {ended.returncode}")
    return ended.stdout.decode("utf-8", "surrogateescape")


def _paths(text: str) -> tuple[str, ...]:
    """The paths of a line; `ssh -G` quotes none, so a blank ends a path only where another one begins."""
    return tuple(re.split(r" (?=[/~])", text)) if text else ()


def _tokens(config: SshConfig, destination: Destination) -> Mapping[str, str]:
    here = socket.gethostname()
    return {
        "%": "%",
        "d": _home(),
        "h": config.hostname,
        "i": str(os.getuid()),
        "j": config.proxy_jump or "",
        "k": config.host_key_alias or destination.name,
        "L": here.partition(".")[0],
        "l": here,
        "n": destination.name,
        "p": str(config.port),
        "r": config.user or "",
        "u": local_user() or "",
    }


def _replaced(text: str, tokens: Mapping[str, str]) -> str:
    return TOKEN.sub(lambda token: tokens.get(token[1], token[0]), text)


def _agent(text: str | None) -> str | None:
    """The socket of an agent, which may be named by a variable of the environment."""
    if text is None or text in ("SSH_AUTH_SOCK", "$SSH_AUTH_SOCK"):
        return None
    return os.environ.get(text[1:], NO_CONFIG) if re.fullmatch(r"\$\w+", text) else _path(text)


def _path(text: str) -> str:
    """A path with the variables of the environment and the home folder in their places."""
    known = re.sub(r"\$\{(\w+)\}", lambda name: os.environ.get(name[1], name[0]), text)
    return _home() + known[1:] if known.startswith("~/") else os.path.expanduser(known)  # noqa: PTH111
