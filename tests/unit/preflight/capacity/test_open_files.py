"""Open files: what the units ask for against what the host's kernel gives."""

import pytest
import sites
from capacity_sites import MIB, a_site

from deployer.model.facts import HostResources
from deployer.preflight.capacity import open_files
from deployer.proxy import config


def judged(most, proxy=""):
    inventory = sites.an_inventory(proxy=proxy)
    site = a_site(inventory=inventory, measured={name: HostResources(8192 * MIB, most) for name in inventory.hosts})
    return list(open_files.problems(site)), list(open_files.warnings(site))


def test_proxy_that_needs_more_files_than_there_are_is_a_problem_with_every_number():
    problems, _ = judged(2**20, "maxconn: 600000")

    assert problems == [
        "hostA: proxy.maxconn 600000 needs 1201000 open files, but 1048576 are allowed there: set "
        "proxy.maxconn to 523788 or less, or raise fs.nr_open."
    ]
    assert judged(2**20, "maxconn: 523788") == ([], [])


def test_process_that_gets_few_files_is_a_warning():
    words = "a process may open only 4000 files, few for Heat: 4096 or more are recommended."

    assert judged(4000, "maxconn: 1500")[1] == [f"hostB: {words}", f"hostC: {words}"]


@pytest.mark.parametrize("most", [20000, None])
def test_host_that_has_enough_or_is_unknown_is_no_problem(most):
    assert judged(most) == ([], [])


def test_limit_of_the_proxys_unit_is_enough_for_any_usual_number_so_that_another_is_a_mere_reload():
    assert limit("") == limit("maxconn: 500000") == "LimitNOFILE=1024:1048576"
    assert limit("maxconn: 600000") == "LimitNOFILE=1024:1201000"
    assert config.connections(config.files(sites.an_inventory().proxy)) == sites.an_inventory().proxy.maxconn


def limit(proxy):
    """The line of the proxy's unit that limits its open files."""
    inventory = sites.an_inventory(proxy=proxy)
    spec = config.ProxySpec(inventory.proxy, {}, {})
    unit = config.state(spec, inventory.instances()).files[config.UNIT_FILE]
    return next(line for line in unit.content.decode().splitlines() if line.startswith("LimitNOFILE="))
