"""Replace a file whole or not at all, whatever fails meanwhile: for the agent, and for the inventory here."""

import contextlib
import grp
import os
import pwd
import re

SUFFIX = ".heat-scaleout-new"  # of the temporary file; nobody else's file ends so


def replace(path: str, content: bytes, mode: int, owner: "tuple[int, int] | None" = None) -> None:
    """Write bytes to a temporary file in the folder of `path`, then rename it over `path`.

    Mode and owner are set before the first byte; `owner` is (uid, gid), None for whoever runs this. File and folder are
    on the disk when this returns. Raise OSError when it fails: `path` is as it was, and the temporary file is gone. A
    symbolic link at `path` would be replaced itself: give its target to keep it.
    """
    folder, name = os.path.split(os.path.abspath(path))
    remove_leftovers(folder, name)
    temporary = os.path.join(folder, "%s.%d%s" % (name, os.getpid(), SUFFIX))
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(descriptor, "wb") as stream:
            if owner:
                os.fchown(descriptor, *owner)
            os.fchmod(descriptor, mode)
            stream.write(content)
            stream.flush()
            os.fsync(descriptor)
        os.rename(temporary, path)
    except BaseException:
        remove_leftovers(folder, name)
        raise
    sync_folder(folder)


def remove_leftovers(folder: str, name: str) -> None:
    """Remove the temporary files of a run that was interrupted, of this product's first release too."""
    temporary = re.compile(r"%s(\.[0-9]+)?%s" % (re.escape(name), re.escape(SUFFIX)))
    for each in os.listdir(folder):
        if temporary.fullmatch(each):
            with contextlib.suppress(FileNotFoundError):  # whoever wrote it has gone on
                os.unlink(os.path.join(folder, each))


def sync_folder(folder: str) -> None:
    """Have a folder's entries on the disk, so that a rename survives a power failure."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def ids_of(user: str, group: str) -> "tuple[int, int]":
    """The (uid, gid) of names; raise KeyError for an unknown one."""
    return pwd.getpwnam(user).pw_uid, grp.getgrnam(group).gr_gid
