"""Commands on the hosts through testinfra: the only module that knows it. Only keys of hosts that we know are taken."""

import contextlib
import re
import shlex
import subprocess
from collections.abc import Iterator, Mapping
from pathlib import Path
from tempfile import TemporaryDirectory

import testinfra
from expected import Access

COMMAND_LIMIT = 60  # seconds for one command on a host
GATEWAY = re.compile(r"(?:(?P<user>[^@]+)@)?(?P<host>\[[^\]]+\]|[^:\[\]]+)(?::(?P<port>[0-9]+))?")
SECTION = """\
Host {alias}
    HostName {address}
    User {user}
    Port {port}
    UserKnownHostsFile {known_hosts}
    GlobalKnownHostsFile /dev/null
    StrictHostKeyChecking yes
    UpdateHostKeys no
    BatchMode yes
    ConnectTimeout {timeout}
    ServerAliveInterval 5
    ServerAliveCountMax 3
    ControlMaster auto
    ControlPersist 60
    ControlPath {control}
{more}
"""


class Unreachable(Exception):
    """SSH brought no answer of a host; the message says what ssh said."""


class Host:
    """One host over one multiplexed connection, as root where the inventory allows it."""

    def __init__(self, alias: str, config: Path, sudo: bool) -> None:
        self._host = testinfra.get_host(f"ssh://{alias}", ssh_config=str(config), sudo=sudo, controlpersist=0)

    def answer(self, *argv: str) -> tuple[int, str, str]:
        """Run a program and return its exit status, its output and what it complained of."""
        try:
            ended = self._host.run(shlex.join(["timeout", str(COMMAND_LIMIT), *argv]))
        except RuntimeError as error:  # testinfra's sign of ssh's own exit status, 255
            raise Unreachable(_words(error)) from None
        return ended.rc, ended.stdout, ended.stderr

    def output(self, *argv: str) -> str:
        """Run a program that must end well and return its output."""
        status, printed, complaint = self.answer(*argv)
        assert status == 0, f"{argv[0]} ended with {status}: {_end(complaint)}"
        return printed


@contextlib.contextmanager
def connected(ways: Mapping[str, Access]) -> Iterator[dict[str, Host]]:
    """Hosts by name for the length of a `with`; their connections end with it."""
    with TemporaryDirectory(prefix="heat-") as folder:
        config = Path(folder) / "config"
        config.write_text("".join(_sections(ways, Path(folder))))
        try:
            yield {name: Host(name, config, access.sudo) for name, access in ways.items()}
        finally:
            for name in ways:
                subprocess.run(["ssh", "-F", str(config), "-O", "exit", name], capture_output=True, check=False)


def _sections(ways: Mapping[str, Access], folder: Path) -> Iterator[str]:
    for number, (name, access) in enumerate(ways.items()):
        known = _known_hosts(folder / f"known{number}", access)
        more = [f'    IdentityFile "{access.key}"', "    IdentitiesOnly yes"] if access.key else []
        jump = [f"    ProxyJump gateway-of-{name}"] if access.gateway else []
        yield _section(name, access, known, (folder / f"c{number}", [*more, *jump]))
        if access.gateway:
            yield _gateway(name, access, known, (folder / f"g{number}", more))


def _section(alias: str, access: Access, known: str, rest: tuple[Path, list[str]]) -> str:
    control, more = rest
    return SECTION.format(
        alias=alias,
        address=access.address,
        user=access.user,
        port=access.port,
        known_hosts=known,
        timeout=max(1, round(access.timeout)),
        control=control,
        more="\n".join(more),
    )


def _gateway(name: str, access: Access, known: str, rest: tuple[Path, list[str]]) -> str:
    parts = GATEWAY.fullmatch(access.gateway)
    way = Access(
        parts["host"].strip("[]"),
        parts["user"] or access.user,
        int(parts["port"] or 22),
        access.key,
        None,
        access.known_hosts,
        None,
        False,
        access.timeout,
    )
    return _section(f"gateway-of-{name}", way, known, rest)


def _known_hosts(path: Path, access: Access) -> str:
    """The files of keys to trust: the inventory's, and the key that it names for this host."""
    if not access.host_key:
        return f'"{access.known_hosts}"'
    name = access.address if access.port == 22 else f"[{access.address}]:{access.port}"
    path.write_text(f"{name} {access.host_key}\n")
    return f'"{path}" "{access.known_hosts}"'


def _words(error: RuntimeError) -> str:
    result = error.args[0]
    return f"ssh: {_end(result.stderr or result.stdout) or 'ended with 255'}"


def _end(text: str) -> str:
    """The last lines of a text, as wholes."""
    return "\n".join(text.strip().splitlines()[-5:])
