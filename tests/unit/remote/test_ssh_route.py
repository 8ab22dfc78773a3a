"""The way to a host: the inventory first, then the SSH configuration as OpenSSH reads it, then the defaults."""

import shlex
import subprocess

import pytest

from deployer.model.hosts import Host, Login
from deployer.remote import ssh_config, ssh_route
from deployer.remote.ssh_config import ConfigUnreadable

BY_NAME = "Host hostB\n  Port 2222\n"
BY_ADDRESS = "Host 10.0.0.*\n  User deploy\n  ProxyJump bastion\n"
FOR_ALL = "Host *\n  User everybody\n  ConnectTimeout 3\n"


@pytest.fixture
def way(tmp_path):
    """A builder of the way to hostB at 10.0.0.2, given a configuration and what the inventory states."""

    def find(text="", name="hostB", address="10.0.0.2", **stated):
        (tmp_path / "config").write_text(text)
        return ssh_route.find(Host(name, address, Login(**{"ssh_config": str(tmp_path / "config")} | stated)))

    return find


def settings(route):
    """What OpenSSH makes of the command that is to go the same way."""
    printed = subprocess.run([route.command[0], "-G", *route.command[1:]], capture_output=True, text=True, check=True)
    return ssh_config.parse(printed.stdout)


def test_host_that_nothing_is_said_of_has_the_defaults(way):
    route = way()

    assert (route.user, route.address, route.port, route.timeout) == ("root", "10.0.0.2", 22, 10.0)
    assert (route.jump, route.proxy_command, route.host_key, route.only_keys) == (None, None, None, False)
    assert route.known_as == ("10.0.0.2",)


def test_block_of_the_hosts_name_counts_and_its_hostname_does_not(way):
    route = way("Host hostB\n  Port 2222\n  User deploy\n  HostName elsewhere.example\n  IdentityFile /keys/%n\n")

    assert (route.user, route.address, route.port, route.keys) == ("deploy", "10.0.0.2", 2222, ("/keys/hostB",))
    assert route.known_as == ("[10.0.0.2]:2222", "10.0.0.2")


def test_block_of_the_address_counts_where_nothing_is_said_of_the_name(way):
    route = way(BY_ADDRESS + FOR_ALL)

    assert (route.user, route.jump.address, route.timeout) == ("deploy", "bastion", 3.0)
    assert route.command[-1] == "deploy@10.0.0.2"


def test_block_of_the_name_is_the_one_that_counts_where_both_are_there(way):
    """As with `ssh hostB`, for which OpenSSH does not look at blocks of addresses."""
    route = way(BY_ADDRESS + BY_NAME + FOR_ALL)

    assert (route.user, route.port, route.jump) == ("everybody", 2222, None)
    assert route.command[-3:] == ("-o", "HostName=10.0.0.2", "everybody@hostB")


def test_match_on_the_address_counts_with_a_block_of_the_name(way):
    route = way(BY_NAME + "Match host 10.0.0.*\n  User deploy\n")

    assert (route.user, route.port) == ("deploy", 2222)


def test_inventory_overrides_every_setting_of_the_configuration(way):
    text = (
        "Host hostB\n  Port 2222\n  User config\n  IdentityFile /keys/config\n  ProxyJump config\n"
        "  ConnectTimeout 3\n  UserKnownHostsFile /known/config\n"
    )

    route = way(
        text,
        port=22,
        user="stated",
        key="/keys/stated",
        gateway="none",
        connect_timeout=0.5,
        known_hosts="/known/stated",
        host_key="ssh-ed25519 AAAA",
    )

    assert (route.port, route.user, route.keys, route.only_keys) == (22, "stated", ("/keys/stated",), True)
    assert (route.jump, route.timeout, route.known_hosts) == (None, 0.5, ("/known/stated",))
    assert route.host_key == "ssh-ed25519 AAAA"


def test_user_of_the_inventory_decides_what_matches_on_a_user(way):
    assert way("Match user deploy\n  Port 2222\n", user="deploy").port == 2222


def test_local_user_logs_in_where_the_configuration_names_it(way):
    assert way(f"Host *\n  User {ssh_config.local_user()}\n").user == ssh_config.local_user()


def test_alias_of_the_host_key_is_the_name_that_is_looked_up(way):
    assert way("Host hostB\n  Port 2222\n  HostKeyAlias b-by-console\n").known_as == ("b-by-console",)


def test_strict_host_keys_cannot_be_loosened_by_the_configuration(way):
    loose = way("Host *\n  StrictHostKeyChecking no\n  UserKnownHostsFile /dev/null\n")

    assert (loose.known_hosts[0], loose.host_key) == ("/dev/null", None)


