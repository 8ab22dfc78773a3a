"""What oslo.config reads on each node: its own addresses, the source's servers and logins, and all else unchanged."""

import ipaddress

from expected import SECTIONS

OWN = {"[heat_api] bind_host", "[heat_api] bind_port", "[heat_api_cfn] bind_host", "[heat_api_cfn] bind_port"}


def test_heat_conf_of_a_node_names_its_own_addresses(copy, look):
    """Its APIs are told to listen at the node's own address and ports."""
    wanted = {section: [copy.address, copy.first_port(kind)] for kind, section in SECTIONS.items()}
    found = look.heat["binds"]
    assert found == wanted, f"oslo.config reads {found}, not {wanted}"


def test_heat_conf_of_one_process_names_its_own_address(api, look):
    """What it reads besides heat.conf, if anything, names its own address and port."""
    overlay = look.heat["overlays"].get(f"/etc/heat-scaleout/{api.kind}-{api.port}.conf")
    found = overlay and overlay[SECTIONS[api.kind]]
    assert found in (None, [api.address, api.port]), f"oslo.config reads {found}"


def test_heat_conf_of_a_node_names_no_loopback_server(copy, look):
    """Database, broker, Keystone and the addresses for instances are reachable from the node, none a loopback."""
    wrong = [
        f"{option} is at {host or 'an implied localhost'}"
        for option, hosts in look.heat["servers"].items()
        for host in hosts
        if _is_loopback(host)
    ]
    assert not wrong, "; ".join(wrong)


def test_heat_conf_of_a_node_has_the_sources_logins(copy, look, source_look):
    """User, password, port and query of database and broker are the source's."""
    wrong = [option for option, digest in source_look.heat["logins"].items() if look.heat["logins"][option] != digest]
    assert not wrong, f"different from the source's: {', '.join(wrong)}"


def test_heat_conf_of_a_node_differs_in_addresses_only(copy, look, source_look):
    """It differs from the source's in the options that name the node or a loopback server, and in no other."""
    mine, original = look.heat["written"], source_look.heat["written"]
    changed = {
        option for option in mine.keys() | original.keys() if mine.get(option, [""])[0] != original.get(option, [""])[0]
    }
    unasked = {option for option in changed - OWN if not original.get(option, ["", False])[1]}
    assert not unasked, f"different from the source's: {', '.join(sorted(unasked))}"


def _is_loopback(host: str | None) -> bool:
    if not host or host.lower().startswith("localhost"):
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
