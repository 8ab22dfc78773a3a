"""A plan kept in a file, with all that it was decided from, and what of that has moved since. Pure."""

import json
from collections.abc import Iterator, Mapping
from typing import Any

from deployer import errors
from deployer.cli.console import SCHEMA_VERSION
from deployer.model.facts import Observation
from deployer.model.state import File, Unit, digest_of

KIND = "heat-scaleout plan"


def to_json(todo: Any, path: str, text: str, limit: str) -> dict[str, Any]:
    """A plan and its basis: the inventory's text, every host's files by digest and access, every unit's state."""
    return {
        "schema_version": SCHEMA_VERSION,
        "kind": KIND,
        "inventory": path,
        "inventory_digest": _digest(text),
        "limit": limit,
        "steps": _steps(todo),
        "found": {host: _basis(each) for host, each in todo.observed.items()},
    }


def from_json(text: str, path: str) -> dict[str, Any]:
    """A plan as it was kept; raise BadInput for a file that holds none."""
    try:
        saved = json.loads(text)
        if saved["kind"] != KIND:
            raise ValueError
    except (ValueError, LookupError, TypeError):
        raise errors.BadInput(f"{path}: this is no plan", hint="Make one: `invoke plan --out FILE`.") from None
    if saved["schema_version"] != SCHEMA_VERSION:
        raise errors.BadInput(f"{path}: a plan of another version of this tool", hint="Make it again.")
    return saved


def changes_since(saved: Mapping[str, Any], todo: Any, text: str) -> tuple[str, ...]:
    """What is not as it was when the plan was kept: the inventory, each file and unit of each host, then the steps."""
    observed = {host: _basis(each) for host, each in todo.observed.items()}
    changes = [
        *([f"{saved['inventory']}: the inventory has changed"] if _digest(text) != saved["inventory_digest"] else [])
    ]
    for host in {**saved["found"], **observed}:
        changes += _differences(host, saved["found"].get(host, {}), observed.get(host, {}))
    return tuple(changes or _other_steps(saved["steps"], _steps(todo)))


def _digest(text: str) -> str:
    return digest_of(text.encode())


def _steps(todo: Any) -> list[str]:
    return [f"{step.host}: {step}" for step in todo.plan.changes()]


def _basis(observed: Observation) -> dict[str, Any]:
    return {
        "files": {path: _file(file) for path, file in observed.state.files.items()},
        "units": {name: _unit(unit) for name, unit in observed.state.units.items()},
    }


def _file(file: File) -> list[Any]:
    return [file.digest, file.owner, file.group, file.mode]


def _unit(unit: Unit) -> list[Any]:
    return [unit.running, unit.enabled, unit.config]


def _differences(host: str, then: Mapping[str, Any], now: Mapping[str, Any]) -> Iterator[str]:
    for kind in ("files", "units"):
        before, after = then.get(kind, {}), now.get(kind, {})
        for name in sorted({*before, *after}):
            if before.get(name) != after.get(name):
                word = "is new" if name not in before else "is gone" if name not in after else "has changed"
                yield f"{host}: {name} {word}"


def _other_steps(then: list[str], now: list[str]) -> Iterator[str]:
    yield from (f"not needed any more: {step}" for step in then if step not in now)
    yield from (f"needed by now: {step}" for step in now if step not in then)
