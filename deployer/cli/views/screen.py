"""A stream as its reader sees it: colours and whole words in each line of a terminal, whole lines elsewhere."""

import io
import re
from collections.abc import Callable, Iterable
from typing import Literal, TextIO

from rich.console import Console, ConsoleOptions, RenderableType
from rich.segment import Segment
from rich.text import Text

from deployer.cli.output import standard_output
from deployer.cli.output.output_options import Color
from deployer.model import printable

UNBOUNDED = 100_000  # columns of what is no terminal: nothing there is cut or wrapped
LINES = 25  # of what is no terminal: rich asks for both or for none
# rich's words for what a terminal can show; "standard" are the colours that every one has
SYSTEMS: dict[Color, Literal["auto", "standard"] | None] = {
    Color.AUTO: "auto",
    Color.ALWAYS: "standard",
    Color.NEVER: None,
}
NOWHERE = io.StringIO()
BLANK_END = re.compile(r"\s+(\x1b\[0m)?$")  # with the end of a colour, where one fills a column


class Screen:
    """Prints to a stream. Neither a reader who has gone (`| head`) nor a full disk ends a command that is under way.

    What comes later is not printed; `failure` says why, unless nobody wants to read it.
    """

    def __init__(self, stream: TextIO | None, color: Color = Color.AUTO) -> None:
        self._stream = stream or NOWHERE  # Python has None for a stream that is closed
        self._closed = stream is None
        self.failure = ""
        self.is_terminal = self._stream.isatty()
        if isinstance(self._stream, io.TextIOWrapper) and self._stream.errors == "strict":
            self._stream.reconfigure(errors="backslashreplace")  # what a terminal has no letter for ends no command
        self.console = _console(self._stream if self.is_terminal else io.StringIO(), self.is_terminal, color)

    @property
    def is_live(self) -> bool:
        """Whether what was printed can be replaced: on terminals, but not with TERM=dumb."""
        return self.is_terminal and not self.console.is_dumb_terminal

    @property
    def width(self) -> int:
        """Columns of a line."""
        return self.console.width

    def print(self, view: RenderableType) -> None:
        """Print what rich can render, or a text without markup."""
        if self.is_terminal:
            self._write(lambda: self.console.print(view))
        else:
            self.write(rendered(self.console, view) if self.console.color_system else plain(view))

    def write(self, text: str, end: str = "\n") -> None:
        """Print a text as it is."""
        self._write(lambda: self._stream.write(text + end))

    def _write(self, write: Callable[[], object]) -> None:
        if self._closed:
            return
        try:
            write()
            self._stream.flush()
        except BrokenPipeError:
            self._close()
        except OSError as error:
            self.failure = error.strerror or str(error)
            self._close()

    def _close(self) -> None:
        self._closed = True
        standard_output.discard(self._stream)


class EscapingConsole(Console):
    """Writes control characters of what it prints as escapes: a terminal obeys those in a name of a file."""

    def render(self, renderable: RenderableType, options: ConsoleOptions | None = None) -> Iterable[Segment]:
        """Return what rich makes of a view; only its own control characters, those of colours, stay."""
        for segment in super().render(renderable, options):
            yield segment if segment.control else segment._replace(text=printable.escape_controls(segment.text))


def plain(view: RenderableType) -> str:
    """Return a view as a text without colours, its lines as long as they are."""
    if isinstance(view, Text | str):
        return printable.escape_controls(str(view))
    return rendered(_console(NOWHERE, False, Color.NEVER), view)


def rendered(console: Console, view: RenderableType) -> str:
    """Return a view as a console would print it, without blanks at the ends of lines and the last line's end."""
    with console.capture() as capture:
        console.print(view)
    return "\n".join(BLANK_END.sub(r"\1", line) for line in capture.get().removesuffix("\n").split("\n"))


def _console(stream: TextIO, is_terminal: bool, color: Color) -> Console:
    """A console whose colours follow --color, then NO_COLOR, FORCE_COLOR and TERM as rich understands them."""
    return EscapingConsole(
        file=stream,
        width=None if is_terminal else UNBOUNDED,
        height=None if is_terminal else LINES,
        force_terminal=True if color is Color.ALWAYS else None,
        color_system=SYSTEMS[color],
        no_color={Color.AUTO: None, Color.ALWAYS: False, Color.NEVER: True}[color],
        markup=False,
        emoji=False,
        highlight=False,
    )
