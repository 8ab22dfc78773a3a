"""The truth table as text, in 120 columns where names allow it: what says nothing new is left out. Pure."""

from collections.abc import Callable, Mapping
from typing import Any

from rich.console import Group, RenderableType
from rich.text import Text

from deployer.cli.views import colors, console, layout, screen
from deployer.status.instances import InstanceStatus
from deployer.status.site import SiteStatus

COLUMNS: Mapping[str, Callable[[InstanceStatus], Any]] = {
    "HOST": lambda line: line.host,
    "UNIT": lambda line: line.unit.removesuffix(".service"),
    "ADDRESS": lambda line: address(line),
    "PID": lambda line: line.pid,
    "STATE": lambda line: line.state,
    "CONFIG": lambda line: _config(line),
    "HEAT": lambda line: heat(line),
    "QUEUE": lambda line: _queue(line),
    "PROXY": lambda line: _proxy(line),
    "DRIFT": lambda line: line.drift,
}


COLORS: Mapping[str, Callable[[str], Text]] = {
    "STATE": colors.state,
    "HEAT": colors.state,
    "PROXY": colors.state,
    "CONFIG": colors.drift,
    "DRIFT": colors.drift,
}


def text(site_status: SiteStatus) -> str:
    """The table, then what a deploy would do, as a text without colours."""
    return screen.plain(view(site_status))


def view(site_status: SiteStatus) -> RenderableType:
    """The same for a terminal; words carry the meaning, colour only helps."""
    rows = {
        title: ["" if cell(line) is None else str(cell(line)) for line in site_status.lines]
        for title, cell in COLUMNS.items()
    }
    if all(line.config_is_desired is not False for line in site_status.lines):
        del rows["CONFIG"]
    cells = {title: [COLORS.get(title, Text)(cell) for cell in row] for title, row in rows.items() if any(row)}
    return Group(layout.Columns(cells, keys=2), *map(Text, ending(site_status)))


def address(line: InstanceStatus) -> str:
    """Where it should listen; several ports of one address are said together, and an engine listens nowhere."""
    places = [place.rpartition(":") for place in line.listens_on]
    ports: dict[str, list[str]] = {}
    for address, _, port in places:
        ports.setdefault(address, []).append(port)
    return ", ".join(f"{address}:{','.join(each)}" for address, each in ports.items())


def _config(line: InstanceStatus) -> str | None:
    return f"{line.config} old" if line.config_is_desired is False else line.config


def heat(line: InstanceStatus) -> str:
    """Heat's own word, with how many worker processes it lists as up, and of how many if not all are."""
    if not line.workers or line.heat != "up":
        return line.heat
    up, down = line.workers["up"], line.workers["down"]
    return f"{up}/{up + down} up" if down else f"{up} up"


def _queue(line: InstanceStatus) -> str | None:
    """Who reads an engine's queues, and what waits in them when something does."""
    if line.queue is None:
        return None
    waiting = f", {line.queue['messages']} wait" if line.queue["messages"] else ""
    return f"{line.queue['consumers']}{waiting}"


def _proxy(line: InstanceStatus) -> str:
    """The proxy's word, and the requests in progress."""
    return server(line) if line.sessions is None else f"{server(line)}, {line.sessions} open"


def server(line: InstanceStatus) -> str:
    """The proxy's word for a server, with its last check where it is not up."""
    return line.proxy if line.proxy == "UP" else " ".join(filter(None, (line.proxy, line.check)))


def ending(site_status: SiteStatus) -> list[str]:
    """The lines below the table: what is under way, and what a deploy would do."""
    return [*site_status.unfinished, *_pending(site_status)]


def _pending(site_status: SiteStatus) -> list[str]:
    if site_status.is_refused:
        return ["A deploy would be refused: `invoke remove-host` first, for the hosts that have left the inventory."]
    if site_status.pending:
        return [
            f"A deploy would take {console.counted(len(site_status.pending), 'step')}:",
            *(f"  {each}" for each in site_status.pending),
        ]
    if site_status.is_unproven:
        return ["A deploy would change nothing, and prove what an earlier run has started or stopped."]
    if site_status.drifts:
        return ["A deploy would change nothing: what drifts is not the inventory's."]
    return ["No drift on the hosts that answered." if site_status.errors else "No drift: every host is as wanted."]
