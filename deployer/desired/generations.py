"""Turns a host's state into the JSON of a generation and back, and reads the states of one generation. Pure."""

import base64
from collections.abc import Iterable, Mapping
from dataclasses import asdict
from typing import Any

from deployer import errors
from deployer.model.probe import AnswersHttp, AnswersSocket, Probe, Program
from deployer.model.service import Service
from deployer.model.state import File, HostState, Unit, UnitState
from deployer.model.tls import Trust

PROBES: Mapping[str, type[Probe]] = {each.__name__: each for each in (AnswersHttp, AnswersSocket, Program)}


def states_of(number: int, kept: Mapping[str, Mapping[str, Any]], working: Iterable[str]) -> dict[str, HostState]:
    """Given host -> {runs, state}, as it has kept them, return their states in a generation.

    Raise BadInput for one that did not begin on all its hosts, and for one without a state of a host in `working`: so
    it is after a restore, and on a host that was reinstalled since then.
    """
    states = {host: state_from_json(each["state"]) for host, each in kept.items()}
    missing = [host for host in _begun(number, kept) if host in kept and number not in _numbers(kept[host])]
    empty = [host for host in working if not states[host].units]
    if missing or empty:
        raise errors.BadInput(
            f"generation {number} has no state on {', '.join(dict.fromkeys([*missing, *empty]))}",
            hint="It never began there, or a restore removed it. `invoke history` lists the others.",
        )
    return states


def _begun(number: int, kept: Mapping[str, Mapping[str, Any]]) -> dict[str, None]:
    """The hosts on which a generation was to begin."""
    runs = (run for each in kept.values() for run in each["runs"] if run["number"] == number)
    return dict.fromkeys(host for run in runs for host in run.get("hosts", ()))


def _numbers(kept: Mapping[str, Any]) -> set[int]:
    return {run["number"] for run in kept["runs"]}


def state_to_json(state: HostState) -> dict[str, Any]:
    """A host's state without the contents of its files."""
    return {
        "files": {path: _file_json(file) for path, file in state.files.items()},
        "units": {name: _unit_json(unit) for name, unit in state.units.items()},
    }


def state_from_json(kept: Mapping[str, Any] | None) -> HostState:
    """A host's state as it has kept it, its files with their contents; None: nothing of ours."""
    if kept is None:
        return HostState()
    return HostState(
        {path: _file(path, each) for path, each in kept["files"].items()},
        {name: _unit(name, each) for name, each in kept["units"].items()},
    )


def _file_json(file: File) -> dict[str, Any]:
    return {
        "digest": file.digest,
        "owner": file.owner,
        "group": file.group,
        "mode": file.mode,
        "check": list(file.check),
        "only": file.only,
    }


def _file(path: str, kept: Mapping[str, Any]) -> File:
    return File(
        path,
        kept["digest"],
        kept["owner"],
        kept["group"],
        kept["mode"],
        base64.b64decode(kept["content"]),
        tuple(kept["check"]),
        kept["only"] and Service(kept["only"]),
    )


def _unit_json(unit: Unit) -> dict[str, Any]:
    return {
        "running": unit.running,
        "enabled": unit.enabled,
        "config": unit.config,
        "ready": _probe_json(unit.ready),
        "reached": _probe_json(unit.reached),
        "answers": _probe_json(unit.answers),
        "secure": unit.secure,
        "needs": [list(each) for each in unit.needs],
        "reads": list(unit.reads),
        "drained": unit.drained,
        "started_with": unit.started_with,
    }


def _unit(name: str, kept: Mapping[str, Any]) -> Unit:
    return Unit(
        name,
        UnitState.ACTIVE if kept["running"] else UnitState.INACTIVE,
        kept["enabled"],
        kept["config"],
        ready=_probe(kept["ready"]),
        needs=tuple((address, port) for address, port in kept["needs"]),
        reads=tuple(kept["reads"]),
        drained=kept["drained"],
        reached=_probe(kept["reached"]),
        answers=_program(kept.get("answers")),
        secure=kept["secure"],
        started_with=kept.get("started_with"),  # generations of older versions lack this and `answers`
    )


def _probe_json(probe: Probe | None) -> dict[str, Any] | None:
    return None if probe is None else {"kind": type(probe).__name__, **asdict(probe)}


def _program(kept: Mapping[str, Any] | None) -> Program | None:
    probe = _probe(kept)
    return probe if isinstance(probe, Program) else None


def _probe(kept: Mapping[str, Any] | None) -> Probe | None:
    if kept is None:
        return None
    fields: dict[str, Any] = {
        name: tuple(value) if isinstance(value, list) else value for name, value in kept.items() if name != "kind"
    }
    if fields.get("trust"):
        fields["trust"] = Trust(**fields["trust"])
    return PROBES[kept["kind"]](**fields)
