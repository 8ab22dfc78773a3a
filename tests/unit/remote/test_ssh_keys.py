"""Which keys open a host: in files and in an SSH agent, by themselves and by a certificate."""

import os
import subprocess

import paramiko
import pytest
from ssh_site import CLIENT_KEY, HOST_KEY, TARGET, is_here

from deployer import errors
from deployer.model import events
from deployer.model.hosts import Host, Login
from deployer.remote import fleet

PEM = "-----BEGIN OPENSSH PRIVATE KEY-----\n{}\n-----END OPENSSH PRIVATE KEY-----\n"
HARDWARE_KEY = PEM.format(  # the handle of a key in a token, which Paramiko cannot use
    "b3BlbnNzaC1rZXktdjEAAAAABG5vbmUAAAAEbm9uZQAAAAAAAAABAAAAIwAAABpzay1zc2gtZWQyNTUxOUBvcGVuc3NoLmNvbQAA"
    "AAF4AAAAMAAAAAEAAAABAAAAGnNrLXNzaC1lZDI1NTE5QG9wZW5zc2guY29tAAAAAXgAAAABYw=="
)


def signed(tmp_path, name="key", key=CLIENT_KEY):
    """Sign a key by an authority of this test; return the certificate's path."""
    (tmp_path / f"{name}.pub").write_text(f"{key.get_name()} {key.get_base64()}\n")
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(tmp_path / "authority")], check=True)
    subprocess.run(
        [
            "ssh-keygen",
            "-q",
            "-s",
            str(tmp_path / "authority"),
            "-I",
            "test",
            "-n",
            "operator",
            str(tmp_path / f"{name}.pub"),
        ],
        check=True,
    )
    return tmp_path / f"{name}-cert.pub"


def test_certificate_beside_the_key_opens_a_host(serve, look, known, tmp_path):
    port = serve(certified=True)
    known({port: HOST_KEY})
    assert "refused the login" in look(TARGET.format(port=port)).message

    signed(tmp_path)

    assert is_here(look(TARGET.format(port=port)))


def test_certificate_that_the_configuration_names_opens_a_host(serve, look, known, tmp_path):
    port = serve(certified=True)
    known({port: HOST_KEY})
    signed(tmp_path).rename(tmp_path / "elsewhere.pub")

    assert is_here(look(TARGET.format(port=port) + "    CertificateFile HERE/elsewhere.pub\n"))


def test_key_is_tried_without_its_certificate_too(serve, look, known, tmp_path):
    port = serve()
    known({port: HOST_KEY})
    signed(tmp_path)

    assert is_here(look(TARGET.format(port=port)))


@pytest.fixture
def agent(tmp_path):
    """An SSH agent with the client's key; its value is the socket."""
    path = tmp_path / "agent"
    with subprocess.Popen(["ssh-agent", "-D", "-a", str(path)], stdout=subprocess.PIPE) as running:
        running.stdout.readline()  # it listens before it says so
        CLIENT_KEY.write_private_key_file(str(tmp_path / "held"))
        there = os.environ | {"SSH_AUTH_SOCK": str(path)}
        subprocess.run(["ssh-add", "-q", str(tmp_path / "held")], env=there, check=True)
        (tmp_path / "held").unlink()
        yield path
        running.terminate()


KEYLESS = TARGET.replace("    IdentityFile HERE/key\n", "")


def test_key_of_the_agent_opens_a_host(serve, look, known, agent, monkeypatch):
    port = serve()
    known({port: HOST_KEY})

    assert is_here(look(KEYLESS.format(port=port) + f"    IdentityAgent {agent}\n"))
    monkeypatch.setenv("SSH_AUTH_SOCK", str(agent))
    assert is_here(look(KEYLESS.format(port=port)))
    assert "refused the login" in look(KEYLESS.format(port=port) + "    IdentityAgent none\n").message


def test_agent_is_asked_for_the_named_keys_alone_where_the_configuration_says_so(serve, look, known, agent, tmp_path):
    port = serve()
    known({port: HOST_KEY})
    text = KEYLESS.format(port=port) + f"    IdentityAgent {agent}\n    IdentitiesOnly yes\n    IdentityFile "

    assert "refused the login" in look(f"{text}HERE/bastion_key\n").message
    (tmp_path / "public.pub").write_text(f"{CLIENT_KEY.get_name()} {CLIENT_KEY.get_base64()}\n")
    assert is_here(look(f"{text}HERE/public.pub\n"))
    assert is_here(look(f"{text}HERE/public\n"))


