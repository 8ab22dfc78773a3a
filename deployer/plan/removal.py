"""Decides the change that takes a host out of a site, and out of the inventory's file once that is done. Pure."""

from collections.abc import Mapping
from dataclasses import replace

from deployer import errors
from deployer.inventory import schema
from deployer.inventory.inventory_file import InventoryFile
from deployer.inventory.schema import Inventory
from deployer.inventory.sections import HostEntry
from deployer.model.facts import Observation
from deployer.model.steps import RemoveRecords, Step, Wave
from deployer.observed import former_hosts
from deployer.plan.planned import Change

NOT_TAKEN_OUT = (
    "The host is removed from the site. Run the same command again: it takes the host out of what the file says now."
)


def known_hosts(change: Change, file: InventoryFile, observed: Mapping[str, Observation]) -> dict[str, HostEntry]:
    """The host that is to be removed and all others that a file without it does not name, though the site knows them.

    Raise BadInput when the site does not know the host to be removed.
    """
    host, stated = change.goal.host, change.inventory.hosts
    recorded = former_hosts.former_hosts(file.inventory, observed)
    known = recorded | ({host: stated[host]} if host in stated else {})
    if host not in known:
        names = ", ".join([*stated, *known])
        raise errors.BadInput(f"the site has no host {host}", hint=f"Its hosts are: {names}.")
    return known


def removal(change: Change, file: InventoryFile, known: Mapping[str, HostEntry], cleanup: Step | None = None) -> Change:
    """The change that removes a host, given the file without it and `known_hosts`; `cleanup` is for one that is gone.

    Its file is not the change's own: that is written when all is done, so that a rerun finds the host again. Raise
    BadInput for the only host with APIs of a kind, or with engines, unless forced.
    """
    host, entry = change.goal.host, known[change.goal.host]
    idle = file.inventory.with_hosts({host: schema.idle(entry)})
    if not (change.options.force or cleanup):
        _refuse_last(file.inventory, idle.with_hosts({host: entry}), host)
    step = cleanup or RemoveRecords(host)
    return replace(
        change,
        inventory=file.inventory if cleanup else idle,
        goal=replace(change.goal, final_wave=Wave("clean up" if cleanup else "remove records", (step,))),
        author=replace(change.author, text=file.text, former=former_hosts.as_json(known), removed=host),
        file=None,
        may_be_first=False,
    )


def _refuse_last(after: Inventory, before: Inventory, host: str) -> None:
    left = {each.service for each in after.instances()}
    for each in before.instances_of(host):
        if each.service not in left:
            raise errors.BadInput(f"this would take the site's last {each.service} away", "To mean it, say --force.")
