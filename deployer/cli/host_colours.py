"""A colour for each host, where the terminal shows colours and nobody minds; colour is never the only sign."""

from collections.abc import Callable, Mapping, Sequence
from typing import TextIO

Paint = Callable[[str, str], str]  # a host and a text -> the text in the host's colour
COLOURS = ("cyan", "green", "yellow", "magenta", "blue", "bright_cyan", "bright_green", "bright_yellow")


def paint_for(hosts: Sequence[str], stream: TextIO, environment: Mapping[str, str]) -> Paint:
    """How texts of hosts are painted on a stream: not at all with NO_COLOR, TERM=dumb, or where it is no terminal."""
    if not stream.isatty() or environment.get("NO_COLOR") or environment.get("TERM") == "dumb":
        return lambda host, text: text
    from rich.style import Style  # 15 ms: every reading command loads this module

    styles = {host: Style.parse(COLOURS[number % len(COLOURS)]) for number, host in enumerate(hosts)}
    return lambda host, text: styles[host].render(text)
