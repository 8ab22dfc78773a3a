"""Turns a plan into JSON for a file, and compares a saved plan with the site as it is now. Pure."""

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from deployer import errors
from deployer.model.contract import SCHEMA_VERSION
from deployer.model.facts import Observation
from deployer.model.state import File, Unit, digest_of
from deployer.plan.planned import Planned, SavedPlan

KIND = "heat-scaleout plan"


def to_json(planned: Planned) -> dict[str, Any]:
    """A plan and its basis: the inventory's text, every host's files by digest and access, every unit's state."""
    file = planned.change.file
    return {
        "schema_version": SCHEMA_VERSION,
        "kind": KIND,
        "inventory": str(file.path.absolute()) if file else "",
        "inventory_digest": _digest_of_inventory(planned),
        "limit": ",".join(planned.change.limit),
        "steps": _steps(planned),
        "found": {host: _basis(each) for host, each in planned.observed.items()},
    }


def from_json(text: str, path: str) -> SavedPlan:
    """Read a saved plan; raise BadInput for a file that holds none."""
    try:
        saved = json.loads(text)
        if saved["kind"] != KIND:
            raise ValueError
        version, digest, limit = saved["schema_version"], saved["inventory_digest"], saved["limit"]
        plan = SavedPlan(saved["inventory"], digest, limit, tuple(saved["steps"]), dict(saved["found"]))
    except (ValueError, LookupError, TypeError):
        raise errors.BadInput(f"{path} is not a saved plan", hint="Create one with `invoke plan --out FILE`.") from None
    if version != SCHEMA_VERSION:
        raise errors.BadInput(
            f"{path} was saved by another version of heat-scaleout", hint="Save it again with `invoke plan --out FILE`."
        )
    return plan


def refuse_stale(planned: Planned) -> None:
    """Raise StalePlan when the change is limited to a saved plan, and the plan now is another one."""
    changes = changes_since(planned.change.saved, planned) if planned.change.saved else ()
    if changes:
        raise errors.StalePlan(changes, hint="Nothing was changed. Save the plan again and review it.")


def changes_since(saved: SavedPlan, planned: Planned) -> tuple[str, ...]:
    """What has changed since the plan was saved: the inventory, each file and unit of each host, then the steps."""
    observed = {host: _basis(each) for host, each in planned.observed.items()}
    is_edited = _digest_of_inventory(planned) != saved.inventory_digest
    changes = [f"{saved.inventory}: the inventory has changed"] if is_edited else []
    for host in {**saved.observed, **observed}:
        changes += _differences(host, saved.observed.get(host, {}), observed.get(host, {}))
    return tuple(changes or _other_steps(saved.steps, _steps(planned)))


def _digest_of_inventory(planned: Planned) -> str:
    return digest_of(planned.change.file.text.encode()) if planned.change.file else ""


def _steps(planned: Planned) -> list[str]:
    return [f"{step.host}: {step}" for step in planned.plan.changes()]


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
                what = "is new" if name not in before else "is gone" if name not in after else "has changed"
                yield f"{host}: {name} {what}"


def _other_steps(then: Sequence[str], now: Sequence[str]) -> Iterator[str]:
    yield from (f"no longer planned: {step}" for step in then if step not in now)
    yield from (f"newly planned: {step}" for step in now if step not in then)
