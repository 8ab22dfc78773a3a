"""What `ssh -G` says is read right; OpenSSH itself reads the files."""

import os
import shutil

import pytest

from deployer.remote import ssh_config
from deployer.remote.ssh_config import ConfigUnreadable, Destination

HOME = os.path.expanduser(f"~{ssh_config.local_user()}")  # noqa: PTH111
PRINTED = """\
user deploy
hostname 10.0.0.2
port 2222
identitiesonly yes
identityfile ~/.ssh/id_%h
identityfile /keys/my own
certificatefile /keys/one-cert.pub
userknownhostsfile /a/known hosts /b/known_hosts
globalknownhostsfile /etc/ssh/ssh_known_hosts
hostkeyalias b
connecttimeout 7
proxyjump one,two:33
stricthostkeychecking accept-new
"""


@pytest.fixture
def file(tmp_path):
    """A builder of configuration files; its value is a file's path."""

    def write(text, name="config"):
        (tmp_path / name).write_text(text)
        return str(tmp_path / name)

    return write


def test_settings_are_read_from_the_lines_of_their_keywords():
    assert ssh_config.parse(PRINTED) == ssh_config.SshConfig(
        hostname="10.0.0.2",
        user="deploy",
        port=2222,
        identity_files=("~/.ssh/id_%h", "/keys/my own"),
        certificate_files=("/keys/one-cert.pub",),
        identities_only=True,
        host_key_alias="b",
        known_hosts=("/a/known hosts", "/b/known_hosts", "/etc/ssh/ssh_known_hosts"),
        proxy_jump="one,two:33",
        connect_timeout=7.0,
    )


def test_settings_that_are_none_are_as_those_that_are_missing():
    lines = ("proxyjump", "proxycommand", "connecttimeout", "identityfile", "userknownhostsfile")

    assert ssh_config.parse("".join(f"{line} none\n" for line in lines)) == ssh_config.SshConfig()
    assert ssh_config.parse("identityagent none\n").identity_agent == "none"


def test_include_and_match_mean_what_they_mean_to_openssh(file):
    more = file("Match host 10.0.0.*\n  ConnectTimeout 4\n", "more")
    config = file(f"Include {more}\nHost host?\n  Port 2222\nMatch originalhost hostB exec true\n  User deploy\n")

    found = ssh_config.resolve(Destination("hostB", hostname="10.0.0.2", file=config))

    assert (found.hostname, found.port, found.user, found.connect_timeout) == ("10.0.0.2", 2222, "deploy", 4.0)


def test_options_of_the_command_line_win_over_the_file(file):
    config = file("Host *\n  Port 2222\n  User config\n  ProxyJump config\n  HostName config\n")

    found = ssh_config.resolve(Destination("hostB", "10.0.0.2", 22, "stated", "stated.jump", config))

    assert (found.hostname, found.port, found.user, found.proxy_jump) == ("10.0.0.2", 22, "stated", "stated.jump")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", False),
        ("Port 2222\n", False),
        ("User {local}\n", True),
        ("Host *\n  User {local}\n", True),
        ("User deploy\n", True),
        ("Host other\n  User {local}\n", False),
        ("Match host 10.*\n  User {local}\n", True),
    ],
)
def test_local_user_is_told_from_one_that_the_file_names(file, text, expected):
    destination = Destination("hostB", "10.0.0.2", file=file(text.format(local=ssh_config.local_user())))

    assert ssh_config.names_user(destination, ssh_config.resolve(destination)) is expected


def test_tokens_and_home_are_replaced_as_openssh_does(file, monkeypatch):
    monkeypatch.setenv("KEYS", "/keys")
    config = file(
        "IdentityFile ~/%n/%r@%h:%p%%\nCertificateFile ${KEYS}/%k\nHostKeyAlias alias\nUser deploy\n"
        "ProxyCommand run %h %p\nIdentityAgent ~/agent\n"
    )
    destination = Destination("hostB", "10.0.0.2", 2222, file=config)

    found = ssh_config.expanded(ssh_config.resolve(destination), destination)

    assert found.identity_files == (f"{HOME}/hostB/deploy@10.0.0.2:2222%",)
    assert (found.certificate_files, found.proxy_command) == (("/keys/alias",), "run 10.0.0.2 2222")
    assert found.identity_agent == f"{HOME}/agent"


def test_no_file_is_read_where_the_inventory_wants_none(monkeypatch):
    monkeypatch.setenv("PATH", "/nowhere")  # OpenSSH is not even asked

    found = ssh_config.resolve(Destination("hostB", "10.0.0.2", jump="none", file="none"))

    assert (found.hostname, found.port, found.user, found.proxy_jump) == ("10.0.0.2", 22, None, None)
    assert found.known_hosts[0] == "~/.ssh/known_hosts"


def test_file_that_openssh_refuses_is_named_with_its_line(file):
    config = file("Host hostB\n  Prot 2222\n")

    with pytest.raises(ConfigUnreadable, match=r"config: line 2: Bad configuration option: prot"):
        ssh_config.resolve(Destination("hostB", file=config))


def test_file_without_openssh_to_read_it_is_an_error(file, monkeypatch):
    config = file("Host hostB\n  Port 2222\n")
    monkeypatch.setenv("PATH", "/nowhere")

    with pytest.raises(ConfigUnreadable, match="config: needs the program `ssh`, which is not installed here"):
        ssh_config.resolve(Destination("hostB", file=config))


def test_machine_without_openssh_and_its_files_has_the_defaults(monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", "/nowhere")
    monkeypatch.setattr(ssh_config, "_home", lambda: str(tmp_path))
    monkeypatch.setattr(ssh_config, "SYSTEM_CONFIG", tmp_path / "ssh_config")

    assert ssh_config.resolve(Destination("hostB", "10.0.0.2")).hostname == "10.0.0.2"


def test_openssh_that_does_not_answer_is_given_up(tmp_path, monkeypatch):
    (tmp_path / "ssh").write_text(f"#!/bin/sh\nexec {shutil.which('sleep')} 30\n")
    (tmp_path / "ssh").chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(ssh_config, "QUERY_TIMEOUT", 0.2)

    with pytest.raises(ConfigUnreadable, match="did not end"):
        ssh_config.resolve(Destination("hostB"))
