"""Draws the folders of deployer/ in layers: what a folder imports stands below it."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import imports
import layout
import shapes

TOP, SIDE, LEAST_WIDTH = 112, 36, 720
BOX = (164, 66)
ROW = BOX[1] + 42
LETTERS = 21  # of the small text, in a line of a box
LANE, GAP = 18, 18  # what an arrow takes that passes a row; what is free beside a box
IN_A_ROW = 5
NAMED = 3  # imports that point up, by their names
LOOKS = ("host", "api", "engine", "proxy")  # from the lowest layers to the highest


def drawn(package: Path) -> str:
    """Return the picture of a package as it is on disk."""
    found = imports.parts(package)
    counts = imports.uses(package, found)
    graph = imports.without_cycles(counts)
    box_of = imports.grouped(found, graph)
    boxes = {box: [found[name] for name in found if box_of[name] == box] for box in box_of.values()}
    return picture(package.name, boxes, imports.reduced(imports.merged(graph, box_of)), _remark(counts, graph))


def _remark(counts: Mapping[str, Mapping[str, int]], graph: layout.Graph) -> str:
    """Return what the picture has to say of the imports that it does not draw, as they point up."""
    up = sorted(f"{name} -> {other}" for name in counts for other in set(counts[name]) - graph[name])
    more = f" and {len(up) - NAMED} more" if len(up) > NAMED else ""
    return f"not drawn, as they point up: {', '.join(up[:NAMED])}{more}" if up else "each imports only what is below it"


def picture(name: str, boxes: Mapping[str, Sequence[imports.Part]], graph: layout.Graph, remark: str) -> str:
    """Return the picture of boxes with an arrow from each to those that it imports."""
    rows = layout.rows(graph, imports.levels(graph), IN_A_ROW)
    widths = [[BOX[0] + GAP if isinstance(what, str) else LANE for _, what in spots] for spots in rows]
    middles = layout.middles(rows, graph, widths)
    left = min(middles.values()) - BOX[0] / 2
    width = max(LEAST_WIDTH, round(max(middles.values()) + BOX[0] / 2 - left) + 2 * SIDE)
    shift = (width - (max(middles.values()) + min(middles.values()))) / 2
    places = {spot: round(middle + shift, 1) for spot, middle in middles.items()}
    height = TOP + (len(rows) - 1) * ROW + BOX[1] + SIDE
    return shapes.picture(
        (width, height),
        f"The folders of {name}/ in layers",
        [
            shapes.text(SIDE, 44, f"The folders of {name}/", "title"),
            shapes.text(
                SIDE, 64, "an arrow goes to what a folder imports; arrows that follow from others are left out"
            ),
            shapes.text(SIDE, 82, remark),
            *_arrows(graph, rows, places),
            *_boxes(boxes, rows, places),
        ],
    )


def _arrows(graph: layout.Graph, rows: layout.Rows, places: Mapping[layout.Spot, float]) -> Iterator[str]:
    chains = layout.chains(graph, layout.rows_of(rows))
    for chain in chains:
        begin = places[chain[0]] + _offset(chain[1], [other[1] for other in chains if other[0] == chain[0]], places)
        end = places[chain[-1]] + _offset(chain[-2], [other[-2] for other in chains if other[-1] == chain[-1]], places)
        points = [(begin, _top(chain[0][0]) + BOX[1])]
        for spot in chain[1:-1]:
            points += [(places[spot], _top(spot[0])), (places[spot], _top(spot[0]) + BOX[1])]
        yield shapes.arrow(shapes.smooth([*points, (end, _top(chain[-1][0]) - 3)]))


def _offset(spot: layout.Spot, beside: Sequence[layout.Spot], places: Mapping[layout.Spot, float]) -> float:
    """Return how far from the middle of a box an arrow leaves or meets it: those of one box spread over its edge."""
    order = sorted(beside, key=lambda other: places[other])
    return (order.index(spot) - (len(order) - 1) / 2) * min(22, (BOX[0] - 30) / len(order))


def _boxes(
    boxes: Mapping[str, Sequence[imports.Part]], rows: layout.Rows, places: Mapping[layout.Spot, float]
) -> Iterator[str]:
    for row, what in (spot for spots in rows for spot in spots):
        if isinstance(what, str):
            look = LOOKS[(len(rows) - 1 - row) * len(LOOKS) // len(rows)]
            lines = _words(boxes[what])
            yield shapes.box(places[row, what] - BOX[0] / 2, _top(row), BOX, look, *lines, kind="host")


def _words(parts: Sequence[imports.Part]) -> list[str]:
    """Return what stands in a box: the name of its part and what that is for, or the names of several modules."""
    if len(parts) > 1:
        return [f"{len(parts)} modules", *shapes.wrapped(", ".join(part.name for part in parts), LETTERS, 2)]
    name = f"{parts[0].name}/" if parts[0].is_folder else f"{parts[0].name}.py"
    return [name, *shapes.wrapped(shapes.clause(parts[0].doc), LETTERS, 2)]


def _top(row: int) -> int:
    return TOP + row * ROW
