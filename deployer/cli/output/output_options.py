"""How a command shows what it does, judged from the flags that were typed. Pure."""

from dataclasses import dataclass
from enum import StrEnum

from deployer import errors
from deployer.cli.flags import OutputFlags
from deployer.model.events import Level


class Format(StrEnum):
    """How a result is printed: for people, as one JSON document, or as the last of many events."""

    TABLE = "table"
    JSON = "json"
    JSONL = "jsonl"


class Color(StrEnum):
    """When colours are used; `auto`: on a terminal, as NO_COLOR, FORCE_COLOR and TERM say."""

    AUTO = "auto"
    ALWAYS = "always"
    NEVER = "never"


LEVELS = (Level.INFO, Level.VERBOSE, Level.DEBUG)  # by how often --verbose is given


@dataclass(frozen=True)
class OutputOptions:
    """`level` is the least that an event must matter to be shown to people; `command` the command's name."""

    format: Format = Format.TABLE
    level: Level = Level.INFO
    color: Color = Color.AUTO
    command: str = ""

    @property
    def event_level(self) -> Level:
        """The least that an event must matter to be one of JSON Lines: steps are always among them, unless -q."""
        return self.level if self.level is Level.ERROR else min(self.level, Level.VERBOSE)


def of(flags: OutputFlags) -> OutputOptions:
    """Return what the flags mean; raise BadInput for one that means nothing."""
    if flags.format not in tuple(Format):
        raise errors.BadInput(f"--format takes table, json or jsonl, not {flags.format!r}")
    if flags.color not in tuple(Color):
        raise errors.BadInput(f"--color takes auto, always or never, not {flags.color!r}")
    if flags.quiet and flags.verbose:
        raise errors.BadInput("--quiet and --verbose do not go together")
    level = Level.ERROR if flags.quiet else LEVELS[min(flags.verbose, len(LEVELS) - 1)]
    return OutputOptions(Format(flags.format), level, Color(flags.color), flags.command)
