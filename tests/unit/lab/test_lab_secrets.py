"""The lab's passwords survive every file they are written to."""

from urllib.parse import unquote, urlsplit

import pytest
from oslo_config import cfg

from lab.image import controller, lab_secrets


@pytest.fixture
def passwords():
    return lab_secrets.fresh()


@pytest.fixture
def conf(tmp_path, passwords):
    """Heat's configuration as a lab host gets it, read by oslo.config."""
    path = tmp_path / "heat.conf"
    values = lab_secrets.placeholders(passwords, "198.18.0.11")
    path.write_text((controller.INSIDE / "heat/heat.conf").read_text().format_map(values))
    read = cfg.ConfigOpts()
    read.register_opts(
        [cfg.StrOpt("transport_url"), cfg.StrOpt("auth_encryption_key"), cfg.StrOpt("stack_domain_admin_password")]
    )
    read.register_opt(cfg.StrOpt("connection"), "database")
    for section in ("keystone_authtoken", "trustee", "ec2authtoken"):
        read.register_opt(cfg.StrOpt("password"), section)
    read(["--config-file", str(path)], project="heat")
    return read


def test_passwords_hold_the_characters_that_files_trip_over(passwords):
    assert set(lab_secrets.AWKWARD) <= set(passwords["service"])
    assert set(lab_secrets.AWKWARD) <= set(passwords["heat_database"])


def test_every_build_has_passwords_of_its_own(passwords):
    assert not set(passwords.values()) & set(lab_secrets.fresh().values())


def test_encryption_key_has_a_length_that_heat_takes(passwords):
    assert len(passwords["encryption_key"]) == 32


def test_urls_give_the_passwords_back(conf, passwords):
    assert unquote(urlsplit(conf.database.connection).password) == passwords["heat_database"]
    assert unquote(urlsplit(conf.transport_url).password) == passwords["broker"]


def test_sections_give_the_service_password_back(conf, passwords):
    for section in ("keystone_authtoken", "trustee", "ec2authtoken"):
        assert conf[section].password == passwords["service"]
    assert conf.stack_domain_admin_password == passwords["domain_admin"]
