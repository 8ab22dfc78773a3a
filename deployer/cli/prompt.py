"""What is shown and asked before the first change: on a terminal somebody answers, elsewhere the command was meant.

What takes the site away is only meant elsewhere when it says so.
"""

import sys
from collections.abc import Callable

from deployer import errors
from deployer.cli import terminal
from deployer.cli.output.output import Output
from deployer.cli.views import recovery_text
from deployer.model.events import Level, Message, PlanDecided
from deployer.model.facts import DeadWorker
from deployer.observed import history
from deployer.plan.planned import Accept, Planned


def deploy_accepted(output: Output, yes: bool) -> Accept:
    """What shows a plan with its warnings, and asks where somebody can answer."""

    def accepted(planned: Planned, warnings: tuple[str, ...]) -> bool:
        if not planned.plan.changes():
            return True
        unfinished = history.describe_unfinished(planned.observed)
        terminal.show_warnings(output, (*planned.desired.warnings, *unfinished, *warnings))
        terminal.show_losses(output, planned)
        output.handle(PlanDecided(planned.plan, _level(output, yes)))
        return _is_meant(yes) or output.confirmed("Apply this plan?")

    return accepted


def refuse_unconfirmed_restore(yes: bool) -> None:
    """Raise BadInput where nobody can be asked whether the site shall go, as in a script, and the command does not say.

    So a line of cron, or a typing error in a script, takes no site away.
    """
    if not yes and not _is_terminal():
        raise errors.BadInput(
            "this takes the site away, and there is no terminal to ask on",
            hint="Nothing was changed. To mean it, say --yes.",
        )


def restore_accepted(output: Output, yes: bool, site: str) -> Accept:
    """What shows the plan of a restore, and has the site's name typed unless the command was meant."""

    def accepted(planned: Planned, warnings: tuple[str, ...]) -> bool:
        if not planned.plan.changes():
            return True
        output.handle(PlanDecided(planned.plan, _level(output, yes)))
        return yes or _is_typed(output, site)

    return accepted


def recovery_accepted(output: Output, yes: bool) -> Callable[[tuple[DeadWorker, ...]], bool]:
    """What shows the work of dead engines, and asks where somebody can answer."""

    def accepted(workers: tuple[DeadWorker, ...]) -> bool:
        output.handle(Message(recovery_text.text(workers, is_cleaned=False), _level(output, yes)))
        return _is_meant(yes) or output.confirmed("Mark this work as failed and take the rest away?")

    return accepted


def _is_typed(output: Output, site: str) -> bool:
    return output.ask(f"This takes the site away. To go on, type its name ({site}): ") == site


def _level(output: Output, yes: bool) -> Level:
    """The level of what is about to happen: who is asked has to see it."""
    return Level.INFO if _is_meant(yes) else output.question_level()


def _is_meant(yes: bool) -> bool:
    return yes or not _is_terminal()


def _is_terminal() -> bool:
    return sys.stdin is not None and sys.stdin.isatty()
