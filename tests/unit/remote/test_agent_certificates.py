"""A look at the files that TLS takes: usable or not, for which names, and until when."""

import os
import pwd

import pytest

from deployer.remote.agent import certificates, observe
from lab import authority

DAY = 86400


@pytest.fixture(scope="module")
def issued(tmp_path_factory):
    """A folder with an authority, hostB's certificate and key, both in one file, and the key of somebody else."""
    folder = tmp_path_factory.mktemp("issued")
    authority.make(folder)
    certificate, key = authority.sign(folder, "hostB", "10.0.0.2", days=10)
    (folder / "api.pem").write_text(certificate)
    (folder / "api.key").write_text(key)
    (folder / "both.pem").write_text(certificate + key)
    (folder / "other.key").write_text(authority.sign(folder, "hostC", "10.0.0.3")[1])
    return folder


def look_at(folder, **names):
    return certificates.inspect({kind: str(folder / name) for kind, name in names.items()})


def test_certificate_shows_its_names_and_how_long_it_lasts(issued):
    found = look_at(issued, certificate="api.pem", key="api.key")

    assert (found["why"], found["names"]) == (None, ["hostB"])
    assert 9.9 * DAY < found["left"] <= 10 * DAY


def test_certificate_with_its_key_in_one_file_is_usable(issued):
    assert look_at(issued, certificate="both.pem")["why"] is None


def test_certificate_with_its_key_beside_it_is_usable_as_for_haproxy(issued, tmp_path):
    (tmp_path / "site.pem").write_text((issued / "api.pem").read_text())
    (tmp_path / "site.pem.key").write_text((issued / "api.key").read_text())

    assert look_at(tmp_path, certificate="site.pem")["why"] is None


def test_digest_is_another_when_any_of_the_files_is(issued):
    files = [
        {"certificate": "api.pem", "key": "api.key"},
        {"certificate": "both.pem"},
        {"ca": "ca.pem"},
        {"certificate": "api.pem", "key": "other.key"},
    ]

    assert len({look_at(issued, **each)["digest"] for each in files}) == len(files)


@pytest.mark.parametrize(
    ("files", "words"),
    [
        ({"certificate": "none.pem", "key": "api.key"}, "none.pem: No such file or directory"),
        ({"certificate": "api.pem", "key": "none.key"}, "none.key: No such file or directory"),
        ({"certificate": "api.pem", "key": "other.key"}, "KEY VALUES MISMATCH"),
        ({"certificate": "api.pem"}, "cannot be used"),
        ({"certificate": "api.key", "key": "api.key"}, "cannot be used"),
        ({"ca": "api.key"}, "cannot be used"),
        ({"ca": "none.pem"}, "none.pem: No such file or directory"),
    ],
)
def test_files_that_do_not_fit_are_reported_as_text(issued, files, words):
    assert words in look_at(issued, **files)["why"]


def test_key_with_a_passphrase_is_reported_and_nobody_is_asked_for_it(issued, tmp_path):
    from lab import command

    command.run(
        [
            "openssl",
            "ec",
            "-in",
            str(issued / "api.key"),
            "-aes256",
            "-passout",
            "pass:canary",
            "-out",
            str(tmp_path / "api.key"),
        ]
    )
    asked = {"certificate": str(issued / "api.pem"), "key": str(tmp_path / "api.key")}

    assert "cannot be used" in certificates.inspect(asked)["why"]


@pytest.mark.skipif(os.geteuid() != 0, reason="only root becomes another user")
def test_key_that_its_user_cannot_read_is_reported_though_root_can(issued, tmp_path):
    folder = tmp_path / "closed"
    folder.mkdir(mode=0o700)
    for name in ("api.pem", "api.key"):
        (folder / name).write_text((issued / name).read_text())
    asked = {"certificate": str(folder / "api.pem"), "key": str(folder / "api.key"), "group": "nogroup"}

    assert "nobody cannot read it" in certificates.inspect({**asked, "user": "nobody"})["why"]
    assert certificates.inspect({**asked, "user": "root", "group": "root"})["why"] is None


def test_user_that_does_not_exist_is_for_others_to_report(issued):
    me = pwd.getpwuid(os.geteuid()).pw_name
    asked = {"certificate": str(issued / "api.pem"), "key": str(issued / "api.key"), "group": "root"}

    assert certificates.inspect({**asked, "user": "no-such-user"})["why"] is None
    assert certificates.inspect({**asked, "user": me})["why"] is None


def test_observe_inspects_the_certificates_asked_for(issued):
    found = observe.observe({"certificates": {"apis": {"ca": str(issued / "ca.pem")}}})["certificates"]

    assert (list(found), found["apis"]["why"], found["apis"]["left"]) == (["apis"], None, None)
