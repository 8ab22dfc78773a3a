"""Decides the desired states of each purpose: the inventory, a recorded generation, or nothing of ours. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Any

from deployer.desired import desired_state, generations
from deployer.desired.desired_state import Desired
from deployer.inventory.schema import Inventory
from deployer.model.facts import Observation


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


def desired_for(goal: Goal, inventory: Inventory, observed: Mapping[str, Observation]) -> Desired:
    """Every host's desired state; raise BadInput where the source or the generation has none that can be used."""
    match goal.purpose:
        case Purpose.RESTORE:
            return desired_state.without_ours(inventory, observed)
        case Purpose.ROLLBACK:
            return _of_generation(goal, inventory, observed)
        case _:
            return desired_state.desired_states(inventory, observed)


def _of_generation(goal: Goal, inventory: Inventory, observed: Mapping[str, Observation]) -> Desired:
    """The states of a generation, with the shutdown probes of engines that it did not have."""
    probes = desired_state.without_ours(inventory, observed).states
    states = generations.states_of(goal.generation or 0, goal.kept, [each.host for each in inventory.instances()])
    with_probes = {host: replace(state, shutdown_probes=probes[host].shutdown_probes) for host, state in states.items()}
    return Desired(with_probes, {})
