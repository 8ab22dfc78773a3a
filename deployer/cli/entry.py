"""The entry point of `heat-scaleout`, which Ctrl-C ends without a word as long as no command has begun."""

import signal
from typing import TYPE_CHECKING

from deployer.model import lazy

if TYPE_CHECKING:
    from deployer.cli import program
else:
    program = lazy.module("deployer.cli.program")


def main() -> int | str | None:
    """Load the program and run the command line of this process; return its exit code."""
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:  # not where the shell has it ignored
        signal.signal(signal.SIGINT, signal.SIG_DFL)
    return program.main()
