"""The way to a host: what the inventory states, then what the SSH configuration says, then the defaults."""

import re
import shlex
from dataclasses import dataclass, replace

from deployer.model.hosts import Host, Login
from deployer.remote import ssh_config
from deployer.remote.ssh_config import ConfigUnreadable, Destination, SshConfig

DEFAULT_USER = "root"
DEFAULT_TIMEOUT = 10.0  # seconds
NO_HOST = "heat-scaleout-no-such-host.invalid"  # a name about which no file says anything particular
MOST_JUMPS = 8
JUMP = re.compile(r"(?:ssh://)?(?:(?P<user>.+)@)?(?P<host>\[[^\]]+\]|[^:\[\]]+)(?::(?P<port>[0-9]+))?/?")


@dataclass(frozen=True)
class Route:
    """How to reach and enter one host.

    `known_as`: its names in `known_hosts`, the first that has a key counts; `host_key`: the only key to trust, or None.
    `only_keys`: whether the agent is asked for no others than `keys`. `jump` and `proxy_command`: one at most is given.
    `command`: the `ssh` command that goes the same way.
    """

    address: str
    port: int
    user: str
    timeout: float
    keys: tuple[str, ...] = ()
    certificates: tuple[str, ...] = ()
    only_keys: bool = False
    agent: str | None = None
    known_as: tuple[str, ...] = ()
    known_hosts: tuple[str, ...] = ()
    host_key: str | None = None
    jump: "Route | None" = None
    proxy_command: str | None = None
    command: tuple[str, ...] = ()


@dataclass(frozen=True)
class Stated:
    """What is stated of one host of a way, and who logs in there if nobody says (None: the local user)."""

    login: Login
    default_user: str | None
    jumps_left: int

    @property
    def is_jump(self) -> bool:
        return self.jumps_left < MOST_JUMPS

    def on_jump(self, login: Login, default_user: str | None = None) -> "Stated":
        """Return what is stated of the next jump host."""
        return Stated(login, default_user, self.jumps_left - 1)


def find(host: Host) -> Route:
    """Return the way to a host of the inventory; raise ConfigUnreadable when OpenSSH cannot say it."""
    login = host.login
    no_jump = login.gateway and ssh_config.NO_CONFIG  # the inventory's is none of the configuration's business
    named = Destination(host.name, host.address, login.port, login.user, no_jump, login.ssh_config)
    destination, config = typed(named)
    return _route(destination, config, Stated(login, DEFAULT_USER, MOST_JUMPS))


def typed(by_name: Destination) -> tuple[Destination, SshConfig]:
    """Return what an operator would type, and its settings.

    It is the host's name if the configuration treats that unlike any other name, else its address.
    """
    by_address = replace(by_name, name=by_name.hostname or by_name.name)
    of_address = ssh_config.resolve(by_address)
    if by_name.file == ssh_config.NO_CONFIG:
        return by_address, of_address
    of_name = ssh_config.resolve(by_name)
    if of_name == of_address or of_name == ssh_config.resolve(replace(by_name, name=NO_HOST)):
        return by_address, of_address
    return by_name, of_name


def _route(destination: Destination, read: SshConfig, stated: Stated) -> Route:
    user = _user(destination, read, stated.default_user)
    config = ssh_config.expanded(replace(read, user=user), destination)
    if config.proxy_passes_socket:
        raise ConfigUnreadable("ProxyUseFdpass of the SSH configuration is not supported")
    login = stated.login
    jump = _jump(destination, config, stated)
    return Route(
        address=config.hostname,
        port=config.port,
        user=user,
        timeout=login.connect_timeout or config.connect_timeout or DEFAULT_TIMEOUT,
        keys=_keys(stated, config),
        certificates=config.certificate_files,
        only_keys=config.identities_only or bool(login.key and not stated.is_jump),
        agent=config.identity_agent,
        known_as=_known_as(config),
        known_hosts=(login.known_hosts,) if login.known_hosts else config.known_hosts,
        host_key=login.host_key,
        jump=jump,
        proxy_command=config.proxy_command,
        command=_command(destination, login, config, jump),
    )


def _user(destination: Destination, read: SshConfig, default: str | None) -> str:
    is_same = default in (None, read.user)  # whether it is named or not, which takes time to find out
    named = read.user if is_same or ssh_config.names_user(destination, read) else default
    return named or default or ssh_config.local_user() or DEFAULT_USER


def _keys(stated: Stated, config: SshConfig) -> tuple[str, ...]:
    """The inventory's key alone; on a jump host it comes first, for that may have keys of its own."""
    if not stated.login.key:
        return config.identity_files
    return (stated.login.key, *(config.identity_files if stated.is_jump else ()))


def _known_as(config: SshConfig) -> tuple[str, ...]:
    """OpenSSH takes a key without a port for any port where none is listed with that port."""
    if config.host_key_alias:
        return (config.host_key_alias,)
    return (config.hostname,) if config.port == 22 else (f"[{config.hostname}]:{config.port}", config.hostname)


def _jump(destination: Destination, config: SshConfig, stated: Stated) -> Route | None:
    """The way to the jump host. What the inventory states for a host counts for a jump host that it names as well.

    A jump host of the SSH configuration has what that says alone. A host that is named as its own one, as one for the
    whole site may be, has none.
    """
    login = stated.login
    if login.gateway == ssh_config.NO_CONFIG:
        return None
    if not login.gateway:
        of_config = stated.on_jump(Login(connect_timeout=login.connect_timeout))
        return _last_of(config.proxy_jump, destination, of_config) if config.proxy_jump else None
    own = replace(login, user=None, port=None, gateway=None, host_key=None)
    jump = _last_of(login.gateway, destination, stated.on_jump(own, config.user))
    return jump if (jump.address, jump.port) != (config.hostname, config.port) else None


def _last_of(jumps: str, destination: Destination, stated: Stated) -> Route:
    """The way to the last of some jump hosts, over those before it."""
    *before, last = jumps.split(",")
    hop = JUMP.fullmatch(last)
    if not hop or stated.jumps_left < 0:
        why = f"more than {MOST_JUMPS} jump hosts; does one lead to itself?" if hop else "is no jump host"
        raise ConfigUnreadable(f"ProxyJump {jumps}: {why}")
    to = Destination(
        hop["host"].strip("[]"),
        port=int(hop["port"]) if hop["port"] else None,
        user=hop["user"],
        jump=",".join(before) or None,
        file=destination.file,
    )
    return _route(to, ssh_config.resolve(to), stated)


def _command(destination: Destination, login: Login, config: SshConfig, jump: Route | None) -> tuple[str, ...]:
    known = f'"{login.known_hosts}"' if " " in (login.known_hosts or "") else login.known_hosts
    return (
        "ssh",
        *replace(destination, user=None, jump=None if jump and login.gateway else destination.jump).options(),
        *(_jump_option(login.gateway, login, jump) if jump and login.gateway else ()),
        *(("-i", login.key, "-o", "IdentitiesOnly=yes") if login.key else ()),
        *(("-o", f"UserKnownHostsFile={known}") if known else ()),
        f"{config.user}@{destination.name}",
    )


def _jump_option(gateway: str, login: Login, jump: Route) -> tuple[str, str]:
    """The option for the inventory's jump host; `ssh -J` would not use the key and the host keys there."""
    if not (login.key or login.known_hosts):
        return "-J", gateway
    return "-o", f"ProxyCommand={shlex.join(('ssh', '-W', '[%h]:%p', *jump.command[1:]))}"
