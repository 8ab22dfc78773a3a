"""What every command that changes the site does at the terminal: a changed input, shown, accepted and deployed.

Imports stay inside the functions, so that `invoke --list` and usage errors cost nothing.
"""

import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from deployer import errors
from deployer.cli import console, run_report, terminal
from deployer.cli.terminal import exit_codes

if TYPE_CHECKING:
    from deployer.cli.session import InventoryFile
    from deployer.inventory.schema import Inventory
    from deployer.remote.fleet import Fleet

Edit = Callable[[str], str]


@dataclass(frozen=True)
class CommandOptions:
    """On what terms a deploy runs: unasked, on which hosts, in what manner, shown how, and what it does as it begins.

    `wait` are the seconds that work in progress may take ("": the inventory's); `force` goes on without it after them,
    and also where nobody would be left to serve. `lock_wait`: seconds that another command may take to end. `on_error`:
    what becomes of the others when a host fails. `check` may refuse the plan before anybody is asked.
    """

    yes: bool = False
    format: str = "table"
    limit: str = ""
    wait: str = ""
    force: bool = False
    lock_wait: str = ""
    on_error: str = "stop"
    keep: Callable[[], None] = field(default=lambda: None)
    check: Callable[[Any], None] = field(default=lambda todo: None)

    def accept(self, todo) -> bool:
        """Show the plan, and ask where somebody can answer."""
        self.check(todo)
        changes = todo.plan.changes()
        terminal.show_warnings((*todo.desired.warnings, *todo.warnings) if changes else ())
        if changes:
            console.message(console.plan_text(todo.plan, "about to be applied"))
        return not changes or self.yes or not sys.stdin.isatty() or console.confirmed("Apply this plan?")

    def options(self, restart: tuple[str, ...] = ()):
        """How the plan is to be carried out."""
        from deployer.model.steps import OnError, RolloutOptions

        if self.on_error not in tuple(OnError):
            raise errors.BadInput(f"--on-error takes {', '.join(OnError)}, not {self.on_error!r}")
        seconds = terminal.seconds("wait", self.wait, 0.0) if self.wait else None
        return RolloutOptions(restart, wait=seconds, force=self.force, on_error=OnError(self.on_error))


def deploy(context, inventory: str | None, terms: CommandOptions, plan: str = "") -> None:
    """Bring every host to its desired state; given the file of a plan, only by that very plan."""
    with exit_codes(terms.format):
        saved = _saved(plan, terms) if plan else None
        if saved:
            terms = replace(terms, limit=saved["limit"], yes=True)
        with _alone(context, inventory or (saved and saved["inventory"]), terms) as (wish, fleet):
            report = _deploy(wish, fleet, replace(terms, check=_as_saved(saved, wish.text)) if saved else terms)
        _end(report, terms.format)


def _saved(path: str, terms: CommandOptions) -> Mapping[str, Any]:
    from deployer.plan import saved_plan

    if terms.limit:
        raise errors.BadInput("--limit and --plan do not go together: the plan has its own hosts")
    return saved_plan.from_json(terminal.text_of(path), path)


def _as_saved(kept: Mapping[str, Any], text: str) -> Callable[[Any], None]:
    """What refuses any other plan than the saved one."""

    def check(todo) -> None:
        from deployer.plan import saved_plan

        moved = saved_plan.changes_since(kept, todo, text)
        if moved:
            raise errors.StalePlan(moved, hint="Nothing was changed. Make the plan again, and look at it.")

    return check


def restart(context, inventory: str | None, terms: CommandOptions) -> None:
    """Restart every process of Heat, one host after the other."""
    with exit_codes(terms.format):
        with _alone(context, inventory, terms) as (wish, fleet):
            hosts = terminal.limit_hosts(wish.inventory, terms.limit) or tuple(wish.inventory.hosts)
            report = _deploy(wish, fleet, terms, hosts)
        _end(report, terms.format)


def add(context, inventory: str | None, change: tuple[str, str, Any], terms: CommandOptions) -> None:
    """Ask for more processes of a kind on a host, and deploy."""
    with exit_codes(terms.format):
        from deployer.inventory import editor

        _deploy_edited(context, inventory, _numbers(editor.with_more, change), terms)


def remove(context, inventory: str | None, change: tuple[str, str, Any], terms: CommandOptions) -> None:
    """Ask for fewer processes of a kind on a host, and deploy."""
    with exit_codes(terms.format):
        from deployer.inventory import editor

        _deploy_edited(context, inventory, _numbers(editor.with_fewer, change), terms, loses=change[1])


def drain(context, inventory: str | None, host: str, drained: bool, terms: CommandOptions) -> None:
    """Have the proxy send a host's APIs nothing, or everything again, and deploy."""
    with exit_codes(terms.format):
        from deployer.inventory import editor

        _deploy_edited(context, inventory, lambda text: editor.with_drained(text, host, drained), terms)


def scale(context, inventory: str | None, numbers: Mapping[str, Any], terms: CommandOptions) -> None:
    """Ask for totals over the hosts, or for another size of engines, and deploy."""
    with exit_codes(terms.format):
        from deployer import pipeline
        from deployer.cli import session
        from deployer.inventory import scaling

        wish = scaling.request_of(
            {flag: terminal.number(flag, text) for flag, text in numbers.items() if text is not None}
        )
        with _alone(context, inventory, terms, check=lambda wanted: scaling.refuse_impossible(wanted, wish)) as (
            now,
            fleet,
        ):
            text = pipeline.scaled_text(now.text, now.inventory, wish, fleet)
            terminal.show_warnings(tuple(scaling.warnings(now.inventory, wish)))
            terms = _keeping(terms, now.path, text, fleet)
            report = _deploy(session.inventory_file(now.path, text), fleet, terms)
        _end(report, terms.format)


