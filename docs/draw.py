"""Draws the pictures of the docs: `python docs/draw.py` writes each as an SVG beside this file."""

from collections.abc import Iterator
from pathlib import Path
from xml.sax.saxutils import escape

# Every picture stands on a card of its own, so that it reads on any page; a reader's dark mode turns the card dark.
LIGHT = {
    "card": "#ffffff",
    "edge": "#c4cad3",
    "ink": "#1f2733",
    "soft": "#5b6676",
    "host": "#f2f4f7",
    "api": "#dbe9fb",
    "engine": "#dff2e1",
    "proxy": "#fbe7cf",
    "plain": "#ffffff",
}
DARK = {
    "card": "#161b22",
    "edge": "#4d5766",
    "ink": "#e8ecf1",
    "soft": "#a3aebd",
    "host": "#212833",
    "api": "#1d3b60",
    "engine": "#1f4a2a",
    "proxy": "#5c3d14",
    "plain": "#161b22",
}
STYLE = """\
text {{ font: 14px "DejaVu Sans", Verdana, sans-serif; fill: {ink}; }}
.title {{ font-size: 17px; font-weight: bold; }}
.host {{ font-weight: bold; }}
.small {{ font-size: 12px; fill: {soft}; }}
.middle {{ text-anchor: middle; }}
.card, .box-host, .box-plain {{ stroke: {edge}; }}
.card {{ fill: {card}; }}
.box-host {{ fill: {host}; }}
.box-api {{ fill: {api}; }}
.box-engine {{ fill: {engine}; }}
.box-proxy {{ fill: {proxy}; }}
.box-plain {{ fill: {plain}; }}
.box-next {{ fill: none; stroke: {soft}; stroke-dasharray: 4 3; }}
.line {{ fill: none; stroke: {soft}; stroke-width: 1.6; }}
.queue {{ fill: none; stroke: {soft}; stroke-width: 1.6; stroke-dasharray: 6 4; }}
.head {{ fill: {soft}; }}"""


def pictures() -> dict[str, str]:
    """Every picture by the name of its file."""
    return {
        "before-and-after.svg": picture((960, 500), "One Heat server before, three hosts after", before_and_after()),
        "stages.svg": picture((960, 300), "The stages of every command", stages()),
    }


def before_and_after() -> Iterator[str]:
    yield text(36, 44, "Before: one server", "title")
    yield text(36, 64, "every request ends on hostA")
    yield from clients(180, 92)
    yield from host(36, 160, (288, 224), "hostA")
    yield box(52, 196, (124, 44), "api", "REST API", ":8004")
    yield box(184, 196, (124, 44), "api", "CFN API", ":8000")
    yield box(52, 268, (256, 40), "engine", "engine")
    yield box(52, 328, (256, 40), "plain", "database, broker, Keystone")
    yield arrow("M180 122 V142 H114 V192")
    yield arrow("M180 122 V142 H246 V192")
    yield arrow("M180 240 V264", "queue")

    yield line("M352 30 V470")
    yield text(380, 44, "After: invoke deploy", "title")
    yield text(380, 64, "same addresses for the clients, more hosts behind them")
    yield from clients(652, 92)
    yield from host(380, 160, (544, 112), "hostA")
    yield box(396, 196, (250, 60), "proxy", "proxy (HAProxy)", ":8004 and :8000, as before")
    yield box(662, 196, (246, 26), "engine", "engine, left as it was")
    yield box(662, 230, (246, 26), "plain", "database, broker, Keystone")
    yield arrow("M652 122 V142 H521 V192")
    for left, name in ((380, "hostB"), (660, "hostC")):
        yield from host(left, 320, (264, 150), name)
        yield box(left + 14, 352, (114, 40), "api", "REST API", ":8004")
        yield box(left + 136, 352, (114, 40), "api", "CFN API", ":8000")
        yield box(left + 14, 408, (74, 48), "engine", "engine 1")
        yield box(left + 95, 408, (74, 48), "engine", "engine 2")
        yield box(left + 176, 408, (74, 48), "next", "add-engine" if name == "hostB" else "...", kind="small")
    yield arrow("M521 256 V296 H480 V348")
    yield arrow("M480 296 H760 V348")
    yield text(531, 290, "HTTP to healthy APIs", "small")
    yield arrow("M690 256 V312 H652 V432 H634", "queue")
    yield arrow("M652 432 H670", "queue")
    yield line("M36 452 H72", "queue")
    yield text(80, 456, "work for the engines goes", "small")
    yield text(80, 472, "through the broker's queues", "small")


