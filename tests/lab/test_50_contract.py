"""What a fleet promises, on real hosts over SSH: the same suite that hosts in memory obey."""

import pytest
from contract.ground import Ground
from contract.test_fleet import *  # noqa: F403

from deployer.inventory import reader
from deployer.model import events
from deployer.remote import fleet

pytestmark = pytest.mark.lab
NOBODY = 250  # the last part of an address that no host of a lab has


@pytest.fixture
def fleet_under_test(site):
    """hostB and hostC of the lab, and a host that is not there."""
    text = site.inventory.read_text().replace("known_hosts:", "connect_timeout: 2, known_hosts:", 1)
    nowhere = f"{site.lab.hosts['hostA'].rpartition('.')[0]}.{NOBODY}"
    inventory = reader.parse(f"{text}  hostGone: {{address: {nowhere}}}\n", site.inventory)
    with fleet.over_ssh({name: inventory.host(name) for name in inventory.hosts}, events.ignore) as reached:
        yield Ground(reached, ("hostB", "hostC"), "hostGone", "/srv/contract")
