"""A plan and its differences for people. Pure."""

from collections.abc import Collection

from rich.console import Group, RenderableType
from rich.text import Text

from deployer.cli.views import colors, layout, screen
from deployer.cli.views.console import counted
from deployer.model.steps import Plan

NOTHING_APPLIED, ABOUT_TO_BE_APPLIED = "nothing applied (plan)", "about to be applied"


def view(plan: Plan, ending: str = NOTHING_APPLIED) -> RenderableType:
    """One line a step that changes something, in the order they run; hosts without one say so."""
    rows = [(Text(step.host), colors.step(step)) for step in plan.changes()]
    changed = {step.host for step in plan.changes()}
    rows += [(Text(host), Text("no change", style="dim")) for host in plan.hosts if host not in changed]
    total = Text(f"{counted(len(plan.hosts), 'host')}, {counted(len(plan.changes()), 'step')}, {ending}")
    return Group(layout.grid(rows), total) if rows else total


def with_diffs(plan: Plan, diffs: Collection[str]) -> RenderableType:
    """The differences inside each file, then the plan."""
    return Group(*map(colors.diff, diffs), view(plan))


def text(plan: Plan, ending: str = NOTHING_APPLIED) -> str:
    """The plan as a text without colours."""
    return screen.plain(view(plan, ending))
