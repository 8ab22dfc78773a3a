"""The table of `status --watch`, in as many columns as there is room for. Pure."""

from collections.abc import Callable, Collection, Mapping, Sequence

from deployer.cli.views import status_table
from deployer.model import names
from deployer.status.instances import InstanceStatus
from deployer.status.rates import NO_RATES, Process, Rates

GAP = 2
MEBIBYTE, GIBIBYTE = 2**20, 2**30
Cell = Callable[[InstanceStatus, Rates], str]
COLUMNS: Mapping[str, Cell] = {
    "HOST": lambda line, rates: line.host,
    "UNIT": lambda line, rates: names.short(line.unit),
    "STATE": lambda line, rates: line.state,
    "HEALTH": lambda line, rates: _health(line),
    "REQ/S": lambda line, rates: _number(rates.requests_per_second),
    "OPEN": lambda line, rates: _whole(line.sessions),
    "QUEUE": lambda line, rates: _whole(line.queue["messages"] if line.queue else None),
    "CPU": lambda line, rates: _percent(rates.cpu_percent),
    "MEMORY": lambda line, rates: _size(rates.memory_bytes),
    "PID": lambda line, rates: _whole(line.pid),
    "ADDRESS": lambda line, rates: status_table.address(line),
    "DRIFT": lambda line, rates: line.drift,
}
NUMBERS = ("REQ/S", "OPEN", "QUEUE", "CPU", "MEMORY", "PID")  # to the right, so that their digits stay in place
WIDTHS = {"REQ/S": 6, "CPU": 6, "MEMORY": 7}  # at least: a number that grows moves no other column
# The last of these are left out where there is no room for all.
IMPORTANCE = ("HOST", "UNIT", "STATE", "DRIFT", "HEALTH", "REQ/S", "QUEUE", "CPU", "MEMORY", "OPEN", "PID", "ADDRESS")
DRIFT_ROOM = 16  # letters of what drifts that less important columns leave alone


def lines(instances: Sequence[InstanceStatus], rates: Mapping[Process, Rates], width: int | None) -> list[str]:
    """The table's lines, in the order of the rows; `width` None: with every column."""
    cells = {
        title: [cell(each, rates.get((each.host, each.unit), NO_RATES)) for each in instances]
        for title, cell in COLUMNS.items()
    }
    widths = {title: max(WIDTHS.get(title, 0), len(title), *map(len, each)) for title, each in cells.items()}
    shown = [title for title in cells if title in fitting(widths, width)]
    rows = [tuple(shown), *zip(*(cells[title] for title in shown), strict=True)]
    return [
        "".join(_padded(title, cell, widths) for title, cell in zip(shown, row, strict=True)).rstrip() for row in rows
    ]


def fitting(widths: Mapping[str, int], width: int | None) -> Collection[str]:
    """The titles of the columns that there is room for, given how wide each is."""
    room = width
    shown: list[str] = []
    for title in IMPORTANCE:
        needs = min(widths[title], DRIFT_ROOM if title == "DRIFT" else widths[title]) + (GAP if shown else 0)
        if room is not None and needs > room:
            break
        room = room if room is None else room - needs
        shown.append(title)
    return shown


def _padded(title: str, cell: str, widths: Mapping[str, int]) -> str:
    width = widths[title]
    return (cell.rjust(width) if title in NUMBERS else cell.ljust(width)) + " " * GAP


def _health(line: InstanceStatus) -> str:
    """What Heat says of an engine, and the proxy of an API, with its last check where it is not up."""
    return status_table.heat(line) or status_table.server(line)


def _number(value: float | None) -> str:
    return "" if value is None else f"{value:.1f}"


def _whole(value: int | None) -> str:
    return "" if value is None else str(value)


def _percent(value: float | None) -> str:
    return "" if value is None else f"{value:.1f}%"


def _size(value: int | None) -> str:
    if value is None:
        return ""
    return f"{value / MEBIBYTE:.0f} MiB" if value < GIBIBYTE else f"{value / GIBIBYTE:.1f} GiB"
