"""What a loaded inventory says of its hosts: logins, Heat's settings and processes, with every default resolved."""

from pathlib import Path

import pytest
from inventory_texts import HOSTS, ROOT, a_text, problems, read

from deployer import errors
from deployer.inventory import reader
from deployer.model.hosts import Host, Instance, Login, Secret
from deployer.model.names import Endpoint
from deployer.model.service import Service

HOME = str(Path.home())


def a_site(**parts: str):
    return read(a_text(**parts))


def units(inventory, host: str) -> list[str]:
    return [instance.unit for instance in inventory.instances_of(host)]


def test_smallest_inventory_gets_the_defaults_of_a_careful_operator():
    inventory = a_site()

    assert inventory.site == "some"
    assert inventory.host("hostB") == Host("hostB", "10.0.0.2", Login())  # all is left to the SSH configuration
    assert (inventory.heat_of("hostB").config_dir, inventory.heat_of("hostB").prefix) == ("/etc/heat", "/usr")
    assert (inventory.proxy.balance, inventory.proxy.timeouts.server) == ("roundrobin", "90s")
    assert inventory.proxy.bind.api is None


def test_instances_come_in_the_order_of_the_file_with_the_proxy():
    inventory = a_site(hosts="  z: {address: 10.0.0.9, engines: 1}\n" + HOSTS)

    assert inventory.instances() == (
        Instance("z", Service.ENGINE, 1, "10.0.0.9"),
        Instance("hostA", Service.PROXY, 0, "10.0.0.1"),
        Instance("hostB", Service.API, 8004, "10.0.0.2"),
        Instance("hostB", Service.CFN, 8000, "10.0.0.2"),
        Instance("hostB", Service.ENGINE, 1, "10.0.0.2"),
        Instance("hostB", Service.ENGINE, 2, "10.0.0.2"),
        Instance("hostC", Service.API, 8004, "10.0.0.3"),
        Instance("hostC", Service.CFN, 8000, "10.0.0.3"),
        Instance("hostC", Service.ENGINE, 1, "10.0.0.3"),
        Instance("hostC", Service.ENGINE, 2, "10.0.0.3"),
    )


def test_list_of_ports_and_counts_from_another_first_port_name_the_units():
    hosts = HOSTS + "  hostD: {address: 10.0.0.4, api: [9004, 8004], cfn: 2, heat: {cfn_port: 9000}}\n"

    assert units(a_site(hosts=hosts), "hostD") == [
        "heat-scaleout-api@9004.service",
        "heat-scaleout-api@8004.service",
        "heat-scaleout-cfn@9000.service",
        "heat-scaleout-cfn@9001.service",
    ]


def test_ssh_of_a_host_overrides_that_of_the_site_field_by_field():
    ssh = "ssh: {user: operator, port: 2222, key: keys/site, gateway: jump@10.0.0.250, connect_timeout: 3}\n"
    hosts = HOSTS + "  hostD: {address: 10.0.0.4, ssh: {port: 22, address: d.example.org, sudo: false}}\n"

    inventory = a_site(more=ssh, hosts=hosts)

    shared = {"key": "/sites/keys/site", "gateway": "jump@10.0.0.250", "connect_timeout": 3.0}
    assert inventory.host("hostD") == Host("hostD", "d.example.org", Login("operator", 22, sudo=False, **shared))
    assert inventory.host("hostB") == Host("hostB", "10.0.0.2", Login("operator", 2222, **shared))


@pytest.mark.parametrize(
    ("ssh", "expected"),
    [
        ("{}", None),
        ("{user: x}", None),
        ("{sudo: true}", True),
        ("{user: x, sudo: false}", False),
    ],
)
def test_sudo_that_is_left_out_is_decided_by_who_logs_in(ssh, expected):
    assert a_site(more=f"ssh: {ssh}\n").host("hostB").login.sudo is expected


@pytest.mark.parametrize(
    ("written", "expected"),
    [("none", "none"), ("./none", "/sites/none"), ("ssh_config", "/sites/ssh_config"), ("~/other", f"{HOME}/other")],
)
def test_ssh_configuration_of_the_inventory_is_a_file_or_none(written, expected):
    assert a_site(more=f"ssh: {{ssh_config: {written}}}\n").host("hostB").login.ssh_config == expected


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("../.lab/key", "/.lab/key"),
        ("key", "/sites/key"),
        ("/etc/key", "/etc/key"),
        ("~/key", f"{HOME}/key"),
        ("my keys/one", "/sites/my keys/one"),
    ],
)
def test_path_of_a_key_starts_at_the_folder_of_the_inventory(written, expected):
    assert a_site(more=f"ssh: {{key: {written}}}\n").host("hostB").login.key == expected


