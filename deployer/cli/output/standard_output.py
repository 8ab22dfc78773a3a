"""Standard output where it is written piece by piece, or cannot be written at all; a terminal that has gone."""

import contextlib
import os
import sys
from typing import TextIO

from deployer.errors import BadInput


def write(text: str) -> None:
    """Print a piece of a result that may have no end.

    Raise BrokenPipeError when nobody reads it any more, BadInput when it cannot be written.
    """
    try:
        print(text, flush=True)
    except BrokenPipeError:
        raise
    except OSError as error:
        discard(sys.stdout)
        raise unwritten(error.strerror or str(error)) from None


def unwritten(why: str, hint: str = "") -> BadInput:
    """Return the error of a result that was lost."""
    return BadInput(f"the result cannot be written: {why}", hint)


def discard(stream: TextIO) -> None:
    """Let what is still to be written vanish: Python would try it again, and complain, when it ends."""
    with contextlib.suppress(OSError, ValueError):
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, stream.fileno())
        os.close(nowhere)


def discard_where_hung_up() -> None:
    """Let vanish what is still to be written to a terminal that has been closed."""
    for stream in filter(None, (sys.stdout, sys.stderr)):
        try:
            os.write(stream.fileno(), b"")
        except (OSError, ValueError):
            discard(stream)


def require() -> None:
    """Where standard output is closed, which is None to Python, have a stream that fails when it is written."""
    sys.stdout = sys.stdout or open(os.open(os.devnull, os.O_RDONLY), "w", encoding="utf-8")  # noqa: PTH123, SIM115
