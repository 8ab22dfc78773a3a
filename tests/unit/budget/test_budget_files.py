"""Open files: what the units ask for against what the host's kernel gives."""

import re

import pytest
import sites
from budget_sites import MIB, a_site

from deployer.budget import files
from deployer.measured import Measured
from deployer.proxy import config


def judged(most, proxy=""):
    inventory = sites.an_inventory(proxy=proxy)
    site = a_site(inventory=inventory, measured={name: Measured(8192 * MIB, most) for name in inventory.hosts})
    return list(files.problems(site)), list(files.notes(site))


def test_proxy_that_needs_more_files_than_there_are_is_a_problem_with_every_number():
    problems, _ = judged(2**20, "maxconn: 600000")

    assert problems == ["hostA: proxy.maxconn 600000 needs 1201000 open files, but fs.nr_open is 1048576 there: set "
                        "proxy.maxconn to 523788 or less, or raise fs.nr_open."]
    assert judged(2**20, "maxconn: 523788") == ([], [])


def test_process_that_gets_fewer_files_than_its_unit_asks_for_is_a_note():
    words = "fs.nr_open is 65535, so Heat's processes get less than their 65536 open files."

    assert judged(65535)[1] == [f"hostB: {words}", f"hostC: {words}"]


@pytest.mark.parametrize("most", [65536, None])
def test_host_that_has_enough_or_does_not_say_is_no_matter(most):
    assert judged(most) == ([], [])


def test_limits_are_those_of_the_units():
    text = (sites.ROOT / "templates/host/process.j2").read_text()

    assert int(re.search(r"LimitNOFILE=(\d+)", text)[1]) == files.OF_A_PROCESS
    assert config.connections(config.files(sites.an_inventory().proxy)) == sites.an_inventory().proxy.maxconn
