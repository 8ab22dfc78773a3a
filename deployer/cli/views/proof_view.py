"""The proof of a site for people: a line a host, a line a step through the proxy, each failure with why. Pure."""

from collections.abc import Iterator, Sequence

from rich.console import Group, RenderableType
from rich.text import Text

from deployer.cli.views import colors, layout, screen
from deployer.cli.views.console import counted
from deployer.verify.proof import Proof
from deployer.verify.smoke import smoke_suite
from deployer.verify.smoke.result import Check, Outcome

WORD = 9  # columns of the word before a check


def view(proof: Proof) -> RenderableType:
    """Return the report of a proof."""
    places = dict.fromkeys(check.where for check in proof.checks)
    parts = [part for where in places for part in _place(where, [each for each in proof.checks if each.where == where])]
    return Group(*parts, _total(proof))


def text(proof: Proof) -> str:
    """Return the same as a text without colours."""
    return screen.plain(view(proof))


def _total(proof: Proof) -> Text:
    bad = sum(check.failed for check in proof.checks)
    took, all_of = f"{proof.seconds:.1f} s", counted(len(proof.checks), "check")
    if bad:
        return Text.assemble(("NOT proven", "bold red"), f": {bad} of {all_of} failed, in {took}.")
    return Text.assemble(("Proven", "green"), f": {all_of} in {took}.")


def _place(where: str, checks: Sequence[Check]) -> Iterator[RenderableType]:
    """The report of one host, or of the steps through the proxy, which are shown one by one."""
    bad, all_of = [check for check in checks if check.failed], counted(len(checks), "check")
    reasons = {check.reason for check in bad}
    if where == smoke_suite.WHERE:
        yield Text(where)
        yield layout.grid(_row(check) for check in checks)
    elif not bad:
        yield Text(f"{where}: {all_of} ok")
    else:
        yield Text.assemble(f"{where}: {len(bad)} of {all_of} ", ("FAILED", "bold red"))
        has_one_reason = len(bad) == len(checks) > 1 and len(reasons) == 1
        yield layout.grid([(_word("FAILED"), bad[0].reason)] if has_one_reason else [_row(check) for check in bad])


def _row(check: Check) -> tuple[Text, str]:
    word = "ok" if check.outcome is Outcome.OK else check.outcome.upper()
    took = f" ({check.seconds:.1f} s)" if check.where == smoke_suite.WHERE and check.seconds else ""
    said = check.detail or check.reason
    return _word(word), f"{check.subject}: {check.promise}{took}" + (f": {said}" if said else "")


def _word(word: str) -> Text:
    return Text.assemble("  ", colors.state(word), " " * (WORD - 2 - len(word)))
