"""Holds what a command asks for and the plan for it: the data between planning, preflight and apply."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from deployer.inventory.inventory_file import InventoryFile
from deployer.inventory.schema import Inventory
from deployer.model.facts import Observation
from deployer.model.purpose import DEPLOY, Goal
from deployer.model.run import UNKNOWN_AUTHOR, Author
from deployer.model.service import Service
from deployer.model.state import Desired
from deployer.model.steps import DEFAULT_ROLLOUT, Plan, RolloutOptions


@dataclass(frozen=True)
class SavedPlan:
    """A plan kept in a file: its inventory (path and digest), the hosts of its --limit, its steps and its basis.

    `observed` maps a host to its files and units in JSON, as `saved_plan` writes them.
    """

    inventory: str
    inventory_digest: str
    limit: str
    steps: tuple[str, ...]
    observed: Mapping[str, Any]


@dataclass(frozen=True)
class Change:
    """What a command that changes the site asks for.

    `limit`: the hosts that may change (empty: all). `file`: the inventory's file, which is written before the first
    change if it is edited. `saved`: the only plan that may run. `may_be_first`: it may be the first
    deploy of a site. `may_lose_requests`: a process may restart while no other can serve its requests, which whoever
    asks is told of. `adds`: the one kind of which it adds processes, if that is all it does.
    """

    inventory: Inventory
    goal: Goal = DEPLOY
    options: RolloutOptions = DEFAULT_ROLLOUT
    author: Author = UNKNOWN_AUTHOR
    limit: tuple[str, ...] = ()
    file: InventoryFile | None = None
    saved: SavedPlan | None = None
    may_be_first: bool = True
    may_lose_requests: bool = True
    adds: Service | None = None

    @property
    def text(self) -> str:
        """What the inventory says, once the change is accepted; "" where nobody knows."""
        return self.file.text if self.file else self.author.text

    def observed_hosts(self) -> tuple[str, ...]:
        """The hosts to observe."""
        return self.inventory.hosts_to_observe(self.limit)


@dataclass(frozen=True)
class Planned:
    """A plan, and what it was decided from."""

    change: Change
    desired: Desired
    observed: Mapping[str, Observation]
    plan: Plan

    @property
    def inventory(self) -> Inventory:
        """The inventory that the change is about."""
        return self.change.inventory


Accept = Callable[[Planned, tuple[str, ...]], bool]  # shows a plan and the warnings of preflight; whether it may run
