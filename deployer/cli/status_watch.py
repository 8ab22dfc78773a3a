"""The picture of a site shown once, or again and again with what happens in between: in place on a terminal."""

import os
import shutil
import sys
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field, replace

from deployer import errors, pipeline
from deployer.cli import signals
from deployer.cli.output import event_json, standard_output
from deployer.cli.output.output import Output, utc_now
from deployer.cli.output.output_options import Format
from deployer.cli.views import alternate_screen, console, status_table, watch_table
from deployer.inventory.schema import Inventory
from deployer.model.events import ErrorRaised
from deployer.remote.fleet import Fleet
from deployer.status import rates, site, sorting
from deployer.status.rates import Counters, Process, Rates
from deployer.status.site import SiteStatus

Show = Callable[[str], None]


def once(inventory: Inventory, fleet: Fleet, output: Output, counts_drift: bool) -> int:
    """Print one picture, with what could not be asked on stderr; return the exit code."""
    site_status = pipeline.status(inventory, fleet)
    output.show(lambda: status_table.view(site_status), lambda: site.as_json(inventory, site_status))
    for warning in site_status.warnings:
        output.warning(warning)
    for error in site_status.errors:
        output.handle(ErrorRaised(error))
    return site_status.exit_code(counts_drift)


@dataclass
class Watch:
    """What is watched, how it is shown, whether drift counts in the exit code, and what was counted so far.

    `is_live`: on a terminal, whose lines have no more room than its width. What was counted of a host that does not
    answer for a while stays: its rates then are those of all that time.
    """

    inventory: Inventory
    fleet: Fleet
    format: Format
    counts_drift: bool
    seconds: float
    is_live: bool = False
    _counted: dict[Process, Counters] = field(default_factory=dict)

    def again(self) -> tuple[str, int]:
        """One of many pictures as a text, and its exit code; what goes wrong is part of the text."""
        try:
            found = pipeline.status(self.inventory, self.fleet, counters=True)
        except errors.DeployerError as error:
            return self._failed(error), error.exit_code
        found = replace(found, lines=sorting.in_order(self.inventory, found.lines))
        now = rates.rates(self._counted, found.counters)
        self._counted |= found.counters
        text = self._text(found, now) if self.format is Format.TABLE else self._json(found, now)
        return text, found.exit_code(self.counts_drift)

    def _text(self, found: SiteStatus, now: Mapping[Process, Rates]) -> str:
        width = shutil.get_terminal_size().columns if self.is_live else None
        table = watch_table.lines(found.lines, now, width)
        return "\n".join([self._title(_summary(found, now)), *table, *status_table.ending(found), *messages(found)])

    def _json(self, found: SiteStatus, now: Mapping[Process, Rates]) -> str:
        """The contract of `status --watch --format json`: that of `status`, with the rates of each process."""
        data = site.as_json(self.inventory, found)
        for each in data["instances"]:
            each["rates"] = asdict(now.get((each["host"], each["unit"]), rates.NO_RATES))
        is_event = self.format is Format.JSONL
        return console.as_json(event_json.picture(data, utc_now()) if is_event else data, indent=None)

    def _failed(self, error: errors.DeployerError) -> str:
        if self.format is not Format.TABLE:
            return self._json(SiteStatus((), errors=(error.message,)), {})
        return f"{self._title('')}\n{console.error_text(error)}"

    def _title(self, summary: str) -> str:
        return f"{self.inventory.site} at {time.strftime('%H:%M:%S')}, every {self.seconds:g} s{summary}"


def _summary(found: SiteStatus, now: Mapping[Process, Rates]) -> str:
    requests = rates.total_requests(now)
    waiting = [line.queue["messages"] for line in found.lines if line.queue]
    parts = [f"{requests:.1f} requests/s"] if requests is not None else []
    parts += [f"{console.counted(sum(waiting), 'message')} waiting"] if waiting else []
    return f": {', '.join(parts)}" if parts else ""


def messages(site_status: SiteStatus) -> list[str]:
    """What could not be asked, and why."""
    return [*(f"note: {each}" for each in site_status.warnings), *(f"error: {each}" for each in site_status.errors)]


def watch(inventory: Inventory, fleet: Fleet, output: Output, ends: bool, seconds: float) -> int:
    """Show picture after picture until Ctrl-C: in place on a terminal, one below the other elsewhere and as JSON."""
    format = output.options.format
    if format is not Format.TABLE or not alternate_screen.is_live(sys.stdout, os.environ):
        look = Watch(inventory, fleet, format, ends, seconds).again
        return repeat(look, standard_output.write, seconds, ends)
    live = alternate_screen.AlternateScreen(sys.stdout)
    look = Watch(inventory, fleet, format, ends, seconds, is_live=True).again
    with live.opened():
        live.show(f"{inventory.site}: {', '.join(inventory.hosts)} ...")
        return repeat(look, live.show, seconds, ends)


def repeat(look: Callable[[], tuple[str, int]], show: Show, seconds: float, ends: bool) -> int:
    """Show what `look` returns, a text and an exit code, every so many seconds; return the code to end with.

    With `ends` that is the first code other than 0. Ctrl-C, SIGTERM and a reader who has gone end it with 0: this is
    how one stops watching.
    """
    with signals.until_ctrl_c() as told:
        return _until(told, look, show, seconds, ends)
    return 0


def _until(told: threading.Event, look: Callable[[], tuple[str, int]], show: Show, seconds: float, ends: bool) -> int:
    while not told.is_set():
        began = time.monotonic()
        text, code = look()
        show(text)
        if ends and code:
            return code
        time.sleep(max(0.0, seconds - (time.monotonic() - began)))
    return 0
