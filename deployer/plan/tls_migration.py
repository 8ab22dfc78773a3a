"""Decides how the proxy is updated, host by host, while APIs turn to TLS or back, or ports change their kind. Pure."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace

from deployer.model.facts import Observation, Server
from deployer.model.names import endpoint, service_of
from deployer.model.probe import AnswersHttp
from deployer.model.service import Service
from deployer.model.state import File, HostState, Unit, file_of
from deployer.model.steps import AwaitReady, ReloadUnit, Step, WriteFile
from deployer.plan import host_steps
from deployer.plan.host_steps import APIS, PROXY
from deployer.plan.site_diff import SiteDiff, units_of
from deployer.proxy import config, config_digest, server_options
from deployer.proxy.server_options import PlacedServer, ServerLine


@dataclass(frozen=True)
class ProxyUpdate:
    """The steps that give the proxy the servers of a host, and the hosts as they are after them.

    `servers`: those of the proxy after the steps; none where they stay.
    """

    steps: tuple[Step, ...]
    observed: Mapping[str, Observation]
    servers: tuple[Server, ...] = ()


@dataclass(frozen=True)
class RunningProxy:
    """The host whose proxy runs, the text of its configuration, and whether it has read that by now."""

    host: str
    config: str
    is_read: bool


def update_proxy(site: SiteDiff, host: str) -> ProxyUpdate:
    """Given a host whose APIs run as desired by now, change the proxy's servers for those APIs alone.

    Each gets its server options; where ports have changed their kind, each gets into the section of its kind, and those
    that are new on this host are added, as they may be all that serve one kind by now. First the proxy's host must
    reach and trust them: a server that it does not trust would answer no client.
    """
    proxy = _running_proxy(site.observed)
    if proxy is None:
        return ProxyUpdate((), site.observed)
    apis = _apis_by_address(site.desired[host])
    now = server_options.by_address(proxy.config)
    placed = _placed_servers(apis, now, _final_servers(site, proxy.host))
    changed = {address: new for address, new in placed.items() if now.get(address) != new or not proxy.is_read}
    to_reach = [unit for address, unit in apis.items() if unit.reached or address in changed]
    checks = tuple(host_steps.reach_steps(proxy.host, to_reach))
    if not changed:
        return ProxyUpdate(checks, site.observed)
    text, digest = server_options.with_servers(proxy.config, changed)
    file = _file(text, site.desired.get(proxy.host), site.observed[proxy.host].state)
    sections = {server.address: server.section for server in site.observed[proxy.host].facts.servers}
    is_moved = any(sections.get(address, new.section) != new.section for address, new in changed.items())
    because = f"the ports of {host} changed their kind" if is_moved else f"TLS options for {host} changed"
    steps = (
        *checks,
        WriteFile(proxy.host, file, because=because),
        ReloadUnit(proxy.host, PROXY, because=because),
        AwaitReady(proxy.host, PROXY, config.runs_with(digest)),
    )
    before = site.observed[proxy.host]
    servers = tuple(_servers(before.facts.servers, changed))
    after = _with(replace(before, facts=replace(before.facts, servers=servers)), file, digest)
    return ProxyUpdate(steps, {**site.observed, proxy.host: after}, servers)


def _running_proxy(observed: Mapping[str, Observation]) -> RunningProxy | None:
    """The proxy that runs and whose configuration is known."""
    for host, each in observed.items():
        unit, file = each.state.units.get(PROXY), each.state.files.get(config.CONFIG)
        if unit and unit.running and file and file.content is not None:
            text = file.content.decode()
            return RunningProxy(host, text, unit.config == config_digest.stated(text))
    return None


def _apis_by_address(desired: HostState) -> dict[str, Unit]:
    return {
        endpoint(probe.address, probe.port): unit
        for unit in units_of(desired, APIS)
        if isinstance(probe := unit.ready, AnswersHttp)
    }


def _final_servers(site: SiteDiff, proxy_host: str) -> dict[str, PlacedServer]:
    """The servers as they are to be in the end; none where the plan does not concern the proxy's host."""
    desired = site.desired.get(proxy_host)
    file = desired.files.get(config.CONFIG) if desired else None
    return server_options.by_address(file.content.decode()) if file and file.content else {}


def _placed_servers(
    apis: Mapping[str, Unit], now: Mapping[str, PlacedServer], final: Mapping[str, PlacedServer]
) -> dict[str, PlacedServer]:
    """Address -> server, for those APIs that have one; new ones only where a port has changed its kind."""
    options, sections = _options(apis), {address: _section_of(unit) for address, unit in apis.items()}
    moved = {address for address in sections if address in now and now[address].section != sections[address]}
    added = set(sections) - set(now) if moved else set()
    known = {**now, **{address: placed for address, placed in final.items() if address in moved | added}}
    return {
        address: PlacedServer(section, _with_options(known[address].server, options.get(address)))
        for address, section in sections.items()
        if address in known
    }


def _section_of(api: Unit) -> str:
    return config.SECTIONS[Service(service_of(api.name))]


def _with_options(server: ServerLine, tls: str | None) -> ServerLine:
    return server if tls is None else replace(server, tls=tls)


def _servers(before: Iterable[Server], changed: Mapping[str, PlacedServer]) -> Iterator[Server]:
    """The proxy's servers after a reload with some that have changed."""
    stayed = {}
    for server in before:
        if server.address not in changed:
            yield server
        elif server.section == changed[server.address].section:
            stayed[server.address] = server
    for address, placed in changed.items():
        yield stayed.get(address) or Server(placed.section, placed.server.name, address, "UP")


def _options(apis: Mapping[str, Unit]) -> dict[str, str]:
    """Address -> the TLS options of its server; none for an API with TLS whose certificate is not known."""
    return {
        address: server_options.tls_options(unit.reached.trust if isinstance(unit.reached, AnswersHttp) else None)
        for address, unit in apis.items()
        if unit.reached or not unit.secure
    }


def _file(text: str, desired: HostState | None, observed: HostState) -> File:
    old = observed.files[config.CONFIG]
    check = desired.files[config.CONFIG].check if desired and config.CONFIG in desired.files else ()
    return file_of(config.CONFIG, text.encode(), owner=old.owner, group=old.group, mode=old.mode, check=check)


def _with(observed: Observation, file: File, digest: str) -> Observation:
    state = observed.state
    units = {**state.units, PROXY: replace(state.units[PROXY], config=digest)}
    return replace(observed, state=replace(state, files={**state.files, file.path: file}, units=units))
