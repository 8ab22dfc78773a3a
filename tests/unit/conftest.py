"""The site in memory that most tests begin with; a module with another one has fixtures of the same names."""

import os

import pytest
import sites

from deployer.remote import agent_script


@pytest.fixture
def inventory():
    """The guide's three hosts."""
    return sites.an_inventory()


@pytest.fixture
def fleet(inventory):
    """Hosts on which nothing was deployed yet."""
    return sites.a_fleet(inventory)


@pytest.fixture(autouse=True)
def agent_of_whoever_runs_the_tests(monkeypatch):
    """The streamed agent works as root alone; here it is whoever runs the tests."""
    monkeypatch.setattr(agent_script, "ROOT", os.geteuid())


@pytest.fixture(autouse=True)
def state_folder(tmp_path_factory, monkeypatch):
    """Where commands keep their logs: no test writes into the home of whoever runs it."""
    folder = tmp_path_factory.mktemp("state")
    monkeypatch.setenv("XDG_STATE_HOME", str(folder))
    return folder
