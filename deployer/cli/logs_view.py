"""The journals at the terminal: what there is, or line by line until Ctrl-C."""

import os
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, replace

from deployer import errors, pipeline
from deployer.cli import console, host_colours, logs_text, signals, terminal
from deployer.inventory.schema import Inventory
from deployer.logs import follow, merge
from deployer.logs.follow import Following
from deployer.logs.journals import Logs
from deployer.logs.merge import LogEntry
from deployer.logs.query import LogQuery
from deployer.model.contract import SCHEMA_VERSION
from deployer.model.wire import Json
from deployer.remote.fleet import Fleet

LineOf = Callable[[LogEntry], str]
POLL_INTERVAL = 1.0  # seconds between two requests to every host


@dataclass(frozen=True)
class View:
    """What is shown, of which site, and how."""

    inventory: Inventory
    fleet: Fleet
    query: LogQuery
    format: str

    def once(self) -> int:
        """Show what the journals hold, with what could not be asked on stderr; return the exit code."""
        logs = pipeline.logs(self.inventory, self.fleet, self.query)
        if self.format == "json":
            print(console.as_json(_as_json(self.inventory, logs)))
        else:
            _print(logs, self._line_of(logs))
        terminal.show_warnings(_notes(logs))
        for error in logs.errors.values():
            console.message(console.error_text(error))
        return errors.together(tuple(logs.errors.values())).exit_code if logs.errors else 0

    def follow(self) -> int:
        """Show the newest lines, then each that comes, until Ctrl-C or until nobody reads; return 0."""
        with signals.until_ctrl_c() as ended:
            logs = pipeline.logs(self.inventory, self.fleet, self.query)
            terminal.show_warnings(logs.wrong_clocks)
            self._go_on(logs, _json_line if self.format == "json" else self._line_of(logs), ended)
        return 0

    def _go_on(self, logs: Logs, line_of: LineOf, ended: threading.Event) -> None:
        following = Following()
        while not ended.is_set():
            _print(logs, line_of)
            for message in follow.messages(following, logs):
                console.message(message)
            has_more = follow.has_more(following, logs)
            following = follow.advanced(following, logs, time.monotonic())
            ended.wait(0.0 if has_more else POLL_INTERVAL)
            query = replace(self.query, hosts=follow.due(following, self.query.hosts, time.monotonic()))
            logs = pipeline.logs(self.inventory, self.fleet, query, following.positions)

    def _line_of(self, logs: Logs) -> LineOf:
        widths = logs_text.columns(self.inventory, self.query.hosts, logs.entries)
        paint = host_colours.paint_for(tuple(self.inventory.hosts), sys.stdout, os.environ)
        return lambda entry: logs_text.line(entry, widths, paint)


def _print(logs: Logs, line_of: LineOf) -> None:
    for entry in logs.entries:
        print(line_of(entry))
    sys.stdout.flush()


def _json_line(entry: LogEntry) -> str:
    return console.as_json(merge.line_json(entry), indent=None)


def _notes(logs: Logs) -> tuple[str, ...]:
    return (*logs.omissions, *logs.wrong_clocks)


def _as_json(inventory: Inventory, logs: Logs) -> dict[str, Json]:
    """The contract of `logs --format json`: fields may be added, never renamed."""
    return {
        "schema_version": SCHEMA_VERSION,
        "site": inventory.site,
        "entries": [merge.as_json(entry) for entry in logs.entries],
        "errors": [error.message for error in logs.errors.values()],
        "notes": list(_notes(logs)),
    }
