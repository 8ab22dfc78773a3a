"""What an inventory asks for, by the witness's own reading of the file; it takes a file that `invoke plan` accepts."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML

OURS = "heat-scaleout-"
PROXY_UNIT = "heat-scaleout-proxy.service"
SECTIONS = {"api": "heat_api", "cfn": "heat_api_cfn"}
FIRST_PORTS = {"api": ("api_port", 8004), "cfn": ("cfn_port", 8000)}


@dataclass(frozen=True)
class Access:
    """What the inventory says of how SSH reaches a host; None: the SSH configuration says it. Paths are absolute.

    `config` is that configuration, or "none"; `sudo` is None where it depends on who logs in.
    """

    address: str
    user: str | None
    port: int | None
    key: str | None
    gateway: str | None
    known_hosts: str | None
    host_key: str | None
    sudo: bool | None
    timeout: float | None
    config: str | None


@dataclass(frozen=True)
class Process:
    """One unit the inventory asks for.

    `user` is that of its processes, `address` and `port` where an API listens, `name` what it proves over TLS ("" for
    plain HTTP).
    """

    host: str
    kind: str
    unit: str
    user: str
    address: str = ""
    port: int = 0
    name: str = ""

    @property
    def subject(self) -> str:
        return self.unit


@dataclass(frozen=True)
class Node:
    """A host, where Heat is on it, which processes it should have, and the part of it that a test is about."""

    host: str
    address: str
    access: Access
    heat: Mapping[str, Any]
    processes: tuple[Process, ...]
    subject: str = "the host"

    @property
    def heat_conf(self) -> str:
        return f"{self.heat['config_dir']}/heat.conf"

    @property
    def runs_heat(self) -> bool:
        return any(each.kind != "proxy" for each in self.processes)

    def first_port(self, kind: str) -> int:
        """The port that heat.conf should name: that of the host's first API of a kind."""
        key, default = FIRST_PORTS[kind]
        ports = [each.port for each in self.processes if each.kind == kind]
        return ports[0] if ports else self.heat.get(key, default)


@dataclass(frozen=True)
class Bind:
    """An address that clients use; address and port are None where the source's heat.conf has them."""

    host: str
    kind: str
    address: str | None
    port: int | None

    @property
    def subject(self) -> str:
        return f"the {self.kind.upper()} address"


@dataclass(frozen=True)
class Site:
    """A whole inventory."""

    nodes: Mapping[str, Node]
    source: str
    proxy: Mapping[str, Any]

    @cached_property
    def processes(self) -> tuple[Process, ...]:
        return tuple(process for node in self.nodes.values() for process in node.processes)

    @cached_property
    def copies(self) -> tuple[Node, ...]:
        """The hosts that have a copy of the source's configuration."""
        nodes = (node for node in self.nodes.values() if node.runs_heat and node.host != self.source)
        return tuple(replace(node, subject=node.heat["config_dir"]) for node in nodes)

    @cached_property
    def origin(self) -> Node:
        """The host whose configuration the others have."""
        return replace(self.nodes[self.source], subject=self.nodes[self.source].heat_conf)

    @cached_property
    def binds(self) -> tuple[Bind, ...]:
        given = self.proxy.get("bind") or {}
        served = {each.kind for each in self.processes}
        return tuple(Bind(self.proxy["host"], kind, *parted(given.get(kind))) for kind in SECTIONS if kind in served)


def read(path: Path) -> Site:
    """Read an inventory file with the defaults of docs/inventory.md."""
    document = YAML(typ="safe", pure=True).load(path.read_text())
    site = Site({}, document["heat"]["source"], document["proxy"])
    nodes = {name: _node(name, entry, document, path.resolve().parent) for name, entry in document["hosts"].items()}
    return Site(nodes, site.source, site.proxy)


def parted(text: str | None) -> tuple[str | None, int | None]:
    """The address, without brackets, and the port of `address:port`."""
    if text is None:
        return None, None
    address, _, port = text.rpartition(":")
    return address.strip("[]"), int(port)


def _node(name: str, entry: Mapping[str, Any], document: Mapping[str, Any], folder: Path) -> Node:
    heat = {
        "config_dir": "/etc/heat",
        "prefix": "/usr",
        "user": "heat",
        "group": "heat",
        **document["heat"],
        **(entry.get("heat") or {}),
    }
    ssh = {**(document.get("ssh") or {}), **(entry.get("ssh") or {})}
    processes = tuple(_processes(name, entry, document, heat))
    return Node(name, entry["address"], _access(entry["address"], ssh, folder), heat, processes)


def _access(address: str, ssh: Mapping[str, Any], folder: Path) -> Access:
    config = ssh.get("ssh_config")
    return Access(
        address=ssh.get("address") or address,
        user=ssh.get("user"),
        port=ssh.get("port"),
        key=_path(ssh.get("key"), folder),
        gateway=ssh.get("gateway"),
        known_hosts=_path(ssh.get("known_hosts"), folder),
        host_key=ssh.get("host_key"),
        sudo=ssh.get("sudo"),
        timeout=ssh.get("connect_timeout"),
        config=config if config == "none" else _path(config, folder),
    )


def _path(text: str | None, folder: Path) -> str | None:
    return text and str(folder / Path(text).expanduser())


def _processes(name: str, entry: Mapping[str, Any], document: Mapping[str, Any], heat) -> Iterator[Process]:
    tls = heat.get("tls")
    proven = (tls.get("name") or name) if tls else ""
    for kind in SECTIONS:
        for port in _ports(entry.get(kind, 0), kind, heat):
            yield Process(name, kind, f"{OURS}{kind}@{port}.service", heat["user"], entry["address"], port, proven)
    for number in range(1, entry.get("engines", 0) + 1):
        yield Process(name, "engine", f"{OURS}engine@{number}.service", heat["user"])
    has_apis = any(each.get(kind) for each in document["hosts"].values() for kind in SECTIONS)
    if document["proxy"]["host"] == name and has_apis:
        yield Process(name, "proxy", PROXY_UNIT, document["proxy"].get("user", "haproxy"))


def _ports(wanted: int | list[int], kind: str, heat: Mapping[str, Any]) -> list[int]:
    key, default = FIRST_PORTS[kind]
    first = heat.get(key, default)
    return wanted if isinstance(wanted, list) else list(range(first, first + wanted))
