"""What the database allows, asked through the fleet; what it refuses is a reason and never an error."""

import sites

from deployer.observed import observe, resources
from deployer.preflight.capacity import database
from deployer.preflight.capacity.database import ConnectionLimits


def asked(prepare=lambda fleet: None):
    inventory = sites.an_inventory()
    fleet = sites.a_fleet(inventory)
    prepare(fleet)
    measured = resources.measure(observe.observe_site(inventory, fleet).hosts, fleet, database.question(inventory))
    return database.limits(inventory, measured), fleet


def test_capacity_is_what_the_source_host_reports():
    observed, fleet = asked()

    assert observed == ConnectionLimits(allowed=5000, most=17, connected=16, own=12, pool=5, overflow=64)
    assert fleet.asked[1:] == [("measure", "measure", tuple(fleet.hosts))], "no request beside what is asked anyway"


def test_database_that_is_not_asked_has_no_limit():
    observed, _ = asked(lambda fleet: fleet.capacity.clear())

    assert (observed.allowed, observed.why) == (None, "")


def test_source_without_its_libraries_has_its_reason_in_one_line():
    observed, _ = asked(lambda fleet: fleet.breaks("hostA", "python3", "Trace\nNo module oslo_db"))

    assert (observed.allowed, observed.why) == (None, "No module oslo_db")


def test_source_that_is_gone_has_its_reason():
    observed, _ = asked(lambda fleet: fleet.loses("hostA"))

    assert observed.why == "the host does not answer"
