"""How long `invoke --list` takes: what a user waits for before anything else."""

from typing import Any

from benchmarks import measured_command, testbed
from benchmarks.measured_command import Command


def run(rounds: int) -> dict[str, Any]:
    """Measure it so many times, after one run that does not count."""
    command = Command([[str(testbed.INVOKE), "--list"]], folder=testbed.CHECKOUT)
    measured_command.run(command)
    measured_command.settle()
    return {"walls": [measured_command.run(command).wall for _ in range(rounds)]}
