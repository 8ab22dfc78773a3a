"""What is still stopping when a command ends: the next one waits for it, and proves and cleans as the first would."""

import pytest
import sites

from deployer import pipeline
from deployer.cli.views import run_report, status_table
from deployer.model.names import unit_name
from deployer.model.service import Service
from deployer.model.steps import RolloutOptions
from deployer.plan.planned import Change

FIRST, SECOND = (unit_name(Service.ENGINE, number) for number in (1, 2))
FEWER = sites.an_inventory(hostB="{address: 10.0.0.2, api: 1, cfn: 1, engines: 1}")
WORK = "web/server (CREATE)"


@pytest.fixture
def deployed(inventory, fleet):
    assert sites.deploy(inventory, fleet).exit_code == 0
    return fleet


def restart(inventory, fleet, limit=(), **options):
    return pipeline.restart(Change(inventory, options=RolloutOptions(**options), limit=limit), fleet, sites.yes)


def restart_killed_before_its_proof(inventory, fleet):
    def killed(name, when, step):
        if "engine_started" in step.get("stdin", ""):
            raise KeyboardInterrupt

    fleet.moment = killed
    with pytest.raises(KeyboardInterrupt):
        restart(inventory, fleet)
    fleet.moment = lambda name, when, step: None


def works(fleet, host, unit, seconds):
    """An engine has work for some seconds from when it is told to stop; None: until it is killed."""
    fleet.hosts[host].systemd.behaves(unit, stop=seconds)
    fleet.heat.work[f"id-{fleet.hosts[host].units[unit].pid}"] = [WORK]


def drifts(inventory, fleet):
    """What `status` shows to differ, by unit."""
    lines = pipeline.status(inventory, fleet).lines
    return {each.unit: (each.state, each.drift) for each in lines if each.drift not in ("", "host's own")}


def rows(fleet):
    return {each["host"] for each in fleet.heat.rows.values()}


def test_command_waits_as_long_as_it_is_told_and_not_until_the_next_look(inventory, deployed):
    works(deployed, "hostB", SECOND, 300.0)
    before = deployed.hosts["hostB"].clock.now

    report = sites.deploy(FEWER, deployed, options=RolloutOptions(wait=5.0))

    assert report.exit_code == 5
    assert 5 <= deployed.hosts["hostB"].clock.now - before < 8


def test_report_says_that_it_is_still_stopping_and_how_to_go_on(inventory, deployed):
    works(deployed, "hostB", SECOND, 300.0)

    text = run_report.text(sites.deploy(FEWER, deployed, options=RolloutOptions(wait=5.0)))

    assert f"hostB-engine-2 still works on {WORK}" in text
    assert "hostB  has     what was planned; a process is still stopping" in text
    assert "Run `invoke deploy`: it waits for what is still stopping" in text
    assert "does not prove" not in text


def test_engine_that_still_stops_is_shown_as_such_and_a_second_deploy_waits_for_it_and_cleans_up(inventory, deployed):
    works(deployed, "hostB", SECOND, 300.0)
    sites.deploy(FEWER, deployed, options=RolloutOptions(wait=5.0))
    clock = deployed.hosts["hostB"].clock
    before, shown = clock.now, drifts(FEWER, deployed)

    report = sites.deploy(FEWER, deployed)

    assert shown == {SECOND: ("stopping", "not in the inventory")}
    assert (report.exit_code, clock.now - before > 280) == (0, True)
    assert [str(step) for step in report.planned.plan.changes()] == [f"stop {SECOND} (not in the inventory)"]
    assert "hostB-engine-2" not in rows(deployed)
    assert not deployed.hosts["hostB"].systemd.is_enabled(SECOND)
    assert drifts(FEWER, deployed) == {}
    assert sites.deploy(FEWER, deployed).planned.plan.waves == ()


def test_engine_that_has_ended_before_the_second_deploy_is_proven_and_cleaned_by_it_all_the_same(inventory, deployed):
    works(deployed, "hostB", SECOND, 300.0)
    sites.deploy(FEWER, deployed, options=RolloutOptions(wait=5.0))
    deployed.hosts["hostB"].clock.advance(600)
    assert deployed.hosts["hostB"].units[SECOND].state == "inactive"
    assert list(drifts(FEWER, deployed)) == [SECOND]

    assert sites.deploy(FEWER, deployed).exit_code == 0

    assert "hostB-engine-2" not in rows(deployed)
    assert drifts(FEWER, deployed) == {}


