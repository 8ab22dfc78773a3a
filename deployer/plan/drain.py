"""Decides which of the proxy's servers are drained or undrained, and whether the others can serve meanwhile. Pure."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import NamedTuple

from deployer.model.facts import Listener, Observation, Server
from deployer.model.names import endpoint, parse_endpoint, service_of
from deployer.model.probe import AnswersHttp
from deployer.model.service import Service
from deployer.model.state import Unit
from deployer.model.steps import DEFAULT_ROLLOUT, DrainServer, ReadyServer, RestartUnit, RolloutOptions, Step
from deployer.proxy import section_names

PORT_CHANGE = "its port changes its kind"


class Place(NamedTuple):
    """Where requests of one kind go: a port may have been of another kind before."""

    section: str
    address: str


@dataclass(frozen=True)
class ProxyView:
    """The running proxy at some point of a plan: its host, its servers, and who listens on which host.

    `undrained` are the servers that serve by then, though they were drained or down when they were observed.
    """

    host: str = ""
    servers: tuple[Server, ...] = ()
    listeners: Mapping[str, tuple[Listener, ...]] = field(default_factory=dict)
    undrained: frozenset[str] = frozenset()

    def with_undrained(self, steps: Iterable[Step]) -> ProxyView:
        """The proxy after these steps, some of which may undrain servers."""
        return replace(self, undrained=self.undrained | {step.server for step in self.effective_at_once(steps)})

    def effective_at_once(self, steps: Iterable[Step]) -> tuple[ReadyServer, ...]:
        """The steps that undrain a server at once: one that the configuration drains waits for the next one."""
        waiting = {server.path for server in self.servers if server.configured}
        return tuple(step for step in steps if isinstance(step, ReadyServer) and step.server not in waiting)

    def serves(self, server: Server) -> bool:
        """Whether a server answers clients by then."""
        return server.serves or server.path in self.undrained

    def serves_unit(self, host: str, unit: str) -> bool:
        """Whether a unit of a host answers clients by then."""
        return any(self.serves(server) for server in self.servers_of({host: [unit]}))

    def servers_of(self, units: Mapping[str, Collection[str]]) -> list[Server]:
        """Given host -> units, return the servers of their kinds at the addresses on which these listen."""
        places = {
            Place(_section_of(each.unit), endpoint(each.address, each.port))
            for host, names in units.items()
            for each in self.listeners[host]
            if each.unit in names
        }
        return self.servers_at(places)

    def servers_at(self, places: Collection[Place]) -> list[Server]:
        """The servers at some places."""
        return [server for server in self.servers if _place_of(server) in places]

    def without(self, servers: Collection[Server]) -> ProxyView:
        """The proxy as if it did not have these."""
        return replace(self, servers=tuple(server for server in self.servers if server not in servers))


def proxy_view(observed: Mapping[str, Observation]) -> ProxyView:
    """The proxy of some hosts as they were observed; one without servers while none runs."""
    host = next((host for host, each in observed.items() if each.facts.servers), "")
    listeners = {name: each.facts.listeners for name, each in observed.items()}
    return ProxyView(host, observed[host].facts.servers if host else (), listeners)


def drain_steps(
    proxy: ProxyView,
    stopping: Mapping[str, Collection[str]],
    because: str,
    options: RolloutOptions = DEFAULT_ROLLOUT,
) -> Iterator[DrainServer]:
    """Given host -> units that are about to stop, yield a drain for each of their servers.

    A section's last servers are not drained: clients would get 503 at once, while the proxy tries a stopped server
    again for a while.
    """
    to_drain = proxy.servers_of(stopping)
    others = [server for server in proxy.servers if server not in to_drain and proxy.serves(server)]
    for server in to_drain:
        if any(other.section == server.section for other in others):
            yield DrainServer(proxy.host, server.path, options.drain_wait, options.force, because=because)


def warnings_without_drain(observed: Mapping[str, Observation], planned: Iterable[Step]) -> Iterator[str]:
    """One sentence for each server that a plan takes away for a while, though its section has no other that serves."""
    steps, proxy = tuple(planned), proxy_view(observed)
    yield from _warnings_of_port_changes(proxy, steps)
    drained = {step.server for step in steps if isinstance(step, DrainServer)}
    for host in observed:
        restarted = [step.unit for step in steps if isinstance(step, RestartUnit) and step.host == host]
        for server in proxy.servers_of({host: restarted}):
            if server.serves and server.path not in drained:
                yield (
                    f"{host}: {server.section} has no other server while {server.name} restarts: requests fail during "
                    "the restart, unless another server is started first"
                )


def _warnings_of_port_changes(proxy: ProxyView, steps: Iterable[Step]) -> Iterator[str]:
    """Of a host's servers in a section those that change their kind stop together, and hosts one after the other."""
    drained = {step.server for step in steps if isinstance(step, DrainServer) and step.because == PORT_CHANGE}
    for server in (each for each in proxy.servers if each.path in drained and each.serves):
        stops = {each for each in proxy.servers if each.path in drained and _host_of(each) == _host_of(server)}
        if not any(each.serves and each.section == server.section for each in proxy.servers if each not in stops):
            yield (
                f"{proxy.host}: {server.section} has no other server while the port of {server.name} changes its kind: "
                "requests fail meanwhile, unless another server is started first"
            )


