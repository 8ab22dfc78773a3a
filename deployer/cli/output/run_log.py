"""The log of a command that changes something: every event with its time, redacted, in a file for its owner alone."""

import contextlib
import os
import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TextIO

from rich.console import RenderableType

from deployer.cli.output import event_view
from deployer.cli.views import screen
from deployer.heat import redaction
from deployer.model.events import CommandFinished, Event, StageFinished, StageStarted

FOLDER = Path("heat-scaleout") / "logs"
MOST_LOGS = 30  # those before are deleted
NAME = re.compile(r"[0-9]{8}T[0-9]{6}Z-[a-z-]+(?:-[0-9]+)?\.log")
MOST_TRIES = 100  # names for logs of one second


class RunLog:
    """Writes every event to a file, which is there from the first request to a host on.

    A command that contacts no host leaves none. Where none can be written, `warn` is told why, and the command goes on.
    """

    def __init__(self, command: str, folder: Path, now: Callable[[], str], warn: Callable[[str], None]) -> None:
        self._command = command
        self._folder = folder
        self._now = now
        self._warn = warn
        self._before: list[str] = []
        self._file: TextIO | None = None
        self._failed = False
        self.path: str | None = None

    def handle(self, event: Event) -> None:
        """Write an event."""
        if isinstance(event, StageStarted) and self._file is None and not self._failed:
            self._open()
        shown = _line(event)
        if shown is not None:
            self.write(event.level.name.lower(), screen.plain(shown))

    def write(self, level: str, text: str) -> None:
        """Write a text without what looks like a secret, one entry a line."""
        for line in redaction.redact(text, ()).splitlines():
            self._append(f"{self._now()} {level:<7} {line}\n")

    def close(self) -> None:
        """Close the file."""
        if self._file:
            with contextlib.suppress(OSError):
                self._file.close()

    def _append(self, line: str) -> None:
        if self._file is None:
            self._before.append(line)
            return
        try:
            self._file.write(line)
            self._file.flush()
        except OSError as error:
            self._file, self._failed = None, True
            self._warn(f"the log {self.path} is not complete: {error.strerror}")

    def _open(self) -> None:
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            self._folder.chmod(0o700)
            path, self._file = _created(self._folder, f"{_compact(self._now())}-{self._command}")
            self.path = str(path)
            _delete_old(self._folder)
        except OSError as error:
            self._failed = True
            self._warn(f"no log is kept of this command: {self._folder}: {error.strerror}")
            return
        before, self._before = self._before, []
        for line in before:
            self._append(line)


def folder(environment: Mapping[str, str]) -> Path:
    """Return where logs are kept: as XDG_STATE_HOME says, which counts when it is an absolute path, or in the home."""
    stated = environment.get("XDG_STATE_HOME", "")
    home = Path(environment.get("HOME") or "/")
    return (Path(stated) if stated.startswith("/") else home / ".local" / "state") / FOLDER


def _created(folder: Path, name: str) -> tuple[Path, TextIO]:
    """A new file of a name, or of that name with a number where there is one already."""
    for number in range(1, MOST_TRIES):
        path = folder / (f"{name}.log" if number == 1 else f"{name}-{number}.log")
        with contextlib.suppress(FileExistsError):
            descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
            return path, os.fdopen(descriptor, "w", encoding="utf-8", errors="backslashreplace")
    raise FileExistsError(0, f"there are {MOST_TRIES} logs of this second")


def _delete_old(folder: Path) -> None:
    """Names begin with the time: the last ones are the newest. What is no log of ours stays."""
    logs = sorted(each for each in folder.iterdir() if NAME.fullmatch(each.name))
    for log in logs[:-MOST_LOGS]:
        log.unlink(missing_ok=True)


def _compact(time: str) -> str:
    """`2026-11-21T18:01:02.123Z` as it stands in the name of a file: `20261121T180102Z`."""
    return re.sub(r"\..*", "", time.replace("-", "").replace(":", "").removesuffix("Z")) + "Z"


def _line(event: Event) -> RenderableType | None:
    match event:
        case StageFinished():
            return event_view.ended(event)
        case CommandFinished():
            return f"ended with {event.exit_code}"
    return event_view.line(event)
