"""How a run ended, as text and JSON: what was done, what failed, what every host has now and what to run next. Pure."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from rich.console import Group, RenderableType
from rich.text import Text

from deployer.apply.report import Report
from deployer.cli import called_as
from deployer.cli.views import colors, layout, screen
from deployer.cli.views.console import counted, plan_json
from deployer.errors import DeployerError, StillStopping
from deployer.model.steps import Step

NOTHING_CHANGED = "Nothing was changed."
Row = tuple[str, Text | str, Text | str]


@dataclass(frozen=True)
class HostOutcome:
    """What a host has after a run that failed somewhere, and what to run next ("": nothing)."""

    has: str
    next: str = ""


def text(report: Report) -> str:
    """How a run ended, as a text without colours."""
    return screen.plain(view(report))


def view(report: Report) -> RenderableType:
    """How a run ended: what was done and, unless that is all, for each host that failed why, and what each has now."""
    if not report.accepted:
        return NOTHING_CHANGED
    applied = report.applied
    changes, left = _changes(applied.done), _changes(_left(report))
    if not applied.failed and not left:
        return _done(report, changes)
    rows = [
        *_told(report),
        *_failures(applied.failed),
        *((step.host, "left", colors.step(step)) for step in left),
        *_not_reverted(report),
        *((host, "has", now.has) for host, now in hosts(report).items()),
    ]
    return Group(
        Text(f"{counted(len(changes), 'step')} done, {len(left)} left."),
        layout.grid(rows),
        Text(_way_on(report)),
    )


def _way_on(report: Report) -> str:
    if report.applied.is_waiting and not report.reverted:
        return f"Run `{_next(report)}`: it waits for what is still stopping, and goes on from there."
    return f"Mend it, then run `{_next(report)}`: it goes on from what the hosts have now."


def _done(report: Report, changes: Sequence[Step]) -> RenderableType:
    said = f"{counted(len(changes), 'step')} done." if changes else _nothing_to_change(report)
    said += f" This is generation {report.run.number}." if report.run and report.run.number else ""
    told = list(_told(report))
    return Group(layout.grid(told), Text(said)) if told else said


def _nothing_to_change(report: Report) -> str:
    """What is said where every host was as wanted; an earlier run may not have come to prove that."""
    if not report.applied.done:
        return "Nothing to do: every host is as wanted."
    return "Nothing to change: every host is as wanted, and what the run before has started is proven."


def _told(report: Report) -> Iterator[Row]:
    """What steps had to say, such as what was marked as failed after a process was killed."""
    yield from ((host, "note", text) for host, text in report.applied.told)


def hosts(report: Report) -> dict[str, HostOutcome]:
    """What each host of the plan has now, and what to run next for it."""
    return {host: _now(report, host) for host in report.planned.plan.hosts}


def _now(report: Report, host: str) -> HostOutcome:
    done = len([step for step in _changes(report.applied.done) if step.host == host])
    left = len([step for step in _changes(_left(report)) if step.host == host])
    if _is_reverted(report, host):
        return HostOutcome("what it had before", _next(report))
    if isinstance(report.applied.failed.get(host), StillStopping):
        has = "what was planned" if not left else f"{done} of {counted(done + left, 'step')} of what was planned"
        return HostOutcome(f"{has}; a process is still stopping", _next(report))
    if host in report.applied.failed and not left:
        return HostOutcome("what was planned, but it does not prove to work", _next(report))
    if not left:
        return HostOutcome("what was planned" if done else "what it had: nothing was planned for it")
    if not done:
        return HostOutcome(f"what it had before ({counted(left, 'step')} left)", _next(report))
    return HostOutcome(f"a part of what was planned: {done} of {counted(done + left, 'step')}", _next(report))


def _is_reverted(report: Report, host: str) -> bool:
    return report.reverted is not None and host in report.reverted.hosts and host not in report.reverted.applied.failed


def _next(report: Report) -> str:
    """The command that goes on: after a restart one of the hosts that are left, as a deploy would restart nothing."""
    change = report.planned.change
    reverted = report.reverted.hosts if report.reverted else ()
    unfinished = {*reverted, *(step.host for step in _changes(_left(report)))}
    again = ",".join(host for host in change.options.restart if host in unfinished)
    return called_as.command(f"invoke restart --limit {again}" if again else change.goal.command)


def _failures(failed: Mapping[str, DeployerError], what: str = "") -> Iterator[Row]:
    for host, error in failed.items():
        message = what + error.message.removeprefix(f"{host}: ")
        yield host, colors.state("FAILED"), message + (f"\n{error.hint}" if error.hint else "")


def _not_reverted(report: Report) -> Iterator[Row]:
    """The hosts that were to be reverted and could not be."""
    if report.reverted:
        yield from _failures(report.reverted.applied.failed, "could not be reverted to what it had: ")


def _left(report: Report) -> Sequence[Step]:
    return report.applied.left or report.left.changes()


def _changes(steps: Sequence[Step]) -> list[Step]:
    return [step for step in steps if step.changes]


def json(report: Report) -> dict[str, Any]:
    """The plan's JSON, with what was done, what failed, what is left, what was reverted and what each host has now."""
    reverted = report.reverted
    return plan_json(report.planned.plan) | {
        "accepted": report.accepted,
        "generation": report.run and report.run.number,
        "done": _listed(report.applied.done),
        "told": [{"host": host, "message": text} for host, text in report.applied.told],
        "failed": _errors(report.applied.failed),
        "left": _listed(_left(report)),
        "put_back": None
        if reverted is None
        else {
            "host": reverted.hosts[0],
            "hosts": list(reverted.hosts),
            "done": _listed(reverted.applied.done),
            "failed": _errors(reverted.applied.failed),
        },
        "now": {host: {"has": now.has, "next": now.next} for host, now in hosts(report).items()},
    }


def _errors(failed: Mapping[str, DeployerError]) -> dict[str, dict[str, str]]:
    return {host: {"error": error.message, "hint": error.hint} for host, error in failed.items()}


def _listed(steps: Sequence[Step]) -> list[dict[str, str]]:
    return [{"host": step.host, "step": str(step)} for step in _changes(steps)]