def test_engine_that_died_with_its_work_stays_to_be_told_until_that_is_recovered(inventory, deployed):
    works(deployed, "hostB", SECOND, None)
    sites.deploy(FEWER, deployed, options=RolloutOptions(wait=5.0))
    deployed.hosts["hostB"].systemd.systemctl(["kill", SECOND])

    report = sites.deploy(FEWER, deployed)

    assert report.exit_code == 5
    assert f"ended while it worked on {WORK}; `invoke recover`" in report.applied.failed["hostB"].message
    deployed.heat.mark_failed(list(deployed.heat.rows))
    assert sites.deploy(FEWER, deployed).exit_code == 0


def test_rolling_restart_that_was_given_up_is_ended_by_a_deploy_that_waits_for_the_stop(inventory, deployed):
    works(deployed, "hostB", FIRST, 300.0)
    given_up = restart(inventory, deployed, wait=5.0)
    host = deployed.hosts["hostB"]
    assert (given_up.exit_code, given_up.reverted, host.units[FIRST].state) == (5, None, "deactivating")
    assert drifts(inventory, deployed)[FIRST] == ("stopping", "still stopping")
    before = host.clock.now

    report = sites.deploy(inventory, deployed)

    assert f"hostB: start {FIRST} (it is still stopping)" in [f"{each.host}: {each}" for each in report.planned.plan]
    assert (report.exit_code, host.clock.now - before > 280) == (0, True)
    assert host.units[FIRST].active
    assert drifts(inventory, deployed) == {}


def test_restart_that_was_given_up_is_ended_by_one_of_what_was_left(inventory, deployed):
    works(deployed, "hostB", FIRST, 300.0)
    given_up = restart(inventory, deployed, wait=5.0)
    others = {name: unit.pid for name, unit in deployed.hosts["hostC"].units.items() if unit.active}
    assert "Run `invoke restart --limit hostA,hostB,hostC`" in run_report.text(given_up)

    assert restart(inventory, deployed, limit=("hostA", "hostB", "hostC")).exit_code == 0

    assert all(deployed.hosts["hostC"].units[name].pid != pid for name, pid in others.items())
    assert drifts(inventory, deployed) == {}


def test_restart_that_was_killed_before_its_proof_is_proven_by_the_next_deploy(inventory, deployed):
    deployed.heat.unlisted.add("hostB-engine-1")
    restart_killed_before_its_proof(inventory, deployed)

    assert "and prove what an earlier run has started" in status_table.ending(pipeline.status(inventory, deployed))[-1]
    unproven = sites.deploy(inventory, deployed)
    deployed.heat.unlisted.clear()
    proven = sites.deploy(inventory, deployed)

    assert (unproven.planned.plan.changes(), unproven.exit_code) == ((), 5)
    assert "Heat does not list hostB-engine-1 as up" in unproven.applied.failed["hostB"].message
    assert (proven.exit_code, proven.planned.plan.waves != ()) == (0, True)
    assert sites.deploy(inventory, deployed).planned.plan.waves == ()
    assert status_table.ending(pipeline.status(inventory, deployed)) == ["No drift: every host is as wanted."]


@pytest.mark.parametrize("step", (3600.0, -3600.0))
def test_restarted_engine_is_proven_also_when_the_clock_of_its_host_has_been_set_meanwhile(inventory, deployed, step):
    restart_killed_before_its_proof(inventory, deployed)
    deployed.hosts["hostB"].skew += step

    assert sites.deploy(inventory, deployed).exit_code == 0
    assert drifts(inventory, deployed) == {}


def test_engine_that_is_killed_by_force_has_its_work_marked_and_told_and_leaves_nothing(inventory, deployed):
    works(deployed, "hostB", SECOND, None)

    report = sites.deploy(FEWER, deployed, options=RolloutOptions(wait=5.0, force=True))

    told = f"hostB-engine-2 ended while it worked: {WORK} marked as failed"
    assert (report.exit_code, report.applied.told) == (0, (("hostB", told),))
    assert told in run_report.text(report)
    assert run_report.json(report)["told"] == [{"host": "hostB", "message": told}]
    assert (deployed.heat.failed, deployed.heat.work) == ([WORK], {})
    assert "hostB-engine-2" not in rows(deployed)
    assert deployed.hosts["hostB"].units[SECOND].state == "inactive"
    assert drifts(FEWER, deployed) == {}


def test_restart_with_force_kills_what_works_longer_and_tells_what_it_worked_on(inventory, deployed):
    works(deployed, "hostB", FIRST, None)
    before = deployed.hosts["hostB"].units[FIRST].pid

    report = restart(inventory, deployed, wait=5.0, force=True)

    assert (report.exit_code, deployed.heat.failed) == (0, [WORK])
    assert report.applied.told == (("hostB", f"hostB-engine-1 ended while it worked: {WORK} marked as failed"),)
    assert deployed.hosts["hostB"].units[FIRST].pid != before
    assert drifts(inventory, deployed) == {}
