"""Which ports of a host nothing of the inventory listens on. Pure."""

from deployer import errors
from deployer.inventory import checks, schema
from deployer.inventory.schema import Inventory
from deployer.model.names import Endpoint
from deployer.model.service import Service


def free(inventory: Inventory, host: str, service: Service, count: int) -> tuple[int, ...]:
    """Return the next ports of a kind on a host where nothing of the inventory listens."""
    entry, heat = inventory.hosts[host], inventory.heat_of(host)
    highest = max(schema.ports(entry, heat, service), default=schema.first_port(heat, service) - 1)
    taken = _taken(inventory, host)
    candidates = (Endpoint(entry.address, port) for port in range(highest + 1, checks.HIGHEST_PORT + 1))
    free = (candidate.port for candidate in candidates if not any(checks.overlap(candidate, other) for other in taken))
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
