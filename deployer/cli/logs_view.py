"""The journals at the terminal: what there is, or line by line until Ctrl-C."""

import os
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, replace

from deployer import errors, pipeline
from deployer.cli import signals, terminal
from deployer.cli.output import standard_output
from deployer.cli.output.output import Output
from deployer.cli.output.output_options import Color, Format
from deployer.cli.views import console, host_colors, logs_text
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
    output: Output

    def once(self) -> int:
        """Show what the journals hold, with what could not be asked on stderr; return the exit code."""
        logs = pipeline.logs(self.inventory, self.fleet, self.query)
        if self.output.options.format is Format.TABLE:
            _print(logs, self._line_of(logs))
        else:
            self.output.show(str, lambda: _as_json(self.inventory, logs))
        terminal.show_warnings(self.output, _notes(logs))
        for error in logs.errors.values():
            self.output.error(error)
        return errors.together(tuple(logs.errors.values())).exit_code if logs.errors else 0

    def follow(self) -> int:
        """Show the newest lines, then each that comes, until Ctrl-C or until nobody reads; return 0."""
        with signals.until_ctrl_c() as ended:
            logs = pipeline.logs(self.inventory, self.fleet, self.query)
            terminal.show_warnings(self.output, logs.wrong_clocks)
            is_table = self.output.options.format is Format.TABLE
            self._go_on(logs, self._line_of(logs) if is_table else _json_line, ended)
        return 0

    def _go_on(self, logs: Logs, line_of: LineOf, ended: threading.Event) -> None:
        following = Following()
        while not ended.is_set():
            _print(logs, line_of)
            for message in follow.messages(following, logs):
                self.output.message(message)
            has_more = follow.has_more(following, logs)
            following = follow.advanced(following, logs, time.monotonic())
            ended.wait(0.0 if has_more else POLL_INTERVAL)
            query = replace(self.query, hosts=follow.due(following, self.query.hosts, time.monotonic()))
            logs = pipeline.logs(self.inventory, self.fleet, query, following.positions)

    def _has_colours(self) -> bool:
        """Whether --color, NO_COLOR and the terminal allow colours."""
        color = self.output.options.color
        return color is Color.ALWAYS or color is Color.AUTO and host_colors.are_shown(sys.stdout, os.environ)

    def _line_of(self, logs: Logs) -> LineOf:
        widths = logs_text.columns(self.inventory, self.query.hosts, logs.entries)
        paint = host_colors.paint_for(tuple(self.inventory.hosts), self._has_colours())
        return lambda entry: logs_text.line(entry, widths, paint)


def _print(logs: Logs, line_of: LineOf) -> None:
    if logs.entries:
        standard_output.write("\n".join(map(line_of, logs.entries)))


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
