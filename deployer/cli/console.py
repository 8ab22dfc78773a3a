"""Plans and errors as text or JSON, and progress; talk goes to stderr, results to stdout."""

import json
import sys
import time
from collections.abc import Mapping, Sequence
from typing import Any

from deployer.errors import DeployerError
from deployer.model.contract import SCHEMA_VERSION
from deployer.model.steps import Plan

# What takes a moment on every command.
QUIET_TITLES = ("observe", "read journals", "ask Heat", "site lock", "record the result")
SLOW_AFTER = 2.0  # seconds after which a host's end of a stage is worth a line


def plan_text(plan: Plan, ending: str = "nothing applied (plan)") -> str:
    """One line a step that changes something, in the order they run; hosts without one say so."""
    lines = [(step.host, str(step)) for step in plan.changes()]
    changed = {host for host, _ in lines}
    lines += [(host, "no change") for host in plan.hosts if host not in changed]
    width = max((len(host) for host, _ in lines), default=0)
    total = f"{counted(len(plan.hosts), 'host')}, {counted(len(plan.changes()), 'step')}, {ending}"
    return "\n".join([*(f"{host:{width}}  {sentence}" for host, sentence in lines), total])


def plan_json(plan: Plan) -> dict[str, Any]:
    """The contract of `plan --format json`: fields may be added, never renamed."""
    steps: dict[str, list[dict[str, str]]] = {host: [] for host in plan.hosts}
    for step in plan.changes():
        steps.setdefault(step.host, []).append({"step": str(step), "because": step.because})
    return {"schema_version": SCHEMA_VERSION, "changes": len(plan.changes()), "hosts": steps}


def as_json(value: Mapping[str, Any], indent: int | None = 2) -> str:
    return json.dumps(value, indent=indent, ensure_ascii=False)


def error_text(error: DeployerError) -> str:
    """An error in its own lines, then its hint."""
    return f"error: {error.message}" + (f"\nhint: {error.hint}" if error.hint else "")


def message(text: str) -> None:
    """Say something to the person at the terminal; never part of a result."""
    print(text, file=sys.stderr, flush=True)


def confirmed(question: str) -> bool:
    """Ask a yes or no question on the terminal; no answer is no."""
    return typed(f"{question} [y/N] ").lower() in ("y", "yes")


def typed(question: str) -> str:
    """Ask for a word on the terminal."""
    print(question, end="", file=sys.stderr, flush=True)
    return sys.stdin.readline().strip()


class Progress:
    """How far the hosts are: a line that rewrites itself on a terminal, plain lines elsewhere."""

    def __init__(self, quiet: bool = False) -> None:
        self._live = sys.stderr.isatty()
        self._quiet = quiet
        self._title = ""
        self._left: list[str] = []
        self._since = 0.0

    def begin(self, title: str, hosts: Sequence[str]) -> None:
        self._title, self._left, self._since = title, list(hosts), time.monotonic()
        if not self._quiet and not self._live and title not in QUIET_TITLES:
            message(f"{title}: {', '.join(hosts)}")
        self._show()

    def done(self, host: str) -> None:
        self._left.remove(host)
        took = time.monotonic() - self._since
        if not self._quiet and not self._live and took > SLOW_AFTER:
            message(f"{self._title}: {host} done ({took:.1f} s)")
        self._show()

    def end(self) -> None:
        if self._live and not self._quiet:
            print("\r\033[K", end="", file=sys.stderr, flush=True)

    def _show(self) -> None:
        if self._live and not self._quiet and self._left:
            line = f"{self._title}: waiting for {', '.join(self._left)}"
            print(f"\r\033[K{line[:100]}", end="", file=sys.stderr, flush=True)


def counted(number: int, noun: str) -> str:
    """`1 step`, `2 steps`."""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"
