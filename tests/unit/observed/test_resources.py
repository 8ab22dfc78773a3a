"""What hosts have to spare, asked of those that were found."""

import sites

from deployer.model.facts import HostResources, UnitUsage
from deployer.observed import observe, resources


def test_every_host_is_measured_in_one_go_with_its_own_engines():
    inventory = sites.an_inventory()
    fleet = sites.a_fleet(inventory)
    observed = observe.observe_site(inventory, fleet).hosts

    observation = resources.measure(observed, fleet)

    assert fleet.asked[1:] == [("measure", "measure", ("hostA", "hostB", "hostC"))]
    assert observation["hostA"] == HostResources(8 * 2**30, 2**20, {"heat-engine.service": UnitUsage(3, 200 * 2**20)})
    assert observation["hostB"].units == {}


def test_host_that_is_gone_meanwhile_is_left_out():
    inventory = sites.an_inventory()
    fleet = sites.a_fleet(inventory)
    observed = observe.observe_site(inventory, fleet).hosts
    fleet.loses("hostB")

    assert list(resources.measure(observed, fleet)) == ["hostA", "hostC"]
