"""The inventory's file: what it says, what it is to say, and how that is saved."""

from dataclasses import dataclass, field
from pathlib import Path

from deployer import errors
from deployer.inventory import editor, reader
from deployer.inventory.schema import Inventory

NOTHING_CHANGED = "Nothing was changed. Run the same command again: it starts from what the file says now."


@dataclass(frozen=True)
class InventoryFile:
    """An inventory, the text that says so, and the content of its file when that was read."""

    path: Path
    text: str
    inventory: Inventory
    on_disk: bytes = field(repr=False)

    @property
    def is_edited(self) -> bool:
        """Whether the file is still to be written."""
        return self.text.encode() != self.on_disk


def read(path: Path) -> InventoryFile:
    """Read the file; raise BadInput or BadInventory with all that is wrong in it."""
    return _parsed(path, reader.content_of(path))


def read_again(file: InventoryFile) -> InventoryFile:
    """The file as it is now, the very same object where nobody has changed it; raise as `read`."""
    content = reader.content_of(file.path)
    return file if content == file.on_disk else _parsed(file.path, content)


def is_as_read(file: InventoryFile) -> bool:
    """Whether the file on the disk says what it said when it was read."""
    try:
        return reader.content_of(file.path) == file.on_disk
    except errors.DeployerError:
        return False


def _parsed(path: Path, content: bytes) -> InventoryFile:
    inventory = reader.parse(content, path)
    return InventoryFile(path, content.decode(), inventory, content)


def with_text(file: InventoryFile, text: str) -> InventoryFile:
    """The same file, which is to say something else; raise BadInventory with all that is wrong in that."""
    return InventoryFile(file.path, text, reader.parse(text, file.path), file.on_disk)


def without_host(file: InventoryFile, host: str) -> InventoryFile:
    """The inventory's file without a host, which may be missing there already.

    Raise BadInput for the source and for the host of the proxy.
    """
    if host in (file.inventory.heat.source, file.inventory.proxy.host):
        raise errors.BadInput(
            f"{host} is the source or the host of the proxy, without which there is no site",
            hint="Name another in `heat.source` or `proxy.host` and deploy first, or go back with `invoke restore`.",
        )
    if host not in file.inventory.hosts:
        return file
    return with_text(file, editor.without_host(file.text, host))


def save(file: InventoryFile, if_stale: str = NOTHING_CHANGED) -> None:
    """Write what the file is to say; raise StalePlan where somebody else has changed it since it was read.

    `if_stale`: the hint of that error.
    """
    if not file.is_edited:
        return
    if reader.content_of(file.path) != file.on_disk:
        raise errors.StalePlan(
            (f"{file.path}: the inventory was changed while this command ran",),
            hint=if_stale,
        )
    editor.write(file.path, file.text)
