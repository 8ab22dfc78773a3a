"""Decides the desired states of each purpose: the inventory, a recorded generation, or nothing of ours. Pure."""

from collections.abc import Mapping
from dataclasses import replace

from deployer.desired import desired_state, generations
from deployer.inventory.schema import Inventory
from deployer.model.facts import Observation
from deployer.model.purpose import Goal, Purpose
from deployer.model.state import Desired


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
