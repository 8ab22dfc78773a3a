"""Files of this machine that the operator names. Every one is read here, so that none can keep a command waiting."""

import stat
from pathlib import Path

from deployer import errors


def content(path: Path, most: int = -1) -> bytes:
    """Return the bytes of a regular file, of a longer one the first `most`.

    Raise BadInput for anything else, which may have no end or wait for a writer, OSError or ValueError for a file that
    cannot be read.
    """
    if not stat.S_ISREG(path.stat().st_mode):
        raise errors.BadInput(f"{path} is not a regular file")
    with path.open("rb") as file:
        return file.read(most)
