"""What random walks have found, as fixed walks: each was a bug once."""

import pytest
import sites
import walked_site
from walked_site import NONE, Fault, Site

from deployer.inventory import editor
from deployer.model.steps import OnError, RolloutOptions

REVERT = RolloutOptions(on_error=OnError.REVERT)


def site_whose_api_was_killed():
    """A site after some faults: hostB's REST API is gone, and its unit file with it."""
    site = Site(sites.HEAT_27)
    if not site.ends_well(site.deploy(walked_site.START, Fault("killed", 4), REVERT)):
        assert site.ends_well(site.deploy(site.text, options=RolloutOptions(force=True)))
    site.own_engine(True)
    site.kills("hostB", "heat-scaleout-api@8004.service", False)
    site.deploy(editor.with_drained(site.text, "hostC", False), NONE, REVERT)
    site.changes_source(walked_site.CONFS[1])
    site.deploy(site.text, Fault("killed", 23, backwards=True), REVERT)
    site.edits("hostB", "/etc/systemd/system/heat-scaleout-api@.service", "gone")
    site.holds()
    return site


@pytest.mark.parametrize("number", range(20, 60, 3))
def test_host_lost_while_another_is_drained_leaves_an_api_that_serves(number):
    """The revert drained hostB, as the failed change had it, before it undrained hostC: nobody served."""
    site = site_whose_api_was_killed()

    site.deploy(editor.with_drained(site.text, "hostB", True), Fault("lost", number), REVERT)

    site.holds()
