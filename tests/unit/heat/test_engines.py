"""Heat's own list of engines, read through the fleet."""

import json

import pytest
import sites

from deployer import errors
from deployer.heat import engines


def test_rows_are_those_of_heats_table():
    inventory = sites.an_inventory()
    fleet = sites.a_fleet(inventory)

    (row,) = engines.rows(inventory, fleet)

    assert (row.host, row.hostname, row.up, row.age) == ("hostA", "hostA", True, 3.0)
    assert fleet.asked == [("ask Heat", "perform", ("hostA",))]


def test_rows_of_a_source_that_is_gone_raise_its_error():
    inventory = sites.an_inventory()
    fleet = sites.a_fleet(inventory)
    fleet.loses("hostA")

    with pytest.raises(errors.HostUnreachable):
        engines.rows(inventory, fleet)


def test_rows_that_the_database_refuses_raise_with_the_host_and_the_reason():
    inventory = sites.an_inventory()
    fleet = sites.a_fleet(inventory)
    fleet.breaks("hostA", "python3", "OperationalError: (2003) cannot connect")

    with pytest.raises(errors.HostFailed, match=r"hostA: OperationalError: \(2003\) cannot connect"):
        engines.rows(inventory, fleet)


def test_run_of_several_hosts_keeps_the_answers_of_those_that_work():
    fleet = sites.a_fleet(sites.an_inventory())
    fleet.breaks("hostB", '"run"', "no Python there")

    printed = engines.run(fleet, "try", dict.fromkeys(("hostB", "hostC"), ("/bin/cat", "text")), 5.0)

    assert isinstance(printed["hostB"], errors.HostFailed)
    assert printed["hostC"] == "text"


def test_run_gives_the_program_as_input_and_never_as_an_argument():
    fleet = sites.a_fleet(sites.an_inventory())
    seen = []
    fleet.hosts["hostB"].run_program = lambda host, argv, given: seen.append((argv, given)) or json.dumps(1)

    engines.run(fleet, "try", {"hostB": ("/opt/heat/bin/python3", "secret")}, 5.0)

    assert seen == [(["/opt/heat/bin/python3", "-"], "secret")]
