"""The fleet that the suite runs against here: two hosts in memory, and one that does not answer."""

import pytest
from contract.fake_fleet import FakeFleet
from contract.fake_host import FakeHost
from contract.ground import Ground


@pytest.fixture
def fleet_under_test():
    """Two hosts in memory, and one that is gone."""
    names = ("hostB", "hostC", "hostGone")
    fleet = FakeFleet({name: FakeHost(name, f"10.0.0.{number}") for number, name in enumerate(names, 2)})
    fleet.loses("hostGone")
    return Ground(fleet, names[:2], "hostGone", "/srv/contract")
