"""Decides which of a host's processes run with other files than they should. Pure."""

from collections.abc import Iterable

from deployer.model.service import Service
from deployer.model.state import HostState, Unit
from deployer.plan.site_diff import HostDiff, units_of

HEAT = (Service.ENGINE, Service.API, Service.CFN)
UNIT_FILES = "/etc/systemd/system/"


def outdated_units(host: HostDiff, services: Iterable[Service] = HEAT) -> list[Unit]:
    """The running processes that have to restart: on request all, else those that started with other files."""
    running = [unit for unit in units_of(host.desired, services) if host.runs(unit)]
    if host.name in host.options.restart:
        return running
    changed = [path for path in host.desired.files if _is_rewritten(path, host)]
    return [unit for unit in running if _is_outdated(unit, host.observed.state, changed)]


def _is_outdated(unit: Unit, observed: HostState, changed: Iterable[str]) -> bool:
    return observed.units[unit.name].config != unit.config or any(_reads(unit, path) for path in changed)


def _reads(unit: Unit, path: str) -> bool:
    return any(path.startswith(each) if each.endswith("/") else path == each for each in unit.reads)


def has_old_unit(unit: Unit, host: HostDiff) -> bool:
    """Whether a process started with another unit file: its own is to change, or has since an earlier run."""
    started_with = host.observed.state.units[unit.name].started_with
    return _is_rewritten(UNIT_FILES + unit.name, host) or unit.started_with not in (None, started_with)


def _is_rewritten(path: str, host: HostDiff) -> bool:
    files = host.observed.state.files
    return path in files and files[path].digest != host.desired.files[path].digest
