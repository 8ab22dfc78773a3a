"""Changes an inventory's text by a number of processes; comments, order and layout stay as the operator made them."""

import os
import tempfile
from collections.abc import Callable
from pathlib import Path

from deployer import errors
from deployer.inventory import checks, document, phrases, reader, schema, splice
from deployer.inventory.schema import Inventory
from deployer.inventory.values import MOST_PROCESSES, Endpoint
from deployer.model import Service

KEYS = {Service.API: "api", Service.CFN: "cfn", Service.ENGINE: "engines"}
NAME = Path("inventory")

# What a host runs of a kind, as the file says it: a count, or a list of ports.
Wanted = int | tuple[int, ...]


def with_more(text: str, host: str, service: Service, count: int = 1) -> str:
    """Return the inventory's text with `count` more processes of a kind on a host. Raise BadInput if it cannot be."""
    return _changed(text, host, service, lambda inventory: _more(inventory, host, service, count))


def with_fewer(text: str, host: str, service: Service, count: int = 1) -> str:
    """Return the inventory's text with `count` fewer processes of a kind on a host. Raise BadInput if it cannot be.

    A list loses its last ports; a count that falls to nothing stays as 0.
    """
    return _changed(text, host, service, lambda inventory: _fewer(inventory, host, service, count))


def write(path: Path, text: str) -> None:
    """Replace the file as a whole, keeping its mode and, where allowed, its owner; raise BadInput if it cannot be."""
    target = path.resolve()
    try:
        descriptor, temporary = tempfile.mkstemp(prefix=f".{target.name}.", dir=target.parent)
        try:
            _fill(descriptor, text, target)
            os.replace(temporary, target)  # noqa: PTH105
        except BaseException:
            Path(temporary).unlink(missing_ok=True)
            raise
        _flush_folder(target.parent)
    except OSError as error:
        raise errors.BadInput(f"{path}: cannot be written: {error.strerror}", "The file is as it was.") from None


def _changed(text: str, host: str, service: Service, decide: Callable[[Inventory], Wanted]) -> str:
    body = text.removeprefix("\ufeff")
    inventory = reader.parse(body, NAME)
    _require(inventory, host, service)
    wanted = decide(inventory)
    edited = _spliced(body, host, KEYS[service], wanted)
    _prove(edited, host, service, wanted)
    return text[: len(text) - len(body)] + edited


def _require(inventory: Inventory, host: str, service: Service) -> None:
    if service not in KEYS:
        raise errors.BadInput("there is one proxy, on the host that `proxy` names", "Change `proxy: {host: ...}`.")
    if host not in inventory.hosts:
        hint = phrases.nearest(host, inventory.hosts)
        message = f"the inventory has no host {phrases.printable(host)}{hint}"
        raise errors.BadInput(message, f"Its hosts are: {', '.join(inventory.hosts)}.")


def _more(inventory: Inventory, host: str, service: Service, count: int) -> Wanted:
    _require_positive(count)
    now = getattr(inventory.hosts[host], KEYS[service])
    total = (now if isinstance(now, int) else len(now)) + count
    if total > MOST_PROCESSES:
        raise errors.BadInput(f"{host}: {total} {KEYS[service]}: a host runs at most {MOST_PROCESSES} of a kind")
    if service is Service.ENGINE:
        return total
    has = schema.ports(inventory.hosts[host], inventory.heat_of(host), service)
    first = schema.first_port(inventory.heat_of(host), service)
    new = _free_ports(inventory, host, service, count)
    counts_on = (*has, *new) == tuple(range(first, first + total))
    return total if isinstance(now, int) and counts_on else (*has, *new)


def _fewer(inventory: Inventory, host: str, service: Service, count: int) -> Wanted:
    _require_positive(count)
    now = getattr(inventory.hosts[host], KEYS[service])
    has = now if isinstance(now, int) else len(now)
    if count > has:
        raise errors.BadInput(f"{host}: {count} {KEYS[service]} fewer is not possible: the inventory gives it {has}")
    return now - count if isinstance(now, int) else now[: has - count]


def _require_positive(count: int) -> None:
    if count < 1:
        raise errors.BadInput(f"a change by {count} is no change", "Give a number of 1 or more.")


def _free_ports(inventory: Inventory, host: str, service: Service, count: int) -> tuple[int, ...]:
    """Return the next ports of a kind on a host where nothing of the inventory listens."""
    entry, heat = inventory.hosts[host], inventory.heat_of(host)
    highest = max(schema.ports(entry, heat, service), default=schema.first_port(heat, service) - 1)
    taken = _taken(inventory, host)
    candidates = (Endpoint(entry.address, port) for port in range(highest + 1, checks.HIGHEST_PORT + 1))
    free = (wish.port for wish in candidates if not any(checks.overlap(wish, other) for other in taken))
    found = tuple(port for _, port in zip(range(count), free, strict=False))
    if len(found) < count:
        raise errors.BadInput(f"{host}: no free port above {highest}", f"Give the ports: {service}: [8004, 8005].")
    return found


def _taken(inventory: Inventory, host: str) -> list[Endpoint]:
    """Return what is listened on at a host: a proxy without `bind` most likely takes the ports Heat has by default."""
    claims = checks.claims(checks.parts_of(inventory.document))
    taken = [claim.endpoint for claim in claims if claim.host == host]
    if host == inventory.proxy.host:
        bind, heat = inventory.proxy.bind, inventory.heat
        address = inventory.hosts[host].address
        taken += [] if bind.api else [Endpoint(address, heat.api_port)]
        taken += [] if bind.cfn else [Endpoint(address, heat.cfn_port)]
    return taken


def _spliced(text: str, host: str, key: str, wanted: Wanted) -> str:
    entry = document.read(text).root.child("hosts").child(host)
    shown = f"[{', '.join(map(str, wanted))}]" if isinstance(wanted, tuple) else str(wanted)
    if not (pair := entry.entry(key)):
        return splice.with_entry(text, entry, f"{key}: {shown}")
    name, value = pair
    if not (isinstance(value.value, tuple) and isinstance(wanted, tuple)):
        return splice.replaced(text, value, shown)
    before = len(value.value)
    if len(wanted) < before:
        return splice.shortened(text, name, value, len(wanted))
    return splice.lengthened(text, value, [str(port) for port in wanted[before:]])


def _prove(edited: str, host: str, service: Service, wanted: Wanted) -> None:
    """Raise BadInput unless the edited text is an inventory that says what was wanted."""
    try:
        entry = reader.parse(edited, NAME).hosts[host]
    except errors.BadInventory as error:
        reasons = "; ".join(problem.split(": ", 1)[1] for problem in error.problems)
        raise errors.BadInput(f"{host}: the change would leave a wrong inventory: {reasons}") from None
    if getattr(entry, KEYS[service]) != wanted:
        raise errors.BadInput(f"{host}: the inventory's layout cannot be edited here", "Change the number by hand.")


def _fill(descriptor: int, text: str, target: Path) -> None:
    with os.fdopen(descriptor, "wb") as file:
        file.write(text.encode())
        if target.exists():
            status = target.stat()
            os.fchmod(descriptor, status.st_mode & 0o7777)
            _keep_owner(descriptor, status)
        else:
            os.fchmod(descriptor, 0o644)
        file.flush()
        os.fsync(descriptor)


def _keep_owner(descriptor: int, status: os.stat_result) -> None:
    mine = os.fstat(descriptor)
    if (mine.st_uid, mine.st_gid) != (status.st_uid, status.st_gid) and os.geteuid() == 0:
        os.fchown(descriptor, status.st_uid, status.st_gid)


def _flush_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
