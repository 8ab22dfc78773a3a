"""How many worker processes each process of the site has."""

from dataclasses import replace

import pytest
import sites
from capacity_sites import a_site

from deployer.model.facts import Listener, Observation
from deployer.model.service import Service
from deployer.preflight.capacity import sizes


def instance(site, service, host="hostB"):
    return next(each for each in site.inventory.instances_of(host) if each.service is service)


@pytest.mark.parametrize(
    ("heat", "conf", "cpus", "expected"),
    [
        ("", "", 2, 4),
        ("", "", 16, 16),
        ("", "num_engine_workers = 3", 16, 3),
        ("engine_workers: 6", "num_engine_workers = 3", 16, 6),
    ],
)
def test_workers_of_an_engine_are_those_of_the_inventory_else_of_heat_conf_else_of_heat(heat, conf, cpus, expected):
    site = a_site(conf, inventory=sites.an_inventory(heat=heat), cpus=cpus)

    assert sizes.workers(site, instance(site, Service.ENGINE)) == expected
    assert sizes.processes(site, instance(site, Service.ENGINE)) == expected + 1


@pytest.mark.parametrize(
    ("installed", "heat", "conf", "expected"),
    [
        (sites.HEAT_27, "", "", (2, 2)),
        (sites.HEAT_27, "api_workers: 5, cfn_workers: 1", "", (5, 1)),
        (sites.HEAT_24, "", "", (8, 1)),
        (sites.HEAT_24, "", "[heat_api]\nworkers = 3\n[heat_api_cfn]\nworkers = 0", (3, 8)),
        (sites.HEAT_24, "api_workers: 5", "[heat_api]\nworkers = 3", (5, 1)),
    ],
)
def test_workers_of_an_api_are_those_of_its_launcher(installed, heat, conf, expected):
    site = a_site(conf, inventory=sites.an_inventory(heat=heat), installed=installed, cpus=8)

    assert tuple(sizes.workers(site, instance(site, each)) for each in (Service.API, Service.CFN)) == expected


def test_process_that_forks_no_worker_is_one_process_and_uwsgi_has_a_master():
    old = a_site(installed=sites.HEAT_24)
    new = a_site(inventory=sites.an_inventory(heat="cfn_workers: 1"))

    assert sizes.processes(old, instance(old, Service.CFN)) == 1
    assert sizes.processes(new, instance(new, Service.CFN)) == 2


def test_engine_workers_count_a_hosts_own_engines_and_leave_out_hosts_without():
    site = a_site("num_engine_workers = 3")
    own = (Listener("", 0, 9, "heat-engine", "heat-engine.service"),)
    observed = site.observed | {"hostA": Observation(site.observed["hostA"].state, sites.facts(engines=own))}

    assert sizes.engine_workers(replace(site, observed=observed)) == {"hostB": 6, "hostC": 6, "hostA": 3}
