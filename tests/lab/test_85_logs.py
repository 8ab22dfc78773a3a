"""The journals of real hosts as one: merged, followed, and without a secret; after tests that read whole journals."""

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = [pytest.mark.lab, pytest.mark.on("newest")]
ROOT = Path(__file__).resolve().parents[2]
CFN = "heat-scaleout-cfn@8000.service"
TALKS = ["--wait", "--collect", "--unit=heat-scaleout-engine@99.service", "/bin/grep"]


def entries(site, *arguments):
    return site.json("logs", *arguments)["entries"]


def test_logs_of_a_restart_are_merged_by_time_over_the_hosts(site):
    for host in ("hostC", "hostB"):
        site.on(host, "systemctl", "restart", CFN)

    found = entries(site, "--since", "2m", "--service", "cfn", "--grep", "started heat-scaleout-cfn@8000")

    assert [each["host"] for each in found][-2:] == ["hostC", "hostB"]
    assert {each["unit"] for each in found} == {CFN}
    assert [each["time"] for each in found] == sorted(each["time"] for each in found)


def test_logs_of_engines_have_the_hosts_own_engine_and_no_other_unit(site):
    units = {(each["host"], each["unit"]) for each in entries(site, "--service", "engine")}

    assert ("hostA", "heat-engine.service") in units
    assert {unit for _, unit in units if not unit.startswith("heat-scaleout-engine@")} == {"heat-engine.service"}


def test_logs_of_one_host_beyond_the_limit_are_cut_and_say_so(site):
    ran = site.invoke("logs", "hostB", "--lines", "3")

    assert len(ran.stdout.splitlines()) == 3
    assert "note: hostB: older lines are left out: --lines has more of them" in ran.stderr


def test_followed_logs_show_what_happens_and_end_with_0(site):
    command = [sys.executable, "-m", "invoke", "logs", "hostB", "--follow", "--lines", "1", "--format", "json"]
    command += ["--grep", "heat-scaleout-cfn@8000", "--inventory", str(site.inventory)]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as ran:
        first = json.loads(ran.stdout.readline())
        site.on("hostB", "systemctl", "restart", CFN)
        new = json.loads(ran.stdout.readline())
        while not new["message"].startswith("Started"):
            new = json.loads(ran.stdout.readline())
        ran.send_signal(2)
        _, talked = ran.communicate(timeout=30)

    assert (first["host"], new["host"], new["unit"]) == ("hostB", "hostB", CFN)
    assert first["time"] < new["time"]
    assert (ran.returncode, "Traceback" in talked) == (0, False)


def test_secrets_that_a_process_writes_to_the_journal_are_not_shown(site):
    """By a transient unit on the host that has no engines of ours, with the lines of heat.conf that hold secrets."""
    conf = site.on("hostA", "cat", "/etc/heat/heat.conf")
    secrets = {
        *re.findall(r"://[^:/@\s]+:([^@\s]+)@", conf),
        *re.findall(r"^\w*(?:password|_key) *= *(.+)$", conf, re.MULTILINE),
    }
    pattern = ["--only-matching", "--no-filename", "-E", "|".join(map(re.escape, secrets)), "/etc/heat/heat.conf"]
    site.on("hostA", "systemd-run", *TALKS, *pattern)  # a secret alone in a line
    site.on("hostA", "systemd-run", *TALKS, "-e", "^connection", "-e", "^transport_url", "/etc/heat/heat.conf")

    shown = [site.invoke("logs", *more, "--since", "2m").stdout for more in ([], ["hostA", "--format", "json"])]
    written = site.on("hostA", "journalctl", "--unit=heat-scaleout-engine@99", "--output=cat")

    assert all(any(secret in line for line in written.splitlines()) for secret in secrets)
    assert all("***" in text for text in shown)
    assert [text for text in shown if any(secret in text for secret in secrets)] == []
