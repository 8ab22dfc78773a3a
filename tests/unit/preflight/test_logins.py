"""Logins of a node's heat.conf, tried from the node itself."""

import json

import pytest
import sites

from deployer.desired import desired_state
from deployer.preflight import logins

REFUSED = {"what": "broker", "where": "10.0.0.1:5672", "why": "AccessRefused: (403) guest"}


@pytest.fixture
def site():
    inventory = sites.an_inventory()
    return inventory, desired_state.desired_states(inventory, sites.bare(inventory)).states, sites.a_fleet(inventory)


def test_logins_that_are_taken_are_no_problem(site):
    assert logins.try_logins(*site) == logins.Findings()


def test_only_hosts_that_get_a_heat_conf_try_it(site):
    logins.try_logins(*site)

    assert site[-1].asked == [("check logins", "perform", ("hostB", "hostC"))]


def test_each_refused_login_is_one_sentence_with_its_host_and_what_to_do(site):
    site[-1].refused_logins["hostC"] = [REFUSED]

    (problem,) = logins.try_logins(*site).problems

    assert problem.startswith("hostC: broker at 10.0.0.1:5672 refuses this host (AccessRefused: (403) guest): ")
    assert "guest logs in from loopback only" in problem


def test_every_kind_of_login_has_a_hint(site):
    kinds = ("database", "broker", "Keystone", "catalogue")
    site[-1].refused_logins["hostB"] = [REFUSED | {"what": what} for what in kinds]

    assert len(logins.try_logins(*site).problems) == 4


@pytest.mark.parametrize(
    "why",
    [
        "OperationalError: (2003, \"Can't connect to MySQL on 'control' ([Errno -2] Name or service not known)\")",
        "gaierror: [Errno -3] Temporary failure in name resolution",
        "ConnectFailure: Unable to establish connection to http://control:5000: failed to resolve 'control' "
        "([Errno -2] Name or service not known)",
    ],
)
def test_name_that_does_not_resolve_is_told_as_such_and_no_login_is_suspected(site, why):
    site[-1].refused_logins["hostB"] = [{"what": "broker", "where": "control:5672", "why": why}]

    (problem,) = logins.try_logins(*site).problems

    assert "hostB: broker at control:5672: the name does not resolve on this host" in problem
    assert "/etc/hosts" in problem and "guest" not in problem


def test_endpoint_of_the_catalogue_is_told_with_the_command_that_mends_it(site):
    refused = {"what": "catalogue", "where": "127.0.0.1:5000", "why": "ConnectFailure: Unable to establish connection"}
    site[-1].refused_logins["hostB"] = [refused]

    (problem,) = logins.try_logins(*site).problems

    assert problem.startswith(
        "hostB: Keystone's endpoint in its own catalogue, at 127.0.0.1:5000 refuses this host (Con"
    )
    assert "clients would get 503" in problem and "`openstack endpoint set --url URL ID`" in problem


def test_host_that_cannot_try_is_a_problem_of_its_own(site):
    site[-1].breaks("hostB", '"run"', "ModuleNotFoundError: No module named 'oslo_config'")

    (problem,) = logins.try_logins(*site).problems

    assert problem.startswith("hostB: ModuleNotFoundError")
    assert "must be installed" in problem


def test_heat_conf_is_sent_as_input_and_never_as_an_argument(site):
    inventory, states, fleet = site
    arguments, fine = [], json.dumps({"problems": [], "bound": 0})
    fleet.hosts["hostB"].run_program = lambda host, argv, given: arguments.append(argv) or fine

    logins.try_logins(inventory, states, fleet)

    assert arguments == [["/opt/heat/bin/python3", "-"]]


def test_stacks_that_keep_a_loopback_keystone_give_one_warning_for_all_hosts(site):
    site[-1].stacks_bound_to_loopback = 7

    tried = logins.try_logins(*site)

    assert (tried.problems, len(tried.warnings)) == ((), 1)
    assert tried.warnings[0].startswith("7 stacks were created while Heat reached Keystone at a loopback address")


def test_nobody_is_asked_where_no_heat_conf_is_new(site):
    inventory, _, fleet = site

    assert logins.try_logins(inventory, {}, fleet) == logins.Findings()
    assert fleet.asked == []
