"""The picture of a site shown once, or again and again: in place on a terminal, one below the other elsewhere."""

import shutil
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

from deployer import errors, pipeline
from deployer.cli import console, signals, status_table
from deployer.inventory.schema import Inventory
from deployer.remote.fleet import Fleet
from deployer.status import site

ALL, HOME, REST_OF_LINE, REST_OF_SCREEN = "\033[2J", "\033[H", "\033[K", "\033[J"


@dataclass(frozen=True)
class Show:
    """What is shown, how, and whether drift counts in the exit code."""

    inventory: Inventory
    fleet: Fleet
    format: str
    counts_drift: bool

    def once(self) -> int:
        """Print one picture, with what could not be asked on stderr; return the exit code."""
        site_status = pipeline.status(self.inventory, self.fleet)
        print(self._json(site_status, 2) if self.format == "json" else status_table.text(site_status))
        for remark in messages(site_status):
            console.message(remark)
        return site_status.exit_code(self.counts_drift)

    def again(self) -> tuple[str, int]:
        """One of many pictures as a text, and its exit code; what goes wrong is part of the text."""
        try:
            site_status = pipeline.status(self.inventory, self.fleet)
        except errors.DeployerError as error:
            return self._titled(console.error_text(error)), error.exit_code
        if self.format == "json":
            return self._json(site_status, None), site_status.exit_code(self.counts_drift)
        return self._titled(status_table.text(site_status), *messages(site_status)), site_status.exit_code(
            self.counts_drift
        )

    def _json(self, site_status: site.SiteStatus, indent: int | None) -> str:
        return console.as_json(site.as_json(self.inventory, site_status), indent)

    def _titled(self, *texts: str) -> str:
        return "\n".join([f"{self.inventory.site} at {time.strftime('%H:%M:%S')}", *texts, ""])


def messages(site_status: site.SiteStatus) -> list[str]:
    """What could not be asked, and why."""
    return [*(f"note: {each}" for each in site_status.warnings), *(f"error: {each}" for each in site_status.errors)]


def repeat(look: Callable[[], tuple[str, int]], seconds: float, ends: bool) -> int:
    """Show what `look` returns, a text and an exit code, every so many seconds; return the code to end with.

    With `ends` that is the first code other than 0. Ctrl-C, and a reader who has gone, end it with 0: this is how one
    stops watching.
    """
    with signals.until_ctrl_c() as told:
        return _until(told, look, seconds, ends)
    return 0


def _until(told: threading.Event, look: Callable[[], tuple[str, int]], seconds: float, ends: bool) -> int:
    is_terminal = sys.stdout.isatty()
    print(ALL if is_terminal else "", end="")
    while not told.is_set():
        began = time.monotonic()
        text, code = look()
        print(in_place(text, *shutil.get_terminal_size()) if is_terminal else text, flush=True)
        if ends and code:
            return code
        time.sleep(max(0.0, seconds - (time.monotonic() - began)))
    return 0


def in_place(text: str, width: int, height: int) -> str:
    """A text that covers the one before, and no more than the window: a line that wraps would shift the rest."""
    lines = [line[:width] for line in text.splitlines()]
    if len(lines) >= height:
        lines = [*lines[: height - 2], f"... {len(lines) - height + 2} more lines"]
    return HOME + "".join(f"{line}{REST_OF_LINE}\n" for line in lines) + REST_OF_SCREEN
