"""Tell the caller when a step has ended: at once as a line on stderr, and in the reply once more."""

import contextlib
import os
import time

LINE = "heat-scaleout-step %d %.3f %s\n"


class StepClock:
    """Measures each step; `seconds` are those of the steps that were done, in order."""

    def __init__(self):
        self.seconds = []
        self.number = 0
        self.began = 0.0

    def begin(self):
        self.number += 1
        self.began = time.monotonic()

    def done(self):
        took = self.tell("done")
        self.seconds.append(round(took, 3))

    def tell(self, result):
        """Say how the step ended; nobody may listen any more, and the reply says all of it."""
        took = time.monotonic() - self.began
        with contextlib.suppress(OSError):
            os.write(2, (LINE % (self.number, took, result)).encode())
        return took
