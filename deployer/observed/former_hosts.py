"""Finds the hosts that have left the inventory without being removed: the records of the others still name them."""

import functools
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from pydantic import TypeAdapter

from deployer import errors
from deployer.inventory import reader, schema
from deployer.inventory.schema import Inventory
from deployer.inventory.sections import HostEntry
from deployer.model import names
from deployer.model.facts import Observation
from deployer.model.hosts import Instance
from deployer.model.run import DONE, Run
from deployer.observed import history, observe
from deployer.observed.observe import SiteObservation
from deployer.remote.fleet import Fleet

FORMER_TIMEOUT = 20.0  # seconds for a former host to answer: it may be off for good


@dataclass(frozen=True)
class FormerHosts:
    """The hosts that only the records name, as these have them, and what they answered.

    `inventory` is today's, with them behind its own hosts and nothing for them to run.
    """

    inventory: Inventory
    entries: Mapping[str, HostEntry]
    observation: SiteObservation

    def instances_of(self, name: str) -> tuple[Instance, ...]:
        """The processes that the records give to a host."""
        return self.inventory.with_hosts(self.entries).instances_of(name)

    def answering(self) -> dict[str, Observation]:
        """Those that answer and still have something of ours."""
        return {name: each for name, each in self.observation.hosts.items() if has_ours(each)}

    def silent(self) -> dict[str, errors.DeployerError]:
        """Why others do not answer, of which the records say that they run something."""
        return {name: error for name, error in self.observation.errors.items() if self.instances_of(name)}


def observe_former(
    inventory: Inventory,
    observed: Mapping[str, Observation],
    fleet: Fleet,
    text: str = "",
    limit: float = FORMER_TIMEOUT,
) -> FormerHosts:
    """Ask the hosts that only the records name what they have; where there are none, nobody is asked.

    `text` as in `former_hosts`.
    """
    entries = former_hosts(inventory, observed, text)
    site = inventory.with_hosts({name: schema.idle(entry) for name, entry in entries.items()})
    if not entries:
        return FormerHosts(site, {}, SiteObservation({}, {}))
    fleet.add_hosts({name: site.host(name) for name in entries})
    return FormerHosts(site, entries, observe.observe_site(site, fleet, tuple(entries), limit=limit))


def former_hosts(inventory: Inventory, observed: Mapping[str, Observation], text: str = "") -> dict[str, HostEntry]:
    """Given the inventory and its hosts as they are, return those that the newest run knew and the inventory does not.

    A host of which only the name has changed is none of them. `text` is what the inventory says, if that is at hand: a
    record that says the same is not read again.
    """
    newest = history.newest_run(observed)
    addresses = {entry.address for entry in inventory.hosts.values()}
    return {
        name: entry
        for name, entry in (_known(newest, inventory, text) if newest else ())
        if name not in inventory.hosts and entry.address not in addresses
    }


def as_json(entries: Mapping[str, HostEntry]) -> str:
    """The entries of hosts, for the record of the run that removes one of them."""
    return json.dumps({name: entry.model_dump(mode="json", exclude_unset=True) for name, entry in entries.items()})


def has_ours(observed: Observation) -> bool:
    """Whether a host has a file or a process of ours."""
    return bool(observed.state.managed or units_left(observed))


def units_left(observed: Observation) -> tuple[str, ...]:
    """The units of ours on a host that run, or would after a reboot."""
    return tuple(name for name, unit in sorted(observed.state.units.items()) if unit.is_left)


def describe(former: FormerHosts) -> Iterator[str]:
    """One sentence for each host that should have been removed: what it has or, if it is silent, should have."""
    for name, each in former.answering().items():
        units = ", ".join(map(names.short, units_left(each)))
        yield f"{name} is no longer in the inventory, but {f'runs {units}' if units else 'has files of ours'}"
    for name, error in former.silent().items():
        units = ", ".join(names.short(each.unit) for each in former.instances_of(name))
        why = error.message.removeprefix(f"{name}: ")
        yield f"{name} is no longer in the inventory and does not answer ({why}); the last generation has {units} there"


def _known(newest: Run, inventory: Inventory, text: str) -> Iterator[tuple[str, HostEntry]]:
    """Every host that a run knew, but not the one that it has removed, nor those of today's text."""
    removed = newest.author.removed if newest.result == DONE else ""
    recorded = "" if newest.author.text == text else newest.author.text
    for entries in (_recorded(newest.author.former), _hosts_of(recorded, inventory.path)):
        yield from ((name, entry) for name, entry in entries.items() if name != removed)


def _recorded(text: str) -> Mapping[str, HostEntry]:
    try:
        return TypeAdapter(dict[str, HostEntry]).validate_json(text) if text else {}
    except ValueError:  # recorded by another version
        return {}


@functools.lru_cache(maxsize=1)  # `status --watch` sees the same record again and again
def _hosts_of(text: str, path: Path) -> Mapping[str, HostEntry]:
    """The hosts of an inventory's text as it was recorded; of one that cannot be read none."""
    try:
        return reader.parse(text, path).hosts if text else {}
    except errors.BadInput:
        return {}
