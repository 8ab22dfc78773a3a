"""A total of one kind of process -> how many each host should run: even by weight, with the least change. Pure.

Even is meant as in D'Hondt's method: the next process goes where, with it, the fewest share a unit of weight.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction

from deployer import errors


@dataclass(frozen=True)
class HostShare:
    """What a host has of a kind, its weight (its CPUs), and the work that each of its processes holds, in order."""

    has: int
    weight: int = 1
    holds: tuple[int, ...] = ()

    def work_of(self, number: int) -> int:
        """What process `number` (1 is the first) holds; nothing where nothing is known."""
        return self.holds[number - 1] if number <= len(self.holds) else 0


def distribute(total: int, places: Mapping[str, HostShare], most: int) -> dict[str, int]:
    """How many each host should have; growing never takes away, and shrinking never adds.

    A host loses its last process first; of equally loaded hosts the one whose last process holds the least work gives
    one up. Ties that are left go by the order of hosts. Raise BadInput when `most` a host is not enough for the total.
    """
    counts = {name: place.has for name, place in places.items()}
    if total > sum(max(most, has) for has in counts.values()):
        raise errors.BadInput(f"{total} do not fit on {len(counts)} hosts: a host runs at most {most} of a kind")
    while sum(counts.values()) < total:
        counts[_emptiest(counts, places, most)] += 1
    while sum(counts.values()) > max(total, 0):
        counts[_fullest(counts, places)] -= 1
    return counts


def _emptiest(counts: Mapping[str, int], places: Mapping[str, HostShare], most: int) -> str:
    """Where one more makes the lowest load; the first of several."""
    return min((name for name in counts if counts[name] < most), key=lambda name: _load(counts[name] + 1, places[name]))


def _fullest(counts: Mapping[str, int], places: Mapping[str, HostShare]) -> str:
    """Where the load is highest, and of several where the last process holds the least; the last of those."""
    order = {name: position for position, name in enumerate(counts)}
    return max(
        (name for name in counts if counts[name]),
        key=lambda name: (_load(counts[name], places[name]), -places[name].work_of(counts[name]), order[name]),
    )


def _load(count: int, place: HostShare) -> Fraction:
    return Fraction(count, max(place.weight, 1))
