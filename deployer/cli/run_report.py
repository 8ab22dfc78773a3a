"""How a run ended, as text and JSON: what was done, what failed, what every host has now and what to run next. Pure."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from deployer.cli import called_as
from deployer.cli.console import counted, plan_json
from deployer.errors import DeployerError
from deployer.model.steps import Step


@dataclass(frozen=True)
class HostOutcome:
    """What a host has after a run that failed somewhere, and what to run next ("": nothing)."""

    has: str
    next: str = ""


def text(report: Any) -> str:
    """How a run ended: what was done and, unless that is all, for each host that failed why, and what each has now."""
    applied = report.applied
    changes, left = _changes(applied.done), _changes(_left(report))
    if not applied.failed and not left:
        return _done(report, changes)
    lines = [f"{counted(len(changes), 'step')} done, {len(left)} left.", *_failures(applied.failed)]
    lines += [f"{step.host}  left    {step}" for step in left]
    lines += _not_put_back(report)
    lines += [f"{host}  has     {now.has}" for host, now in hosts(report).items()]
    return "\n".join([*lines, f"Mend it, then run `{_next(report)}`: it goes on from what the hosts have now."])


def _done(report: Any, changes: Sequence[Step]) -> str:
    said = f"{counted(len(changes), 'step')} done." if changes else "Nothing to do: every host is as wanted."
    return said + (f" This is generation {report.run.number}." if report.run and report.run.number else "")


def hosts(report: Any) -> dict[str, HostOutcome]:
    """What each host of the plan has now, and what to run next for it."""
    return {host: _now(report, host) for host in report.planned.plan.hosts}


def _now(report: Any, host: str) -> HostOutcome:
    done = len([step for step in _changes(report.applied.done) if step.host == host])
    left = len([step for step in _changes(_left(report)) if step.host == host])
    if _is_back(report, host):
        return HostOutcome("what it had before", _next(report))
    if host in report.applied.failed and not left:
        return HostOutcome("what was planned, but it does not prove to work", _next(report))
    if not left:
        return HostOutcome("what was planned" if done else "what it had: nothing was planned for it")
    if not done:
        return HostOutcome(f"what it had before ({counted(left, 'step')} left)", _next(report))
    return HostOutcome(f"a part of what was planned: {done} of {counted(done + left, 'step')}", _next(report))


def _is_back(report: Any, host: str) -> bool:
    return report.back is not None and host in report.back.hosts and host not in report.back.applied.failed


def _next(report: Any) -> str:
    return called_as.command(report.planned.rerun)


def _failures(failed: Mapping[str, DeployerError]) -> Iterator[str]:
    for host, error in failed.items():
        yield f"{host}  FAILED  {error.message.removeprefix(f'{host}: ')}"
        if error.hint:
            yield f"    {error.hint}"


def _not_put_back(report: Any) -> Iterator[str]:
    """The hosts that were to have again what they had before, and could not."""
    for host, error in report.back.applied.failed.items() if report.back else ():
        yield f"{host}  could not be put back to what it had:"
        yield from _failures({host: error})


def _left(report: Any) -> Sequence[Step]:
    return report.applied.left or report.left.changes()


def _changes(steps: Sequence[Step]) -> list[Step]:
    return [step for step in steps if step.changes]


def json(report: Any) -> dict[str, Any]:
    """The plan's JSON, with what was done, what failed, what is left, what was put back and what each host has now."""
    back = report.back
    return plan_json(report.planned.plan) | {
        "generation": report.run and report.run.number,
        "done": _listed(report.applied.done),
        "failed": _errors(report.applied.failed),
        "left": _listed(_left(report)),
        "put_back": None
        if back is None
        else {
            "host": back.hosts[0],
            "hosts": list(back.hosts),
            "done": _listed(back.applied.done),
            "failed": _errors(back.applied.failed),
        },
        "now": {host: {"has": now.has, "next": now.next} for host, now in hosts(report).items()},
    }


def _errors(failed: Mapping[str, DeployerError]) -> dict[str, dict[str, str]]:
    return {host: {"error": error.message, "hint": error.hint} for host, error in failed.items()}


def _listed(steps: Sequence[Step]) -> list[dict[str, str]]:
    return [{"host": step.host, "step": str(step)} for step in _changes(steps)]
