"""What is shown and asked before the first change: on a terminal somebody answers, elsewhere the command was meant."""

import sys
from collections.abc import Callable

from deployer.cli import console, recovery_text, terminal
from deployer.heat.recovery import DeadWorker
from deployer.observed import history
from deployer.pipeline import Accept
from deployer.plan.planned import Planned


def deploy_accepted(yes: bool) -> Accept:
    """What shows a plan with its warnings, and asks where somebody can answer."""

    def accepted(planned: Planned, warnings: tuple[str, ...]) -> bool:
        if not planned.plan.changes():
            return True
        terminal.show_warnings((*planned.desired.warnings, *history.describe_unfinished(planned.observed), *warnings))
        _show_plan(planned)
        return _is_meant(yes) or console.confirmed("Apply this plan?")

    return accepted


def restore_accepted(yes: bool, site: str) -> Accept:
    """What shows the plan of a restore, and has the site's name typed where somebody can."""

    def accepted(planned: Planned, warnings: tuple[str, ...]) -> bool:
        if not planned.plan.changes():
            return True
        _show_plan(planned)
        return _is_meant(yes) or console.typed(f"This takes the site away. To go on, type its name ({site}): ") == site

    return accepted


def recovery_accepted(yes: bool) -> Callable[[tuple[DeadWorker, ...]], bool]:
    """What shows the work of dead engines, and asks where somebody can answer."""

    def accepted(workers: tuple[DeadWorker, ...]) -> bool:
        console.message(recovery_text.text(workers, is_cleaned=False))
        return _is_meant(yes) or console.confirmed("Mark this work as failed and take the rest away?")

    return accepted


def _show_plan(planned: Planned) -> None:
    console.message(console.plan_text(planned.plan, "about to be applied"))


def _is_meant(yes: bool) -> bool:
    return yes or not sys.stdin.isatty()