def test_chain_of_jump_hosts_has_each_ones_own_block(way):
    route = way(
        "Host hostB\n  ProxyJump first,%r@second:33\n  User deploy\n"
        "Host first\n  HostName 192.0.2.1\n  User one\n  Port 44\nHost second\n  User two\n  HostKeyAlias s\n"
    )

    second, first = route.jump, route.jump.jump
    assert (second.address, second.user, second.port, second.known_as) == ("second", "deploy", 33, ("s",))
    assert (first.address, first.user, first.port, first.jump) == ("192.0.2.1", "one", 44, None)


def test_jump_host_of_the_configuration_may_have_one_itself(way):
    route = way("Host hostB\n  ProxyJump inner\nHost inner\n  ProxyJump outer\n")

    assert (route.jump.address, route.jump.jump.address, route.jump.jump.jump) == ("inner", "outer", None)


def test_jump_host_of_the_configuration_has_none_of_the_inventorys_keys_and_user(way):
    route = way(
        "Host hostB\n  ProxyJump bastion\nHost bastion\n  IdentityFile /keys/bastion\n",
        user="deploy",
        key="/keys/stated",
        known_hosts="/known/stated",
    )

    assert (route.jump.user, route.jump.keys) == (ssh_config.local_user(), ("/keys/bastion",))
    assert "/known/stated" not in route.jump.known_hosts


def test_jump_host_of_the_inventory_has_its_keys_and_user_and_a_block_of_its_own(way):
    text = "Host hostB\n  ProxyJump config\nHost bastion\n  HostName 192.0.2.9\n  IdentityFile /keys/bastion\n"

    jump = way(text, gateway="bastion:33", user="deploy", key="/keys/stated", known_hosts="/known/stated").jump

    assert (jump.address, jump.port, jump.user) == ("192.0.2.9", 33, "deploy")
    assert (jump.keys, jump.known_hosts) == (("/keys/stated", "/keys/bastion"), ("/known/stated",))
    assert way(text + "  User config\n", gateway="bastion", user="deploy").jump.user == "config"
    assert way(text + "  User config\n", gateway="me@bastion", user="deploy").jump.user == "me"


def test_host_that_is_the_sites_own_jump_host_is_reached_directly(way):
    assert way(gateway="deploy@10.0.0.2").jump is None
    assert way(gateway="deploy@10.0.0.2:2222").jump.port == 2222


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("Host *\n  ProxyJump a\nHost a\n  ProxyJump b\n", "jumphost loop via a"),
        ("Host 10.*\n  ProxyJump a\nHost a\n  ProxyJump b\nHost b\n  ProxyJump a\n", "more than 8 jump hosts"),
        ("ProxyCommand nc\nProxyUseFdpass yes\n", "ProxyUseFdpass of the SSH configuration is not supported"),
    ],
)
def test_way_that_cannot_be_gone_is_refused_with_its_reason(way, text, why):
    with pytest.raises(ConfigUnreadable, match=why):
        way(text)


def test_no_configuration_counts_where_the_inventory_wants_none(way):
    route = way(ssh_config="none", user="operator", key="/keys/lab", known_hosts="/known/lab")

    assert (route.user, route.port, route.keys, route.jump) == ("operator", 22, ("/keys/lab",), None)
    assert shlex.join(route.command) == (
        "ssh -F none -i /keys/lab -o IdentitiesOnly=yes -o UserKnownHostsFile=/known/lab operator@10.0.0.2"
    )


@pytest.mark.parametrize(
    "stated",
    [
        {},
        {"port": 2201, "user": "deploy", "key": "my own key", "known_hosts": "/known/my hosts"},
        {"gateway": "jump@192.0.2.9:44"},
        {"gateway": "none"},
        {"gateway": "bastion", "key": "key"},
    ],
)
def test_command_of_the_hint_goes_the_same_way(way, tmp_path, stated):
    if "key" in stated:  # OpenSSH forgets a key that is not there
        (tmp_path / stated["key"]).touch()
        stated = stated | {"key": str(tmp_path / stated["key"])}
    route = way("Host hostB\n  ProxyJump config\n  IdentityFile /keys/config\n" + FOR_ALL, **stated)

    same = settings(route)

    assert (same.hostname, same.port, same.user) == (route.address, route.port, route.user)
    assert (same.identity_files[0], same.identities_only) == (route.keys[0], route.only_keys)
    assert same.known_hosts[0] == route.known_hosts[0]
    assert bool(same.proxy_jump or same.proxy_command) == bool(route.jump)
    if {"key", "gateway"} <= set(stated):
        assert same.proxy_command == f"ssh -W '[%h]:%p' {shlex.join(route.jump.command[1:])}"
