"""The way back, with clients at work: who served before us serves again, and nothing of ours is left. It comes last."""

import pytest
from conftest import ORIGINAL
from test_60_load import nothing_lost

pytestmark = pytest.mark.lab

# The lock of the command that takes everything away is held to its end.
OURS = ("find", "/etc", "/run", "/var/lib", "-xdev", "-name", "*heat-scaleout*", "!", "-name", "heat-scaleout.lock")


def test_site_goes_back_to_its_single_server_without_losing_a_request(site):
    with nothing_lost(site):
        site.invoke("restore", "--yes")

    assert {host: site.on(host, *OURS) for host in site.lab.hosts} == dict.fromkeys(site.lab.hosts, "")
    assert site.on("hostC", "cat", "/etc/heat/heat.conf") == ORIGINAL
    assert site.on("hostB", "sh", "-c", "ls /etc/heat 2>/dev/null || true") == ""
    for unit in ("heat-api.service", "heat-api-cfn.service"):
        assert site.on("hostA", "systemctl", "is-enabled", unit).strip() == "enabled"
        assert site.on("hostA", "systemctl", "is-active", unit).strip() == "active"
    assert {
        each["state"] for each in site.json("status")["instances"] if each["unit"].startswith("heat-scaleout-")
    } == {"stopped"}
    assert "Nothing to do" in site.invoke("restore", "--yes").stdout
