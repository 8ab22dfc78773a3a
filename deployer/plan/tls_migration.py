"""Decides how the proxy is updated, host by host, while APIs turn from plain HTTP to TLS or back. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

from deployer.model.facts import Observation
from deployer.model.names import endpoint
from deployer.model.probe import AnswersHttp
from deployer.model.state import File, HostState, Unit, file_of
from deployer.model.steps import AwaitReady, ReloadUnit, Step, WriteFile
from deployer.plan import host_steps
from deployer.plan.host_steps import APIS, PROXY
from deployer.plan.site_diff import SiteDiff
from deployer.proxy import config, server_options


@dataclass(frozen=True)
class ProxyUpdate:
    """The steps that give the proxy the server options of a host's APIs, and the hosts as they are after them."""

    steps: tuple[Step, ...]
    observed: Mapping[str, Observation]


@dataclass(frozen=True)
class RunningProxy:
    """The host whose proxy runs, and the text of its configuration."""

    host: str
    config: str


def update_proxy(site: SiteDiff, host: str) -> ProxyUpdate:
    """Given a host whose APIs run as desired by now, change the proxy's server options for those APIs alone.

    First the proxy's host must reach and trust them: a server that it does not trust would answer no client.
    """
    proxy = _running_proxy(site.observed)
    if proxy is None:
        return ProxyUpdate((), site.observed)
    apis = _apis_by_address(site.desired[host])
    now = server_options.options_by_address(proxy.config)
    changed = {address: options for address, options in _options(apis).items() if now.get(address, options) != options}
    to_reach = [unit for address, unit in apis.items() if unit.reached or address in changed]
    checks = tuple(host_steps.reach_steps(proxy.host, to_reach))
    if not changed:
        return ProxyUpdate(checks, site.observed)
    text, digest = server_options.with_options(proxy.config, changed)
    file = _file(text, site.desired.get(proxy.host), site.observed[proxy.host].state)
    because = f"TLS options for {host} changed"
    steps = (
        *checks,
        WriteFile(proxy.host, file, because=because),
        ReloadUnit(proxy.host, PROXY, because=because),
        AwaitReady(proxy.host, PROXY, config.runs_with(digest)),
    )
    return ProxyUpdate(steps, {**site.observed, proxy.host: _with(site.observed[proxy.host], file, digest)})


def _running_proxy(observed: Mapping[str, Observation]) -> RunningProxy | None:
    """The proxy that runs and whose configuration is known."""
    for host, each in observed.items():
        unit, file = each.state.units.get(PROXY), each.state.files.get(config.CONFIG)
        if unit and unit.running and file and file.content is not None:
            return RunningProxy(host, file.content.decode())
    return None


def _apis_by_address(desired: HostState) -> dict[str, Unit]:
    return {
        endpoint(probe.address, probe.port): unit
        for unit in host_steps.units_of(desired, APIS)
        if isinstance(probe := unit.ready, AnswersHttp)
    }


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
