"""The files by which people and tools reach a lab."""

from pathlib import Path

import yaml

from lab import access

HOSTS = {"hostA": "198.18.3.11", "hostB": "198.18.3.12"}


def test_ssh_config_refuses_unknown_host_keys(tmp_path):
    text = access.ssh_config(tmp_path, HOSTS)
    assert "StrictHostKeyChecking yes" in text
    assert f"UserKnownHostsFile {tmp_path}/known_hosts" in text
    assert "HostName 198.18.3.12" in text


def test_known_hosts_has_each_key_under_address_and_name():
    text = access.known_hosts(HOSTS, {"hostA": "ssh-ed25519 AAAA a comment", "hostB": "ssh-ed25519 BBBB\n"})
    assert text == "198.18.3.11,hostA ssh-ed25519 AAAA\n198.18.3.12,hostB ssh-ed25519 BBBB\n"


def test_clouds_yaml_has_an_administrator_and_an_ordinary_user():
    clouds = yaml.safe_load(
        access.clouds_yaml("198.18.3.11", {"admin": "a:b #c", "demo": "d'e"}, Path("/checkout/.lab/ca.pem"))
    )["clouds"]
    assert clouds["heat-lab"]["auth"]["password"] == "a:b #c"
    assert clouds["heat-lab-demo"]["auth"]["project_name"] == "demo"
    assert clouds["heat-lab"]["auth"]["auth_url"] == "http://198.18.3.11:5000/v3"
    assert clouds["heat-lab-demo"]["cacert"] == "/checkout/.lab/ca.pem"


def test_demo_has_its_files_at_the_top_and_others_in_a_folder(tmp_path):
    assert access.folder(tmp_path, "demo") == tmp_path / ".lab"
    assert access.folder(tmp_path, "test") == tmp_path / ".lab" / "test"


def test_removing_the_demo_leaves_other_labs_files(tmp_path):
    other, demo = access.folder(tmp_path, "test"), access.folder(tmp_path, "demo")
    other.mkdir(parents=True)
    access.private_file(demo / "ssh_config", "x")
    access.private_file(other / "ssh_config", "y")

    access.remove(demo, "demo")
    assert [path.name for path in demo.iterdir()] == ["test"]

    access.remove(other, "test")
    assert not demo.exists()


def test_private_file_is_for_its_owner_alone(tmp_path):
    access.private_file(tmp_path / "clouds.yaml", "secret")
    assert (tmp_path / "clouds.yaml").stat().st_mode & 0o777 == 0o600
