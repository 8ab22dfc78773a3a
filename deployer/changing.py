"""What every command that changes the site does at the terminal: a changed input, shown, accepted and deployed.

Imports stay inside the functions, so that `invoke --list` and usage errors cost nothing.
"""

import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from deployer import console, errors, outcome, terminal
from deployer.terminal import ending

if TYPE_CHECKING:
    from deployer.inventory.schema import Inventory

Edit = Callable[[str], str]


@dataclass(frozen=True)
class Terms:
    """On what terms a deploy runs: unasked, on which hosts, in what manner, shown how, and what it does when accepted.

    `wait` are the seconds that work in progress may take ("": the inventory's); `force` goes on without it after them,
    and also where nobody would be left to serve.
    """

    yes: bool = False
    format: str = "table"
    limit: str = ""
    wait: str = ""
    force: bool = False
    keep: Callable[[], None] = field(default=lambda: None)

    def accept(self, todo) -> bool:
        """Show the plan, ask where somebody can answer, and keep the changed inventory before the first change."""
        changes = todo.plan.changes()
        terminal.tell((*todo.wanted.remarks, *todo.notes) if changes else ())
        if changes:
            console.talk(console.plan_text(todo.plan, "about to be applied"))
        if changes and not self.yes and sys.stdin.isatty() and not console.confirmed("Apply this plan?"):
            return False
        self.keep()
        return True

    def manner(self, restart: tuple[str, ...] = ()):
        """How the plan is to be carried out."""
        from deployer.steps import Manner

        return Manner(restart, wait=terminal.seconds("wait", self.wait, 0.0) if self.wait else None, force=self.force)


def deploy(context, inventory: str | None, terms: Terms) -> None:
    """Bring every host to its desired state."""
    with ending(terms.format):
        _deploy(terminal.read(context, inventory), terms)


def restart(context, inventory: str | None, terms: Terms) -> None:
    """Restart every process of Heat, one host after the other."""
    with ending(terms.format):
        wanted = terminal.read(context, inventory)
        _deploy(wanted, terms, terminal.limited(wanted, terms.limit) or tuple(wanted.hosts))


def add(context, inventory: str | None, change: tuple[str, str, Any], terms: Terms) -> None:
    """Ask for more processes of a kind on a host, and deploy."""
    with ending(terms.format):
        from deployer.inventory import editor

        _deploy_edited(context, inventory, _numbers(editor.with_more, change), terms)


def remove(context, inventory: str | None, change: tuple[str, str, Any], terms: Terms) -> None:
    """Ask for fewer processes of a kind on a host, and deploy."""
    with ending(terms.format):
        from deployer.inventory import editor

        _deploy_edited(context, inventory, _numbers(editor.with_fewer, change), terms, loses=change[1])


def drain(context, inventory: str | None, host: str, drained: bool, terms: Terms) -> None:
    """Have the proxy send a host's APIs nothing, or everything again, and deploy."""
    with ending(terms.format):
        from deployer.inventory import editor

        _deploy_edited(context, inventory, lambda text: editor.with_drained(text, host, drained), terms)


def scale(context, inventory: str | None, numbers: Mapping[str, Any], terms: Terms) -> None:
    """Ask for totals over the hosts, or for another size of engines, and deploy."""
    with ending(terms.format):
        from deployer import pipeline, scaling
        from deployer.inventory import editor, reader

        path = terminal.locate(context, inventory)
        before = reader.read(path)
        wish = scaling.wish({flag: terminal.number(flag, text) for flag, text in numbers.items() if text is not None})
        with terminal.fleet(before) as fleet:
            text = pipeline.scaled(path.read_bytes().decode(), before, wish, fleet)
            terminal.tell(tuple(scaling.remarks(before, wish)))
            terms = _keeping(terms, lambda: editor.write(path, text))
            report = pipeline.deploy(reader.parse(text, path), fleet, terms.accept, manner=terms.manner())
        _end(report, terms.format)


def restore(context, inventory: str | None, terms: Terms) -> None:
    """Go back to the single server."""
    with ending(terms.format):
        wanted = terminal.read(context, inventory)
        from deployer import pipeline

        def accept(todo) -> bool:
            changes = todo.plan.changes()
            if changes:
                console.talk(console.plan_text(todo.plan, "about to be applied"))
            return not changes or terms.yes or not sys.stdin.isatty() or _names(wanted.site)

        with terminal.fleet(wanted) as fleet:
            report = pipeline.restore(wanted, fleet, accept, terms.manner())
        _end(report, terms.format)


def _names(site: str) -> bool:
    """Whether the person at the terminal means this very site."""
    print(f"This takes the site away. To go on, type its name ({site}): ", end="", file=sys.stderr, flush=True)
    return sys.stdin.readline().strip() == site


def recover(context, inventory: str | None, yes: bool, format: str) -> None:
    """Show what dead engines have left, and take it away."""
    with ending(format):
        from dataclasses import asdict

        from deployer.heat import abandoned

        wanted = terminal.read(context, inventory)
        with terminal.fleet(wanted) as fleet:
            found = abandoned.look(wanted, fleet)
            accepted = bool(found) and _accepted(abandoned.text(found, False), yes)
            cleaned = abandoned.clean(wanted, fleet) if accepted else ()
        terminal.show(format, lambda: abandoned.text(cleaned or found, accepted),
                      lambda: {"schema_version": console.SCHEMA_VERSION, "cleaned": accepted,
                               "workers": [asdict(each) for each in cleaned or found]})


def _accepted(shown: str, yes: bool) -> bool:
    console.talk(shown)
    return yes or not sys.stdin.isatty() or console.confirmed("Mark this work as failed and take the rest away?")


def _numbers(edit: Callable[..., str], change: tuple[str, str, Any]) -> Edit:
    from deployer.model import Service

    host, service, count = change
    return lambda text: edit(text, host, Service(service), terminal.number("count", count))


def _deploy_edited(context, inventory: str | None, edit: Edit, terms: Terms, loses: str = "") -> None:
    """Deploy a changed inventory, whose file is written once the plan is accepted; `loses` is what it has fewer of."""
    from deployer.inventory import editor, reader

    path = terminal.locate(context, inventory)
    reader.read(path)
    text = edit(path.read_bytes().decode())
    wanted = reader.parse(text, path)
    if loses and not terms.force and not any(each.service == loses for each in wanted.instances()):
        raise errors.BadInput(f"this would take the site's last {loses} away", "To mean it, say --force.")
    _deploy(wanted, _keeping(terms, lambda: editor.write(path, text)))


def _keeping(terms: Terms, keep: Callable[[], None]) -> Terms:
    from dataclasses import replace

    return replace(terms, keep=keep)


def _deploy(wanted: "Inventory", terms: Terms, restart: tuple[str, ...] = ()) -> None:
    limit, manner = terminal.limited(wanted, terms.limit), terms.manner(restart)
    from deployer import pipeline

    with terminal.fleet(wanted) as fleet:
        report = pipeline.deploy(wanted, fleet, terms.accept, limit, manner)
    _end(report, terms.format)


def _end(report, format: str) -> None:
    """Show how a deploy ended, and end with its exit code."""
    if not report.accepted:
        console.talk("Nothing was changed.")
    else:
        terminal.show(format, lambda: outcome.text(report), lambda: outcome.json(report))
    sys.exit(report.exit_code)
