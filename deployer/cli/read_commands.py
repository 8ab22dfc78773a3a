"""What every command that changes no host does at the terminal; the others are in `write_commands`."""

import sys
from collections.abc import Mapping
from dataclasses import asdict
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from invoke.context import Context

from deployer import errors
from deployer.cli import signals, terminal
from deployer.cli.flags import LogFlags, OutputFlags
from deployer.cli.output.output import Output
from deployer.cli.terminal import exit_codes
from deployer.cli.views import console, history_table, plan_view
from deployer.desired.export import Export
from deployer.inventory import inventory_file
from deployer.inventory.schema import Inventory
from deployer.logs import query
from deployer.logs.query import LogQuery
from deployer.model import events, lazy
from deployer.model.contract import SCHEMA_VERSION
from deployer.model.facts import Observation
from deployer.observed import history as recorded
from deployer.plan import saved_plan
from deployer.plan.planned import Change, Planned

if TYPE_CHECKING:
    from deployer import pipeline
    from deployer.cli import logs_view, status_watch
    from deployer.cli.views import proof_view
    from deployer.plan import textdiff
    from deployer.verify import preparation
else:  # as in the session and in the pipeline
    pipeline = lazy.module("deployer.pipeline")
    logs_view, status_watch = lazy.modules("deployer.cli", ("logs_view", "status_watch"))
    textdiff = lazy.module("deployer.plan.textdiff")
    preparation = lazy.module("deployer.verify.preparation")
    proof_view = lazy.module("deployer.cli.views.proof_view")

CHANGES_PENDING = 2
LINES, FIRST_LINES_FOLLOWED = 100, 10  # of a host


def plan(
    context: Context, inventory: str | None, diff: bool, exit_code: bool, limit: str, out: str, flags: OutputFlags
) -> None:
    """Show what a deploy would do, and keep it for `deploy --plan`."""
    with exit_codes(flags) as output:
        file = inventory_file.read(terminal.locate(context, inventory))
        change = Change(file.inventory, limit=terminal.limit_hosts(file.inventory, limit), file=file)
        with terminal.fleet(file.inventory, output.handle, change.observed_hosts()) as fleet:
            planned = pipeline.plan(change, fleet, contents=diff)
        past = (*recorded.describe_unfinished(planned.observed), *recorded.describe_at_work(planned.observed))
        terminal.show_warnings(output, (*planned.desired.warnings, *past))
        terminal.show_losses(output, planned)
        if out:
            terminal.write_private(out, console.as_json(saved_plan.to_json(planned)) + "\n")
        _show_plan(planned, diff, output)
        if exit_code and planned.plan.changes():
            sys.exit(CHANGES_PENDING)


def _show_plan(planned: Planned, diff: bool, output: Output) -> None:
    shown = textdiff.diffs_of(planned.plan, planned.observed, planned.inventory.heat.source) if diff else {}
    output.show(
        lambda: plan_view.with_diffs(planned.plan, shown.values()),
        lambda: console.plan_json(planned.plan) | ({"diffs": shown} if diff else {}),
    )


def history(context: Context, inventory: str | None, flags: OutputFlags) -> None:
    """Show every generation that the hosts have kept."""
    with exit_codes(flags) as output:
        site = terminal.read(context, inventory)
        with terminal.fleet(site, output.handle, site.hosts, verb="recall") as fleet:
            known = pipeline.history(site, fleet)
        output.show(lambda: history_table.view(known), lambda: history_table.json(known))


def render(context: Context, inventory: str | None, out: str, source: str | None, flags: OutputFlags) -> None:
    """Write every host's files below a folder."""
    with exit_codes(flags) as output:
        site = terminal.read(context, inventory)
        if source:
            observed = pipeline.source_from_folder(site, Path(source))
        else:
            with terminal.fleet(site, output.handle, site.hosts) as fleet:
                observed = pipeline.observed_hosts(site, fleet)
        written = _rendered(site, observed, Path(out))
        terminal.show_warnings(output, written.warnings)
        output.show(
            lambda: f"{len(written.files)} files written below {out}",
            lambda: {
                "schema_version": SCHEMA_VERSION,
                "out": out,
                "files": [str(path) for path in written.files],
                "notes": list(written.warnings),
            },
        )


