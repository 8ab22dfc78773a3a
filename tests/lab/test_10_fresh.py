"""What is said of a single Heat server and its future nodes before anything is changed."""

import json

import pytest

pytestmark = pytest.mark.lab


def test_fresh_hosts_pass_preflight_and_plan_says_that_changes_wait(fresh):
    assert fresh.json("preflight") == {"schema_version": 1, "problems": [], "notes": []}
    pending = json.loads(fresh.invoke("plan", "--exit-code", "--format", "json", code=2).stdout)

    assert pending["changes"] > 30
    assert set(pending["hosts"]) == {"hostA", "hostB", "hostC"}


def test_fresh_diff_shows_no_secret_of_heat_conf(fresh):
    secrets = passwords(fresh)

    shown = fresh.invoke("plan", "--diff")

    assert len(secrets) >= 3
    assert "hostB:/etc/heat/heat.conf" in shown.stdout
    assert [secret for secret in secrets if secret in shown.stdout + shown.stderr] == []


def passwords(site) -> set[str]:
    """Every password of the source's heat.conf, as it is written there."""
    lines = site.on("hostA", "cat", "/etc/heat/heat.conf").splitlines()
    plain = {line.partition("=")[2].strip() for line in lines if "password =" in line or "auth_encryption_key" in line}
    urls = {line.partition("://")[2].rpartition("@")[0].partition(":")[2] for line in lines if "://heat:" in line}
    return plain | urls
