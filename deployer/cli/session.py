"""What a command that changes a site begins with: the inventory as it is to be, the lock, and who asks."""

import contextlib
import getpass
import os
import socket
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from deployer import __version__, errors
from deployer.cli import terminal
from deployer.cli.output.output import Output
from deployer.inventory import inventory_file
from deployer.inventory.inventory_file import InventoryFile
from deployer.inventory.schema import Inventory
from deployer.model import lazy
from deployer.model.hosts import Host
from deployer.model.run import Author, Writer
from deployer.remote.fleet import Fleet

if TYPE_CHECKING:
    from deployer import pipeline
else:  # it loads in 0.2 s, in which the hosts are being connected to
    pipeline = lazy.module("deployer.pipeline")

IS_EDITED = (
    "{} has the change by now: run `invoke deploy`, which begins with what the hosts have then; the same command may "
    "change it once more"
)

Edit = Callable[[InventoryFile], InventoryFile]


def unedited(file: InventoryFile) -> InventoryFile:
    """The edit of a command that takes the inventory as it is."""
    return file


@contextlib.contextmanager
def exclusive(
    output: Output, path: Path, lock_wait: str, limit: str = "", edit: Edit = unedited, verb: str = "observe"
) -> Iterator[tuple[InventoryFile, Fleet]]:
    """The inventory after an edit, and the hosts for this command alone.

    The file is read first, so that nothing is contacted for one that is wrong, and again when the lock is there: the
    command before may have changed it. `verb`: of the first request that each host will get.
    """
    seconds = terminal.seconds("lock-wait", lock_wait, 0.0) if lock_wait else 0.0
    before = inventory_file.read(path)
    edited = edit(before)
    hosts = edited.inventory.hosts_to_observe(terminal.limit_hosts(edited.inventory, limit))
    with terminal.fleet(edited.inventory, output.handle, hosts, edited.inventory.lock_host, verb) as fleet:
        pipeline.take_lock(edited.inventory, fleet, lock_writer(), seconds, output.message)
        now = inventory_file.read_again(before)
        try:
            yield (edited if now is before else _same_hosts(edited, edit(now))), fleet
        except KeyboardInterrupt:
            if not inventory_file.is_as_read(now):
                output.way_on = IS_EDITED.format(path)
            raise


def lock_writer() -> Writer:
    """This very command."""
    return Writer(os.urandom(4).hex(), _user(), socket.gethostname(), os.getpid(), terminal.command_line())


def author(file: InventoryFile) -> Author:
    """This very command and its inventory, as the hosts remember it."""
    me = lock_writer()
    return Author(
        f"{me.owner}@{me.host}",
        me.command,
        time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
        __version__,
        str(file.path),
        file.text,
    )


def file_of_generation(now: InventoryFile, text: str) -> InventoryFile:
    """The inventory as it was in a generation; raise BadInput where it names other hosts than it does now."""
    then = inventory_file.with_text(now, text)
    missing = [name for name in then.inventory.hosts if name not in now.inventory.hosts]
    gone = [name for name in now.inventory.hosts if name not in then.inventory.hosts]
    if missing or gone:
        what = [*(f"{name} was in it then" for name in missing), *(f"{name} was not in it then" for name in gone)]
        raise errors.BadInput(
            f"{now.path}: {'; '.join(what)}",
            hint="Name the same hosts again; one that has nothing to run needs its address alone.",
        )
    return then


def _user() -> str:
    try:
        return os.environ.get("SUDO_USER") or getpass.getuser()
    except (OSError, KeyError):  # a number that no account has
        return str(os.getuid())


def _same_hosts(before: InventoryFile, now: InventoryFile) -> InventoryFile:
    if _reached(before.inventory) != _reached(now.inventory):
        raise errors.BadInput(
            f"{now.path}: its hosts were changed while this command waited for the lock", "Run the same command again."
        )
    return now


def _reached(inventory: Inventory) -> tuple[str, dict[str, Host]]:
    return inventory.lock_host, {name: inventory.host(name) for name in inventory.hosts}
