"""What is to be encrypted is, with TLS 1.2 at least, and what stands behind the proxy proves who it is."""

from looks import Look
from test_sockets import place_of

NEW = ("TLSv1.2", "TLSv1.3")


def test_api_proves_its_name_to_the_proxys_host(secure_api, proxy_look):
    """From the proxy's host it proves its name by a certificate of the proxy's authorities."""
    found = _spoken(proxy_look, secure_api.address, secure_api.port)
    assert found["version"], f"{secure_api.name} is not proven: {found['why']}"


def test_api_speaks_new_tls_alone(secure_api, proxy_look):
    """It speaks TLS 1.2 or later, and nothing else."""
    _assert_new_tls_alone(_spoken(proxy_look, secure_api.address, secure_api.port))


def test_proxy_speaks_new_tls_alone_to_clients(secure_bind, proxy_look, source_look):
    """Clients get TLS 1.2 or later there, and nothing else."""
    _assert_new_tls_alone(_spoken(proxy_look, *place_of(secure_bind, source_look)))


def _assert_new_tls_alone(found) -> None:
    assert not found["plain"], "plain HTTP is answered"
    assert not found["old"], f"{', '.join(found['old'])} is taken"
    assert found["version"] in NEW, f"TLS ends with {found['version'] or found['why']}"


def _spoken(look: Look, address: str | None, port: int):
    """How the place of an address, or of any at a port, speaks."""
    of_port = {place: found for place, found in look.spoken.items() if place[1] == port}
    assert of_port, f"nobody listens at port {port}"
    return of_port.get((address, port)) or next(iter(of_port.values()))