def test_path_in_the_home_of_another_user_is_refused():
    assert problems(a_text(more="ssh: {key: ~other/key}\n"))


def test_relative_path_of_the_inventory_gives_absolute_paths_of_keys(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    inventory = reader.parse(a_text(more="ssh: {key: key}\n"), Path("sites/one.yaml"))

    assert inventory.host("hostB").login.key == str(tmp_path / "sites/key")
    assert (inventory.site, inventory.path) == ("one", Path("sites/one.yaml"))


def test_heat_of_a_host_overrides_that_of_the_site_field_by_field():
    heat = "source: hostA, prefix: /opt/heat, engine_workers: 4, threads: 16"
    hosts = HOSTS + "  hostD: {address: 10.0.0.4, heat: {launcher: uwsgi, engine_workers: null}}\n"

    inventory = a_site(heat=heat, hosts=hosts)

    own = inventory.heat_of("hostD")
    assert (own.launcher, own.engine_workers, own.prefix, own.threads) == ("uwsgi", None, "/opt/heat", 16)
    assert (own.source, inventory.heat_of("hostB")) == ("hostA", inventory.heat)


def test_addresses_are_read_in_their_shortest_spelling():
    proxy = 'host: hostA, bind: {api: "[2001:DB8:0::1]:8004", cfn: "*:8000"}'
    inventory = a_site(hosts=HOSTS + '  hostD: {address: "2001:DB8:0::5"}\n', proxy=proxy)

    assert inventory.host("hostD").address == "2001:db8::5"
    assert inventory.proxy.bind.api == Endpoint("2001:db8::1", 8004)
    assert [str(bind) for bind in (inventory.proxy.bind.api, inventory.proxy.bind.cfn)] == [
        "[2001:db8::1]:8004",
        "*:8000",
    ]


def test_password_is_a_secret_that_no_text_of_the_inventory_shows():
    inventory = a_site(proxy="host: hostA, stats: {user: x, password: correct-horse}")

    assert inventory.proxy.stats.password == Secret("correct-horse")
    assert "correct-horse" not in repr(inventory) + str(inventory.proxy)


def test_loaded_inventory_cannot_be_changed():
    inventory = a_site()

    with pytest.raises(TypeError):
        inventory.hosts["hostA"] = None
    with pytest.raises(ValueError, match="frozen"):
        inventory.heat.prefix = "/opt"


def test_unknown_host_asked_for_is_bad_input_that_names_the_known():
    with pytest.raises(errors.BadInput) as caught:
        a_site().host("hostX")

    assert "hostA, hostB, hostC" in caught.value.hint


def test_inventory_of_the_guide_has_every_value_of_its_sample():
    inventory = reader.read(ROOT / "inventories/guide.yaml")
    proxy = inventory.proxy

    assert [(name, entry.address) for name, entry in inventory.hosts.items()] == [
        ("hostA", "10.0.0.1"),
        ("hostB", "10.0.0.2"),
        ("hostC", "10.0.0.3"),
    ]
    assert (str(proxy.bind.api), str(proxy.bind.cfn)) == ("10.0.0.1:8004", "10.0.0.1:8000")
    assert (proxy.maxconn, proxy.listen_maxconn, proxy.retries) == (4000, 8000, 3)
    assert tuple(proxy.timeouts.model_dump().values()) == ("10s", "1m", "10s", "1m", "1m", "10s")
    assert (proxy.balance, proxy.server_names) == ("source", "numbered")


def test_host_key_of_one_host_reaches_its_login():
    key = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAABAgMEBQYHCAkKCwwNDg8QERITFBUWFxgZGhscHR4f"
    hosts = HOSTS + f"  hostD: {{address: 10.0.0.4, ssh: {{host_key: {key}}}}}\n"

    assert a_site(hosts=hosts).host("hostD").login.host_key == key
    assert a_site(hosts=hosts).host("hostB").login.host_key is None