def _rendered(site: Inventory, observed: Mapping[str, Observation], out: Path) -> Export:
    try:
        return pipeline.render(site, observed, out)
    except OSError as error:
        where = error.filename or out
        raise errors.BadInput(
            f"{where}: cannot be written: {error.strerror}", "No host was changed; --out takes a folder."
        ) from None


def status(
    context: Context, inventory: str | None, watch: bool, interval: str, exit_code: bool, flags: OutputFlags
) -> None:
    """Show every process of the site: once, or with `watch` every `interval` seconds until Ctrl-C."""
    with exit_codes(flags) as output:
        seconds = terminal.seconds("interval", interval)
        site = terminal.read(context, inventory)
        with terminal.fleet(
            site, events.ignore if watch else output.handle, site.hosts, verb="watch" if watch else "observe"
        ) as fleet:
            if watch:
                code = status_watch.watch(site, fleet, output, exit_code, seconds)
            else:
                code = status_watch.once(site, fleet, output, exit_code)
        sys.exit(code)


def logs(context: Context, inventory: str | None, flags: LogFlags) -> None:
    """Show what the site's processes wrote to the journals: once, or line by line until Ctrl-C."""
    with exit_codes(flags.output) as output, signals.reader_may_leave():
        site = terminal.read(context, inventory)
        asked = _log_query(site, flags)
        with terminal.fleet(site, events.ignore if flags.follow else output.handle, asked.hosts, verb="logs") as fleet:
            view = logs_view.View(site, fleet, asked, output)
            code = view.follow() if flags.follow else view.once()
        sys.exit(code)


def _log_query(site: Inventory, flags: LogFlags) -> LogQuery:
    lines = flags.lines or (FIRST_LINES_FOLLOWED if flags.follow else LINES)
    return LogQuery(
        terminal.limit_hosts(site, flags.hosts) or tuple(site.hosts),
        query.service_of(flags.service),
        query.since_of(flags.since, datetime.now().astimezone()),
        flags.grep,
        query.lines_of(terminal.number("lines", lines)),
    )


def preflight(context: Context, inventory: str | None, flags: OutputFlags) -> None:
    """Show every problem that would make a deploy fail."""
    with exit_codes(flags) as output:
        site = terminal.read(context, inventory)
        with terminal.fleet(site, output.handle, site.hosts) as fleet:
            found = pipeline.preflight(site, fleet)
        terminal.show_warnings(output, found.warnings)
        output.show(
            lambda: "\n".join(found.problems) or f"{len(site.hosts)} hosts are ready.",
            lambda: {
                "schema_version": SCHEMA_VERSION,
                "problems": list(found.problems),
                "notes": list(found.warnings),
            },
        )
        if found.problems:
            sys.exit(errors.NotReady.exit_code)


def verify(context: Context, inventory: str | None, junit: str | None, cloud: str | None, flags: OutputFlags) -> None:
    """Prove the site from outside."""
    with exit_codes(flags) as output:
        site, report = terminal.read(context, inventory), Path(junit) if junit else None
        preparation.refuse_unprepared(report)
        user = preparation.cloud_of(site, cloud)
        with terminal.fleet(site, output.handle, site.hosts, verb="") as fleet:  # they are asked after a while
            proof = pipeline.verify(site, fleet, user, output.message)
        if report:
            report.write_text(proof.junit(), encoding="utf-8")
        output.show(lambda: proof_view.view(proof), proof.json)
        if proof.failed:
            sys.exit(errors.VerifyFailed.exit_code)


def lock(context: Context, inventory: str | None, flags: OutputFlags) -> None:
    """Show who holds the site's lock."""
    with exit_codes(flags) as output:
        site = terminal.read(context, inventory)
        with terminal.fleet(site, output.handle, [site.lock_host], verb="holder") as fleet:
            holder = pipeline.lock_holder(site, fleet)
        output.show(
            lambda: str(holder or "Nobody holds the lock."),
            lambda: {"schema_version": SCHEMA_VERSION, "held_by": asdict(holder) if holder else None},
        )
