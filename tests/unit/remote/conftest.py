"""Hosts behind real SSH servers of this machine, and a look at one by an SSH configuration, which OpenSSH reads."""

import contextlib
import logging
import sys

import pytest
import ssh_server
from ssh_site import BASTION_KEY, CLIENT_KEY, HOST_KEY

from deployer.model import events
from deployer.model.hosts import Host, Login
from deployer.remote import fleet


@pytest.fixture
def quiet(monkeypatch):
    """Paramiko logs every refused login of its server; the agent of who runs the tests has no say in them."""
    logging.getLogger("paramiko").setLevel(logging.CRITICAL)
    monkeypatch.delenv("SSH_AUTH_SOCK", raising=False)


@pytest.fixture
def serve(tmp_path):
    """A builder of servers: their port. They end with the test."""
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin/python3").symlink_to(sys.executable)
    with contextlib.ExitStack() as until_the_end:

        def build(host_key=HOST_KEY, client_key=CLIENT_KEY, **how):
            environment = {"PATH": str(tmp_path / "bin")}
            return until_the_end.enter_context(ssh_server.listening(host_key, client_key, environment, **how))

        yield build


@pytest.fixture
def look(tmp_path, quiet):
    """Look at hostB by a configuration, where `HERE` is the test's folder, and what the inventory states."""
    CLIENT_KEY.write_private_key_file(str(tmp_path / "key"))
    BASTION_KEY.write_private_key_file(str(tmp_path / "bastion_key"))

    def ask(text, **stated):
        (tmp_path / "config").write_text(text.replace("HERE", str(tmp_path)))
        login = Login(**{"ssh_config": str(tmp_path / "config"), "sudo": False, "connect_timeout": 5.0} | stated)
        with fleet.over_ssh({"hostB": Host("hostB", "127.0.0.1", login)}, events.ignore) as hosts:
            return hosts.ask("look", "observe", {"hostB": {}}, 20.0)["hostB"]

    return ask


@pytest.fixture
def known(tmp_path):
    """Write the test's known_hosts, given names, or ports of this machine, and their keys."""

    def write(listed):
        names = {f"[127.0.0.1]:{name}" if isinstance(name, int) else name: key for name, key in listed.items()}
        lines = [f"{name} {key.get_name()} {key.get_base64()}\n" for name, key in names.items()]
        (tmp_path / "known_hosts").write_text("".join(lines))

    return write
