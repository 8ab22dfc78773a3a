"""How long `invoke --list` takes: what a user waits for before anything else."""

from typing import Any

from benchmarks import measure, testbed
from benchmarks.measure import Command


def run(rounds: int) -> dict[str, Any]:
    """Measure it so many times, after one run that does not count."""
    command = Command([[str(testbed.INVOKE), "--list"]], folder=testbed.CHECKOUT)
    measure.run(command)
    measure.settle()
    return {"walls": [measure.run(command).wall for _ in range(rounds)]}
