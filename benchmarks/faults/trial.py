"""One fault made once, and what did not hold of what was promised. Pure, but for the clock."""

import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from random import Random
from typing import Any

from benchmarks.testbed import Testbed


@dataclass(frozen=True)
class Trial:
    """What was done (`case`), each promise that did not hold in words, and how long the command took that met it.

    `requests` of clients were answered meanwhile, `failed` were not; `found` are figures worth telling.
    """

    fault: str
    case: str
    broken: tuple[str, ...] = ()
    seconds: float = 0.0
    found: Mapping[str, Any] = field(default_factory=dict)
    requests: int = 0
    failed: int = 0

    @property
    def held(self) -> bool:
        return not self.broken

    def but(self, *broken: str) -> "Trial":
        """The same with more that did not hold."""
        return replace(self, broken=(*self.broken, *broken))


@dataclass(frozen=True)
class Fault:
    """A kind of fault. `run` makes it so often as `rounds` say; `serves`: no request of a client may fail meanwhile."""

    name: str
    promise: str
    rounds: int
    run: Callable[[Testbed, Random, int], Iterator[Trial]]
    serves: bool = True


class Promises:
    """What is promised of a trial, noted as it is seen."""

    def __init__(self) -> None:
        self._broken: list[str] = []

    def keep(self, holds: bool, otherwise: Any) -> bool:
        """Note what is so instead when a promise does not hold; return whether it does."""
        if not holds:
            self._broken.append(str(otherwise))
        return holds

    def trial(self, fault: str, case: str, seconds: float = 0.0, **found: Any) -> Trial:
        return Trial(fault, case, tuple(self._broken), round(seconds, 1), found)


def within(seconds: float, true: Callable[[], bool], pause: float = 1.0) -> float | None:
    """Seconds until something is so that no event announces across hosts; None when it is not in time."""
    began = time.monotonic()
    while not true():
        if time.monotonic() - began > seconds:
            return None
        time.sleep(pause)
    return time.monotonic() - began
