"""What became of every request, and what that says: failures, latencies, and the same for each window of time. Pure."""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from benchmarks.load import requests


@dataclass(frozen=True)
class Sample:
    """A request that was made; times are of the monotonic clock. Status 0: no answer, `why` says what came instead."""

    number: int
    due: float
    sent: float
    done: float
    status: int
    why: str = ""

    def row(self) -> list[Any]:
        """The sample as one line of JSON."""
        return [self.number, self.due, self.sent, self.done, self.status, self.why]

    @property
    def latency(self) -> float:
        """Seconds from when it was due: what a client waits for includes that it could not even be sent."""
        return self.done - self.due

    @property
    def kind(self) -> requests.Kind:
        return requests.order(self.number, "", 1.0).kind

    @property
    def failed(self) -> bool:
        return self.status != self.kind.expected


@dataclass(frozen=True)
class Window:
    """A named stretch of time, of the monotonic clock."""

    name: str
    begin: float
    end: float

    def has(self, sample: Sample) -> bool:
        """Whether a request was waited for in any part of the window."""
        return sample.due < self.end and sample.done > self.begin


@dataclass(frozen=True)
class Figures:
    """What the requests of a window say; latencies in milliseconds, `late` of how late the client itself sent."""

    name: str
    seconds: float
    requests: int
    failed: int
    p50: float
    p99: float
    most: float
    late_p99: float


@dataclass(frozen=True)
class Result:
    """A whole run: `windows` in order, `failures` with id, seconds after the start, window and reason."""

    run: str
    requests: int
    posts: int
    failed: int
    seconds: float
    windows: tuple[Figures, ...]
    failures: tuple[Mapping[str, Any], ...]

    def window(self, name: str) -> Figures:
        """The figures of a window by its name; raise StopIteration when there is none."""
        return next(each for each in self.windows if each.name == name)

    def json(self) -> dict[str, Any]:
        return asdict(self)


def result(run: str, samples: Sequence[Sample], windows: Iterable[Window]) -> Result:
    """Given all samples of a run and its windows, count and measure; windows of one name are taken together."""
    named: dict[str, list[Window]] = {}
    for window in windows:
        named.setdefault(window.name, []).append(window)
    start = min(sample.due for sample in samples)
    failures = tuple(_failure(run, sample, start, named) for sample in samples if sample.failed)
    return Result(
        run=run,
        requests=len(samples),
        posts=sum(1 for sample in samples if sample.kind.method == "POST"),
        failed=len(failures),
        seconds=max(sample.done for sample in samples) - start,
        windows=tuple(_figures(name, parts, samples) for name, parts in named.items()),
        failures=failures,
    )


def _figures(name: str, windows: Sequence[Window], samples: Sequence[Sample]) -> Figures:
    inside = [sample for sample in samples if any(window.has(sample) for window in windows)]
    latencies = sorted(sample.latency * 1000 for sample in inside)
    return Figures(
        name=name,
        seconds=sum(window.end - window.begin for window in windows),
        requests=len(inside),
        failed=sum(1 for sample in inside if sample.failed),
        p50=percentile(latencies, 50),
        p99=percentile(latencies, 99),
        most=latencies[-1] if latencies else 0.0,
        late_p99=percentile(sorted((sample.sent - sample.due) * 1000 for sample in inside), 99),
    )


def percentile(ordered: Sequence[float], percent: float) -> float:
    """The smallest value that so many percent of the values do not exceed (nearest rank); 0 of nothing."""
    return ordered[max(0, math.ceil(len(ordered) * percent / 100) - 1)] if ordered else 0.0


def _failure(run: str, sample: Sample, start: float, named: Mapping[str, Sequence[Window]]) -> dict[str, Any]:
    where = [name for name, windows in named.items() if any(window.has(sample) for window in windows)]
    order = requests.order(sample.number, run, 1.0)
    return {
        "id": order.identity,
        "kind": order.kind.name,
        "kept": order.kept,
        "at": round(sample.due - start, 3),
        "took": round(sample.latency, 3),
        "window": ", ".join(where),
        "status": sample.status,
        "why": sample.why or f"status {sample.status} instead of {order.kind.expected}",
    }
