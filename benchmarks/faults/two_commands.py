"""Two commands at once: exactly one runs, the other is refused."""

from collections.abc import Iterator
from random import Random

from benchmarks.faults import commands, fault_testbed
from benchmarks.faults.trial import Promises, Trial
from benchmarks.testbed import Testbed

FAULT = "two deploys at once"
LOCKED = 6


def twice(bed: Testbed, random: Random, rounds: int) -> Iterator[Trial]:
    """The same command started twice, so often; each time it has something to do."""
    fault_testbed.reset(bed)
    plan = bed.inventory.read_text()
    for turn in range(rounds):
        yield both(bed, ("drain", "undrain")[turn % 2])
    if bed.inventory.read_text() != plan:
        commands.ran(bed, "undrain", fault_testbed.OTHER, "--yes")


def both(bed: Testbed, verb: str) -> Trial:
    """Start a command twice at the same moment."""
    promises = Promises()
    running = [commands.start(bed, verb, fault_testbed.OTHER, "--yes") for _ in range(2)]
    ended = [each.ended() for each in running]
    promises.keep(sorted(each.code for each in ended) == [0, LOCKED], " and ".join(map(str, ended)))
    return promises.trial(
        FAULT, verb, max(each.seconds for each in ended), refused=round(min(each.seconds for each in ended), 1)
    )
