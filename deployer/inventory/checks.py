"""What the sections of an inventory owe each other: hosts that exist, addresses used once."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from ipaddress import ip_address
from typing import NamedTuple

from deployer.inventory import formatting, schema
from deployer.inventory.document import Path
from deployer.inventory.sections import Document, Heat, HostEntry, HostHeat, Proxy
from deployer.model.names import Endpoint
from deployer.model.service import Service

HIGHEST_PORT = 65535
STATS = ("proxy", "stats")
INVISIBLE_FOLDERS = ("/home/", "/root/", "/tmp/", "/var/tmp/", "/run/user/")  # from every unit of ours, by systemd


@dataclass(frozen=True)
class Parts:
    """The parts of a document that are right in themselves; the others are None or left out."""

    hosts: Mapping[str, HostEntry]
    heat: Heat | None
    proxy: Proxy | None
    names: tuple[str, ...]


class Claim(NamedTuple):
    """An endpoint of a host that a process is to listen on, and the path of the key that asks for it."""

    host: str
    endpoint: Endpoint
    path: Path


class Conflict(NamedTuple):
    """A path of the file and why it cannot stay so."""

    path: Path
    message: str


def parts_of(document: Document) -> Parts:
    """Return the parts of a document that is right as a whole."""
    return Parts(document.hosts, document.heat, document.proxy, tuple(document.hosts))


def conflicts(parts: Parts) -> Iterator[Conflict]:
    """Given the parts that are right in themselves, yield what is wrong between them."""
    yield from _unknown_hosts(parts)
    yield from _drained_away(parts)
    yield from _shared_addresses(parts)
    yield from _past_the_last_port(parts)
    yield from _clashes(claims(parts))
    yield from _open_statistics(parts.proxy)
    yield from _half_of_tls(parts)
    yield from _invisible_certificates(parts)


def claims(parts: Parts) -> Iterator[Claim]:
    """Yield every endpoint the document asks for: the proxy's own first, then those of the APIs."""
    yield from _claims_of_proxy(parts.proxy)
    for name, entry in parts.hosts.items():
        for service in (Service.API, Service.CFN):
            yield from _claims_of_apis(name, entry, service, _heat(parts, entry))


def _claims_of_proxy(proxy: Proxy | None) -> Iterator[Claim]:
    if proxy and proxy.bind.api:
        yield Claim(proxy.host, proxy.bind.api, ("proxy", "bind", "api"))
    if proxy and proxy.bind.cfn:
        yield Claim(proxy.host, proxy.bind.cfn, ("proxy", "bind", "cfn"))
    if proxy and proxy.stats:
        yield Claim(proxy.host, proxy.stats.bind, (*STATS, "bind"))


def _claims_of_apis(name: str, entry: HostEntry, service: Service, heat: HostHeat) -> Iterator[Claim]:
    is_list = isinstance(getattr(entry, service), tuple)
    for index, port in enumerate(schema.ports(entry, heat, service)):
        path = ("hosts", name, service.value, *([index] if is_list else []))
        yield Claim(name, Endpoint(entry.address, port), path)


def _heat(parts: Parts, entry: HostEntry) -> HostHeat:
    return schema.merged(parts.heat, entry.heat) if parts.heat else entry.heat


def _unknown_hosts(parts: Parts) -> Iterator[Conflict]:
    wanted = {("heat", "source"): parts.heat and parts.heat.source, ("proxy", "host"): parts.proxy and parts.proxy.host}
    for path, name in wanted.items():
        if name and name not in parts.names:
            hint = formatting.nearest(name, parts.names)
            yield Conflict(path, f'there is no host "{name}" under `hosts`{hint}')


def _drained_away(parts: Parts) -> Iterator[Conflict]:
    """A kind of API of which every process is drained: clients would be refused."""
    for service in (Service.API, Service.CFN):
        serving = [name for name, entry in parts.hosts.items() if getattr(entry, service)]
        if serving and all(parts.hosts[name].drained for name in serving):
            yield Conflict(
                ("hosts", serving[-1], "drained"),
                f"every host with `{service.value}` is drained, so that nobody would answer clients",
            )


