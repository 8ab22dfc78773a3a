"""How the proxy follows a host whose APIs turn from plain HTTP to TLS, or back, while the other hosts go on. Pure."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from deployer.model.facts import Observation
from deployer.model.names import endpoint
from deployer.model.probes import AnswersHttp
from deployer.model.state import File, HostState, Unit, file_of
from deployer.model.steps import AwaitReady, ReloadUnit, Step, WriteFile
from deployer.plan import host_steps
from deployer.plan.host_steps import APIS, PROXY
from deployer.proxy import config, server_options


@dataclass(frozen=True)
class ProxyUpdate:
    """What makes the proxy speak to a host as its APIs do now, and what is found once that is done."""

    steps: tuple[Step, ...]
    observed: Mapping[str, Observation]


def update_proxy(host: str, desired: Mapping[str, HostState], observed: Mapping[str, Observation]) -> ProxyUpdate:
    """Given a host whose APIs run as wanted by now, and the proxy as found, let it speak to those alone in a new way.

    First the proxy's host has to trust them: what it does not serves nobody, and is told at once.
    """
    proxy_host = _proxy_host(observed)
    apis = [unit for unit in host_steps.units_of(desired[host], APIS) if isinstance(unit.ready, AnswersHttp)]
    text = proxy_host and observed[proxy_host].state.files[config.CONFIG].content.decode()
    now = server_options.options_by_address(text or "")
    changed = {address: link for address, link in _options(apis).items() if now.get(address, link) != link}
    proven = tuple(
        host_steps.reach_steps(proxy_host, [unit for unit in apis if unit.reached or _address(unit) in changed])
    )
    if not changed:
        return ProxyUpdate(proven if proxy_host else (), observed)
    text, digest = server_options.with_options(text, changed)
    file = _file(text, desired.get(proxy_host), observed[proxy_host].state)
    because = f"{host} is spoken to in another way"
    steps = (
        *proven,
        WriteFile(proxy_host, file, because=because),
        ReloadUnit(proxy_host, PROXY, because=because),
        AwaitReady(proxy_host, PROXY, config.runs_with(digest)),
    )
    return ProxyUpdate(steps, {**observed, proxy_host: _with(observed[proxy_host], file, digest)})


def _proxy_host(observed: Mapping[str, Observation]) -> str:
    """The host whose proxy runs and whose configuration is known; "" for none."""
    return next(
        (
            host
            for host, each in observed.items()
            if PROXY in each.state.units
            and each.state.units[PROXY].running
            and config.CONFIG in each.state.files
            and each.state.files[config.CONFIG].content is not None
        ),
        "",
    )


def _options(apis: Iterable[Unit]) -> dict[str, str]:
    """Address -> how the proxy has to speak to it; nothing of one that speaks TLS with what nobody told us."""
    return {
        _address(unit): server_options.tls_options(unit.reached.trust if unit.reached else None)
        for unit in apis
        if unit.reached or not unit.secure
    }


def _address(unit: Unit) -> str:
    return endpoint(unit.ready.address, unit.ready.port)


def _file(text: str, desired: HostState | None, observed: HostState) -> File:
    old = observed.files[config.CONFIG]
    check = desired.files[config.CONFIG].check if desired and config.CONFIG in desired.files else ()
    return file_of(config.CONFIG, text.encode(), owner=old.owner, group=old.group, mode=old.mode, check=check)


def _with(observed: Observation, file: File, digest: str) -> Observation:
    state = observed.state
    units = {**state.units, PROXY: replace(state.units[PROXY], config=digest)}
    return replace(observed, state=replace(state, files={**state.files, file.path: file}, units=units))
