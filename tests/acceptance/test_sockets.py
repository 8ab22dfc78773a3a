"""Each address belongs to whom it should: an API's to its unit, the clients' to the proxy, and to nobody else."""

import ipaddress

from expected import PROXY_UNIT, SECTIONS
from looks import Look

EVERYWHERE = ("0.0.0.0", "*", "::")
PORTS = {"api": 8004, "cfn": 8000}  # where Heat's APIs listen when heat.conf does not say


def test_api_listens_at_its_address_alone(api, look):
    """It listens at its address, and nobody else does."""
    holders = _holders(look, api.address, api.port)
    assert holders == {api.unit}, f"{api.address}:{api.port} is held by {_named(holders)}"


def test_proxy_holds_the_address_clients_use_alone(bind, look, source_look):
    """It is held by HAProxy and by nobody else."""
    address, port = place_of(bind, source_look)
    holders = _holders(look, address, port)
    assert holders == {PROXY_UNIT}, f"{address or '*'}:{port} is held by {_named(holders)}"


def place_of(bind, source_look: Look) -> tuple[str | None, int]:
    """Where clients reach an API: as the inventory says, else as the source's heat.conf does."""
    if bind.port is not None:
        return bind.address, bind.port
    address, port = source_look.heat["binds"][SECTIONS[bind.kind]]
    return address, port or PORTS[bind.kind]


def _holders(look: Look, address: str | None, port: int) -> set[str]:
    """The units that take connections to an address, or to any address of the host."""
    return {
        holder
        for (listening, its_port), holders in look.listeners.items()
        for holder in holders
        if its_port == port and _overlap(listening, address)
    }


def _overlap(listening: str, address: str | None) -> bool:
    if address is None or address in EVERYWHERE or listening in EVERYWHERE:
        return True
    return ipaddress.ip_address(listening) == ipaddress.ip_address(address)


def _named(units: set[str]) -> str:
    return ", ".join(unit or "a process of no unit" for unit in sorted(units)) or "nobody"
