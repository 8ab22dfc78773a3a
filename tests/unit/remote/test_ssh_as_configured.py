"""Over real SSH connections by a real SSH configuration, which OpenSSH reads: ways, jump hosts and host keys."""

import sys

import paramiko
import pytest
from ssh_site import BASTION_KEY, CLIENT_KEY, HOST_KEY, JUMP_KEY, TARGET, is_here

from deployer import errors
from deployer.model import events
from deployer.model.hosts import Host, Login
from deployer.remote import fleet


def test_port_user_key_and_known_hosts_of_the_configuration_open_a_host(serve, look, known):
    port = serve()
    known({port: HOST_KEY})

    assert is_here(look(TARGET.format(port=port)))


def test_inventory_overrides_port_user_key_and_known_hosts(serve, look, known, tmp_path):
    port = serve()
    known({port: HOST_KEY})
    text = "Host *\n  Port 1\n  User stranger\n  IdentityFile HERE/bastion_key\n  UserKnownHostsFile /nowhere\n"

    assert is_here(
        look(text, port=port, user="operator", key=str(tmp_path / "key"), known_hosts=str(tmp_path / "known_hosts"))
    )
    assert (
        "stranger@127.0.0.1"
        in look(text, port=port, key=str(tmp_path / "key"), known_hosts=str(tmp_path / "known_hosts")).message
    )


def test_alias_of_the_host_key_is_what_known_hosts_lists(serve, look, known):
    port = serve()
    known({"alias": HOST_KEY})

    assert is_here(look(TARGET.format(port=port) + "    HostKeyAlias alias\n"))
    assert "is unknown" in look(TARGET.format(port=port)).message


@pytest.mark.parametrize("loose", ["no", "accept-new", "off"])
def test_host_key_stays_strict_whatever_the_configuration_says(serve, look, known, tmp_path, loose):
    port = serve()
    text = TARGET.format(port=port) + f"    StrictHostKeyChecking {loose}\n    UpdateHostKeys yes\n"

    known({})
    assert "is unknown; nothing was sent" in look(text).message
    assert (tmp_path / "known_hosts").read_text() == ""
    known({port: JUMP_KEY})
    assert "is not the one we know; nothing was sent" in look(text).message


def test_host_key_of_the_inventory_overrides_known_hosts(serve, look, known):
    """A host that was installed anew, while known_hosts still has what it was."""
    port = serve()
    line, other = (f"{key.get_name()} {key.get_base64()}" for key in (HOST_KEY, JUMP_KEY))

    known({port: JUMP_KEY})
    assert is_here(look(TARGET.format(port=port), host_key=line))
    known({port: HOST_KEY})
    refused = look(TARGET.format(port=port), host_key=other)

    assert "is not the one we know; nothing was sent" in refused.message
    assert "replace `host_key` in the inventory" in refused.hint


def test_revoked_host_key_is_refused(serve, look, known, tmp_path):
    port = serve()
    known({port: HOST_KEY})
    with (tmp_path / "known_hosts").open("a") as file:
        file.write(f"@revoked * {HOST_KEY.get_name()} {HOST_KEY.get_base64()}\n")

    assert "is revoked; nothing was sent" in look(TARGET.format(port=port)).message


def test_known_type_of_key_is_asked_for_where_a_host_has_several(serve, look, known):
    rsa = paramiko.RSAKey.generate(2048)
    port = serve([HOST_KEY, rsa])
    known({port: rsa})

    assert is_here(look(TARGET.format(port=port)))


JUMP = """
Host bastion
    HostName 127.0.0.1
    Port {port}
    User jumper
    IdentityFile HERE/bastion_key
    HostKeyAlias bastion
    UserKnownHostsFile HERE/known_hosts
"""


def test_jump_host_of_the_configuration_is_entered_by_its_own_block(serve, look, known):
    port, jump = serve(), serve(JUMP_KEY, BASTION_KEY, user="jumper")
    known({port: HOST_KEY, "bastion": JUMP_KEY})

    assert is_here(look(TARGET.format(port=port) + "    ProxyJump bastion\n" + JUMP.format(port=jump)))


