"""Plans, reports and errors as text or JSON; talk goes to stderr, results to stdout."""

import json
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from deployer.errors import DeployerError
from deployer.steps import Plan, Step

SCHEMA_VERSION = 1
QUIET = ("look", "ask Heat")  # what takes a moment on every command
SLOW = 2.0  # seconds after which a host's end of a stage is worth a line


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


def deploy_text(report: Any) -> str:
    """How a deploy ended: what was done, and for each host that failed why, what is left, and what was put back."""
    applied = report.applied
    changes, left = _changes(applied.done), _changes(_left(report))
    if not applied.failed and not left:
        return f"{counted(len(changes), 'step')} done." if changes else "Nothing to do: every host is as wanted."
    lines = [f"{counted(len(changes), 'step')} done, {len(left)} left.", *_failures(applied.failed)]
    lines += [f"{step.host}  left    {step}" for step in left]
    lines += _put_back(report)
    return "\n".join([*lines, "Mend it, then run `invoke deploy`: it goes on from what the hosts have now."])


def _failures(failed: Mapping[str, DeployerError]) -> Iterator[str]:
    for host, error in failed.items():
        yield f"{host}  FAILED  {error.message.removeprefix(f'{host}: ')}"
        if error.hint:
            yield f"    {error.hint}"


def _put_back(report: Any) -> Iterator[str]:
    """What became of the host whose change failed, when it was the first of several or the only one."""
    if report.back is None:
        return
    host = report.applied.wave.rolls
    if report.back.failed:
        yield f"{host}  could not be put back to what it had:"
        yield from _failures(report.back.failed)
    else:
        yield f"{host}  has again what it had before ({counted(len(_changes(report.back.done)), 'step')}), and serves."
    yield "No other host was changed by what is left."


def _left(report: Any) -> Sequence[Step]:
    return report.applied.left or report.left.changes()


def _changes(steps: Sequence[Step]) -> list[Step]:
    return [step for step in steps if step.changes]


def deploy_json(report: Any) -> dict[str, Any]:
    """The plan's JSON, with what was done, what failed, what is left and what was done to put a host back."""
    back = report.back
    return plan_json(report.planned.plan) | {
        "done": _listed(report.applied.done),
        "failed": {host: {"error": error.message, "hint": error.hint} for host, error in report.applied.failed.items()},
        "left": _listed(_left(report)),
        "put_back": None if back is None else {
            "host": report.applied.wave.rolls, "done": _listed(back.done),
            "failed": {host: {"error": error.message, "hint": error.hint} for host, error in back.failed.items()}},
    }


def _listed(steps: Sequence[Step]) -> list[dict[str, str]]:
    return [{"host": step.host, "step": str(step)} for step in _changes(steps)]


def as_json(value: Mapping[str, Any], indent: int | None = 2) -> str:
    return json.dumps(value, indent=indent, ensure_ascii=False)


def error_text(error: DeployerError) -> str:
    """An error in its own lines, then its hint."""
    return f"error: {error.message}" + (f"\nhint: {error.hint}" if error.hint else "")


def talk(text: str) -> None:
    """Say something to the person at the terminal; never part of a result."""
    print(text, file=sys.stderr, flush=True)


def confirmed(question: str) -> bool:
    """Ask a yes or no question on the terminal; no answer is no."""
    print(f"{question} [y/N] ", end="", file=sys.stderr, flush=True)
    return sys.stdin.readline().strip().lower() in ("y", "yes")


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
        if not self._quiet and not self._live and title not in QUIET:
            talk(f"{title}: {', '.join(hosts)}")
        self._show()

    def done(self, host: str) -> None:
        self._left.remove(host)
        took = time.monotonic() - self._since
        if not self._quiet and not self._live and took > SLOW:
            talk(f"{self._title}: {host} done ({took:.1f} s)")
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