def restore(context, inventory: str | None, terms: CommandOptions) -> None:
    """Go back to the single server."""
    with exit_codes(terms.format):
        with _alone(context, inventory, terms) as (wish, fleet):
            from deployer import pipeline

            def accept(todo) -> bool:
                changes = todo.plan.changes()
                if changes:
                    console.message(console.plan_text(todo.plan, "about to be applied"))
                return not changes or terms.yes or not sys.stdin.isatty() or _names(wish.inventory.site)

            report = pipeline.restore(wish.inventory, fleet, accept, terms.options(), _author(wish))
        _end(report, terms.format)


def _names(site: str) -> bool:
    """Whether the person at the terminal means this very site."""
    print(f"This takes the site away. To go on, type its name ({site}): ", end="", file=sys.stderr, flush=True)
    return sys.stdin.readline().strip() == site


def rollback(context, inventory: str | None, number: str, terms: CommandOptions) -> None:
    """Go back to what the hosts had in a generation, and to its inventory."""
    with exit_codes(terms.format):
        chosen = terminal.number("to", number) if number else None
        with _alone(context, inventory, terms) as (wish, fleet):
            from deployer import pipeline
            from deployer.cli import session

            then = pipeline.target(wish.inventory, fleet, chosen)
            old = session.inventory_of_generation(wish, then.author.text)
            terms = _keeping(terms, old.path, old.text, fleet)
            report = pipeline.rollback(
                old.inventory, then.number, fleet, terms.accept, terms.options(), _author(old), terms.keep
            )
        _end(report, terms.format)


def recover(context, inventory: str | None, terms: CommandOptions) -> None:
    """Show what dead engines have left, and take it away."""
    with exit_codes(terms.format):
        from dataclasses import asdict

        from deployer.heat import recovery

        with _alone(context, inventory, terms) as (wish, fleet):
            observed = recovery.dead_workers(wish.inventory, fleet)
            accepted = bool(observed) and _accepted(recovery.text(observed, False), terms.yes)
            cleaned = recovery.clean(wish.inventory, fleet) if accepted else ()
        terminal.show(
            terms.format,
            lambda: recovery.text(cleaned or observed, accepted),
            lambda: {
                "schema_version": console.SCHEMA_VERSION,
                "cleaned": accepted,
                "workers": [asdict(each) for each in cleaned or observed],
            },
        )


def _accepted(shown: str, yes: bool) -> bool:
    console.message(shown)
    return yes or not sys.stdin.isatty() or console.confirmed("Mark this work as failed and take the rest away?")


def _numbers(edit: Callable[..., str], change: tuple[str, str, Any]) -> Edit:
    from deployer.model.service import Service

    host, service, count = change
    return lambda text: edit(text, host, Service(service), terminal.number("count", count))


def _deploy_edited(context, inventory: str | None, edit: Edit, terms: CommandOptions, loses: str = "") -> None:
    """Deploy a changed inventory, whose file is written once every host is ready; `loses` is what it has fewer of."""

    def check(wanted: "Inventory") -> None:
        if loses and not terms.force and not any(each.service == loses for each in wanted.instances()):
            raise errors.BadInput(f"this would take the site's last {loses} away", "To mean it, say --force.")

    with _alone(context, inventory, terms, edit, check) as (wish, fleet):
        report = _deploy(wish, fleet, _keeping(terms, wish.path, wish.text, fleet))
    _end(report, terms.format)


def _alone(
    context,
    inventory: str | None,
    terms: CommandOptions,
    edit: Edit | None = None,
    check: Callable[["Inventory"], None] = lambda wanted: None,
):
    """What is wanted of a site, edited and checked, and its hosts for this command alone."""
    from dataclasses import replace

    from deployer.cli import session

    def read(path, text: str) -> session.InventoryFile:
        as_it_is = session.inventory_file(path, text)
        wish = session.inventory_file(path, edit(text)) if edit else as_it_is
        limit = terminal.limit_hosts(wish.inventory, terms.limit)
        check(wish.inventory)
        return replace(wish, hosts=_needed(wish.inventory, limit))

    terms.options()
    return session.exclusive(context, inventory, terms.lock_wait, read)


def _needed(inventory: "Inventory", limit: tuple[str, ...]):
    if not limit:
        return ()
    from deployer import pipeline

    return pipeline.needed(inventory, limit)


def _keeping(terms: CommandOptions, path, text: str, fleet: "Fleet") -> CommandOptions:
    """The terms of a command that writes a changed inventory when its plan may begin, if it is still alone then."""
    from deployer.inventory import editor

    def keep() -> None:
        if not fleet.holds_lease():
            raise errors.Locked.lost()
        editor.write(path, text)

    return replace(terms, keep=keep)


def _deploy(wish: "InventoryFile", fleet: "Fleet", terms: CommandOptions, restart: tuple[str, ...] = ()):
    limit, options = terminal.limit_hosts(wish.inventory, terms.limit), terms.options(restart)
    from deployer import pipeline

    return pipeline.deploy(wish.inventory, fleet, terms.accept, limit, options, _author(wish), terms.keep)


def _author(wish: "InventoryFile"):
    """This very command, as the hosts remember it."""
    from deployer.cli import session

    return session.author(wish)


def _end(report, format: str) -> None:
    """Show how a deploy ended, and end with its exit code."""
    if not report.accepted:
        console.message("Nothing was changed.")
    else:
        terminal.show(format, lambda: run_report.text(report), lambda: run_report.json(report))
    sys.exit(report.exit_code)
