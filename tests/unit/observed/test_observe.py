"""What becomes of the replies of hosts to an observation."""

import pytest
import sites

from deployer.model.state import Unit, UnitState
from deployer.observed import observe


@pytest.mark.parametrize(
    ("clock", "skew"),
    [
        (100.0, 0.0),  # read as the request came
        (123.0, 0.0),  # read 23 s later, after another command had ended there
        (99.0, -1.0),
        (130.0, 7.0),
    ],
)
def test_clock_is_off_by_what_no_wait_for_the_answer_explains(clock, skew):
    inventory = sites.an_inventory()
    fleet = sites.a_fleet(inventory)
    ask = fleet.ask
    fleet.ask = lambda *question: {
        host: reply | {"clock": clock, "sent": 100.0, "received": 123.0} for host, reply in ask(*question).items()
    }

    observed = observe.observe_site(inventory, fleet).hosts

    assert {each.facts.skew for each in observed.values()} == {skew}


@pytest.mark.parametrize(
    ("word", "state"),
    [
        ("active", UnitState.ACTIVE),
        ("reloading", UnitState.ACTIVE),
        ("activating", UnitState.ACTIVATING),
        ("deactivating", UnitState.DEACTIVATING),
        ("failed", UnitState.FAILED),
        ("inactive", UnitState.INACTIVE),
        ("maintenance", UnitState.INACTIVE),
    ],
)
def test_unit_has_the_state_that_systemd_names(word, state):
    inventory = sites.an_inventory()
    fleet = sites.a_fleet(inventory)
    sites.deploy(inventory, fleet)
    unit = "heat-scaleout-engine@1.service"
    fleet.hosts["hostB"].units[unit].state = word

    observed = observe.observe_site(inventory, fleet).hosts["hostB"].state.units

    assert observed.get(unit, Unit(unit, UnitState.INACTIVE)).state is state
