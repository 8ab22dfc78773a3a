"""Journal entries as lines: TIME HOST UNIT MESSAGE. Pure."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, tzinfo

from deployer.cli.views.host_colors import Paint
from deployer.inventory.schema import Inventory
from deployer.logs.merge import LogEntry

CONTINUED = "    | "  # before the further lines of a message: none of them can be taken for another entry


@dataclass(frozen=True)
class LogColumns:
    """How wide the columns are, and the zone of the times (None: this machine's)."""

    host: int
    unit: int
    zone: tzinfo | None = None


def columns(inventory: Inventory, hosts: Iterable[str], entries: Iterable[LogEntry]) -> LogColumns:
    """LogColumns that are wide enough for every process of some hosts, and for some entries."""
    names = tuple(hosts)
    wanted = [each.unit for host in names for each in inventory.instances_of(host)]
    units = [LogEntry(0, "", unit, None, None, "").name for unit in wanted] + [each.name for each in entries]
    return LogColumns(max(map(len, names), default=0), max(map(len, units), default=0))


def line(entry: LogEntry, widths: LogColumns, paint: Paint) -> str:
    """An entry as it is shown; a message of several lines stays together."""
    time = datetime.fromtimestamp(entry.time / 1_000_000, widths.zone).strftime("%m-%d %H:%M:%S.%f")[:-3]
    who = paint(entry.host, f"{entry.host:{widths.host}} {entry.name:{widths.unit}}")
    first, *more = entry.message.split("\n")
    return "\n".join([f"{time} {who} {first}", *(f"{CONTINUED}{each}" for each in more)])
