"""Put files of ours on a host and take them away again, leaving what was there before us as it was."""

import base64
import os
import shutil

from deployer.remote.agent import atomic, ledger


def write(step, ledger_path):
    """Replace a file whole or not at all; what was there before us, a link as a link, is kept beside it, once."""
    path = step["path"]
    make_folder(os.path.dirname(path), step, ledger_path)
    book = ledger.read(ledger_path)
    if not is_ours(path, book):
        kept = path + step["kept"] if os.path.lexists(path) else None
        if kept:
            keep(path, kept)
        book["files"][path] = {"original": kept}
        ledger.write(ledger_path, book)
    atomic.replace(path, base64.b64decode(step["content"]), step["mode"], atomic.ids_of(step["owner"], step["group"]))


def is_ours(path, book):
    """Whether what is at a path is a file of ours: if the original is back, the host died before that was recorded."""
    original = book["files"].get(path, {}).get("original")
    return path in book["files"] and (not original or os.path.lexists(original))


def keep(path, copy):
    """Copy a file with its owner, mode and times; nobody may read the copy who may not read the file.

    A symbolic link stays one, wherever it leads.
    """
    if os.path.lexists(copy):  # left by an interrupted run
        os.unlink(copy)
    if os.path.islink(path):
        shutil.copy2(path, copy, follow_symlinks=False)
        status = os.lstat(path)
        os.chown(copy, status.st_uid, status.st_gid, follow_symlinks=False)
        return
    descriptor = os.open(copy, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with open(path, "rb") as source, os.fdopen(descriptor, "wb") as target:
        status = os.fstat(source.fileno())
        shutil.copyfileobj(source, target)
        os.fchown(descriptor, status.st_uid, status.st_gid)
    shutil.copystat(path, copy)


def make_folder(folder, step, ledger_path):
    """Make what is missing of a folder's path, as readable as the file that goes into it, and remember what we made.

    One that we made earlier, for a file that fewer may read, is opened as far as this one needs it.
    """
    if os.path.isdir(folder):
        if folder in ledger.read(ledger_path)["folders"]:
            open_up(folder, step)
        return
    make_folder(os.path.dirname(folder), step, ledger_path)
    book = ledger.read(ledger_path)
    book["folders"].append(folder)
    ledger.write(ledger_path, book)
    os.makedirs(folder, 0o700, exist_ok=True)  # the ledger may be in it
    shutil.chown(folder, step["owner"], step["group"])
    os.chmod(folder, step["mode"] | (step["mode"] & 0o444) >> 2)


def open_up(folder, step):
    """Let whoever may read a file look into its folder: where its group is another one than the folder's, everybody."""
    status, owner = os.lstat(folder), atomic.ids_of(step["owner"], step["group"])
    readers = step["mode"] & 0o444
    if (readers & 0o400 and status.st_uid != owner[0]) or (readers & 0o040 and status.st_gid != owner[1]):
        readers |= 0o004
    os.chmod(folder, (status.st_mode & 0o7777) | readers | readers >> 2)


def remove(step, ledger_path):
    """Take a file of ours away: what was there before us comes back; folders that we made and are empty go too."""
    path = step["path"]
    book = ledger.read(ledger_path)
    original = book["files"].get(path, {}).get("original")
    if original and os.path.lexists(original):
        os.rename(original, path)
    elif not original and os.path.lexists(path):  # an original that is gone came back in a run that was interrupted
        os.unlink(path)
    book["files"].pop(path, None)
    for folder in sorted(book["folders"], key=len, reverse=True):
        if os.path.isdir(folder) and not os.listdir(folder):
            os.rmdir(folder)
            book["folders"].remove(folder)
    ledger.write(ledger_path, book)
