"""Memory: what comes to a host against what it has to spare."""

import sites
from capacity_sites import MIB, a_site, engines

from deployer.model.facts import HostResources, UnitUsage
from deployer.model.names import unit_name
from deployer.model.service import Service
from deployer.preflight.capacity import memory

APIS = {
    unit_name(service, port): UnitUsage(3, 3 * 52 * MIB) for service, port in ((Service.API, 8004), (Service.CFN, 8000))
}


def test_host_without_the_memory_for_a_measured_engine_is_a_problem_with_every_number():
    site = a_site(measured={"hostB": HostResources(300 * MIB, None, APIS | engines(5))})

    (problem,) = memory.problems(site)

    assert problem == (
        "hostB: the new processes need about 325 MiB of memory, 5 of engine (65 MiB each), but 300 "
        "MiB are available: free some, or put fewer processes or workers there."
    )
    assert list(memory.warnings(site)) == []


def test_sizes_that_nothing_measured_are_assumed_and_told_as_a_note():
    site = a_site(measured={"hostB": HostResources(1000 * MIB)})

    assert list(memory.problems(site)) == []
    assert list(memory.warnings(site)) == [
        "hostB: the new processes need about 1600 MiB of memory, 3 of api (100 MiB each, assumed), 3 of cfn "
        "(100 MiB each, assumed), 10 of engine (100 MiB each, assumed), but 1000 MiB are available."
    ]


def test_size_is_measured_on_another_host_where_this_one_runs_none():
    site = a_site(
        inventory=sites.an_inventory(hostD="{address: 10.0.0.4, engines: 1}"),
        measured={
            "hostB": HostResources(8192 * MIB, None, APIS | engines(5, 5, each=200 * MIB)),
            "hostD": HostResources(900 * MIB),
        },
    )

    assert "5 of engine (200 MiB each), but 900 MiB" in next(memory.problems(site))


def test_larger_engines_need_their_new_processes_alone():
    site = a_site("num_engine_workers = 8", measured={"hostB": HostResources(500 * MIB, None, APIS | engines(5, 5))})

    assert "520 MiB of memory, 8 of engine (65 MiB each)" in next(memory.problems(site))


def test_smaller_engines_and_what_runs_already_need_nothing():
    for conf in ("num_engine_workers = 2", "num_engine_workers = 4"):
        site = a_site(conf, measured={"hostB": HostResources(1, None, APIS | engines(5, 5))})
        assert [*memory.problems(site), *memory.warnings(site)] == []


def test_host_that_has_enough_or_is_unknown_is_no_problem():
    site = a_site(measured={"hostB": HostResources(None)})

    assert [*memory.problems(site), *memory.warnings(site)] == []
