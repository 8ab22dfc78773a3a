"""Which keys open a host: in files and in an SSH agent, by themselves and by a certificate."""

import os
import subprocess

import paramiko
import pytest
from ssh_site import CLIENT_KEY, HOST_KEY, TARGET, is_here


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
