"""The lab's own authority and what it gives a host."""

import os
import ssl
import stat

import pytest

from lab import authority


def test_certificate_of_a_host_proves_its_name_and_address_by_the_labs_authority(tmp_path):
    authority.make(tmp_path)
    certificate, key = authority.sign(tmp_path, "hostB", "198.18.3.12")
    (tmp_path / "both.pem").write_text(certificate + key)

    assert handshake(tmp_path, "hostB") == handshake(tmp_path, "198.18.3.12") == "TLSv1.3"


def test_authority_that_is_there_is_kept(tmp_path):
    authority.make(tmp_path)
    before = (tmp_path / "ca.pem").read_text()

    authority.make(tmp_path)

    assert (tmp_path / "ca.pem").read_text() == before


@pytest.mark.skipif(os.geteuid() != 0, reason="only root gives files away")
def test_host_gets_a_key_that_root_and_heat_alone_read(tmp_path):
    tree = tmp_path / "tree"
    (tree / "etc").mkdir(parents=True)
    (tree / "etc/group").write_text("root:x:0:\nheat:x:997:\n")
    authority.make(tmp_path)

    authority.equip(tree, tmp_path, "hostB", "198.18.3.12")

    found = {path.name: path.stat() for path in (tree / authority.FOLDER).iterdir()}
    assert set(found) == {"ca.pem", "api.pem", "api.key", "proxy.pem"}
    assert (found["api.key"].st_gid, stat.S_IMODE(found["api.key"].st_mode)) == (997, 0o640)
    assert (found["proxy.pem"].st_gid, stat.S_IMODE(found["proxy.pem"].st_mode)) == (0, 0o600)


def handshake(folder, name):
    """The version of TLS that a server with the certificate and a client who trusts the authority agree on."""
    accepting = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    accepting.load_cert_chain(folder / "both.pem")
    asking = ssl.create_default_context(cafile=folder / "ca.pem")
    up, down = ssl.MemoryBIO(), ssl.MemoryBIO()
    client, server = asking.wrap_bio(down, up, server_hostname=name), accepting.wrap_bio(up, down, server_side=True)
    for _ in range(3):
        for side in (client, server):
            try:
                side.do_handshake()
            except ssl.SSLWantReadError:
                continue
    return client.version()
