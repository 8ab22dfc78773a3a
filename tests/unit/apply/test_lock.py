"""One command at a time changes a site: another one is shown the holder, or waits; readers need no lock."""

import json
from dataclasses import asdict

import pytest
import sites
from contract.fake_fleet import FakeFleet

from deployer import errors
from deployer.apply import lock
from deployer.model.run import Writer

ALICE = Writer("1f3a", "alice", "desk", 4711, "invoke deploy --yes")
BOB = Writer("2b2b", "bob", "shed", 12, "invoke restart")


def as_another(fleet):
    """The same hosts, as another command reaches them."""
    return FakeFleet(fleet.hosts)


def test_lock_is_taken_on_the_proxys_host_and_shown_with_its_owner(inventory, fleet):
    lock.take(inventory, fleet, ALICE)

    holder = lock.holder(inventory, as_another(fleet))
    assert {name: value for name, value in asdict(holder).items() if name != "since"} == asdict(ALICE)
    assert str(holder) == f"alice@desk (pid 4711, since {holder.since}, id 1f3a): invoke deploy --yes"
    assert fleet.holds_asked == [inventory.proxy.host]


def test_second_writer_is_refused_with_who_holds_the_lock_and_what_to_do(inventory, fleet):
    lock.take(inventory, fleet, ALICE)

    with pytest.raises(errors.Locked) as refused:
        lock.take(inventory, as_another(fleet), BOB)

    assert refused.value.exit_code == 6
    assert "alice@desk (pid 4711, since " in refused.value.message
    assert "--lock-wait SECONDS" in refused.value.hint and "`invoke unlock --id 1f3a`" in refused.value.hint
    assert fleet.holds_lease()


def test_waiting_writer_is_shown_the_holder_and_then_holds_the_lock(inventory, fleet):
    lock.take(inventory, fleet, ALICE)
    other, reported = as_another(fleet), []
    other.waited = lambda: fleet.__exit__()

    lock.take(inventory, other, BOB, 60.0, reported.append)

    assert len(reported) == 1 and reported[0].startswith("waiting up to 60 s for alice@desk")
    assert lock.holder(inventory, fleet).owner == "bob"


def test_waiting_that_ends_without_the_lock_is_refused(inventory, fleet):
    lock.take(inventory, fleet, ALICE)

    with pytest.raises(errors.Locked):
        lock.take(inventory, as_another(fleet), BOB, 1.0, lambda text: None)


def test_holder_who_has_not_written_its_name_yet_is_still_refused(inventory, fleet, monkeypatch):
    monkeypatch.setattr(fleet, "acquire_lease", lambda *_: {"held_by": {}})

    with pytest.raises(errors.Locked, match="another command that has just started"):
        lock.take(inventory, fleet, BOB)


def test_hosts_that_cannot_be_reached_are_all_named_when_the_proxys_is_one(inventory, fleet):
    fleet.loses("hostA")
    fleet.loses("hostC")

    with pytest.raises(errors.ManyFailed) as failed:
        lock.take(inventory, fleet, ALICE)

    assert (failed.value.exit_code, [each.host for each in failed.value.failures]) == (4, ["hostA", "hostC"])


def test_lock_that_may_not_be_written_is_no_lock(inventory, fleet, monkeypatch):
    monkeypatch.setattr(fleet, "acquire_lease", lambda *_: {"refused": "Read-only file system"})

    with pytest.raises(errors.NotReady, match="hostA: could not take the lock .Read-only file system.: root must"):
        lock.take(inventory, fleet, ALICE)


def test_release_ends_the_lock_with_that_id_alone(inventory, fleet):
    lock.take(inventory, fleet, ALICE)
    with pytest.raises(errors.BadInput, match="no command holds the lock with id 2b2b; it is held by alice@desk"):
        lock.release(inventory, as_another(fleet), "2b2b")
    assert fleet.holds_lease()

    assert lock.release(inventory, as_another(fleet), "1f3a").owner == "alice"

    assert (fleet.holds_lease(), lock.holder(inventory, fleet)) == (False, None)
    with pytest.raises(errors.BadInput, match="nobody holds it"):
        lock.release(inventory, fleet, "1f3a")


def test_deploy_that_loses_its_lock_changes_nothing_more_and_ends_with_6(inventory, fleet):
    lock.take(inventory, fleet, ALICE)

    def accept(planned, warnings):
        lock.release(inventory, as_another(fleet), "1f3a")
        return True

    report = sites.deploy(inventory, fleet, accept)

    assert report.exit_code == 6
    assert set(map(type, report.applied.failed.values())) == {errors.Locked}
    assert [done for done in fleet.performed().values() if any("write" in each for each in done)] == []


def test_observation_of_the_holder_alone_waits_for_hosts_that_are_at_work(inventory, fleet):
    asked = []
    hosts = FakeFleet(fleet.hosts)
    hosts.ask = lambda title, verb, requests, limit, level=None: (
        asked.append(json.dumps(requests)) or FakeFleet.ask(hosts, title, verb, requests, limit)
    )
    sites.planned(inventory, hosts)
    lock.take(inventory, hosts, ALICE)
    sites.planned(inventory, hosts)

    assert ["settled" in each for each in asked] == [False, True]


def test_host_where_another_command_is_still_at_work_is_named(inventory, fleet):
    fleet.hosts["hostB"].is_at_work("/run/heat-scaleout-perform.lock", {})
    lock.take(inventory, fleet, ALICE)

    with pytest.raises(errors.HostFailed, match="hostB: another command is still at work here after 30 s"):
        sites.planned(inventory, fleet)