def test_chain_of_jump_hosts_is_gone_in_its_order(serve, look, known):
    port, jump, outer = serve(), serve(JUMP_KEY, BASTION_KEY, user="jumper"), serve(JUMP_KEY, BASTION_KEY, user="outer")
    known({port: HOST_KEY, "bastion": JUMP_KEY})
    text = TARGET.format(port=port) + f"    ProxyJump outer@bastion:{outer},bastion\n" + JUMP.format(port=jump)

    assert is_here(look(text))
    refused = look(text.replace("outer@", "nobody@"))
    assert f"the jump host nobody@127.0.0.1 port {outer} refused the login" in refused.message


def test_jump_host_of_the_inventory_is_entered_with_the_inventorys_key(serve, look, known, tmp_path):
    port, jump = serve(), serve(JUMP_KEY, CLIENT_KEY)
    known({port: HOST_KEY, jump: JUMP_KEY})
    stated = {"key": str(tmp_path / "key"), "known_hosts": str(tmp_path / "known_hosts"), "user": "operator"}

    assert is_here(look("Host hostB\n  ProxyJump nowhere.invalid\n", port=port, gateway=f"127.0.0.1:{jump}", **stated))
    refused = look("", port=1, gateway=f"127.0.0.1:{jump}", **stated)
    assert "operator@127.0.0.1 port 1: not reachable from the jump host" in refused.message


def test_connections_to_jump_hosts_are_closed_with_the_hosts(serve, known, tmp_path, look):
    port, jump = serve(), serve(JUMP_KEY, BASTION_KEY, user="jumper")
    known({port: HOST_KEY, "bastion": JUMP_KEY})
    look(TARGET.format(port=port) + "    ProxyJump bastion\n" + JUMP.format(port=jump))
    login = Login(ssh_config=str(tmp_path / "config"), sudo=False, connect_timeout=5.0)

    with fleet.over_ssh({"hostB": Host("hostB", "127.0.0.1", login)}, events.ignore) as hosts:
        hosts.open()
        over = hosts._connections["hostB"].result(timeout=20).gateway
        assert over.is_connected

    assert not over.is_connected


def test_proxy_command_of_the_configuration_leads_to_the_host(serve, look, known, tmp_path):
    port = serve()
    (tmp_path / "pipe.py").write_text(PIPE)
    text = TARGET.format(port=1) + f"    ProxyCommand {sys.executable} HERE/pipe.py %h {port} 2>&1\n"
    known({1: HOST_KEY})

    assert is_here(look(text))


PIPE = """
import os, socket, sys, threading
onward = socket.create_connection(sys.argv[1:3])
def back():
    while data := onward.recv(65536):
        os.write(1, data)
    os._exit(0)
threading.Thread(target=back).start()
while data := os.read(0, 65536):
    onward.sendall(data)
os._exit(0)
"""


def test_proxy_command_that_fails_is_told_in_its_own_words(look):
    refused = look("Host hostB\n  ProxyCommand echo no way >&2; exit 1\n")

    assert "hostB: root@127.0.0.1 port 22: ProxyCommand: no way" in refused.message


def test_proxy_command_that_ends_without_a_word_is_told_by_its_program_alone(look):
    refused = look("Host hostB\n  ProxyCommand sh -c 'exit 3' --password s3cret\n")

    assert refused.message == (
        "hostB: root@127.0.0.1 port 22: the ProxyCommand `sh ...` ended with 3 before the host answered"
    )
    assert refused.hint.startswith("Try: ssh ")


def test_configuration_that_openssh_cannot_read_is_told_with_its_line(look):
    refused = look("Host hostB\n  Prot 22\n")

    assert isinstance(refused, errors.HostUnreachable)
    assert "config: line 2: Bad configuration option: prot" in refused.message
    assert "ssh -G HOST" in refused.hint and "ssh_config: none" in refused.hint


def test_root_of_the_configuration_needs_no_sudo_and_anybody_else_does(serve, look, known, tmp_path):
    port = serve()
    known({port: HOST_KEY})
    (tmp_path / "bin/sudo").write_text("#!/bin/sh\necho sudo was asked >&2\nexit 1\n")
    (tmp_path / "bin/sudo").chmod(0o755)

    assert "sudo was asked" in look(TARGET.format(port=port), sudo=None).message
    as_root = serve(user="root")
    known({as_root: HOST_KEY})
    assert is_here(look(TARGET.format(port=as_root).replace("operator", "root"), sudo=None))
