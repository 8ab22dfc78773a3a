"""The first deploy of a single server to three hosts, and what stands afterwards."""

import json
import xml.etree.ElementTree as ET

import pytest

pytestmark = pytest.mark.lab

UNITS = {"heat-scaleout-api@8004.service", "heat-scaleout-cfn@8000.service", "heat-scaleout-engine@1.service"}


def test_first_deploy_does_every_step_and_leaves_none(site):
    assert site.first["changes"] == len(site.first["done"]) > 30
    assert site.first["failed"] == {}
    assert site.first["left"] == []


def test_second_deploy_writes_restarts_and_reloads_nothing(site):
    before = site.processes(), written(site), reloads(site)

    again = site.invoke("deploy", "--yes")

    assert again.stdout.strip() == "Nothing to do: every host is as wanted."
    assert (site.processes(), written(site), reloads(site)) == before


def test_plan_after_deploy_is_empty(site):
    assert site.json("plan", "--exit-code")["changes"] == 0


def test_host_behind_a_jump_host_and_with_a_key_of_its_own_is_reached(site):
    key = next(
        line.partition(" ")[2]
        for line in (site.lab.directory / "known_hosts").read_text().splitlines()
        if line.startswith(site.lab.hosts["hostC"])
    )
    known = f"known_hosts: {site.lab.directory}/known_hosts"
    address = f"address: {site.lab.hosts['hostB']}"
    behind = site.edited((address, f"{address}\n    ssh: {{gateway: '{site.lab.hosts['hostA']}'}}"))
    assert site.invoke("plan", "--exit-code", inventory=behind).stdout.endswith("0 steps, nothing applied (plan)\n")

    address = f"address: {site.lab.hosts['hostC']}"
    own = site.edited((address, f"{address}\n    ssh: {{host_key: {key}}}"), (known, "known_hosts: /nowhere"))
    refused = site.invoke("plan", code=4, inventory=own)
    assert [host for host in site.lab.hosts if f"{host}: the host key of" in refused.stderr] == ["hostA", "hostB"]


def test_status_lines_up_every_process_with_heat_and_proxy(site):
    shown = site.json("status")
    ours = [each for each in shown["instances"] if each["unit"].startswith("heat-scaleout-")]

    assert {(each["host"], each["unit"]) for each in ours} == {
        ("hostA", "heat-scaleout-proxy.service"),
        *((host, unit) for host in ("hostB", "hostC") for unit in UNITS),
    }
    assert {each["heat"] for each in ours if each["service"] == "engine"} == {"up"}
    assert {each["proxy"] for each in ours if each["service"] in ("api", "cfn")} == {"UP"}
    assert {each["state"] for each in ours} == {"running"}
    assert shown["pending"] == []


def test_status_shows_the_engine_of_the_source_as_its_own(site):
    own = [each for each in site.json("status")["instances"] if each["drift"] == "host's own"]

    assert [(each["host"], each["service"], each["unit"], each["heat"]) for each in own] == [
        ("hostA", "engine", "heat-engine.service", "up")
    ]


def test_taken_over_apis_of_the_source_are_stopped_and_disabled(site):
    for unit in ("heat-api.service", "heat-api-cfn.service"):
        shown = site.on("hostA", "systemctl", "show", "--property=ActiveState,UnitFileState", unit)
        assert "ActiveState=inactive" in shown
        assert "UnitFileState=disabled" in shown


def test_original_heat_conf_is_kept_beside_ours_and_the_source_keeps_its_own(site):
    assert "what an operator had" in site.on("hostC", "cat", "/etc/heat/heat.conf.before-heat-scaleout")
    assert "what an operator had" not in site.on("hostC", "cat", "/etc/heat/heat.conf")
    assert "127.0.0.1" in site.on("hostA", "cat", "/etc/heat/heat.conf")
    assert "before-heat-scaleout" not in site.on("hostA", "find", "/etc/heat")


def test_verify_proves_the_site_and_writes_junit(site, tmp_path):
    report = tmp_path / "report.xml"

    proof = json.loads(site.invoke("verify", "--format", "json", "--junit", str(report)).stdout)

    assert proof["schema_version"] == 1
    cases = list(ET.parse(report).getroot().iter("testcase"))
    assert len(cases) > 30
    bad = [case.get("name") for case in cases if case.find("failure") is not None or case.find("error") is not None]
    assert bad == []


def written(site) -> dict[str, str]:
    """Host -> when each file below our folders was last written."""
    folders = ["/etc/heat", "/etc/heat-scaleout", "/var/lib/heat-scaleout"]
    return {
        host: site.on(host, "find", *folders[0 if host != "hostA" else 1 :], "-type", "f", "-printf", "%p %T@\n")
        for host in ("hostA", "hostB", "hostC")
    }


def reloads(site) -> str:
    """How often systemd reloaded or restarted the proxy, told by its workers' start."""
    return site.on(
        "hostA",
        "systemctl",
        "show",
        "--property=NRestarts,ExecMainStartTimestamp,StateChangeTimestamp",
        "heat-scaleout-proxy.service",
    )
