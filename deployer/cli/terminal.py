"""What all commands share at the terminal: how they end, where the inventory is, how a result is printed."""

import os
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any

from invoke import Context

from deployer import errors
from deployer.cli import called_as, console, flags
from deployer.heat import redacting_fleet
from deployer.heat.redacting_fleet import RedactingFleet
from deployer.inventory import location, reader
from deployer.inventory.schema import Inventory

SHORTEST_INTERVAL = 0.5  # seconds between two looks at every host


@contextmanager
def exit_codes(format: str) -> Iterator[None]:
    """Turn what an operator can cause into two lines and an exit code; our own bugs keep their traceback."""
    try:
        if format not in flags.FORMATS:
            raise errors.BadInput(f"--format takes table or json, not {format!r}")
        yield
    except errors.DeployerError as error:
        console.message(called_as.spelled(console.error_text(error)))
        sys.exit(error.exit_code)
    except KeyboardInterrupt:
        then = "`invoke deploy` goes on with what the inventory says now, from what the hosts have"
        console.message(f"interrupted: {called_as.spelled(then)}")
        sys.exit(errors.INTERRUPTED)


def read(context: Context, inventory: str | None) -> Inventory:
    """Return the inventory that a command is about."""
    return reader.read(locate(context, inventory))


def locate(context: Context, inventory: str | None) -> Path:
    """Return where the inventory is: as said, by the environment, by invoke.yaml, or the lab's."""
    return location.locate(inventory, os.environ, Path.cwd(), context.config.get("inventory"))


def text_of(path: str) -> str:
    """Return what a file says; raise BadInput when it cannot be read."""
    try:
        return Path(path).read_text()
    except (OSError, UnicodeDecodeError) as error:
        raise errors.BadInput(f"{path}: {getattr(error, 'strerror', None) or 'this is no text'}") from None


def write_private(path: str, text: str) -> None:
    """Write a file that nobody else may read; raise BadInput when that cannot be."""
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "w") as stream:
            os.fchmod(descriptor, 0o600)
            stream.write(text)
    except OSError as error:
        raise errors.BadInput(f"{path}: {error.strerror}") from None


def fleet(inventory: Inventory, quiet: bool = False) -> AbstractContextManager[RedactingFleet]:
    """Return the hosts of an inventory, reached when they are first asked; nothing that they say holds a secret."""
    return redacting_fleet.over_ssh(inventory, console.Progress(quiet))


def limit_hosts(inventory: Inventory, limit: str) -> tuple[str, ...]:
    """Return the hosts of a --limit; raise BadInput for one that the inventory does not have."""
    names = tuple(name for name in limit.split(",") if name)
    for name in names:
        inventory.host(name)
    return names


def number(flag: str, text: Any) -> int:
    """Return a flag's whole number; raise BadInput for anything else."""
    try:
        return int(text)
    except ValueError:
        raise errors.BadInput(f"--{flag} takes a number, not {text!r}") from None


def seconds(flag: str, text: str, least: float = SHORTEST_INTERVAL) -> float:
    """Return a flag's seconds, never fewer than `least`; raise BadInput for anything else."""
    try:
        return max(float(text), least)
    except ValueError:
        raise errors.BadInput(f"--{flag} takes a number of seconds, not {text!r}") from None


def show_warnings(warnings: Iterable[str]) -> None:
    """Show what an operator should know."""
    for warning in warnings:
        console.message(f"note: {warning}")


def show(format: str, text: Callable[[], str], data: Callable[[], Mapping[str, Any]]) -> None:
    """Print a result in the format that was asked for."""
    print(called_as.spelled(console.as_json(data()) if format == "json" else text()))
