"""Hosts and engines that leave, die or break lose nothing that others can still do."""

import json
import time

import pytest
from test_30_change import requests_all_the_while

from benchmarks.load import stacks

pytestmark = pytest.mark.lab

PROXY = "heat-scaleout-proxy.service"
ENGINE = "heat-scaleout-engine@1.service"
PASTE = "/etc/heat/api-paste.ini"
SECONDS = 40  # that a stack takes


def test_drained_host_gets_no_request_whoever_reloads_the_proxy(restored):
    site = restored
    served_by_all(site)
    with requests_all_the_while(site) as answers:
        site.invoke("drain", "hostB", "--yes")
        before = served(site, "hostB")
        site.on("hostA", "systemctl", "reload", PROXY)
        status = site.json("status")
        assert [each["proxy"] for each in of_host(status, "hostB", "api")] == ["DRAIN"]
        assert status["pending"] == []
        assert served(site, "hostB") <= before
        site.invoke("undrain", "hostB", "--yes")

    assert [each["proxy"] for each in of_host(site.json("status"), "hostB", "api")] == ["UP"]
    assert set(answers) == {200}


@pytest.mark.on("newest")
def test_change_that_breaks_the_first_host_is_taken_back_there_and_touches_no_other(restored):
    """Its APIs start and their health checks answer; every client would get 503, as no token could be validated."""
    site = restored
    before, paste = site.processes(), site.on("hostB", "cat", PASTE)
    site.on("hostA", "cp", "-p", PASTE, "/root/paste.good")
    site.on("hostA", "sed", "-i", "/^.filter:authtoken/a auth_url = http://127.0.0.1:9", PASTE)

    with requests_all_the_while(site) as answers:
        ended = site.invoke("deploy", "--yes", "--format", "json", code=7)

    site.on("hostA", "mv", "/root/paste.good", PASTE)
    told, after = json.loads(ended.stdout), site.processes()
    assert list(told["failed"]) == ["hostB"]
    assert "8004 answers 503" in told["failed"]["hostB"]["error"]
    assert told["put_back"]["host"] == "hostB"
    assert told["put_back"]["failed"] == {}
    assert site.on("hostB", "cat", PASTE) == paste
    assert {key: pid for key, pid in after.items() if key[0] != "hostB"} == {
        key: pid for key, pid in before.items() if key[0] != "hostB"
    }
    assert set(after) == set(before)
    assert site.json("plan")["changes"] == 0
    assert set(answers) == {200}


@pytest.mark.on("newest")
def test_engine_that_was_killed_is_seen_and_what_it_held_is_recovered(restored):
    site = restored
    slow = stacks.Stacks(stacks.opened(site.lab.directory / "clouds.yaml"), "killed")
    slow.begin(12, stacks.single(SECONDS))
    left_by_others = set(site.unread_queues())  # by engines that were killed before Heat had a row of them, say

    site.on("hostC", "systemctl", "kill", "--signal=KILL", ENGINE)

    (seen,) = [each for each in site.json("status")["instances"] if (each["host"], each["unit"]) == ("hostC", ENGINE)]
    assert "without" in seen["drift"]  # its row without a process, or its queue without who reads it
    time_passes(site)
    workers = site.json("recover", "--yes")["workers"]
    fates = slow.awaited(120)
    held = sum(len(each["held"]) for each in workers)
    # Without a name when the engine that systemd has started since has taken the dead one's row away itself.
    assert {each["host"] for each in workers if each["held"]} <= {"hostC-engine-1", ""}
    assert (fates.stuck, fates.complete + len(fates.failed)) == ((), 12)
    assert len(fates.failed) == held > 0
    assert slow.delete() == ()
    assert set(site.unread_queues()) <= left_by_others
    assert site.json("recover", "--yes")["workers"] == []


@pytest.mark.on("newest")
def test_engine_that_still_stops_is_waited_for_by_a_deploy_and_leaves_nothing(restored):
    site = restored
    left_by_others = set(site.unread_queues())
    slow = stacks.Stacks(stacks.opened(site.lab.directory / "clouds.yaml"), "stopping")
    slow.begin(12, stacks.single(SECONDS))

    given_up = site.invoke("remove-engine", "hostC", "--wait", "5", "--yes", code=5)
    (stopping,) = of_host(site.json("status"), "hostC", "engine")
    done = site.json("deploy", "--yes")["done"]

    assert "hostC-engine-1 still works on stopping-" in given_up.stdout
    assert "what was planned; a process is still stopping" in given_up.stdout
    assert (stopping["state"], stopping["drift"]) == ("stopping", "not in the inventory")
    assert [each["step"] for each in done if each["host"] == "hostC"][:1] == [f"stop {ENGINE} (not in the inventory)"]
    fates = slow.awaited(120)
    assert (fates.stuck, fates.failed, fates.complete) == ((), {}, 12)
    assert slow.delete() == ()
    assert is_clean(site, left_by_others)


@pytest.mark.on("newest")
def test_engine_that_is_killed_by_force_has_its_work_marked_and_told(restored):
    site = restored
    left_by_others = set(site.unread_queues())
    slow = stacks.Stacks(stacks.opened(site.lab.directory / "clouds.yaml"), "forced")
    slow.begin(12, stacks.single(SECONDS))

    (told,) = site.json("remove-engine", "hostC", "--wait", "3", "--force", "--yes")["told"]

    assert told["message"].startswith("hostC-engine-1 ended while it worked: forced-")
    fates = slow.awaited(120)
    assert (fates.stuck, fates.complete + len(fates.failed)) == ((), 12)
    assert len(fates.failed) > 0
    assert slow.delete() == ()
    assert is_clean(site, left_by_others)


