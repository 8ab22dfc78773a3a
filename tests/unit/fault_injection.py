"""Faults at a chosen step of a command: it is killed, the step fails, the host breaks, or the host is lost."""

from collections.abc import Callable
from dataclasses import dataclass, field

from contract.fake_fleet import FakeFleet, Gone
from contract.fake_programs import Failed

from deployer.apply import lock
from deployer.model.run import Writer

ME = Writer("1234abcd", "operator", "desk", 7, "invoke deploy")
KILLED, FAILS, BREAKS, LOST = "killed", "fails", "breaks", "lost"


class Killed(BaseException):
    """The deployer's process is gone; no code of its own catches that."""


@dataclass
class FaultInjector:
    """Records the moments before and after each step of a command, and injects a fault at the one with a number.

    The command is killed, the step fails, the host fails each such step from then on, or is lost. `watch` is called at
    all others.
    """

    kind: str = ""
    number: int = 0
    watch: Callable[[], None] = lambda: None
    steps: list[tuple[str, str, str | None]] = field(default_factory=list)  # host, before or after, its sentence
    broken: tuple[str, str] | None = None

    def __call__(self, host: str, when: str, step) -> None:
        self.steps.append((host, when, step.get("description")))
        if (host, step["do"]) == self.broken:
            raise Failed("it broke")
        if self.kind and len(self.steps) == self.number:
            self._happens(host, step)
        self.watch()

    def _happens(self, host: str, step) -> None:
        if self.kind == KILLED:
            raise Killed
        if self.kind == LOST:
            raise Gone
        if self.kind == BREAKS:
            self.broken = (host, step["do"])
        raise Failed("it broke")

    @property
    def happened(self) -> bool:
        return bool(self.kind) and len(self.steps) >= self.number


def alone(inventory, fleet: FakeFleet, run: Callable):
    """Run a command as one does that has the lock as long as it lives."""
    with fleet:
        lock.take(inventory, fleet, ME)
        return run(fleet)