def _shared_addresses(parts: Parts) -> Iterator[Conflict]:
    owners: dict[str, str] = {}
    for name, entry in parts.hosts.items():
        owner = owners.setdefault(entry.address, name)
        if owner != name:
            yield Conflict(("hosts", name, "address"), f"{entry.address} is the address of {owner} already")


def _past_the_last_port(parts: Parts) -> Iterator[Conflict]:
    over = [claim for claim in claims(parts) if claim.endpoint.port > HIGHEST_PORT]
    for path in dict.fromkeys(claim.path for claim in over):
        yield Conflict(path, f"these would need ports above {HIGHEST_PORT}")


def _clashes(wanted: Iterable[Claim]) -> Iterator[Conflict]:
    taken: dict[tuple[str, int], list[Claim]] = {}
    reported: set[Path] = set()
    for claim in wanted:
        others = taken.setdefault((claim.host, claim.endpoint.port), [])
        other = next((other for other in others if overlap(other.endpoint, claim.endpoint)), None)
        if other and claim.path not in reported:
            reported.add(claim.path)
            yield Conflict(claim.path, f"{claim.endpoint} is taken already by {formatting.dotted(other.path)}")
        others.append(claim)


def overlap(one: Endpoint, other: Endpoint) -> bool:
    """Whether two endpoints of one host cannot both be listened on."""
    if one.port != other.port:
        return False
    if one.is_wildcard or other.is_wildcard:
        return True
    return ip_address(one.address) == ip_address(other.address)


def _open_statistics(proxy: Proxy | None) -> Iterator[Conflict]:
    stats = proxy and proxy.stats
    if not stats:
        return
    if stats.user is None or stats.password is None:
        yield Conflict(STATS, "the page needs `user` and `password`: whoever is on the host would read it")
    if not stats.bind.is_loopback:
        yield Conflict(
            STATS,
            "the page sends its password in plain text: bind it to a loopback address; others reach it by `ssh -L`",
        )


def _half_of_tls(parts: Parts) -> Iterator[Conflict]:
    """TLS between proxy and APIs takes both ends, on every host, without exception."""
    if not (parts.heat and parts.proxy):
        return
    with_apis = {name: _heat(parts, entry) for name, entry in parts.hosts.items() if entry.api or entry.cfn}
    speaking = [name for name, heat in with_apis.items() if heat.tls]
    if speaking and not parts.proxy.backend_tls:
        path = ("heat", "tls") if parts.heat.tls else ("hosts", speaking[0], "heat", "tls")
        yield Conflict(path, "needs `proxy.backend_tls`, by which the proxy knows whose certificates to trust")
    for name, heat in with_apis.items():
        if parts.proxy.backend_tls and not heat.tls:
            yield Conflict(("hosts", name), "has APIs, so that `proxy.backend_tls` needs its `heat.tls`")
        elif heat.tls and heat.launcher == "heat-api":
            path = ("hosts", name, "heat", "tls") if parts.hosts[name].heat.tls else ("heat", "tls")
            yield Conflict(path, "heat-api cannot serve TLS; set `launcher: uwsgi`, or leave it out")


def _invisible_certificates(parts: Parts) -> Iterator[Conflict]:
    sections: dict[Path, object] = {
        ("proxy", "tls"): parts.proxy and parts.proxy.tls,
        ("proxy", "backend_tls"): parts.proxy and parts.proxy.backend_tls,
        ("heat", "tls"): parts.heat and parts.heat.tls,
        **{("hosts", name, "heat", "tls"): entry.heat.tls for name, entry in parts.hosts.items()},
    }
    for path, section in sections.items():
        for key in ("certificate", "key", "ca"):
            if getattr(section, key, "").startswith(INVISIBLE_FOLDERS):
                yield Conflict(
                    (*path, key),
                    "our units see no home and no temporary folder; try /etc/ssl",
                )
