"""The name of the program that was started: in a checkout the tasks run as `invoke`, when installed as `heat-scaleout`.

Texts everywhere name commands as `invoke COMMAND`, in backticks; where they are printed, they name the other program.
"""

import sys
from pathlib import Path

INVOKE, INSTALLED = "invoke", "heat-scaleout"


def program() -> str:
    """Return the name of the program that this process runs as."""
    return INSTALLED if Path(sys.argv[0]).stem == INSTALLED else INVOKE


def command(words: str) -> str:
    """Given a whole command such as `invoke deploy`, return it as one runs it with this program."""
    return program() + words.removeprefix(INVOKE)


def spelled(text: str) -> str:
    """Return a text whose commands in backticks are those of this program; other words stay as they are."""
    return text if program() == INVOKE else text.replace(f"`{INVOKE} ", f"`{program()} ")
