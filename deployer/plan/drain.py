"""Which of the proxy's servers a process is, and whether the others can serve without it. Pure."""

from collections.abc import Collection, Iterable, Iterator, Mapping

from deployer.model.facts import Observation, Server
from deployer.model.names import endpoint
from deployer.model.probes import AnswersHttp
from deployer.model.state import Unit
from deployer.model.steps import DEFAULT_ROLLOUT, DrainServer, ReadyServer, RestartUnit, RolloutOptions, Step


def drain_steps(
    observed: Mapping[str, Observation],
    stopping: Mapping[str, Collection[str]],
    because: str,
    options: RolloutOptions = DEFAULT_ROLLOUT,
    back: Iterable[ReadyServer] = (),
) -> Iterator[DrainServer]:
    """Given host -> units that are about to stop, yield a drain for each of their servers.

    `back` are the servers that an earlier run left drained and that serve again by then. A section's last servers are
    not drained: clients would get 503 at once, while the proxy tries a stopped server again for a while.
    """
    proxy_host, servers = _proxy_servers(observed)
    mine = _servers_of(observed, servers, stopping)
    again = {step.server for step in back}
    others = [each for each in servers if each not in mine and (each.serves or each.path in again)]
    for server in mine:
        if any(each.section == server.section for each in others):
            yield DrainServer(proxy_host, server.path, options.drain_wait, options.force, because=because)


def warnings_without_drain(observed: Mapping[str, Observation], todo: Iterable[Step]) -> Iterator[str]:
    """One sentence for each server that a plan restarts without a drain, as nobody else of its section serves."""
    steps = tuple(todo)
    drained = {step.server for step in steps if isinstance(step, DrainServer)}
    restarted = {
        host: [step.unit for step in steps if isinstance(step, RestartUnit) and step.host == host] for host in observed
    }
    for server in _servers_of(observed, _proxy_servers(observed)[1], restarted):
        if server.serves and server.path not in drained:
            yield (
                f"nobody else serves {server.section} while {server.name} restarts: requests fail meanwhile, unless "
                "another serves first"
            )


def host_drain_steps(
    observed: Mapping[str, Observation],
    drained: Mapping[str, Collection[str]],
    options: RolloutOptions = DEFAULT_ROLLOUT,
) -> Iterator[DrainServer]:
    """Given host -> units that run on without requests, yield a drain for each server that still gets some."""
    proxy_host, servers = _proxy_servers(observed)
    for server in _servers_of(observed, servers, drained):
        if not server.drained:
            yield DrainServer(proxy_host, server.path, options.drain_wait, options.force, because="its host is drained")


def without_server(observed: Mapping[str, Observation], apis: Iterable[Unit]) -> Iterator[Unit]:
    """Those of the site's APIs that the proxy has no server for so far."""
    known = {server.address for server in _proxy_servers(observed)[1]}
    return (unit for unit in apis if isinstance(unit.ready, AnswersHttp) and _address_of(unit.ready) not in known)


def _address_of(ready: AnswersHttp) -> str:
    return endpoint(ready.address, ready.port)


def undrain_steps(drained: Iterable[DrainServer], because: str) -> Iterator[ReadyServer]:
    """The way back of each drain."""
    return (ReadyServer(step.host, step.server, because=because) for step in drained)


def leftover_undrain_steps(
    observed: Mapping[str, Observation], staying: Iterable[Unit], starting: Collection[Unit] = ()
) -> Iterator[ReadyServer]:
    """Given APIs that are to serve, whether they run by now or not, yield a return for each that gets no requests.

    HAProxy shows one that is down as such, drained or not: of those that are about to start, each may be.
    """
    proxy_host, servers = _proxy_servers(observed)
    addresses, late = _addresses(staying), _addresses(starting)
    for server in servers:
        if server.drained and server.address in addresses:
            yield ReadyServer(proxy_host, server.path, because="it was drained")
        elif server.down and server.address in late:
            yield ReadyServer(proxy_host, server.path, because="it was down")


def _addresses(apis: Iterable[Unit]) -> set[str]:
    return {_address_of(unit.ready) for unit in apis if isinstance(unit.ready, AnswersHttp)}


def effective_at_once(observed: Mapping[str, Observation], returning: Iterable[ReadyServer]) -> tuple[ReadyServer, ...]:
    """Those that serve as soon as they are told to: one that the configuration has drained waits for the next one."""
    waiting = {server.path for server in _proxy_servers(observed)[1] if server.configured}
    return tuple(step for step in returning if step.server not in waiting)


def _proxy_servers(observed: Mapping[str, Observation]) -> tuple[str, tuple[Server, ...]]:
    """The host whose proxy has servers, and those; "" and none while no proxy runs."""
    return next(((host, each.facts.servers) for host, each in observed.items() if each.facts.servers), ("", ()))


def _servers_of(
    observed: Mapping[str, Observation], servers: Iterable[Server], units: Mapping[str, Collection[str]]
) -> list[Server]:
    """The servers at the addresses on which units listen now."""
    addresses = {
        endpoint(each.address, each.port)
        for host, names in units.items()
        for each in observed[host].facts.listeners
        if each.unit in names
    }
    return [server for server in servers if server.address in addresses]
