"""The heat.conf that Heat's own generator writes, release by release, through conf, rewrite and conf_redaction."""

import gzip
import re
from pathlib import Path

import heat_confs
import pytest
from node_addresses import a_place

from deployer.heat.conf import conf_editor, rewrite
from deployer.heat.conf.conf_editor import Edit

SAMPLES = sorted((Path(__file__).parents[2] / "samples" / "heat").glob("*.conf.gz"))
# What the options marked secret in those releases are called; URLs, which show all but the password, left out.
SECRETS = (
    "auth_encryption_key", "stack_domain_admin_password", "memcache_secret_key", "memcache_password", "password",
    "ssl_key_password", "hmac_keys", "rabbit_password", "sasl_password", "admin_password", "admin_token",
)  # fmt: skip
URLS = ("connection", "slave_connection", "asyncio_connection", "transport_url")


def sample(path: Path) -> str:
    return gzip.decompress(path.read_bytes()).decode()


def switched_on(path: Path) -> str:
    """The sample with every option set to its default."""
    return re.sub(r"^#(\w+) =", r"\1 =", sample(path), flags=re.MULTILINE)


def test_samples_are_there():
    assert len(SAMPLES) >= 5


@pytest.mark.parametrize("path", SAMPLES, ids=lambda path: path.name)
def test_sample_with_every_option_on_reads_as_oslo_config_reads_it(path):
    text = switched_on(path)
    parsed, meant = conf_editor.parse(text), heat_confs.oslo_reads(text)

    assert len(meant) > 250
    assert {(each.section, each.key): parsed.values(each.section, each.key) for each in parsed.settings} == meant


@pytest.mark.parametrize("path", SAMPLES, ids=lambda path: path.name)
def test_every_option_of_a_sample_set_to_something_nasty_reads_so(path):
    text = switched_on(path)
    settings = conf_editor.parse(text).settings
    edits = [Edit(each.section, each.key, f"' {each.value}#$\"", each.line) for each in settings]

    read = heat_confs.oslo_reads(conf_editor.edited(text, edits))

    assert [value for values in read.values() for value in values] == [
        f"' {value}#$\"" for values in heat_confs.oslo_reads(text).values() for value in values
    ]


@pytest.mark.parametrize("path", SAMPLES, ids=lambda path: path.name)
def test_sample_gets_the_apis_addresses_and_keeps_every_line(path):
    text = sample(path)
    rewritten = rewrite.for_node(text, a_place())

    assert {each.key for each in rewritten.changes} == {"bind_host", "bind_port"}
    left = iter(rewritten.text.splitlines())
    assert all(line in left for line in text.splitlines())
    assert heat_confs.oslo_reads(rewritten.text)["heat_api", "bind_host"] == ("192.0.2.12",)


@pytest.mark.parametrize("path", SAMPLES, ids=lambda path: path.name)
def test_secrets_of_a_sample_are_redacted_on_or_off(path):
    text = re.sub(rf"^#({'|'.join(SECRETS)}) = .*$", r"#\1 = S3cret", sample(path), flags=re.MULTILINE)
    text = re.sub(rf"^#({'|'.join(URLS)}) = .*$", r"#\1 = x://u:S3cret@h/", text, flags=re.MULTILINE)
    on = re.sub(r"^#(\w+) =", r"\1 =", text, flags=re.MULTILINE)

    assert text.count("S3cret") >= 6
    assert "S3cret" not in heat_confs.as_redacted(text) + heat_confs.as_redacted(on)
    assert "x://u:***@h/" in heat_confs.as_redacted(on)


@pytest.mark.parametrize("path", SAMPLES, ids=lambda path: path.name)
def test_redaction_shows_all_of_a_sample_but_a_few_lines(path):
    text = sample(path)

    hidden = [
        old for old, new in zip(text.splitlines(), heat_confs.as_redacted(text).splitlines(), strict=True) if old != new
    ]

    assert len(hidden) <= 5
