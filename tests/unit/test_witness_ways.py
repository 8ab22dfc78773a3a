"""How the acceptance suite reaches hosts: by an SSH configuration of its own, which OpenSSH reads."""

import pytest
import sites

NOTHING = dict.fromkeys(("user", "port", "key", "gateway", "known_hosts", "host_key", "sudo", "timeout", "config"))


@pytest.fixture
def settings(tmp_path, monkeypatch):
    """What OpenSSH makes of the way to hostB at 10.0.0.2: keyword -> value, and the name it is asked for."""
    monkeypatch.syspath_prepend(str(sites.ROOT / "tests/acceptance"))
    import expected  # the suite is no package: its modules are found by their folder
    import hosts

    def read(text="", **stated):
        (tmp_path / "config").write_text(text)
        access = expected.Access("10.0.0.2", **NOTHING | {"config": str(tmp_path / "config")} | stated)
        found = hosts.way("hostB", access, tmp_path / "way")
        lines = hosts._settings(found.config, found.alias)
        return {"alias": found.alias} | dict(line.split(" ", 1) for line in lines)

    return read


def subset(found, *keys):
    return tuple(found.get(key) for key in keys)


def test_way_without_anything_said_of_it_is_that_of_root_and_strict(settings):
    found = settings()

    assert subset(found, "user", "hostname", "port", "alias") == ("root", "10.0.0.2", "22", "10.0.0.2")
    assert subset(found, "stricthostkeychecking", "updatehostkeys", "batchmode") == ("true", "false", "yes")


def test_way_by_a_block_of_the_name_or_else_of_the_address_is_the_operators(settings, tmp_path):
    by_address = "Host 10.0.0.*\n  User deploy\n"

    assert subset(settings(by_address), "alias", "user") == ("10.0.0.2", "deploy")
    (tmp_path / "way").rename(tmp_path / "before")
    by_both = settings(by_address + "Host hostB\n  Port 2222\n")
    assert subset(by_both, "alias", "user", "port") == ("hostB", "root", "2222")


def test_way_that_the_inventory_states_overrides_the_configuration(settings):
    text = (
        "Host *\n  User x\n  Port 1\n  ProxyJump x\n  StrictHostKeyChecking no\n  UserKnownHostsFile /x\n  HostName x\n"
    )

    found = settings(text, user="deploy", port=2222, gateway="none", known_hosts="/known/stated", timeout=3)

    assert subset(found, "user", "port", "hostname", "proxyjump") == ("deploy", "2222", "10.0.0.2", None)
    assert subset(found, "userknownhostsfile", "globalknownhostsfile") == ("/known/stated", "/dev/null")
    assert subset(found, "stricthostkeychecking", "connecttimeout") == ("true", "3")


def test_way_with_a_host_key_of_the_inventory_trusts_that_key_alone(settings, tmp_path):
    found = settings("Host *\n  HostKeyAlias x\n", host_key="ssh-ed25519 AAAA", known_hosts="/known/stated")

    assert (tmp_path / "way/known").read_text() == f"{found['hostkeyalias']} ssh-ed25519 AAAA\n"
    assert subset(found, "userknownhostsfile", "globalknownhostsfile") == (str(tmp_path / "way/known"), "/dev/null")


def test_way_over_the_inventorys_jump_host_has_its_user_and_its_keys(settings, tmp_path):
    import hosts

    found = settings("Host bastion\n  HostName 192.0.2.9\n", gateway="bastion:33", user="deploy", known_hosts="/known")

    jump = dict(line.split(" ", 1) for line in hosts._settings(tmp_path / "way/config", "bastion"))
    assert found["proxyjump"] == "bastion:33"
    assert subset(jump, "hostname", "user", "userknownhostsfile") == ("192.0.2.9", "deploy", "/known")
    assert jump["stricthostkeychecking"] == "true"


def test_way_to_a_host_that_is_its_own_jump_host_is_direct(settings):
    assert "proxyjump" not in settings(gateway="deploy@10.0.0.2")
