"""Commands on the hosts through testinfra: the only module that knows it. Only keys of hosts that we know are taken."""

import contextlib
import re
import shlex
import subprocess
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import testinfra
from expected import Access

COMMAND_LIMIT = 60  # seconds for one command on a host
GATEWAY = re.compile(r"(?:(?P<user>[^@]+)@)?(?P<host>\[[^\]]+\]|[^:\[\]]+)(?::(?P<port>[0-9]+))?")
NO_HOST = "heat-scaleout-no-such-host.invalid"  # a name about which no configuration says anything particular
FILES = ("~/.ssh/config", "/etc/ssh/ssh_config")
# OpenSSH takes the first value that it meets: what is strict, the inventory's, the operator's, then the defaults.
CONFIG = """\
Host *
    StrictHostKeyChecking yes
    UpdateHostKeys no
    BatchMode yes
    ServerAliveInterval 5
    ServerAliveCountMax 3
Host {names}
    HostName {address}
    ControlMaster auto
    ControlPersist 60
    ControlPath {control}
{stated}
{jump}
Match all
{includes}
Host {names}
    User root
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


@dataclass(frozen=True)
class Way:
    """A host as ssh is asked for it: its name in a configuration, and who logs in."""

    alias: str
    config: Path
    user: str


@contextlib.contextmanager
def connected(ways: Mapping[str, Access]) -> Iterator[dict[str, Host]]:
    """Hosts by name for the length of a `with`; their connections end with it."""
    with TemporaryDirectory(prefix="heat-") as folder:
        found = {
            name: way(name, access, Path(folder) / str(number)) for number, (name, access) in enumerate(ways.items())
        }
        try:
            yield {
                name: Host(_bracketed(each.alias), each.config, _sudo(ways[name], each)) for name, each in found.items()
            }
        finally:
            for each in found.values():
                argv = ["ssh", "-F", str(each.config), "-O", "exit", each.alias]
                subprocess.run(argv, capture_output=True, check=False)


def way(name: str, access: Access, folder: Path) -> Way:
    """Write a host's configuration into a folder of its own, and return how to ask ssh for it.

    As `docs/inventory.md` has it: by its name where the operator's configuration says something of that name, else by
    its address.
    """
    folder.mkdir()
    config = folder / "config"
    config.write_text(_config(name, access, folder))
    of_name = _settings(config, name)
    is_particular = of_name not in (_settings(config, access.address), _settings(config, NO_HOST))
    alias = name if is_particular else access.address
    user = next(line.removeprefix("user ") for line in _settings(config, alias) if line.startswith("user "))
    if access.gateway and _jump(access):  # it is entered by the host's user, unless somebody says otherwise
        with config.open("a") as file:
            file.write(f"Host {GATEWAY.fullmatch(access.gateway)['host'].strip('[]')}\n    User {user}\n")
    return Way(alias, config, user)


def _config(name: str, access: Access, folder: Path) -> str:
    includes = {None: FILES, "none": ()}.get(access.config, (access.config,))
    stated = [f"    {key} {value}" for key, value in _stated(access, folder).items() if value]
    return CONFIG.format(
        names=f"{name} {access.address} {NO_HOST}",
        address=access.address,
        control=folder / "c",
        stated="\n".join(stated),
        jump=_jump(access),
        includes="\n".join(f'    Include "{file}"' for file in includes),
    )


def _stated(access: Access, folder: Path) -> dict[str, object]:
    known = {"UserKnownHostsFile": f'"{access.known_hosts}"', "GlobalKnownHostsFile": "/dev/null"}
    if access.host_key:
        (folder / "known").write_text(f"the-host {access.host_key}\n")
        known |= {"UserKnownHostsFile": folder / "known", "HostKeyAlias": "the-host"}
    is_direct = access.gateway and not _jump(access)
    return {
        "User": access.user,
        "Port": access.port,
        **_key(access),
        **(known if access.host_key or access.known_hosts else {}),
        "ProxyJump": "none" if is_direct else access.gateway,
        "ConnectTimeout": access.timeout and max(1, round(access.timeout)),
    }


def _key(access: Access) -> dict[str, object]:
    return {"IdentityFile": f'"{access.key}"', "IdentitiesOnly": "yes"} if access.key else {}


def _jump(access: Access) -> str:
    """The section of the inventory's jump host; none for a host that is named as its own one."""
    parts = GATEWAY.fullmatch(access.gateway or "none")
    host, port = parts["host"].strip("[]"), int(parts["port"] or 22)
    if host == "none" or (host, port) == (access.address, access.port or 22):
        return ""
    known = {"UserKnownHostsFile": f'"{access.known_hosts}"', "GlobalKnownHostsFile": "/dev/null"}
    keys = {"IdentityFile": f'"{access.key}"'} if access.key else {}
    settings = {**keys, **(known if access.known_hosts else {})}
    return "\n".join([f"Host {host}", *(f"    {key} {value}" for key, value in settings.items())])


def _settings(config: Path, alias: str) -> tuple[str, ...]:
    """What OpenSSH makes of a configuration for a name, the name itself left out."""
    argv = ["ssh", "-G", "-T", "-F", str(config), alias]
    ended = subprocess.run(argv, capture_output=True, text=True, check=False, timeout=COMMAND_LIMIT)
    if ended.returncode:
        raise Unreachable(f"ssh: {_end(ended.stderr)}")
    return tuple(line for line in ended.stdout.splitlines() if not line.startswith("host "))


def _sudo(access: Access, each: Way) -> bool:
    return each.user != "root" if access.sudo is None else access.sudo


def _bracketed(alias: str) -> str:
    return f"[{alias}]" if ":" in alias else alias


def _words(error: RuntimeError) -> str:
    result = error.args[0]
    return f"ssh: {_end(result.stderr or result.stdout) or 'ended with 255'}"


def _end(text: str) -> str:
    """The last lines of a text, as wholes."""
    return "\n".join(text.strip().splitlines()[-5:])
