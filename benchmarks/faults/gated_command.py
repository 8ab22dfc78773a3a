"""One of the product's commands, which stops before each of its requests to the hosts until it is told to go on.

    python -m benchmarks.faults.gated_command TELL HEAR deploy --yes --inventory FILE

TELL and HEAR are descriptors of open pipes. A line of JSON goes out before each request, {number, verb, title}, and one
when the last was answered and the command would end; after each a line must come in. The product has no hook for this.
"""

import json
import os
import sys

from invoke.main import program

from deployer.model.events import Level
from deployer.remote.fleet import SshFleet

END = "end"


class Gate:
    """Where the command waits; who let it run may have it killed there."""

    def __init__(self, tell: int, hear: int) -> None:
        self._tell, self._hear = os.fdopen(tell, "w"), os.fdopen(hear)
        self._number = 0

    def stop(self, verb: str, title: str) -> None:
        """Say where the command is, and wait for a line."""
        self._number += 1
        print(json.dumps({"number": self._number, "verb": verb, "title": title}), file=self._tell, flush=True)
        self._hear.readline()


def main() -> None:
    """Run the command as `invoke` does."""
    gate = Gate(int(sys.argv[1]), int(sys.argv[2]))
    sys.argv = ["invoke", *sys.argv[3:]]
    _wrap(gate)
    try:
        program.run()
    finally:
        gate.stop(END, "")


def _wrap(gate: Gate) -> None:
    """Have every request of the fleet pass the gate first."""
    ask, acquire = SshFleet.ask, SshFleet.acquire_lease

    def stopped_ask(self, title, verb, requests, timeout, level=Level.INFO):
        gate.stop(verb, title)
        return ask(self, title, verb, requests, timeout, level)

    def stopped_acquire(self, host, request, timeout):
        gate.stop("acquire", "")
        return acquire(self, host, request, timeout)

    SshFleet.ask, SshFleet.acquire_lease = stopped_ask, stopped_acquire


if __name__ == "__main__":
    main()
