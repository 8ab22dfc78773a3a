"""What all commands share at the terminal: how they end, where the inventory is, what their flags mean."""

import math
import os
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from invoke.context import Context

from deployer import __version__, errors
from deployer.cli import called_as, signals
from deployer.cli.flags import OutputFlags
from deployer.cli.output import output as outputs
from deployer.cli.output import output_options
from deployer.cli.output.output import Output
from deployer.cli.output.output_options import OutputOptions
from deployer.heat import redacting_fleet
from deployer.heat.redacting_fleet import RedactingFleet
from deployer.inventory import local_file, location, reader
from deployer.inventory.schema import Inventory
from deployer.model.events import CommandStarted, Handler
from deployer.plan import drain
from deployer.plan.planned import Planned

SHORTEST_INTERVAL = 0.5  # seconds between two looks at every host
LONGEST_WAIT = 1_000_000.0  # seconds: eleven days, and less than what clocks and sockets take
LONGEST_COMMAND = 200  # characters of a command line that are shown elsewhere
AGAIN = "run the same command again"
GOES_ON = f"{AGAIN}, or `invoke deploy`: each begins with what the hosts have then"


@contextmanager
def exit_codes(flags: OutputFlags, changes: bool = False) -> Iterator[Output]:
    """The output of a command. One that `changes` something keeps a log.

    What an operator can cause becomes two lines and an exit code; our own bugs keep their traceback.
    """
    with signals.as_interrupts(), _ended_with_code(flags, changes) as output:
        yield output


@contextmanager
def _ended_with_code(flags: OutputFlags, changes: bool) -> Iterator[Output]:
    output, code = _opened(flags), None
    output.way_on = GOES_ON if changes else AGAIN
    if changes:
        output.keep_log(os.environ)
    try:
        output.handle(CommandStarted(command_line(), __version__))
        yield output
    except errors.DeployerError as error:
        output.error(error)
        code = error.exit_code
    except KeyboardInterrupt as interrupt:
        output.interrupted(getattr(interrupt, "__notes__", ()))
        code = signals.exit_code(interrupt)
    except SystemExit as ending:
        code = ending.code if isinstance(ending.code, int) else int(ending.code is not None)
    except BaseException as bug:
        output.bug(bug)
        output.finish(errors.BUG)
        raise
    if (final := output.finish(code or 0)) or code is not None:
        sys.exit(final)


def _opened(flags: OutputFlags) -> Output:
    try:
        return outputs.opened(output_options.of(flags))
    except errors.DeployerError as error:
        outputs.opened(OutputOptions()).error(error)
        sys.exit(error.exit_code)


def command_line() -> str:
    """This very command, as it was typed."""
    return " ".join([called_as.program(), *sys.argv[1:]])[:LONGEST_COMMAND]


def read(context: Context, inventory: str | None) -> Inventory:
    """Return the inventory that a command is about."""
    return reader.read(locate(context, inventory))


def locate(context: Context, inventory: str | None) -> Path:
    """Return where the inventory is: as said, by the environment, by invoke.yaml, or the lab's."""
    return location.locate(inventory, os.environ, Path.cwd(), context.config.get("inventory"))


def text_of(path: str) -> str:
    """Return what a file says; raise BadInput when it cannot be read."""
    try:
        return local_file.content(Path(path)).decode()
    except (OSError, UnicodeDecodeError) as error:
        raise errors.BadInput(f"{path}: {getattr(error, 'strerror', None) or 'this is no text'}") from None


def write_private(path: str, text: str) -> None:
    """Write a file that nobody else may read; raise BadInput when that cannot be, as for a FIFO that nobody reads."""
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NONBLOCK, 0o600)
        with os.fdopen(descriptor, "w") as stream:
            os.fchmod(descriptor, 0o600)
            stream.write(text)
    except OSError as error:
        raise errors.BadInput(f"{path}: {error.strerror}") from None


@contextmanager
def fleet(
    inventory: Inventory, handle: Handler, connected: Iterable[str], lease_host: str = "", verb: str = "observe"
) -> Iterator[RedactingFleet]:
    """The hosts of an inventory, some of which are being connected to; nothing that they say holds a secret.

    `verb`: of the first request that each of them will get.
    """
    with redacting_fleet.over_ssh(inventory, handle) as hosts:
        hosts.open(tuple(connected), lease_host, verb)
        yield hosts


def limit_hosts(inventory: Inventory, limit: str) -> tuple[str, ...]:
    """Return the hosts of a --limit; raise BadInput for one that the inventory does not have, or commas alone."""
    names = tuple(name for name in limit.split(",") if name)
    if limit and not names:
        raise errors.BadInput(f"there is no host in {limit!r}", "Name hosts with commas between them: hostB,hostC.")
    for name in names:
        inventory.host(name)
    return names


def number(flag: str, text: Any, least: int | None = None) -> int:
    """Return a flag's whole number; raise BadInput for anything else, and for fewer than `least`."""
    try:
        found = int(text)
    except ValueError:
        raise errors.BadInput(f"--{flag} takes a number, not {text!r}") from None
    if least is not None and found < least:
        raise errors.BadInput(f"--{flag} takes a number from {least} on, not {text!r}")
    return found


def seconds(flag: str, text: str, least: float = SHORTEST_INTERVAL) -> float:
    """Return a flag's seconds, never fewer than `least`.

    Raise BadInput for anything else, as for no end of them and for fewer than none.
    """
    try:
        number = float(text)
    except ValueError:
        number = math.nan
    if math.isnan(number):
        raise errors.BadInput(f"--{flag} takes a number of seconds, not {text!r}")
    if number < 0:
        raise errors.BadInput(f"--{flag} takes a number of seconds from 0 on, not {text!r}")
    if number > LONGEST_WAIT:
        raise errors.BadInput(f"--{flag} takes at most {LONGEST_WAIT:.0f} seconds, not {text!r}")
    return max(number, least)


def show_losses(output: Output, planned: Planned) -> None:
    """Show which requests of clients a plan will lose."""
    for loss in drain.warnings_without_drain(planned.observed, planned.plan):
        output.alert(loss)


def show_warnings(output: Output, warnings: Iterable[str]) -> None:
    """Show what an operator should know."""
    for warning in warnings:
        output.warning(warning)
