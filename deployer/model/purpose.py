"""What a command that changes the site is for: a deploy, a rollback, the restore, or the removal of a host."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from deployer.model.steps import Wave


class Purpose(StrEnum):
    """The commands that differ in what hosts should have after them."""

    DEPLOY = "deploy"
    ROLLBACK = "rollback"
    RESTORE = "restore"
    REMOVE_HOST = "remove-host"


@dataclass(frozen=True)
class Goal:
    """`generation` and `kept`, host -> {runs, state} as the hosts have recorded them, belong to a rollback.

    `host` belongs to a removal; `is_gone`: that host will never answer again. `final_wave` is done in the end.
    """

    purpose: Purpose = Purpose.DEPLOY
    generation: int | None = None
    kept: Mapping[str, Mapping[str, Any]] = field(default_factory=dict, repr=False)
    host: str = ""
    is_gone: bool = False
    final_wave: Wave | None = None

    @property
    def command(self) -> str:
        """The command with this goal, to run again after a failure."""
        to = "" if self.generation is None else f" --to {self.generation}"
        host = f" {self.host}" if self.host else ""
        return f"invoke {self.purpose}{to}{host}{' --gone' if self.is_gone else ''}"


DEPLOY, RESTORE = Goal(), Goal(Purpose.RESTORE)
