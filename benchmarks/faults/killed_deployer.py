"""The deployer is killed with SIGKILL: before each of its requests, and at random moments of its work."""

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from random import Random

from benchmarks.faults import commands, fault_testbed, file_states
from benchmarks.faults.commands import Stepped
from benchmarks.faults.trial import Promises, Trial
from benchmarks.testbed import Testbed

AT_REQUEST, AT_RANDOM = "deployer killed before a request", "deployer killed at a random moment"
EARLIEST = 0.3  # seconds: a command that was killed while Python starts has done nothing
MOST_REQUESTS = 60


@dataclass(frozen=True)
class Operation:
    """Something to be killed: what the site must be like before, the command, and seconds that it takes at first."""

    name: str
    argv: tuple[str, ...]
    prepare: Callable[[Testbed], None]
    length: float = 12.0


def _added(bed: Testbed) -> None:
    fault_testbed.reset(bed)
    added = commands.ran(bed, "add-api", fault_testbed.CANARY, "--yes")
    if added.code:
        raise RuntimeError(f"nothing to roll back: {added}")


def _changed(bed: Testbed) -> None:
    fault_testbed.reset(bed)
    fault_testbed.debug(bed)


CHANGED = Operation("deploy of a changed heat.conf", ("deploy", "--yes"), _changed, 40.0)
ADDED = Operation("add-api", ("add-api", fault_testbed.CANARY, "--yes"), fault_testbed.reset)
REMOVED = Operation("remove-engine", ("remove-engine", fault_testbed.CANARY, "--yes"), fault_testbed.reset)
ROLLED_BACK = Operation("rollback", ("rollback", "--yes"), _added)
OPERATIONS = (CHANGED, ADDED, REMOVED, ROLLED_BACK)


def at_every_request(bed: Testbed, random: Random, rounds: int) -> Iterator[Trial]:
    """Each operation killed before each of its requests, so often."""
    for _ in range(rounds):
        for operation in OPERATIONS:
            for number in range(1, MOST_REQUESTS):
                trial = before(bed, operation, number)
                yield trial
                if trial.found.get("ended"):
                    break


def before(bed: Testbed, operation: Operation, number: int) -> Trial:
    """An operation killed before its request of this number; or at its end, when it has no more."""

    def kill() -> str:
        command = Stepped(bed, *operation.argv)
        for at in command.stops():
            if at.number == number or at.is_end:
                where.append(at)
                command.kill()
        return str(where[0]) if command.ended().code < 0 and where else "never"

    where: list[commands.At] = []
    return _killed(bed, AT_REQUEST, operation, kill, lambda: where[0].is_end)


def at_random(bed: Testbed, random: Random, rounds: int) -> Iterator[Trial]:
    """So many kills, spread over the operations and over the time that each takes."""
    lengths = {operation: operation.length for operation in OPERATIONS}
    for turn in range(rounds):
        operation = OPERATIONS[turn % len(OPERATIONS)]
        after = random.uniform(EARLIEST, lengths[operation])

        def kill(operation: Operation = operation, after: float = after) -> str:
            command = commands.start(bed, *operation.argv)
            ran = command.ended_after(after)
            if ran.code >= 0:
                lengths[operation] = ran.seconds
            return f"after {after:.1f} s" if ran.code < 0 else "it had ended"

        yield _killed(bed, AT_RANDOM, operation, kill)


def _killed(
    bed: Testbed, fault: str, operation: Operation, kill: Callable[[], str], ended: Callable[[], bool] = bool
) -> Trial:
    """Kill, run once more, and judge: it converges, and no file was ever anything but old or new."""
    operation.prepare(bed)
    promises, old, began = Promises(), file_states.now(bed), time.monotonic()
    with file_states.watched(bed) as watch:
        where = kill()
        again = fault_testbed.converge(bed, promises)
    for mixture in file_states.mixtures(watch.states, old, file_states.now(bed)):
        promises.keep(False, mixture)
    return promises.trial(
        fault,
        f"{operation.name}, {where}",
        time.monotonic() - began,
        rerun=round(again.seconds, 1),
        **({"ended": True} if ended() else {}),
    )
