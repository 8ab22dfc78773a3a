"""Observes every host: reads in one request what it has and runs now, as the same data as a desired state."""

import base64
from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from typing import Any

from deployer.errors import DeployerError, HostFailed, together
from deployer.heat import distributions, service_units
from deployer.inventory.schema import Inventory
from deployer.model import names
from deployer.model.events import Level
from deployer.model.facts import Facts, Listener, Observation, UnitCounters
from deployer.model.service import Service
from deployer.model.state import NOTHING, File, HostState, Unit, UnitState
from deployer.model.tls import Certificate
from deployer.observed import resources
from deployer.proxy import config, runtime_api
from deployer.remote.fleet import Fleet

LEDGER = "/var/lib/heat-scaleout/ledger.json"
EXCLUSIVE_TIMEOUT = 30.0  # seconds for another command on a host to end its step
EXCLUSIVE = {"path": "/run/heat-scaleout-perform.lock", "seconds": EXCLUSIVE_TIMEOUT}
UNIT_PATTERN = "heat-scaleout-*"
OBSERVE_TIMEOUT = 60.0  # seconds for a host to answer


@dataclass(frozen=True)
class SiteObservation:
    """The observation of each host that answered, and the error of each other one."""

    hosts: Mapping[str, Observation]
    errors: Mapping[str, DeployerError]


def observe_site(
    inventory: Inventory,
    fleet: Fleet,
    only: Collection[str] = (),
    contents: bool = False,
    programs: Mapping[str, Mapping[str, Any]] = NOTHING,
    limit: float = OBSERVE_TIMEOUT,
    counters: bool = False,
    measured: bool = False,
) -> SiteObservation:
    """Observe all hosts at once, or those of `only`. `contents`: with the content of every file, for diffs.

    `programs` run on the source host meanwhile; their answers are among its facts. `limit`: seconds for a host.
    `counters`: count what each unit has used as well. `measured`: what each host has to spare as well.
    A command that holds the lock waits for hosts where a command that was killed still runs a step.
    """
    wait_for_others = {"settled": EXCLUSIVE} if fleet.holds_lease() else {}
    requests = {
        name: _request(inventory, name, contents) | wait_for_others | ({"measure": [UNIT_PATTERN]} if measured else {})
        for name in inventory.hosts
        if not only or name in only
    }
    if programs:
        requests[inventory.heat.source]["programs"] |= programs
    verb = "watch" if counters else "observe"
    answers = fleet.ask("observe", verb, requests, limit, Level.VERBOSE)
    replies = {name: _reply_or_busy(name, reply) for name, reply in answers.items()}
    failed = {name: reply for name, reply in replies.items() if isinstance(reply, DeployerError)}
    return SiteObservation({name: _observation(reply) for name, reply in replies.items() if name not in failed}, failed)


def observe_hosts(
    inventory: Inventory,
    fleet: Fleet,
    only: Collection[str] = (),
    contents: bool = False,
    programs: Mapping[str, Mapping[str, Any]] = NOTHING,
    measured: bool = False,
) -> Mapping[str, Observation]:
    """Observe all hosts, or those of `only`; raise the error of a host that does not answer, or those of all.

    The rest is as in `observe_site`.
    """
    observation = observe_site(inventory, fleet, only, contents, programs, measured=measured)
    refuse_unreachable(observation)
    return observation.hosts


def refuse_unreachable(observation: SiteObservation) -> None:
    """Raise the error of the host that could not be observed, or those of all that could not."""
    if observation.errors:
        raise together(tuple(observation.errors.values()))


def _reply_or_busy(host: str, reply: Any) -> Any:
    is_busy = not isinstance(reply, DeployerError) and "busy" in reply
    return HostFailed(host, reply["busy"]) if is_busy else reply


