"""A colour for each host, where the terminal shows colours and nobody minds; colour is never the only sign."""

from collections.abc import Callable, Mapping, Sequence
from typing import TextIO

from rich.style import Style

Paint = Callable[[str, str], str]  # a host and a text -> the text in the host's colour
COLOURS = ("cyan", "green", "yellow", "magenta", "blue", "bright_cyan", "bright_green", "bright_yellow")


def are_shown(stream: TextIO, environment: Mapping[str, str]) -> bool:
    """Whether a stream shows colours: not with NO_COLOR, TERM=dumb, or where it is no terminal."""
    return stream.isatty() and not environment.get("NO_COLOR") and environment.get("TERM") != "dumb"


def paint_for(hosts: Sequence[str], has_colours: bool) -> Paint:
    """How texts of hosts are painted."""
    if not has_colours:
        return lambda host, text: text
    styles = {host: Style.parse(COLOURS[number % len(COLOURS)]) for number, host in enumerate(hosts)}
    return lambda host, text: styles[host].render(text)
