"""What a command that changes the site is for: a deploy, a rollback to a generation, or the restore."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any


class Purpose(StrEnum):
    """The commands that differ in what hosts should have after them."""

    DEPLOY = "deploy"
    ROLLBACK = "rollback"
    RESTORE = "restore"


@dataclass(frozen=True)
class Goal:
    """`generation` and `kept`, host -> {runs, state} as the hosts have recorded them, belong to a rollback."""

    purpose: Purpose = Purpose.DEPLOY
    generation: int | None = None
    kept: Mapping[str, Mapping[str, Any]] = field(default_factory=dict, repr=False)

    @property
    def command(self) -> str:
        """The command with this goal, to run again after a failure."""
        to = "" if self.generation is None else f" --to {self.generation}"
        return f"invoke {self.purpose}{to}"


DEPLOY, RESTORE = Goal(), Goal(Purpose.RESTORE)