def _request(inventory: Inventory, name: str, contents: bool) -> dict[str, Any]:
    heat = inventory.heat_of(name)
    units = [
        *(names.unit_template(service) for service in service_units.TITLES),
        config.UNIT,
        names.SLICE,
    ]
    trees = [heat.config_dir, service_units.OWN, *(f"{service_units.SYSTEMD}/{unit}" for unit in units)]
    return {
        "trees": trees,
        "carry": trees if contents else _needed(inventory, name),
        "units": [names.UNIT_PATTERN, *distributions.UNITS],
        "texts": [service_units.STARTED_WITH_PATTERN],
        "processes": ["heat-engine"],
        "sure_of": None if name == inventory.proxy.host else [each.port for each in inventory.instances_of(name)],
        "ask": {config.MASTER_SOCKET: config.STATUS_COMMANDS} if name == inventory.proxy.host else {},
        "disk": ["/etc", "/var"],
        "accounts": [heat.user, inventory.proxy.user],
        "ledger": LEDGER,
        "perform_lock": EXCLUSIVE["path"],
        "globs": _install_patterns(heat.prefix, inventory.proxy.program),
        "certificates": _certificates(inventory, name),
        "programs": _flags_of_uwsgi(heat.prefix) if has_tls_apis(inventory, name) else {},
    }


def _needed(inventory: Inventory, name: str) -> list[str]:
    """Files whose content says what other files should be."""
    source = [f"{inventory.heat_of(name).config_dir}/"] if name == inventory.heat.source else []
    return [*source, *([config.CONFIG] if name == inventory.proxy.host else [])]


def has_tls_apis(inventory: Inventory, name: str) -> bool:
    """Whether a host has APIs that speak TLS."""
    return inventory.heat_of(name).tls is not None and any(each.port for each in inventory.instances_of(name))


def _certificates(inventory: Inventory, name: str) -> dict[str, dict[str, str]]:
    """The files that TLS needs on a host, by purpose, and the user that reads them; HAProxy reads its own as root."""
    heat, proxy = inventory.heat_of(name), inventory.proxy
    asked: dict[str, dict[str, str]] = {}
    if heat.tls and has_tls_apis(inventory, name):
        files = {"certificate": heat.tls.certificate, "key": heat.tls.key}
        asked[service_units.APIS] = {**files, "user": heat.user, "group": heat.group}
    if name == proxy.host and inventory.has_apis():
        asked |= {config.CLIENT_CERTIFICATE: {"certificate": proxy.tls.certificate}} if proxy.tls else {}
        asked |= {config.BACKEND_CA: {"ca": proxy.backend_tls.ca}} if proxy.backend_tls else {}
    return asked


def _flags_of_uwsgi(prefix: str) -> dict[str, dict[str, Any]]:
    """Programs that print the flags with which uWSGI was built, wherever it is installed."""
    return {path: {"argv": [path, "--cflags"], "stdin": "", "timeout": 10.0} for path in _uwsgi(prefix)}


def _uwsgi(prefix: str) -> list[str]:
    return list(dict.fromkeys([f"{prefix}/bin/uwsgi", "/usr/bin/uwsgi"]))


def _install_patterns(prefix: str, haproxy: str) -> dict[str, list[str]]:
    """Where a Heat and what it needs may be installed; name -> patterns of paths."""
    libraries = [
        f"{prefix}/lib/python3*/site-packages",
        f"{prefix}/lib/python3*/dist-packages",
        f"{prefix}/lib/python3/dist-packages",
    ]
    return {
        "heat": [f"{folder}/openstack_heat-*-info" for folder in libraries],
        "programs": [f"{prefix}/bin/heat-api", f"{prefix}/bin/heat-api-cfn", f"{prefix}/bin/heat-engine"],
        "uwsgi": _uwsgi(prefix),
        "haproxy": [haproxy],
        "python": [f"{prefix}/bin/python3"],
    }


def _observation(reply: Mapping[str, Any]) -> Observation:
    files = {path: _file(path, each) for path, each in reply["files"].items()}
    units = {name: _unit(name, each, reply["texts"]) for name, each in _own_units(reply)}
    if config.UNIT in units and units[config.UNIT].running:
        units[config.UNIT] = _proxy(units[config.UNIT], reply)
    ledger = reply["ledger"]
    stale = any(each.get("stale") for _, each in _own_units(reply))
    return Observation(HostState(files, units, frozenset(ledger["files"]), stale), _facts(reply))


