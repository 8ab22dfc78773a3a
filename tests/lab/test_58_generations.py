"""What was deployed is kept on every host and comes back; a plan is what gets applied, or nothing is."""

import json

import pytest
from ruamel.yaml import YAML

pytestmark = pytest.mark.lab

KEPT = "/var/lib/heat-scaleout"
MOST = 20  # generations that a host keeps


def test_rollback_brings_back_processes_and_inventory_and_touches_no_other(restored):
    site = restored
    before, wanted = site.processes(), inventory(site)
    site.invoke("add-engine", "hostB", "--yes")
    grown = generations(site)
    assert inventory(site) != wanted

    done = json.loads(site.invoke("rollback", "--yes", "--format", "json").stdout)

    assert (site.processes(), inventory(site)) == (before, wanted)
    assert site.json("plan")["changes"] == 0
    assert done["generation"] == grown[-1][0] + 1
    assert generations(site) == [*grown, (done["generation"], "done")][-MOST:]


def test_what_is_kept_is_for_root_alone(site):
    listed = site.on("hostB", "find", KEPT, "-printf", "%y %m %u\\n").splitlines()

    assert set(listed) == {"d 700 root", "f 600 root"}
    assert len(listed) > 10


def test_saved_plan_is_applied_as_it_is_or_not_at_all(restored, tmp_path):
    site, kept = restored, str(tmp_path / "the.plan")
    site.inventory.write_text(site.inventory.read_text().replace("engines: 1  # grows", "engines: 2  # grows", 1))
    site.invoke("plan", "--out", kept)
    site.on("hostC", "sed", "-i", "$a # by hand", "/etc/heat-scaleout/engine.config")

    refused = site.invoke("deploy", "--plan", kept, code=8)
    site.on("hostC", "sed", "-i", "$d", "/etc/heat-scaleout/engine.config")
    site.invoke("deploy", "--plan", kept)

    assert refused.stderr.splitlines()[-3] == "error: hostC: /etc/heat-scaleout/engine.config has changed"
    assert ("hostB", "heat-scaleout-engine@2.service") in site.processes()
    assert "the inventory" not in refused.stderr


def test_host_that_cannot_be_written_to_stops_everything_before_the_first_change(restored):
    site = restored
    before, files = site.processes(), configurations(site)
    site.on("hostA", "sed", "-i.before", "$a # by hand", "/etc/heat/heat.conf")
    site.on("hostC", "mount", "--bind", "-o", "ro", "/etc/heat", "/etc/heat")
    try:
        refused = site.invoke("deploy", "--yes", code=3)
    finally:
        site.on("hostC", "umount", "/etc/heat")
        site.on("hostA", "mv", "/etc/heat/heat.conf.before", "/etc/heat/heat.conf")

    assert "hostC: /etc/heat cannot be written to: its file system is read-only" in refused.stderr
    assert (site.processes(), configurations(site)) == (before, files)


def inventory(site):
    """What the file says; its comments are those of the generation."""
    return YAML(typ="safe").load(site.inventory)


def generations(site):
    """(number, result) of every generation, in order."""
    return [(each["number"], each["result"]) for each in site.json("history")["generations"]]


def configurations(site):
    return {host: site.on(host, "sha256sum", "/etc/heat/heat.conf") for host in ("hostB", "hostC")}
