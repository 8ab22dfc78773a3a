"""Logins of a node's heat.conf, tried from the node itself."""

import json

import pytest
import sites

from deployer import desired
from deployer.heat import logins

REFUSED = {"what": "broker", "where": "10.0.0.1:5672", "why": "AccessRefused: (403) guest"}


@pytest.fixture
def site():
    inventory = sites.an_inventory()
    return inventory, desired.states(inventory, sites.bare(inventory)).states, sites.a_fleet(inventory)


def test_logins_that_are_taken_are_no_problem(site):
    assert list(logins.problems(*site)) == []


def test_only_hosts_that_get_a_heat_conf_try_it(site):
    list(logins.problems(*site))

    assert site[-1].asked == [("try logins", "perform", ("hostB", "hostC"))]


def test_each_refused_login_is_one_sentence_with_its_host_and_what_to_do(site):
    site[-1].refused_logins["hostC"] = [REFUSED]

    (problem,) = logins.problems(*site)

    assert problem.startswith("hostC: broker at 10.0.0.1:5672 refuses this host (AccessRefused: (403) guest): ")
    assert "guest logs in from loopback only" in problem


def test_every_kind_of_login_has_a_hint(site):
    site[-1].refused_logins["hostB"] = [REFUSED | {"what": what} for what in ("database", "broker", "Keystone")]

    assert len(list(logins.problems(*site))) == 3


def test_host_that_cannot_try_is_a_problem_of_its_own(site):
    site[-1].breaks("hostB", '"run"', "ModuleNotFoundError: No module named 'oslo_config'")

    (problem,) = logins.problems(*site)

    assert problem.startswith("hostB: ModuleNotFoundError")
    assert "must be installed" in problem


def test_heat_conf_is_sent_as_input_and_never_as_an_argument(site):
    inventory, states, fleet = site
    arguments = []
    fleet.hosts["hostB"].run_program = lambda host, argv, given: arguments.append(argv) or json.dumps([])

    list(logins.problems(inventory, states, fleet))

    assert arguments == [["/opt/heat/bin/python3", "-"]]
