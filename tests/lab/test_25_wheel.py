"""The tool as an operator installs it: from the wheel, with its libraries from PyPI, run from an empty folder."""

import json

import pytest
import wheels

pytestmark = [pytest.mark.lab, pytest.mark.on("newest")]


@pytest.fixture(scope="module")
def environment(tmp_path_factory):
    """A fresh environment with nothing in it but the wheel and what that asks for."""
    wheel = wheels.built(tmp_path_factory.mktemp("checkout"))
    return wheels.environment(tmp_path_factory.mktemp("environment"), wheel)


@pytest.fixture
def installed(environment, tmp_path):
    return wheels.Installed(environment, tmp_path)


def test_wheel_deploys_the_site_that_the_checkout_has_deployed_without_a_change(site, installed):
    done = installed.run("deploy", "--yes", "--inventory", site.inventory)
    shown = json.loads(installed.run("status", "--inventory", site.inventory, "--format", "json").stdout)

    assert done.stdout.strip() == "Nothing to do: every host is as wanted."
    assert (shown["drift"], shown["pending"]) == (False, [])


def test_wheel_adds_an_engine_and_the_history_names_the_installed_command(restored, installed):
    before = restored.processes()

    installed.run("add-engine", "hostC", "--yes", "--inventory", restored.inventory)

    assert set(restored.processes()) - set(before) == {("hostC", "heat-scaleout-engine@2.service")}
    newest = max(restored.json("history")["generations"], key=lambda each: each["number"])
    assert newest["command"].startswith("heat-scaleout add-engine hostC --yes")


def test_wheel_proves_the_site_with_its_own_acceptance_suite(site, installed):
    proof = json.loads(installed.run("verify", "--inventory", site.inventory, "--format", "json").stdout)

    checked = {each["where"] for each in proof["checks"]}
    assert proof["failed"] is False
    assert checked >= set(site.lab.hosts)
