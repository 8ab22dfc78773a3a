"""A loaded inventory: what the operator wants, with every default and override resolved. Pure."""

import posixpath
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from types import MappingProxyType
from typing import TypeVar

from deployer import errors
from deployer.inventory.sections import Document, Heat, HostEntry, HostHeat, HostSsh, Proxy, Ssh
from deployer.model.hosts import Host, Instance, Login
from deployer.model.service import Service

NO_FILE = "none"  # of `ssh_config`: as in `ssh -F none`
Shared = TypeVar("Shared", Ssh, Heat)


@dataclass(frozen=True)
class Inventory:
    """An inventory file as read from `path`. Its relative paths start at `folder`, and `~` is `home`; both absolute."""

    document: Document
    path: Path
    folder: Path
    home: Path

    @property
    def site(self) -> str:
        return self.document.site or self.path.stem

    @property
    def heat(self) -> Heat:
        return self.document.heat

    @property
    def proxy(self) -> Proxy:
        return self.document.proxy

    @property
    def hosts(self) -> Mapping[str, HostEntry]:
        return self.document.hosts

    @property
    def lock_host(self) -> str:
        """Return the host that has the site lock: the proxy's, which every site has once."""
        return self.proxy.host

    def host(self, name: str) -> Host:
        """Return a host as the fleet sees it; its address is the one that SSH connects to."""
        entry = self._entry(name)
        ssh = merged(self.document.ssh, entry.ssh)
        login = Login(
            user=ssh.user,
            port=ssh.port,
            key=self._absolute(ssh.key),
            gateway=ssh.gateway,
            sudo=ssh.sudo,
            host_key=entry.ssh.host_key,
            known_hosts=self._absolute(ssh.known_hosts),
            connect_timeout=None if ssh.connect_timeout is None else float(ssh.connect_timeout),
            ssh_config=ssh.ssh_config if ssh.ssh_config == NO_FILE else self._absolute(ssh.ssh_config),
        )
        return Host(name, entry.ssh.address or entry.address, login)

    def verify_with(self) -> tuple[str | None, str | None]:
        """Return the cloud to prove with and the absolute path of its clouds.yaml; None where the file says nothing."""
        return self.document.verify.cloud, self._absolute(self.document.verify.clouds_file)

    def heat_of(self, name: str) -> Heat:
        """Return Heat's settings on one host."""
        return merged(self.heat, self._entry(name).heat)

    def instances(self) -> tuple[Instance, ...]:
        """Return every process the inventory asks for, in the file's order of hosts, the proxy included."""
        return tuple(instance for name in self.hosts for instance in self.instances_of(name))

    def instances_of(self, name: str) -> tuple[Instance, ...]:
        """Return the processes of one host: APIs, CFN APIs, engines, then the proxy."""
        entry = self._entry(name)
        numbers = [(service, number) for service in Service for number in self._numbers(name, service)]
        return tuple(Instance(name, service, number, entry.address, entry.drained) for service, number in numbers)

    def hosts_to_observe(self, limit: tuple[str, ...]) -> tuple[str, ...]:
        """Return all hosts, or those of a limit, the source, whose files count, and the proxy's, which drains."""
        ends = (self.heat.source, self.proxy.host)
        return tuple(dict.fromkeys((*limit, *ends))) if limit else tuple(self.hosts)

    def without_host(self, name: str) -> "Inventory":
        """Return the inventory without a host; the same where it has none of that name."""
        return self._with_hosts({each: entry for each, entry in self.hosts.items() if each != name})

    def with_hosts(self, entries: Mapping[str, HostEntry]) -> "Inventory":
        """Return the inventory with these hosts behind its own, or in place of those of the same name."""
        return self._with_hosts({**self.hosts, **entries})

    def _with_hosts(self, entries: Mapping[str, HostEntry]) -> "Inventory":
        document = self.document.model_copy(update={"hosts": MappingProxyType(dict(entries))})
        return replace(self, document=document)

    def has_apis(self) -> bool:
        """Whether there is anything for a proxy to stand in front of; a site may scale out its engines alone."""
        return any(entry.api or entry.cfn for entry in self.hosts.values())

    def _numbers(self, name: str, service: Service) -> tuple[int, ...]:
        if service is Service.PROXY:
            return (0,) if name == self.proxy.host and self.has_apis() else ()
        entry = self.hosts[name]
        if service is Service.ENGINE:
            return tuple(range(1, entry.engines + 1))
        return ports(entry, self.heat_of(name), service)

    def _entry(self, name: str) -> HostEntry:
        if name not in self.hosts:
            raise errors.BadInput(f"{self.path}: there is no host {name!r}", f"Its hosts are: {', '.join(self.hosts)}.")
        return self.hosts[name]

    def _absolute(self, path: str | None) -> str | None:
        if path is None:
            return None
        start, rest = (self.home, path[2:]) if path.startswith("~/") else (self.folder, path)
        return posixpath.normpath(start / rest)


def ports(entry: HostEntry, heat: HostHeat, service: Service) -> tuple[int, ...]:
    """Return the ports of a host's APIs of one kind, whether the file lists them or counts them."""
    wanted = entry.api if service is Service.API else entry.cfn
    first = first_port(heat, service)
    return tuple(range(first, first + wanted)) if isinstance(wanted, int) else wanted


def idle(entry: HostEntry) -> HostEntry:
    """Return a host that is reached as before and has nothing to run."""
    return entry.model_copy(update={"api": 0, "cfn": 0, "engines": 0})


def first_port(heat: HostHeat, service: Service) -> int:
    """Return the port where a host's APIs of one kind begin when the file counts them."""
    return heat.api_port if service is Service.API else heat.cfn_port


def merged(shared: Shared, own: HostSsh | HostHeat) -> Shared:
    """Return the shared settings with those replaced that a host's own section names."""
    named = own.model_fields_set & type(shared).model_fields.keys()
    return shared.model_copy(update={name: getattr(own, name) for name in named})
