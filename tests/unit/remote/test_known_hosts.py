"""Host keys that a known_hosts file lists: under which names, and which of them are trusted."""

import base64

import pytest
from paramiko.hostkeys import HostKeys

from deployer.remote import known_hosts

KEY, OTHER = (base64.b64encode(text).decode() for text in (b"a key of a host", b"another key"))
KIND = "ssh-ed25519"
SALT = base64.b64encode(b"twenty bytes of salt").decode()
HASHED = {name: HostKeys.hash_host(name, SALT) for name in ("10.0.0.2", "10.0.0.3")}
ONE, TWO = (KIND, base64.b64decode(KEY)), (KIND, base64.b64decode(OTHER))


def trusted(*lines, names=("10.0.0.2",)):
    return known_hosts.of_host(names, ["\n".join(lines)]).trusted


@pytest.mark.parametrize(
    "listed", ["10.0.0.2", "hostB,10.0.0.2", "10.0.0.*", "10.0.?.2", "10.*,!10.9.*", HASHED["10.0.0.2"]]
)
def test_key_of_a_line_about_the_name_is_trusted(listed):
    assert trusted(f"{listed} {KIND} {KEY} a comment") == {ONE}


@pytest.mark.parametrize(
    "line",
    [
        f"10.0.0.20 {KIND} {KEY}",
        f"[10.0.0.2]:22 {KIND} {KEY}",
        f"10.0.0.*,!10.0.0.2 {KIND} {KEY}",
        f"10x0x0x2 {KIND} {KEY}",
        f"# 10.0.0.2 {KIND} {KEY}",
        f"@cert-authority 10.0.0.2 {KIND} {KEY}",
        f"10.0.0.2 {KIND} {KEY[:-1]}",
        "10.0.0.2",
        "",
        f"{HASHED['10.0.0.3']} {KIND} {KEY}",
        f"|1|damaged {KIND} {KEY}",
    ],
)
def test_key_of_any_other_line_is_not_trusted(line):
    assert trusted(line) == set()


def test_several_keys_of_a_host_in_several_files_are_all_trusted():
    texts = [f"10.0.0.2 {KIND} {KEY}\n", f"other {KIND} {KEY}\n10.0.0.2 {KIND} {OTHER}\n"]

    assert known_hosts.of_host(["10.0.0.2"], texts).trusted == {ONE, TWO}


def test_key_listed_without_the_port_counts_where_none_is_listed_with_it():
    names = ("[10.0.0.2]:2222", "10.0.0.2")

    assert trusted(f"10.0.0.2 {KIND} {KEY}", names=names) == {ONE}
    assert trusted(f"10.0.0.2 {KIND} {KEY}", f"[10.0.0.2]:2222 {KIND} {OTHER}", names=names) == {TWO}


def test_name_of_a_host_is_found_in_any_case():
    assert trusted(f"HostB.example {KIND} {KEY}", names=("hostb.Example",)) == {ONE}


def test_revoked_key_is_not_trusted_though_another_line_lists_it():
    found = known_hosts.of_host(["10.0.0.2"], [f"10.0.0.2 {KIND} {KEY}\n", f"@revoked * {KIND} {KEY} lost\n"])

    assert (found.trusted, found.revoked) == (set(), {ONE})


def test_key_of_the_inventory_is_the_only_one():
    assert known_hosts.of_line(f"{KIND} {KEY}") == known_hosts.KnownKeys(frozenset({ONE}))