def _host_of(server: Server) -> str:
    place = parse_endpoint(server.address)
    return place.address if place else server.address


def misplaced(proxy: ProxyView, apis: Iterable[Unit]) -> bool:
    """Whether the proxy has one of some APIs as a server of another kind, as its port was of that kind before."""
    places = places_of(apis)
    addresses = {place.address for place in places}
    return any(server.address in addresses and _place_of(server) not in places for server in proxy.servers)


def port_change_drains(
    proxy: ProxyView, places: Collection[Place], options: RolloutOptions = DEFAULT_ROLLOUT
) -> Iterator[DrainServer]:
    """A drain of each server whose port is to answer requests of another kind, also of a section's last one.

    Until the proxy knows the new kind of the port, it would send it requests of the old one. A server that an earlier
    run has drained may still have some in progress.
    """
    for server in proxy.servers_at(places):
        if not server.configured:
            yield DrainServer(proxy.host, server.path, options.drain_wait, options.force, because=PORT_CHANGE)


def host_drain_steps(
    proxy: ProxyView, drained: Mapping[str, Collection[str]], options: RolloutOptions = DEFAULT_ROLLOUT
) -> Iterator[DrainServer]:
    """Given host -> units that keep running without requests, yield a drain for each server that still gets some."""
    for server in proxy.servers_of(drained):
        if not server.drained:
            yield DrainServer(proxy.host, server.path, options.drain_wait, options.force, because="its host is drained")


def without_server(proxy: ProxyView, apis: Iterable[Unit]) -> Iterator[Unit]:
    """Those of the site's APIs that the proxy has no server for so far."""
    known = set(map(_place_of, proxy.servers))
    return (unit for unit in apis if isinstance(unit.ready, AnswersHttp) and not places_of([unit]) & known)


def undrain_steps(drained: Iterable[DrainServer], because: str) -> Iterator[ReadyServer]:
    """The undrain of each drain."""
    return (ReadyServer(step.host, step.server, because=because) for step in drained)


def leftover_undrain_steps(
    proxy: ProxyView, staying: Iterable[Unit], starting: Collection[Unit] = ()
) -> Iterator[ReadyServer]:
    """Given APIs that are to serve, whether they run by now or not, yield an undrain for each that gets no requests.

    HAProxy shows one that is down as such, drained or not: of those that are about to start, each may be drained.
    """
    places, late = places_of(staying), places_of(starting)
    for server in proxy.servers:
        if server.drained and _place_of(server) in places:
            yield ReadyServer(proxy.host, server.path, because=_why_ready(server))
        elif server.down and _place_of(server) in late:
            yield ReadyServer(proxy.host, server.path, because="it was down")


def places_of(apis: Iterable[Unit]) -> set[Place]:
    """Where the proxy has some APIs, if it has them."""
    return {
        Place(_section_of(unit.name), endpoint(unit.ready.address, unit.ready.port))
        for unit in apis
        if isinstance(unit.ready, AnswersHttp)
    }


def _place_of(server: Server) -> Place:
    return Place(server.section, server.address)


def _section_of(unit: str) -> str:
    """The section of the proxy for an API, by its unit; "" for what is none of ours."""
    service = service_of(unit)
    return section_names.SECTIONS[Service(service)] if service in section_names.SECTIONS else ""


def _why_ready(server: Server) -> str:
    return "it was in maintenance" if server.in_maintenance else "it was drained"
