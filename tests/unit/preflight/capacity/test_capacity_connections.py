"""Database connections: refused when the pools alone are too many for a site that grows, a warning when they may be."""

from dataclasses import replace

import pytest
import sites
from capacity_sites import CAPACITY, a_site, engines

from deployer.model.facts import HostResources
from deployer.preflight.capacity import connections

SMALL = replace(CAPACITY, allowed=70)  # four engines of 4 workers keep 80


def test_pools_that_pass_what_the_database_allows_are_a_problem_with_every_number():
    (sentence,) = connections.problems(a_site(), SMALL)

    assert sentence == (
        "hostA: the database allows 70 connections, but 16 engine workers (hostB 8, hostC 8) keep up to 5 each in "
        "their pools, 80 in total: raise max_connections to 100, lower [database] max_pool_size of heat.conf, or have "
        "fewer engines or workers."
    )


def test_what_could_happen_at_worst_is_a_warning_with_every_number():
    assert list(connections.problems(a_site(), CAPACITY)) == []
    (sentence,) = connections.warnings(a_site(), CAPACITY)

    assert sentence == (
        "hostA: the database allows 1000 connections (at most 17 were open so far). If every thread of 16 engine "
        "workers (hostB 8, hostC 8) has 5 + 64 open, Heat uses 1104, and others use 4: watch Max_used_connections."
    )


@pytest.mark.parametrize(
    ("allowed", "connected", "warnings"), [(1108, 16, 0), (1107, 16, 1), (1108, 17, 1), (5000, 16, 0)]
)
def test_warning_comes_only_when_the_worst_and_the_others_pass_what_is_allowed(allowed, connected, warnings):
    assert (
        len(list(connections.warnings(a_site(), replace(CAPACITY, allowed=allowed, connected=connected)))) == warnings
    )


@pytest.mark.parametrize(("allowed", "problems"), [(79, 1), (80, 0)])
def test_pools_that_are_just_allowed_are_no_problem(allowed, problems):
    assert len(list(connections.problems(a_site(), replace(CAPACITY, allowed=allowed)))) == problems


def test_site_that_does_not_grow_is_reported_and_not_refused():
    as_wanted = {name: HostResources(None, None, engines(5, 5)) for name in ("hostB", "hostC")}
    site = a_site(measured=as_wanted)

    assert list(connections.problems(site, SMALL)) == []
    assert [each.split(" (")[0] for each in connections.warnings(site, SMALL)] == [
        "hostA: the database allows 70 connections, but 16 engine workers"
    ]


def test_site_whose_engines_are_to_have_more_workers_grows():
    smaller = {name: HostResources(None, None, engines(3, 3)) for name in ("hostB", "hostC")}

    assert len(list(connections.problems(a_site(measured=smaller), SMALL))) == 1


def test_engines_that_move_to_another_host_do_not_make_a_site_grow():
    site = a_site(
        measured={"hostB": HostResources(None, None, engines(5, 5, 5)), "hostC": HostResources(None, None, engines(5))}
    )

    assert list(connections.problems(site, SMALL)) == []


def test_hosts_that_were_not_measured_do_not_make_a_site_grow():
    site = a_site()
    del site.measured["hostB"], site.measured["hostC"]

    assert list(connections.problems(site, SMALL)) == []


def test_database_that_does_not_report_how_many_it_allows_is_no_problem():
    silent = replace(CAPACITY, allowed=None)

    assert [*connections.problems(a_site(), silent), *connections.warnings(a_site(), silent)] == []


def test_database_that_failed_is_reported_with_the_reason():
    (sentence,) = connections.warnings(a_site(), replace(CAPACITY, allowed=None, why="OperationalError"))

    assert "hostA: the database did not report how many connections it allows (OperationalError)" in sentence


def test_apis_open_no_connections_and_do_not_count():
    more = a_site(inventory=sites.an_inventory(hostB="{address: 10.0.0.2, api: 9, cfn: [9000, 9001], engines: 2}"))

    assert list(connections.problems(more, SMALL)) == list(connections.problems(a_site(), SMALL))
