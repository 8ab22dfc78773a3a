"""The journals of several hosts as one, in the order of time. Pure."""

import heapq
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from operator import attrgetter

from deployer.model import names
from deployer.model.contract import SCHEMA_VERSION
from deployer.model.wire import Json


@dataclass(frozen=True)
class LogEntry:
    """An entry of a host's journal. `time`: microseconds since the epoch; `priority`: 0 (emergency) to 7 (debug)."""

    time: int
    host: str
    unit: str
    pid: int | None
    priority: int | None
    message: str

    @property
    def name(self) -> str:
        """The unit as a column has it."""
        return names.short(self.unit)


def merged(journals: Mapping[str, Iterable[Mapping[str, Json]]], grep: str = "") -> tuple[LogEntry, ...]:
    """Given host -> its entries in the order of its journal, return those of all hosts by time.

    Each host's own order stays, even where its clock was set back; of one time the first host comes first. `grep` is
    tried again on the messages as they are shown: a secret that became `***` is no match.
    """
    hosts = [[_entry(host, each) for each in entries] for host, entries in journals.items()]
    needle = grep.casefold()
    return tuple(each for each in heapq.merge(*hosts, key=attrgetter("time")) if needle in each.message.casefold())


def as_json(entry: LogEntry) -> dict[str, Json]:
    """The contract of an entry in `logs --format json`: fields may be added, never renamed."""
    return {
        "time": datetime.fromtimestamp(entry.time / 1_000_000, UTC).isoformat(timespec="microseconds"),
        "host": entry.host,
        "unit": entry.unit,
        "pid": entry.pid,
        "priority": entry.priority,
        "message": entry.message,
    }


def line_json(entry: LogEntry) -> dict[str, Json]:
    """An entry that stands alone, as `logs --follow --format json` prints one a line."""
    return {"schema_version": SCHEMA_VERSION, **as_json(entry)}


def _entry(host: str, each: Mapping[str, Json]) -> LogEntry:
    return LogEntry(each["time"], host, each["unit"], each["pid"], each["priority"], each["message"])
