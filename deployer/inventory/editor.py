"""Changes the numbers of an inventory's text; comments, order and layout stay as the operator made them."""

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from types import MappingProxyType

from deployer import errors
from deployer.inventory import document, formatting, ports, reader, schema, splice
from deployer.inventory.document import Node
from deployer.inventory.schema import Inventory
from deployer.inventory.values import MOST_PROCESSES
from deployer.model.service import Service
from deployer.remote.agent import atomic

KEYS = {Service.API: "api", Service.CFN: "cfn", Service.ENGINE: "engines"}
NAME = Path("inventory")
MODE_OF_NEW_FILE = 0o644

# What a host runs of a kind, as the file has it: a count, or a list of ports.
Counts = int | tuple[int, ...]
Changes = dict[tuple[str, Service], Counts]


def with_more(text: str, host: str, service: Service, count: int = 1) -> str:
    """Return the inventory's text with `count` more processes of a kind on a host. Raise BadInput if it cannot be."""
    return _changed(text, lambda inventory: {(host, service): _more(inventory, host, service, count)})


def with_fewer(text: str, host: str, service: Service, count: int = 1) -> str:
    """Return the inventory's text with `count` fewer processes of a kind on a host. Raise BadInput if it cannot be.

    A list loses its last ports; a count that falls to nothing stays as 0.
    """
    return _changed(text, lambda inventory: {(host, service): _fewer(inventory, host, service, count)})


def with_totals(text: str, totals: Mapping[str, Mapping[Service, int]]) -> str:
    """Return the inventory's text with these numbers of processes, host -> kind -> how many; others stay.

    Raise BadInput if it cannot be.
    """
    return _changed(text, lambda inventory: _differing(inventory, totals))


def with_engine_workers(text: str, workers: int) -> str:
    """Return the inventory's text with `heat.engine_workers` set; raise BadInput if it cannot be.

    A host with a number of its own keeps it.
    """
    body = text.removeprefix("\ufeff")
    if reader.parse(body, NAME).heat.engine_workers == workers:
        return text
    edited = _with_value(body, _node(body, "heat"), "engine_workers", workers)
    if _proven(edited, "heat").heat.engine_workers != workers:
        raise errors.BadInput("heat: the inventory's layout cannot be edited here", "Set engine_workers by hand.")
    return text[: len(text) - len(body)] + edited


def with_drained(text: str, host: str, drained: bool) -> str:
    """Return the inventory's text with `hosts.HOST.drained` set; raise BadInput if it cannot be."""
    body = text.removeprefix("\ufeff")
    inventory = reader.parse(body, NAME)
    _require(inventory, host, Service.API)
    if inventory.hosts[host].drained == drained:
        return text
    entry = _node(body, "hosts", host)
    edited = _with_value(body, entry, "drained", str(drained).lower())
    if _proven(edited, host).hosts[host].drained != drained:
        raise errors.BadInput(f"{host}: the inventory's layout cannot be edited here", "Set `drained` by hand.")
    return text[: len(text) - len(body)] + edited


def without_host(text: str, host: str) -> str:
    """Return the inventory's text without a host and its own comments; raise BadInput if it cannot be."""
    body = text.removeprefix("\ufeff")
    inventory = reader.parse(body, NAME)
    _require_host(inventory, host)
    edited = splice.without_entry(body, _node(body, "hosts"), host)
    if _proven(edited, host).document != inventory.without_host(host).document:
        raise errors.BadInput(f"{host}: the inventory's layout cannot be edited here", "Take its lines out by hand.")
    return text[: len(text) - len(body)] + edited


def write(path: Path, text: str) -> None:
    """Replace the file as a whole, keeping its mode and, where allowed, its owner; raise BadInput if it cannot be."""
    try:
        target = path.resolve()
        atomic.replace(str(target), text.encode(), *_mode_and_owner(target))
    except OSError as error:
        raise errors.BadInput(f"{path}: cannot be written: {error.strerror}", "The file is as it was.") from None


def _changed(text: str, decide: Callable[[Inventory], Changes]) -> str:
    body = text.removeprefix("\ufeff")
    changes = decide(reader.parse(body, NAME))
    edited = _spliced(body, changes)
    _prove(edited, changes)
    return text[: len(text) - len(body)] + edited


def _differing(inventory: Inventory, totals: Mapping[str, Mapping[Service, int]]) -> Changes:
    """What changes, one after the other: a port that one gets is taken for the next."""
    changes: Changes = {}
    for host, service, count in ((host, *each) for host, counts in totals.items() for each in counts.items()):
        _require(inventory, host, service)
        difference = count - _count(inventory, host, service)
        if difference:
            change = _more if difference > 0 else _fewer
            changes[host, service] = change(inventory, host, service, abs(difference))
            inventory = _with(inventory, host, service, changes[host, service])
    return changes


def _with(inventory: Inventory, host: str, service: Service, value: Counts) -> Inventory:
    entry = inventory.hosts[host].model_copy(update={KEYS[service]: value})
    hosts = MappingProxyType({**inventory.hosts, host: entry})
    return replace(inventory, document=inventory.document.model_copy(update={"hosts": hosts}))


