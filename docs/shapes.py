"""The shapes of which the pictures of the docs are made: boxes, texts and arrows of SVG."""

from collections.abc import Iterable, Sequence
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


def box(left: float, top: float, size: tuple[int, int], look: str, *lines: str, kind: str = "") -> str:
    """A rounded box of a look with its lines in the middle; all but the first line are small."""
    width, height = size
    first = top + height / 2 + 5 - 8 * (len(lines) - 1)
    rectangle = f'<rect class="box-{look}" x="{left:g}" y="{top:g}" width="{width}" height="{height}" rx="6"/>'
    rows = [
        text(left + width // 2, first + 17 * number, words, f"middle {'small' if number else kind}".strip())
        for number, words in enumerate(lines)
    ]
    return "\n".join([rectangle, *rows])


def text(left: float, base: float, words: str, look: str = "small") -> str:
    """One line of words that begins, or with `middle` has its middle, at a point of its base line."""
    return f'<text class="{look}" x="{left:g}" y="{base:g}">{escape(words)}</text>'


def arrow(path: str, look: str = "line") -> str:
    """A line along the path of SVG, with a head at its end."""
    return f'<path class="{look}" d="{path}" marker-end="url(#head)"/>'


def line(path: str, look: str = "line") -> str:
    """A line along the path of SVG."""
    return f'<path class="{look}" d="{path}"/>'


def wrapped(words: str, columns: int, rows: int) -> list[str]:
    """Return words in so many rows of so many letters at most; what does not fit ends in an ellipsis."""
    lines = [""]
    for word in words.split():
        if lines[-1] and len(lines[-1]) + 1 + len(word) > columns:
            lines.append("")
        lines[-1] = f"{lines[-1]} {word}".strip()
    kept = lines[:rows] if len(lines) <= rows else [*lines[: rows - 1], f"{lines[rows - 1]} {lines[rows]}"]
    return [_cut(row, columns) for row in kept]


def _cut(words: str, columns: int) -> str:
    """Return words as far as whole ones fit; one that is too long for itself is cut."""
    if len(words) <= columns:
        return words
    kept = words[:columns].rpartition(" ")[0] or words[: columns - 1]
    return kept.rstrip(" ,") + "\N{HORIZONTAL ELLIPSIS}"


def clause(docstring: str | None) -> str:
    """Return how a docstring begins, as far as it can stand alone; of "Given A, do B" that is B."""
    first = " ".join((docstring or "").partition("\n\n")[0].split())
    if first.startswith("Given ") and ", " in first:
        first = first.partition(", ")[2]
        first = first[0].upper() + first[1:]
    ends = [place for sign in (": ", "; ", ". ", ", ", " - ") if (place := first.find(sign)) > 0]
    return first[: min(ends, default=len(first))].rstrip(".:")


def picture(size: tuple[int, int], title: str, parts: Iterable[str]) -> str:
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


def smooth(points: Sequence[tuple[float, float]]) -> str:
    """Return the path through points from top to bottom, which is upright wherever it meets one."""
    steps = [f"M{points[0][0]:g} {points[0][1]:g}"]
    for (left, top), (right, bottom) in zip(points, points[1:], strict=False):
        middle = (top + bottom) / 2
        steps.append(f"C{left:g} {middle:g} {right:g} {middle:g} {right:g} {bottom:g}")
    return " ".join(steps)