def test_certificate_of_a_key_that_the_agent_holds_opens_a_host(serve, look, known, agent, tmp_path):
    port = serve(certified=True)
    known({port: HOST_KEY})
    signed(tmp_path, "other")

    text = KEYLESS.format(port=port) + f"    IdentityAgent {agent}\n"
    assert "refused the login" in look(text).message
    assert is_here(look(text + "    CertificateFile HERE/other-cert.pub\n"))


def test_certificate_that_the_agent_holds_opens_a_host(serve, look, known, agent, tmp_path):
    """Under OpenSSH's own name for it, which Paramiko takes for the bare key where that is an RSA one."""
    rsa = paramiko.RSAKey.generate(2048)
    port = serve(client_key=rsa, certified=True)
    known({port: HOST_KEY})
    rsa.write_private_key_file(str(tmp_path / "rsa"))
    signed(tmp_path, "rsa", rsa)
    there = os.environ | {"SSH_AUTH_SOCK": str(agent)}
    subprocess.run(["ssh-add", "-q", str(tmp_path / "rsa")], env=there, check=True)

    assert is_here(look(KEYLESS.format(port=port) + f"    IdentityAgent {agent}\n"))


def test_key_with_a_passphrase_is_named_in_the_hint(serve, look, known, tmp_path):
    port = serve()
    known({port: HOST_KEY})
    CLIENT_KEY.write_private_key_file(str(tmp_path / "key"), password="secret")

    refused = look(TARGET.format(port=port))

    assert "refused the login" in refused.message
    assert refused.hint.startswith(f"{tmp_path / 'key'} has a passphrase: `ssh-add` it. Try: ssh -F ")


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (None, "the private key cannot be read: No such file or directory"),
        ("no key\n", "this file cannot be read as a private key"),
        (PEM.format("bm8ga2V5"), "this file cannot be read as a private key"),
        (HARDWARE_KEY, "this file cannot be read as a private key"),
    ],
)
def test_key_of_the_inventory_that_is_none_is_refused_before_any_host_is_contacted(tmp_path, content, why):
    key = tmp_path / "no key"
    if content:
        key.write_text(content)

    with pytest.raises(errors.BadInput, match=f"^{key}: {why}$") as refused:
        contacted(key)

    assert refused.value.exit_code == 3


def test_pipe_or_folder_in_place_of_a_key_is_refused_and_not_waited_for(tmp_path):
    os.mkfifo(tmp_path / "pipe")

    for path in (tmp_path / "pipe", tmp_path):
        with pytest.raises(errors.BadInput, match=f"^{path}: the private key is not a regular file$"):
            contacted(path)


@pytest.mark.parametrize("name", ["key", "locked", "public", "held"])
def test_key_that_has_a_passphrase_or_may_be_in_the_agent_is_not_refused(tmp_path, name):
    CLIENT_KEY.write_private_key_file(str(tmp_path / "key"))
    CLIENT_KEY.write_private_key_file(str(tmp_path / "locked"), password="a passphrase")
    for public in ("public", "held.pub"):
        (tmp_path / public).write_text(f"{CLIENT_KEY.get_name()} {CLIENT_KEY.get_base64()}\n")

    assert contacted(tmp_path / name)


def contacted(key):
    """Whether a fleet comes to be of a host with this key; nobody is asked."""
    hosts = {name: Host(name, "127.0.0.1", Login(key=str(key))) for name in ("hostA", "hostB")}
    with fleet.over_ssh(hosts, events.ignore) as found:
        return found


def test_file_of_the_configuration_that_is_no_key_is_told_where_no_other_opens_the_host(serve, look, known, tmp_path):
    port = serve()
    known({port: HOST_KEY})
    (tmp_path / "broken").write_text("no key\n")
    text = TARGET.format(port=port).replace("HERE/key", "HERE/broken")

    refused = look(text)

    assert refused.hint.startswith(f"{tmp_path}/broken: this file cannot be read as a private key. Try: ssh ")
    assert is_here(look(f"{text}    IdentityFile HERE/key\n"))
