"""How the proxy follows a host whose APIs turn from plain HTTP to TLS, or back, while the other hosts go on. Pure."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from deployer.inventory.values import Endpoint
from deployer.model.facts import Observation
from deployer.model.state import AnswersHttp, File, HostState, Unit, file_of
from deployer.model.steps import AwaitReady, ReloadUnit, Step, WriteFile
from deployer.plan import host_steps
from deployer.plan.host_steps import APIS, PROXY
from deployer.proxy import config, server_options


@dataclass(frozen=True)
class ProxyUpdate:
    """What makes the proxy speak to a host as its APIs do now, and what is found once that is done."""

    steps: tuple[Step, ...]
    found: Mapping[str, Observation]


def update_proxy(host: str, wanted: Mapping[str, HostState], found: Mapping[str, Observation]) -> ProxyUpdate:
    """Given a host whose APIs run as wanted by now, and the proxy as found, let it speak to those alone in a new way.

    First the proxy's host has to trust them: what it does not serves nobody, and is told at once.
    """
    front = _proxy_host(found)
    apis = [unit for unit in host_steps.units_of(wanted[host], APIS) if isinstance(unit.ready, AnswersHttp)]
    text = front and found[front].state.files[config.CONFIG].content.decode()
    now = server_options.options_by_address(text or "")
    changed = {address: link for address, link in _options(apis).items() if now.get(address, link) != link}
    proven = tuple(host_steps.reach_steps(front, [unit for unit in apis if unit.reached or _address(unit) in changed]))
    if not changed:
        return ProxyUpdate(proven if front else (), found)
    text, digest = server_options.with_options(text, changed)
    file = _file(text, wanted.get(front), found[front].state)
    because = f"{host} is spoken to in another way"
    steps = (
        *proven,
        WriteFile(front, file, because=because),
        ReloadUnit(front, PROXY, because=because),
        AwaitReady(front, PROXY, config.runs_with(digest)),
    )
    return ProxyUpdate(steps, {**found, front: _with(found[front], file, digest)})


def _proxy_host(found: Mapping[str, Observation]) -> str:
    """The host whose proxy runs and whose configuration is known; "" for none."""
    return next(
        (
            host
            for host, each in found.items()
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
        _address(unit): config.tls_options(unit.reached.trust if unit.reached else None)
        for unit in apis
        if unit.reached or not unit.secure
    }


def _address(unit: Unit) -> str:
    return str(Endpoint(unit.ready.address, unit.ready.port))


def _file(text: str, wanted: HostState | None, found: HostState) -> File:
    old = found.files[config.CONFIG]
    check = wanted.files[config.CONFIG].check if wanted and config.CONFIG in wanted.files else ()
    return file_of(config.CONFIG, text.encode(), owner=old.owner, group=old.group, mode=old.mode, check=check)


def _with(found: Observation, file: File, digest: str) -> Observation:
    state = found.state
    units = {**state.units, PROXY: replace(state.units[PROXY], config=digest)}
    return replace(found, state=replace(state, files={**state.files, file.path: file}, units=units))
