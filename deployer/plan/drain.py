"""Decides which of the proxy's servers are drained or undrained, and whether the others can serve meanwhile. Pure."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace

from deployer.model.facts import Listener, Observation, Server
from deployer.model.names import endpoint
from deployer.model.probe import AnswersHttp
from deployer.model.state import Unit
from deployer.model.steps import DEFAULT_ROLLOUT, DrainServer, ReadyServer, RestartUnit, RolloutOptions, Step


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
        """Given host -> units, return the servers at the addresses on which these listen."""
        addresses = {
            endpoint(each.address, each.port)
            for host, names in units.items()
            for each in self.listeners[host]
            if each.unit in names
        }
        return [server for server in self.servers if server.address in addresses]


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
    """One sentence for each server that a plan restarts without a drain, as its section has no other that serves."""
    steps, proxy = tuple(planned), proxy_view(observed)
    drained = {step.server for step in steps if isinstance(step, DrainServer)}
    for host in observed:
        restarted = [step.unit for step in steps if isinstance(step, RestartUnit) and step.host == host]
        for server in proxy.servers_of({host: restarted}):
            if server.serves and server.path not in drained:
                yield (
                    f"{host}: {server.section} has no other server while {server.name} restarts: requests fail during "
                    "the restart, unless another server is started first"
                )


def host_drain_steps(
    proxy: ProxyView, drained: Mapping[str, Collection[str]], options: RolloutOptions = DEFAULT_ROLLOUT
) -> Iterator[DrainServer]:
    """Given host -> units that keep running without requests, yield a drain for each server that still gets some."""
    for server in proxy.servers_of(drained):
        if not server.drained:
            yield DrainServer(proxy.host, server.path, options.drain_wait, options.force, because="its host is drained")


def without_server(proxy: ProxyView, apis: Iterable[Unit]) -> Iterator[Unit]:
    """Those of the site's APIs that the proxy has no server for so far."""
    known = {server.address for server in proxy.servers}
    return (unit for unit in apis if isinstance(unit.ready, AnswersHttp) and _address_of(unit.ready) not in known)


def _address_of(ready: AnswersHttp) -> str:
    return endpoint(ready.address, ready.port)


def undrain_steps(drained: Iterable[DrainServer], because: str) -> Iterator[ReadyServer]:
    """The undrain of each drain."""
    return (ReadyServer(step.host, step.server, because=because) for step in drained)


def leftover_undrain_steps(
    proxy: ProxyView, staying: Iterable[Unit], starting: Collection[Unit] = ()
) -> Iterator[ReadyServer]:
    """Given APIs that are to serve, whether they run by now or not, yield an undrain for each that gets no requests.

    HAProxy shows one that is down as such, drained or not: of those that are about to start, each may be drained.
    """
    addresses, late = _addresses(staying), _addresses(starting)
    for server in proxy.servers:
        if server.drained and server.address in addresses:
            yield ReadyServer(proxy.host, server.path, because="it was drained")
        elif server.down and server.address in late:
            yield ReadyServer(proxy.host, server.path, because="it was down")


def _addresses(apis: Iterable[Unit]) -> set[str]:
    return {_address_of(unit.ready) for unit in apis if isinstance(unit.ready, AnswersHttp)}
