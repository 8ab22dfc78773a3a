"""Growing and shrinking by totals, resizing engines in place, and a refusal when the database could not bear it."""

import contextlib

import pytest
from test_30_change import requests_all_the_while

pytestmark = pytest.mark.lab


@pytest.mark.on("newest")
def test_totals_go_up_and_down_and_touch_no_other_process(restored):
    site = restored
    before, text = site.processes(), site.inventory.read_text()

    with requests_all_the_while(site) as answers:
        site.invoke("scale", "--engines", "4", "--api", "3", "--yes")
        grown = site.processes()
        site.invoke("scale", "--engines", "2", "--api", "2", "--yes")

    assert set(grown) - set(before) == {
        ("hostB", "heat-scaleout-engine@2.service"),
        ("hostC", "heat-scaleout-engine@2.service"),
        ("hostB", "heat-scaleout-api@8005.service"),
    }
    assert {key: grown[key] for key in before} == before
    assert (site.processes(), site.inventory.read_text()) == (before, text)
    assert len(answers) > 20
    assert set(answers) == {200}


def test_growth_that_the_database_cannot_bear_is_refused_and_changes_nothing(site):
    before, text = site.processes(), site.inventory.read_text()

    with connections_allowed(site, 40):
        refused = site.invoke("scale", "--engines", "8", "--yes", code=3)

    assert "the database allows 40 connections, but" in refused.stderr
    assert "engine workers (hostB 8, hostC 8, hostA 2) keep up to 5 each" in refused.stderr
    assert (site.processes(), site.inventory.read_text()) == (before, text)


@pytest.mark.on("old")
def test_engines_get_another_size_one_host_after_the_other(site):
    """They keep it for the tests that follow, as every way back takes half a minute."""
    before = site.processes()

    done = site.json("scale", "--workers", "3", "--yes")["done"]

    after = site.processes()
    engines = {("hostB", "heat-scaleout-engine@1.service"), ("hostC", "heat-scaleout-engine@1.service")}
    assert [each["host"] for each in done if each["step"].startswith("restart ")] == ["hostB", "hostC"]
    assert {key for key in before if before[key] != after[key]} == engines
    assert [workers(site, host, after[host, unit]) for host, unit in sorted(engines)] == [3, 3]


def workers(site, host: str, pid: int) -> int:
    """The processes that a process has forked."""
    return len(site.on(host, "ps", "--ppid", str(pid), "-o", "pid=").split())


@contextlib.contextmanager
def connections_allowed(site, number: int):
    """The lab's database with another limit for a while."""
    before = site.on("hostA", "mysql", "-BNe", "SELECT @@max_connections").strip()
    site.on("hostA", "mysql", "-e", f"SET GLOBAL max_connections = {number}")
    try:
        yield
    finally:
        site.on("hostA", "mysql", "-e", f"SET GLOBAL max_connections = {before}")