def _require(inventory: Inventory, host: str, service: Service) -> None:
    if service not in KEYS:
        raise errors.BadInput("there is one proxy, on the host that `proxy` names", "Change `proxy: {host: ...}`.")
    _require_host(inventory, host)


def _require_host(inventory: Inventory, host: str) -> None:
    if host not in inventory.hosts:
        hint = formatting.nearest(host, inventory.hosts)
        message = f"the inventory has no host {formatting.printable(host)}{hint}"
        raise errors.BadInput(message, f"Its hosts are: {', '.join(inventory.hosts)}.")


def _count(inventory: Inventory, host: str, service: Service) -> int:
    now = getattr(inventory.hosts[host], KEYS[service])
    return now if isinstance(now, int) else len(now)


def _more(inventory: Inventory, host: str, service: Service, count: int) -> Counts:
    _require(inventory, host, service)
    _require_positive(count)
    now = getattr(inventory.hosts[host], KEYS[service])
    total = _count(inventory, host, service) + count
    if total > MOST_PROCESSES:
        raise errors.BadInput(f"{host}: {total} {KEYS[service]}: a host runs at most {MOST_PROCESSES} of a kind")
    if service is Service.ENGINE:
        return total
    has = schema.ports(inventory.hosts[host], inventory.heat_of(host), service)
    first = schema.first_port(inventory.heat_of(host), service)
    new = ports.free(inventory, host, service, count)
    counts_on = (*has, *new) == tuple(range(first, first + total))
    return total if isinstance(now, int) and counts_on else (*has, *new)


def _fewer(inventory: Inventory, host: str, service: Service, count: int) -> Counts:
    _require(inventory, host, service)
    _require_positive(count)
    now, has = getattr(inventory.hosts[host], KEYS[service]), _count(inventory, host, service)
    if count > has:
        raise errors.BadInput(f"{host}: {count} {KEYS[service]} fewer is not possible: the inventory gives it {has}")
    return now - count if isinstance(now, int) else now[: has - count]


def _require_positive(count: int) -> None:
    if count < 1:
        raise errors.BadInput(f"a change by {count} is no change", "Give a number of 1 or more.")


def _spliced(text: str, changes: Changes) -> str:
    """The text with every change made, from the last place to the first, so that the places ahead stay right."""
    edits = [_Edit(_node(text, "hosts", host), KEYS[service], to) for (host, service), to in changes.items()]
    for each in reversed(sorted(edits, key=lambda each: _place(each.mapping, each.key))):  # noqa: C413 (ties too)
        text = _with_value(text, each.mapping, each.key, each.value)
    return text


@dataclass(frozen=True)
class _Edit:
    """The value that a key of a mapping is to have."""

    mapping: Node
    key: str
    value: Counts


def _node(text: str, *path: str) -> Node:
    """The node at a path which every inventory without errors has."""
    node = document.read(text).root
    for key in path:
        node = node.child(key) if node else None
    assert node is not None
    return node


def _place(mapping: Node, key: str) -> int:
    """Where a change of a mapping's key begins; a new key goes behind all that the mapping has."""
    pair = mapping.entry(key)
    return pair[1].start if pair else max(value.end for _, value in mapping.entries.values())


def _with_value(text: str, mapping: Node, key: str, new: Counts | str) -> str:
    shown = f"[{', '.join(map(str, new))}]" if isinstance(new, tuple) else str(new)
    if not (pair := mapping.entry(key)):
        return splice.with_entry(text, mapping, f"{key}: {shown}")
    name, value = pair
    if not (isinstance(value.value, tuple) and isinstance(new, tuple)):
        return splice.replaced(text, value, shown)
    before = len(value.items)
    if len(new) < before:
        return splice.shortened(text, name, value, len(new))
    return splice.lengthened(text, value, [str(port) for port in new[before:]])


def _prove(edited: str, changes: Changes) -> None:
    """Raise BadInput unless the edited text is an inventory with the desired change."""
    where = ", ".join(dict.fromkeys(host for host, _ in changes))
    hosts = _proven(edited, where).hosts
    for (host, service), value in changes.items():
        if getattr(hosts[host], KEYS[service]) != value:
            raise errors.BadInput(f"{host}: the inventory's layout cannot be edited here", "Change the number by hand.")


def _proven(edited: str, where: str) -> Inventory:
    try:
        return reader.parse(edited, NAME)
    except errors.BadInventory as error:
        reasons = "; ".join(problem.split(": ", 1)[1] for problem in error.problems)
        raise errors.BadInput(f"{where}: the change would leave a wrong inventory: {reasons}") from None


def _mode_and_owner(target: Path) -> tuple[int, tuple[int, int] | None]:
    """Those of the file that is replaced; only root may give a file away."""
    if not target.exists():
        return MODE_OF_NEW_FILE, None
    status = target.stat()
    owner = (status.st_uid, status.st_gid) if os.geteuid() == 0 else None
    return status.st_mode & 0o7777, owner
