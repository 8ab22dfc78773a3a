"""Plans and errors as text and JSON, without colours. Pure."""

import json
from collections.abc import Mapping
from typing import Any

from deployer.errors import DeployerError
from deployer.model import printable
from deployer.model.contract import SCHEMA_VERSION
from deployer.model.steps import Plan


def plan_json(plan: Plan) -> dict[str, Any]:
    """The contract of `plan --format json`: fields may be added, never renamed."""
    steps: dict[str, list[dict[str, str]]] = {host: [] for host in plan.hosts}
    for step in plan.changes():
        steps.setdefault(step.host, []).append({"step": str(step), "because": step.because})
    return {"schema_version": SCHEMA_VERSION, "changes": len(plan.changes()), "hosts": steps}


def as_json(value: Mapping[str, Any], indent: int | None = 2) -> str:
    """A result as JSON, in which every letter stays as it is."""
    return json.dumps(value, indent=indent, ensure_ascii=False)


def error_text(error: DeployerError) -> str:
    """An error in its own lines, then its hint."""
    return printable.escape_controls(f"error: {error.message}" + (f"\nhint: {error.hint}" if error.hint else ""))


def counted(number: int, noun: str) -> str:
    """`1 step`, `2 steps`."""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"
