"""What a command that changes a site begins with: the lock, by whom it is held, and what is wanted once it is."""

import contextlib
import getpass
import os
import socket
import sys
import time
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path

from deployer import errors
from deployer.apply import lock
from deployer.apply.generations import Author
from deployer.cli import called_as, console, terminal
from deployer.inventory import reader
from deployer.inventory.schema import Inventory
from deployer.remote.fleet import Fleet

LONGEST_COMMAND = 200


@dataclass(frozen=True)
class InventoryFile:
    """What is wanted of a site: its inventory, the text that says so, and the file where that is, or will be, kept.

    `hosts` are those that it takes; all, when empty.
    """

    path: Path
    text: str
    inventory: Inventory
    hosts: Collection[str] = ()


Read = Callable[[Path, str], InventoryFile]


def inventory_file(path: Path, text: str) -> InventoryFile:
    """What an inventory's text itself says."""
    return InventoryFile(path, text, reader.parse(text, path))


@contextlib.contextmanager
def exclusive(context, inventory: str | None, wait: str, read: Read) -> Iterator[tuple[InventoryFile, Fleet]]:
    """What is wanted, and the hosts for this command alone.

    The file is read first, so that nothing is contacted for one that is wrong, and again when the lock is there: the
    command before may have changed it.
    """
    seconds = terminal.seconds("lock-wait", wait, 0.0) if wait else 0.0
    path = terminal.locate(context, inventory)
    before = reader.content_of(path)
    wish = read(path, _text(before, path))
    with terminal.fleet(wish.inventory) as fleet:
        fleet.open(wish.hosts)
        from deployer import pipeline  # noqa: F401 - what all changes go on with, loaded while the hosts let us in

        lock.take(wish.inventory, fleet, lock_writer(), seconds, console.message)
        now = reader.content_of(path)
        yield (wish if now == before else _same_hosts(wish, read(path, _text(now, path)))), fleet


def lock_writer() -> lock.Writer:
    """This very command."""
    command = " ".join([called_as.program(), *sys.argv[1:]])[:LONGEST_COMMAND]
    return lock.Writer(os.urandom(4).hex(), _user(), socket.gethostname(), os.getpid(), command)


def author(wish: InventoryFile) -> Author:
    """This very command and what it wants, as the hosts remember it."""
    me = lock_writer()
    return Author(
        f"{me.owner}@{me.host}",
        me.command,
        time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
        metadata.version("heat-scaleout"),
        str(wish.path),
        wish.text,
    )


def inventory_of_generation(now: InventoryFile, text: str) -> InventoryFile:
    """An inventory as it was in a generation; raise BadInput where it names hosts that this one does not."""
    then = inventory_file(now.path, text)
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


def _text(content: bytes, path: Path) -> str:
    """An inventory as an edit takes it; `parse` has the words for one that is no text."""
    try:
        return content.decode()
    except UnicodeDecodeError:
        reader.parse(content, path)
        raise


def _same_hosts(before: InventoryFile, now: InventoryFile) -> InventoryFile:
    if _reached(before.inventory) != _reached(now.inventory):
        raise errors.BadInput(
            f"{now.path}: its hosts were changed while this command waited for the lock", "Run the same command again."
        )
    return now


def _reached(inventory: Inventory) -> tuple:
    return inventory.proxy.host, {name: inventory.host(name) for name in inventory.hosts}