@pytest.mark.on("newest")
def test_restart_that_was_given_up_is_ended_by_a_deploy(restored):
    site = restored
    slow = stacks.Stacks(stacks.opened(site.lab.directory / "clouds.yaml"), "again")
    slow.begin(12, stacks.single(SECONDS))
    before = site.processes()["hostC", ENGINE]

    site.invoke("restart", "--limit", "hostC", "--wait", "3", "--yes", code=5)
    (stopping,) = of_host(site.json("status"), "hostC", "engine")
    site.invoke("deploy", "--yes")

    assert (stopping["state"], stopping["drift"]) == ("stopping", "still stopping")
    assert site.processes()["hostC", ENGINE] != before
    fates = slow.awaited(120)
    assert (fates.stuck, fates.failed, fates.complete) == ((), {}, 12)
    assert slow.delete() == ()
    assert site.json("status")["drift"] is False


def test_deleted_host_is_refused_and_then_leaves_without_losing_a_request_or_a_stack(restored):
    site = restored
    served_by_all(site)
    text = site.inventory.read_text()
    site.inventory.write_text(text[: text.index("  hostC:")])
    others = {key: pid for key, pid in site.processes().items() if key[0] != "hostC"}

    for command in (("plan",), ("deploy", "--yes")):
        refused = site.invoke(*command, code=3)
        assert "hostC is no longer in the inventory, but runs api@8004, cfn@8000, engine@1" in refused.stderr
    site.invoke("status", "--exit-code", code=8)
    slow = stacks.Stacks(stacks.opened(site.lab.directory / "clouds.yaml"), "leaving")
    slow.begin(6, stacks.single(SECONDS))
    with requests_all_the_while(site) as answers:
        site.invoke("remove-host", "hostC", "--yes")

    fates = slow.awaited(120)
    assert (fates.stuck, fates.failed, fates.complete) == ((), {}, 6)
    assert slow.delete() == ()
    assert set(answers) == {200}
    assert is_emptied(site, "hostC")
    status = site.json("status")
    assert (status["drift"], {each["host"] for each in status["instances"]}) == (False, {"hostA", "hostB"})
    assert site.processes() == others
    assert "hostC-engine" not in "".join(site.unread_queues())
    assert site.json("plan")["changes"] == 0


@pytest.mark.on("newest")
def test_host_that_is_gone_leaves_no_row_no_queue_and_no_stuck_stack(restored):
    site = restored
    slow = stacks.Stacks(stacks.opened(site.lab.directory / "clouds.yaml"), "gone")
    slow.begin(12, stacks.single(SECONDS))
    left_by_others = set(site.unread_queues())
    units = site.on("hostC", "systemctl", "list-units", "--plain", "--no-legend", "heat-scaleout-*.service")
    names = [line.split()[0] for line in units.splitlines()]
    assert len(names) == 3
    # For the others it is as if it were off: nothing of it runs, nor comes back, and nobody asks it.
    site.on("hostC", "systemctl", "mask", "--runtime", *names)
    try:
        site.on("hostC", "systemctl", "kill", "--signal=KILL", *names)
        assert "as alive" in site.invoke("remove-host", "hostC", "--gone", "--yes", code=3).stderr
        time_passes(site)
        done = site.json("remove-host", "hostC", "--gone", "--yes")["done"]
        fates = slow.awaited(120)
    finally:
        site.on("hostC", "systemctl", "unmask", "--runtime", *names)

    assert {each["host"] for each in done} == {"hostA"}
    assert "delete rows and queues of the engines of hostC" in done[-1]["step"]
    assert (fates.stuck, fates.complete + len(fates.failed)) == ((), 12)
    assert slow.delete() == ()
    assert set(site.unread_queues()) <= left_by_others
    assert "hostC" not in site.inventory.read_text()
    assert {each["host"] for each in site.json("status")["instances"]} == {"hostA", "hostB"}


def is_clean(site, left_by_others):
    """Whether hostC's engine has left no row and no queue, and the site is as the inventory says."""
    queues = set(site.unread_queues()) - left_by_others
    return (site.json("status")["drift"], queues, site.json("plan")["changes"]) == (False, set(), 0)


def is_emptied(site, host):
    """Whether nothing of ours runs or is on a host: no unit, no file of a unit, no record."""
    units = site.on(host, "systemctl", "list-units", "--all", "--plain", "--no-legend", "heat-scaleout-*.service")
    files = site.on(host, "find", "/etc", "/var/lib", "-name", "heat-scaleout*")
    return (units, files) == ("", "")


def of_host(status, host, service):
    return [each for each in status["instances"] if (each["host"], each["service"]) == (host, service)]


def served(site, host):
    """How many requests the proxy has sent to a host's APIs since its last reload."""
    return sum(
        each["requests"]
        for each in site.json("status")["instances"]
        if each["host"] == host and each["requests"] is not None
    )


def served_by_all(site):
    """Wait until the proxy has every server up: HAProxy takes one out whose host was too busy for three checks."""
    deadline = time.monotonic() + 60
    while others := {each["proxy"] for each in site.json("status")["instances"] if each["port"]} - {"UP"}:
        assert time.monotonic() < deadline, others


def time_passes(site):
    """Heat has an engine down two minutes after its last report: let them have passed, for those of other tests too.

    What lives reads its queues, whatever its row says; when it began is left alone: that proves whose the row is.
    """
    site.on(
        "hostA",
        "mariadb",
        "-e",
        "UPDATE heat.service SET updated_at = COALESCE(updated_at, created_at) - INTERVAL 10 MINUTE",
    )
