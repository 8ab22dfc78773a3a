"""What every command does at the terminal: read the inventory, call the pipeline, print, end with the contract's code.

Imports stay inside the functions, so that `invoke --list` and usage errors cost nothing.
"""

import os
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from deployer import console, errors

if TYPE_CHECKING:
    from deployer.inventory.schema import Inventory

CHANGES_PENDING = 2
SHORTEST_INTERVAL = 0.5  # seconds between two looks at every host
INTERRUPTED = 130
FORMATS = ("table", "json")


def deploy(context, inventory: str | None, yes: bool, limit: str, format: str) -> None:
    """Bring every host to its desired state."""
    with ending(format):
        wanted = _read(context, inventory)
        _deploy(wanted, _Terms(yes, _limit(wanted, limit), format))


def plan(context, inventory: str | None, diff: bool, exit_code: bool, limit: str, format: str) -> None:
    """Show what a deploy would do."""
    with ending(format):
        from deployer import diffs, pipeline

        wanted = _read(context, inventory)
        with _fleet(wanted) as fleet:
            todo = pipeline.planned(wanted, fleet, _limit(wanted, limit), contents=diff)
        shown = diffs.of_plan(todo.plan, todo.found, wanted.heat.source) if diff else {}
        _tell(todo.wanted.remarks)
        _print(format, lambda: "\n".join([*shown.values(), console.plan_text(todo.plan)]),
               lambda: console.plan_json(todo.plan) | ({"diffs": shown} if diff else {}))
        if exit_code and todo.plan.changes():
            sys.exit(CHANGES_PENDING)


def render(context, inventory: str | None, out: str, source: str | None) -> None:
    """Write every host's files below a folder."""
    with ending("table"):
        from deployer import pipeline

        wanted = _read(context, inventory)
        if source:
            found = pipeline.as_if_found(wanted, Path(source))
        else:
            with _fleet(wanted) as fleet:
                found = pipeline.found(wanted, fleet)
        written = pipeline.render(wanted, found, Path(out))
        print(f"{len(written)} files written below {out}")


def add(context, inventory: str | None, change: tuple[str, str, int], yes: bool, format: str) -> None:
    """Ask for more processes of a kind on a host, and deploy."""
    with ending(format):
        from deployer.inventory import editor

        _deploy_edited(_locate(context, inventory), editor.with_more, change, _Terms(yes, (), format))


def remove(context, inventory: str | None, change: tuple[str, str, int], yes: bool, format: str) -> None:
    """Ask for fewer processes of a kind on a host, and deploy."""
    with ending(format):
        from deployer.inventory import editor

        _deploy_edited(_locate(context, inventory), editor.with_fewer, change, _Terms(yes, (), format))


def scale(context, inventory: str | None, numbers: Mapping[str, Any], yes: bool, format: str) -> None:
    """Ask for totals over the hosts, or for another size of engines, and deploy."""
    with ending(format):
        from deployer import pipeline, scaling
        from deployer.inventory import editor, reader

        path = _locate(context, inventory)
        before = reader.read(path)
        wish = scaling.wish({flag: _number(flag, text) for flag, text in numbers.items() if text is not None})
        with _fleet(before) as fleet:
            text = pipeline.scaled(path.read_bytes().decode(), before, wish, fleet)
            _tell(tuple(scaling.remarks(before, wish)))
            terms = _Terms(yes, (), format, lambda: editor.write(path, text))
            report = pipeline.deploy(reader.parse(text, path), fleet, terms.accept)
        _end(report, format)


def status(context, inventory: str | None, watch: str | None, exit_code: bool, format: str) -> None:
    """Show every process of the site: once, or every `watch` seconds until Ctrl-C."""
    with ending(format):
        seconds = watch and _seconds("interval", watch)
        wanted = _read(context, inventory)
        with _fleet(wanted, quiet=bool(watch)) as fleet:
            fleet.open()  # the hosts answer while the rest is imported
            from deployer import watching

            show = watching.Show(wanted, fleet, format, exit_code)
            code = watching.repeat(show.again, seconds, ends=exit_code) if seconds else show.once()
        sys.exit(code)


def preflight(context, inventory: str | None, format: str) -> None:
    """Show every problem that would make a deploy fail."""
    with ending(format):
        from deployer import pipeline

        wanted = _read(context, inventory)
        with _fleet(wanted) as fleet:
            found = pipeline.check(wanted, fleet)
        _tell(found.notes)
        fine = f"{len(wanted.hosts)} hosts are ready."
        _print(format, lambda: "\n".join(found.problems) or fine,
               lambda: {"schema_version": console.SCHEMA_VERSION, "problems": list(found.problems),
                        "notes": list(found.notes)})
        if found.problems:
            sys.exit(errors.NotReady.exit_code)