def stages() -> Iterator[str]:
    yield text(36, 44, "Decide, then do", "title")
    yield text(36, 64, "plan stops before the steps; deploy runs them and looks again")
    yield box(36, 92, (150, 54), "plain", "inventory", "a YAML file of yours")
    yield box(36, 206, (150, 54), "host", "hosts", "files, units, sockets")
    yield box(250, 92, (150, 54), "api", "desired", "what should be there")
    yield box(250, 206, (150, 54), "api", "observed", "what is there")
    yield box(464, 149, (150, 54), "proxy", "plan", "steps in waves")
    yield box(678, 149, (110, 54), "engine", "apply", "wave by wave")
    yield box(822, 149, (102, 54), "engine", "verify", "from outside")
    yield arrow("M186 119 H246")
    yield arrow("M186 233 H246")
    yield arrow("M325 206 V150")
    yield text(334, 176, "source's", "small")
    yield text(334, 191, "/etc/heat", "small")
    yield arrow("M400 119 H539 V145")
    yield arrow("M400 233 H539 V207")
    yield arrow("M614 176 H674")
    yield arrow("M788 176 H818")
    yield arrow("M733 203 V278 H111 V264", "queue")
    yield text(545, 272, "one request a host and wave", "small")


def clients(middle: int, top: int) -> Iterator[str]:
    yield box(middle - 60, top, (120, 30), "plain", "clients")


def host(left: int, top: int, size: tuple[int, int], name: str) -> Iterator[str]:
    yield box(left, top, size, "host")
    yield text(left + 16, top + 23, name, "host")


def box(left: int, top: int, size: tuple[int, int], look: str, *lines: str, kind: str = "") -> str:
    """A rounded box of a look with its lines in the middle; all but the first line are small."""
    width, height = size
    first = top + height / 2 + 5 - 8 * (len(lines) - 1)
    rectangle = f'<rect class="box-{look}" x="{left}" y="{top}" width="{width}" height="{height}" rx="6"/>'
    rows = [
        text(left + width // 2, first + 17 * number, words, f"middle {'small' if number else kind}".strip())
        for number, words in enumerate(lines)
    ]
    return "\n".join([rectangle, *rows])


def text(left: int, base: float, words: str, look: str = "small") -> str:
    return f'<text class="{look}" x="{left}" y="{base:g}">{escape(words)}</text>'


def arrow(path: str, look: str = "line") -> str:
    return f'<path class="{look}" d="{path}" marker-end="url(#head)"/>'


def line(path: str, look: str = "line") -> str:
    return f'<path class="{look}" d="{path}"/>'


def picture(size: tuple[int, int], title: str, parts: Iterator[str]) -> str:
    """A whole SVG file: its styles for light and dark, its card, and the parts on it."""
    width, height = size
    light, dark = STYLE.format(**LIGHT), STYLE.format(**DARK)
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" height="{height}"'
            ' role="img">',
            f"<title>{escape(title)}</title>",
            f"<style>\n{light}\n@media (prefers-color-scheme: dark) {{\n{dark}\n}}\n</style>",
            '<defs><marker id="head" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7" markerHeight="7" '
            'orient="auto">'
            '<path class="head" d="M0 0 L8 4 L0 8 Z"/></marker></defs>',
            f'<rect class="card" x="1" y="1" width="{width - 2}" height="{height - 2}" rx="12"/>',
            *parts,
            "</svg>",
            "",
        ]
    )


if __name__ == "__main__":
    for name, drawn in pictures().items():
        (Path(__file__).parent / name).write_text(drawn)