def _own_units(reply: Mapping[str, Any]) -> list[tuple[str, Mapping[str, Any]]]:
    return [(name, each) for name, each in reply["units"].items() if names.is_ours(name)]


def _package_units(reply: Mapping[str, Any]) -> tuple[str, ...]:
    """The services of Heat's packages that run, or will with the host."""
    units = {name: _unit(name, each, {}) for name, each in reply["units"].items() if name in distributions.UNITS}
    return tuple(name for name, unit in units.items() if unit.is_left)


def _file(path: str, each: Mapping[str, Any]) -> File:
    content = base64.b64decode(each["content"]) if "content" in each else None
    return File(path, each["digest"], each["owner"], each["group"], each["mode"], content)


def _unit(name: str, each: Mapping[str, Any], texts: Mapping[str, str]) -> Unit:
    config, secure = service_units.read_started_with(texts.get(service_units.started_with_path(name), ""))
    return Unit(name, _state(each["active"], each["sub"]), each["enabled"], config, each["pid"] or None, secure=secure)


def _state(word: str, sub: str) -> UnitState:
    """The state that systemd names: whoever reloads serves meanwhile; what else it may say has no process."""
    if word == UnitState.ACTIVATING and sub.startswith(UnitState.AUTO_RESTART):
        return UnitState.AUTO_RESTART
    if word in ("reloading", "refreshing"):
        return UnitState.ACTIVE
    return UnitState(word) if word in set(UnitState) else UnitState.INACTIVE


def _facts(reply: Mapping[str, Any]) -> Facts:
    engines = [Listener("", 0, **_holder(each)) for each in reply["processes"] if not _is_ours(each["unit"])]
    usage = reply.get("usage", {"at": 0.0, "units": {}})
    return Facts(
        python=tuple(reply["python"]),
        systemd=reply["systemd"],
        cpus=reply["cpus"],
        skew=clock_skew(reply),
        free=reply["free"],
        accounts=reply["accounts"],
        paths={name: tuple(paths) for name, paths in reply["globs"].items()},
        listeners=tuple(Listener(each["address"], each["port"], **_holder(each)) for each in reply["listeners"]),
        engines=tuple(engines),
        servers=runtime_api.servers(reply["replies"].get(config.MASTER_SOCKET)),
        stopped=tuple(reply["ledger"]["stopped"]),
        hostname=reply["hostname"],
        answers=reply["answers"],
        last_run=reply["newest"],
        at_work=reply["at_work"],
        certificates={
            name: Certificate(why=each["why"], names=tuple(each["names"]), left=each["left"], digest=each["digest"])
            for name, each in reply["certificates"].items()
        },
        masked=tuple(name for name, each in _own_units(reply) if each["masked"]),
        drop_ins={name: tuple(each["drop_ins"]) for name, each in _own_units(reply) if each["drop_ins"]},
        package_units=_package_units(reply),
        counters={name: UnitCounters(each["cpu"], each["memory"]) for name, each in usage["units"].items()},
        counted_at=usage["at"],
        resources=reply["resources"] and resources.read(reply["resources"]),
    )


def _proxy(unit: Unit, reply: Mapping[str, Any]) -> Unit:
    """The running proxy with the digests of its configuration, as its socket says, and of its unit, as it has noted."""
    running = runtime_api.configuration(reply["replies"].get(config.MASTER_SOCKET))
    noted = reply["texts"].get(config.STARTED_WITH, "").split()
    return replace(unit, config=running, started_with=noted[0] if noted else None)


def clock_skew(reply: Mapping[str, Any]) -> float:
    """Seconds by which a host's clock is off at least: it was read at some time between request and reply."""
    clock = float(reply["clock"])
    return clock - min(max(clock, reply["sent"]), reply["received"])


def _holder(each: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "pid": each.get("pid", 0),
        "program": each.get("program", ""),
        "unit": each.get("unit", ""),
        "argv": tuple(each.get("argv", ())),
    }


def _is_ours(unit: str) -> bool:
    return names.service_of(unit) == Service.ENGINE
