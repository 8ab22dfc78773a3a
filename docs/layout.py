"""Places the boxes of a layered graph, so that arrows point down, few of them cross, and none runs through a box.

A spot is a row and what stands there: a box by its name, or the arrow (from, to) that passes the row.
"""

from collections.abc import Iterator, Mapping, Sequence, Set
from itertools import combinations, pairwise

Graph = Mapping[str, Set[str]]
Spot = tuple[int, str | tuple[str, str]]
Rows = list[list[Spot]]
SWEEPS = 24  # over the order of all rows, down and up in turn; more of them change nothing for some twenty boxes
PULLS = 200  # on the places of all rows; by then nothing moves by a pixel any more


def rows(graph: Graph, height: Mapping[str, int], most: int) -> Rows:
    """Return the spots of each row from the top, in order; a layer of more than `most` boxes takes several rows."""
    found: Rows = []
    for level in sorted(set(height.values()), reverse=True):
        layer = [name for name in graph if height[name] == level]
        count = -(-len(layer) // most)
        found += [[(len(found) + part, name) for name in layer[part::count]] for part in range(count)]
    passed = chains(graph, rows_of(found))
    for row, arrow in (spot for chain in passed for spot in chain[1:-1]):
        found[row].append((row, arrow))
    return _untangled(found, list(_links(passed)))


def rows_of(found: Rows) -> dict[str, int]:
    """Return the row of each box."""
    return {what: row for spots in found for row, what in spots if isinstance(what, str)}


def chains(graph: Graph, row_of: Mapping[str, int]) -> list[list[Spot]]:
    """Return for each arrow the spots that it passes, from the box where it begins to the box where it ends."""
    return [
        [
            (row_of[start], start),
            *((row, (start, end)) for row in range(row_of[start] + 1, row_of[end])),
            (row_of[end], end),
        ]
        for start in graph
        for end in sorted(graph[start])
    ]


def _links(found: Sequence[Sequence[Spot]]) -> Iterator[tuple[Spot, Spot]]:
    for chain in found:
        yield from pairwise(chain)


def _untangled(found: Rows, links: Sequence[tuple[Spot, Spot]]) -> Rows:
    """Return the rows in an order with few crossings: each spot near the middle of those it is linked with."""
    best, now = found, found
    for sweep in range(SWEEPS):
        now = _swept(now, links, down=sweep % 2 == 0)
        if _crossings(now, links) < _crossings(best, links):
            best = now
    return best


def _swept(found: Rows, links: Sequence[tuple[Spot, Spot]], *, down: bool) -> Rows:
    """Return the rows, each sorted by where the row before it, seen downwards or upwards, has its linked spots."""
    swept = [list(spots) for spots in found]
    for row in range(len(swept)) if down else reversed(range(len(swept))):
        before = row - 1 if down else row + 1
        if 0 <= before < len(swept):
            place = {spot: (number + 0.5) / len(swept[before]) for number, spot in enumerate(swept[before])}
            own = {spot: (number + 0.5) / len(swept[row]) for number, spot in enumerate(swept[row])}
            wish = {
                spot: _mean([place[other] for other in _linked(spot, links) if other in place], own[spot])
                for spot in swept[row]
            }
            swept[row].sort(key=wish.__getitem__)
    return swept


def _linked(spot: Spot, links: Sequence[tuple[Spot, Spot]]) -> list[Spot]:
    return [upper if lower == spot else lower for upper, lower in links if spot in (upper, lower)]


def _mean(numbers: Sequence[float], otherwise: float) -> float:
    return sum(numbers) / len(numbers) if numbers else otherwise


def _crossings(found: Rows, links: Sequence[tuple[Spot, Spot]]) -> int:
    place = {spot: number for spots in found for number, spot in enumerate(spots)}
    return sum(
        (place[a] - place[c]) * (place[b] - place[d]) < 0 for (a, b), (c, d) in combinations(links, 2) if a[0] == c[0]
    )


def middles(found: Rows, graph: Graph, widths: Sequence[Sequence[float]]) -> dict[Spot, float]:
    """Return where the middle of each spot is, given the width that each takes: near those that it is linked with."""
    links = list(_links(chains(graph, rows_of(found))))
    place = {
        spot: middle
        for spots, wide in zip(found, widths, strict=True)
        for spot, middle in zip(spots, _apart([0.0] * len(spots), wide), strict=True)
    }
    for _ in range(PULLS):
        for spots, wide in zip(found, widths, strict=True):
            wishes = [_mean([place[other] for other in _linked(spot, links)], place[spot]) for spot in spots]
            place |= dict(zip(spots, _apart(wishes, wide), strict=True))
    return place


def _apart(wishes: Sequence[float], widths: Sequence[float]) -> list[float]:
    """Return the middles nearest to what is wished, in the same order, with room for the width of each.

    Neighbours that would overlap form a block, which stands at the mean of their wishes.
    """
    steps = [0.0]
    for left, right in pairwise(widths):
        steps.append(steps[-1] + (left + right) / 2)
    blocks: list[tuple[float, int]] = []
    for wish, step in zip(wishes, steps, strict=True):
        blocks.append((wish - step, 1))
        while len(blocks) > 1 and blocks[-2][0] >= blocks[-1][0]:
            (last, many), (before, more) = blocks.pop(), blocks.pop()
            blocks.append(((last * many + before * more) / (many + more), many + more))
    starts = [start for start, count in blocks for _ in range(count)]
    return [start + step for start, step in zip(starts, steps, strict=True)]
