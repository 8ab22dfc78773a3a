"""What every command that changes no host does at the terminal; the others are in `changing`.

Imports stay inside the functions, so that `invoke --list` and usage errors cost nothing.
"""

import sys
from pathlib import Path

from deployer import errors
from deployer.cli import console, terminal
from deployer.cli.terminal import exit_codes

CHANGES_PENDING = 2


def plan(context, inventory: str | None, diff: bool, exit_code: bool, limit: str, out: str, format: str) -> None:
    """Show what a deploy would do, and keep it for `deploy --plan`."""
    with exit_codes(format):
        from deployer import pipeline
        from deployer.plan import textdiff

        wanted = terminal.read(context, inventory)
        with terminal.fleet(wanted) as fleet:
            todo = pipeline.planned(wanted, fleet, terminal.limit_hosts(wanted, limit), contents=diff)
        shown = textdiff.diffs_of(todo.plan, todo.observed, wanted.heat.source) if diff else {}
        terminal.show_warnings((*todo.desired.warnings, *todo.warnings))
        if out:
            _keep(todo, out, limit)
        terminal.show(
            format,
            lambda: "\n".join([*shown.values(), console.plan_text(todo.plan)]),
            lambda: console.plan_json(todo.plan) | ({"diffs": shown} if diff else {}),
        )
        if exit_code and todo.plan.changes():
            sys.exit(CHANGES_PENDING)


def _keep(todo, out: str, limit: str) -> None:
    from deployer.plan import saved_plan

    path = todo.inventory.path
    kept = saved_plan.to_json(todo, str(path.absolute()), terminal.text_of(str(path)), limit)
    terminal.write_private(out, console.as_json(kept) + "\n")


def history(context, inventory: str | None, format: str) -> None:
    """Show every generation that the hosts have kept."""
    with exit_codes(format):
        from deployer import pipeline
        from deployer.cli import history_table

        wanted = terminal.read(context, inventory)
        with terminal.fleet(wanted) as fleet:
            known = pipeline.history(wanted, fleet)
        terminal.show(format, lambda: history_table.text(known), lambda: history_table.json(known))


def render(context, inventory: str | None, out: str, source: str | None) -> None:
    """Write every host's files below a folder."""
    with exit_codes("table"):
        from deployer import pipeline

        wanted = terminal.read(context, inventory)
        if source:
            observed = pipeline.as_if_found(wanted, Path(source))
        else:
            with terminal.fleet(wanted) as fleet:
                observed = pipeline.observed(wanted, fleet)
        written = pipeline.render(wanted, observed, Path(out))
        print(f"{len(written)} files written below {out}")


def status(context, inventory: str | None, watch: str | None, exit_code: bool, format: str) -> None:
    """Show every process of the site: once, or every `watch` seconds until Ctrl-C."""
    with exit_codes(format):
        seconds = watch and terminal.seconds("interval", watch)
        wanted = terminal.read(context, inventory)
        with terminal.fleet(wanted, quiet=bool(watch)) as fleet:
            fleet.open()  # the hosts answer while the rest is imported
            from deployer.cli import status_watch

            show = status_watch.Show(wanted, fleet, format, exit_code)
            code = status_watch.repeat(show.again, seconds, ends=exit_code) if seconds else show.once()
        sys.exit(code)


def preflight(context, inventory: str | None, format: str) -> None:
    """Show every problem that would make a deploy fail."""
    with exit_codes(format):
        from deployer import pipeline

        wanted = terminal.read(context, inventory)
        with terminal.fleet(wanted) as fleet:
            observed = pipeline.check(wanted, fleet)
        terminal.show_warnings(observed.warnings)
        fine = f"{len(wanted.hosts)} hosts are ready."
        terminal.show(
            format,
            lambda: "\n".join(observed.problems) or fine,
            lambda: {
                "schema_version": console.SCHEMA_VERSION,
                "problems": list(observed.problems),
                "notes": list(observed.warnings),
            },
        )
        if observed.problems:
            sys.exit(errors.NotReady.exit_code)


def verify(context, inventory: str | None, junit: str | None, cloud: str | None, format: str) -> None:
    """Prove the site from outside."""
    with exit_codes(format):
        from deployer.verify import prove as verifying

        wanted = terminal.read(context, inventory)
        proof = verifying.run(wanted, junit and Path(junit), cloud)
        terminal.show(format, proof.text, proof.json)
        if proof.failed:
            sys.exit(errors.VerifyFailed.exit_code)


def lock(context, inventory: str | None, format: str) -> None:
    """Show who holds the site's lock."""
    with exit_codes(format):
        from deployer.apply import lock as locks

        wanted = terminal.read(context, inventory)
        with terminal.fleet(wanted) as fleet:
            holder = locks.holder(wanted, fleet)
        terminal.show(
            format,
            lambda: str(holder or "Nobody holds the lock."),
            lambda: {"schema_version": console.SCHEMA_VERSION, "held_by": locks.as_json(holder)},
        )


def unlock(context, inventory: str | None, id: str, format: str) -> None:
    """End the lock that has this id, and so the command that holds it."""
    with exit_codes(format):
        from deployer.apply import lock as locks

        wanted = terminal.read(context, inventory)
        with terminal.fleet(wanted) as fleet:
            ended = locks.release(wanted, fleet, id)
        terminal.show(
            format,
            lambda: f"Ended the lock of {ended}",
            lambda: {"schema_version": console.SCHEMA_VERSION, "ended": locks.as_json(ended)},
        )
