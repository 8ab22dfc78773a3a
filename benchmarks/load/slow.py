"""Where the slowest requests of each window waited, by the timers of HAProxy's own line for each. Pure.

HAProxy's manual (2.6, 8.4) has the timers, in milliseconds: TR until the whole request was there, Tw in a queue, Tc for
the connection to the server, Tr for the server's answer, Ta all that the proxy saw of the request.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

from benchmarks.load import requests
from benchmarks.load.arrivals import Book
from benchmarks.load.samples import Sample, Window

TIMES_P50 = 8.0  # of its window beyond which a request is slow: well below what p99 may be, on any machine
RESTED = 1.0  # seconds without an answer after which a server counts as started anew
FIRST_ONES = 40  # answers of a server that count as its first: some for each of its threads
MOST_KEPT = 60  # slow requests of a window whose lines are kept; all are counted
TIMERS = re.compile(
    r"\[(?P<at>[^\]]+)\] \S+ (?P<server>\S+) (?P<TR>-?\d+)/(?P<Tw>-?\d+)/(?P<Tc>-?\d+)/(?P<Tr>-?\d+)/\+?(?P<Ta>-?\d+) "
)
SERVER, QUEUE, CONNECTION, CLIENT, UNSEEN, DIRECT = (
    "the server's answer (Tr)",
    "the proxy's queue (Tw)",
    "a connection to the server (Tc)",
    "the request's arrival at the proxy (TR)",
    "client, network or the proxy's own turn",
    "no proxy between",
)
CAUSES = {"TR": CLIENT, "Tw": QUEUE, "Tc": CONNECTION, "Tr": SERVER}


@dataclass(frozen=True)
class Slow:
    """A slow request: milliseconds that the client waited, what for, and the proxy's timers.

    `at` and `into` are seconds since the run and its window began; `late`: milliseconds by which it was sent too late.
    `nth`: how many requests its server has answered since it rested, this one included.
    """

    id: str
    window: str
    at: float
    into: float
    took: float
    late: float
    cause: str = DIRECT
    server: str = ""
    nth: int = 0
    timers: Mapping[str, int] | None = None

    @property
    def is_first(self) -> bool:
        """Whether it is one of the first of a server: a fresh process takes longer for them."""
        return 0 < self.nth <= FIRST_ONES

    def json(self) -> dict[str, Any]:
        return asdict(self)


def slow(book: Book, samples: Sequence[Sample], windows: Iterable[Window], medians: Mapping[str, float]) -> list[Slow]:
    """Given the proxy's line for each id and each window's median in ms, return the slow requests in order."""
    start = min((sample.due for sample in samples), default=0.0)
    numbers = _numbered(book, samples)
    return [
        _seen_by_proxy(_by_client(book.run, sample, window, start), book, numbers)
        for window in windows
        for sample in samples
        if sample.latency * 1000 > TIMES_P50 * medians[window.name] and window.has(sample)
    ]


def slowest(found: Iterable[Slow]) -> list[Slow]:
    """Those of each window that are kept, in the order in which they were due."""
    by_window: dict[str, list[Slow]] = {}
    for each in found:
        by_window.setdefault(each.window, []).append(each)
    kept = [one for each in by_window.values() for one in sorted(each, key=lambda one: -one.took)[:MOST_KEPT]]
    return sorted(kept, key=lambda one: one.at)


def counts(found: Iterable[Slow]) -> list[dict[str, Any]]:
    """How many slow requests each window had of each cause, how many of them a server's first, and the slowest."""
    groups: dict[tuple[str, str], list[Slow]] = {}
    for each in found:
        groups.setdefault((each.window, each.cause), []).append(each)
    return [
        {
            "window": window,
            "cause": cause,
            "slow": len(group),
            "first": sum(1 for each in group if each.is_first),
            "most": max(each.took for each in group),
        }
        for (window, cause), group in groups.items()
    ]


def _numbered(book: Book, samples: Iterable[Sample]) -> dict[str, int]:
    """Id -> how many requests its server had answered by then since it rested."""
    seen: dict[str, tuple[float, int]] = {}
    numbers = {}
    for sample in sorted(samples, key=lambda each: each.done):
        identity = requests.identity(book.run, sample.number)
        if found := TIMERS.search(book.lines.get(identity, "")):
            last, number = seen.get(found["server"], (0.0, 0))
            number = 1 if sample.done - last > RESTED else number + 1
            seen[found["server"]] = sample.done, number
            numbers[identity] = number
    return numbers


def _by_client(run: str, sample: Sample, window: Window, start: float) -> Slow:
    """A slow request as its client has it."""
    return Slow(
        requests.identity(run, sample.number),
        window.name,
        at=round(sample.due - start, 3),
        into=round(sample.due - window.begin, 3),
        took=round(sample.latency * 1000, 1),
        late=round((sample.sent - sample.due) * 1000, 1),
    )


def _seen_by_proxy(each: Slow, book: Book, numbers: Mapping[str, int]) -> Slow:
    """The same with what the proxy says of it."""
    found = TIMERS.search(book.lines.get(each.id, ""))
    if not found:
        return each
    timers = {name: int(found[name]) for name in (*CAUSES, "Ta")}
    return replace(each, cause=_cause(timers, each.took), server=found["server"], nth=numbers[each.id], timers=timers)


def _cause(timers: Mapping[str, int], took: float) -> str:
    """What most of the time was spent on; what is in no timer was out of the proxy's sight."""
    parts = {cause: max(timers[name], 0) for name, cause in CAUSES.items()}
    return max({**parts, UNSEEN: took - sum(parts.values())}.items(), key=lambda part: part[1])[0]