def verify(context, inventory: str | None, junit: str | None, cloud: str | None, format: str) -> None:
    """Prove the site from outside."""
    with ending(format):
        from deployer import verify as verifying

        wanted = _read(context, inventory)
        proof = verifying.run(wanted, junit and Path(junit), cloud)
        _print(format, proof.text, proof.json)
        if proof.failed:
            sys.exit(errors.VerifyFailed.exit_code)


@contextmanager
def ending(format: str) -> Iterator[None]:
    """Turn what an operator can cause into two lines and an exit code; our own bugs keep their traceback."""
    try:
        if format not in FORMATS:
            raise errors.BadInput(f"--format takes table or json, not {format!r}")
        yield
    except errors.DeployerError as error:
        console.talk(console.error_text(error))
        sys.exit(error.exit_code)
    except KeyboardInterrupt:
        console.talk("interrupted: run the same command again, it goes on from what the hosts have now")
        sys.exit(INTERRUPTED)


class _Terms:
    """On what terms a deploy runs: without asking, on which hosts, shown how, and what to keep once it is accepted."""

    def __init__(self, yes: bool, limit: tuple[str, ...], format: str, keep: Callable[[], None] = lambda: None) -> None:
        self.yes, self.limit, self.format, self.keep = yes, limit, format, keep

    def accept(self, todo) -> bool:
        """Show the plan, ask where somebody can answer, and keep the changed inventory before the first change."""
        changes = todo.plan.changes()
        _tell((*todo.wanted.remarks, *todo.notes) if changes else ())
        if changes:
            console.talk(console.plan_text(todo.plan, "about to be applied"))
        if changes and not self.yes and sys.stdin.isatty() and not console.confirmed("Apply this plan?"):
            return False
        self.keep()
        return True


def _deploy_edited(path: Path, edit: Callable, change: tuple[str, str, int], terms: _Terms) -> None:
    """Deploy a changed inventory, whose file is written once the plan is accepted."""
    from deployer.inventory import editor, reader
    from deployer.model import Service

    reader.read(path)
    host, service, count = change
    text = edit(path.read_bytes().decode(), host, Service(service), _number("count", count))
    wanted = reader.parse(text, path)
    if not any(each.service == service for each in wanted.instances()):
        raise errors.BadInput(f"{host}: this would take the site's last {service} away",
                              "Clients would be refused. To mean it, change the inventory by hand and deploy.")
    terms.keep = lambda: editor.write(path, text)
    _deploy(wanted, terms)


def _deploy(wanted: "Inventory", terms: _Terms) -> None:
    from deployer import pipeline

    with _fleet(wanted) as fleet:
        report = pipeline.deploy(wanted, fleet, terms.accept, terms.limit)
    _end(report, terms.format)


def _end(report, format: str) -> None:
    """Show how a deploy ended, and end with its exit code."""
    applied = report.applied
    left = applied.left or report.left.changes()
    if not report.accepted:
        console.talk("Nothing was changed.")
    else:
        _print(format, lambda: console.deploy_text(applied.done, applied.failed, left),
               lambda: console.deploy_json(report.planned.plan, applied.done, applied.failed, left))
    sys.exit(report.exit_code)


def _read(context, inventory: str | None) -> "Inventory":
    from deployer.inventory import reader

    return reader.read(_locate(context, inventory))


def _locate(context, inventory: str | None) -> Path:
    from deployer.inventory import reader

    return reader.locate(inventory, os.environ, Path.cwd(), context.config.get("inventory"))


def _fleet(wanted: "Inventory", quiet: bool = False):
    from deployer.remote import fleet

    return fleet.over_ssh({name: wanted.host(name) for name in wanted.hosts}, console.Progress(quiet))


def _limit(wanted: "Inventory", limit: str) -> tuple[str, ...]:
    names = tuple(name for name in limit.split(",") if name)
    for name in names:
        wanted.host(name)
    return names


def _number(flag: str, text: Any) -> int:
    try:
        return int(text)
    except ValueError:
        raise errors.BadInput(f"--{flag} takes a number, not {text!r}") from None


def _seconds(flag: str, text: str) -> float:
    try:
        return max(float(text), SHORTEST_INTERVAL)
    except ValueError:
        raise errors.BadInput(f"--{flag} takes a number of seconds, not {text!r}") from None


def _tell(remarks: tuple[str, ...]) -> None:
    for remark in remarks:
        console.talk(f"note: {remark}")


def _print(format: str, text: Callable[[], str], data: Callable[[], Mapping[str, Any]]) -> None:
    print(console.as_json(data()) if format == "json" else text())
