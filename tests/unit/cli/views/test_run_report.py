"""How a run ended, for people and scripts: what each host has now and what to run next."""

from dataclasses import replace

import pytest

from deployer import errors
from deployer.apply.report import Applied, Report, Reverted, Rollout
from deployer.cli.views import console, run_report
from deployer.model.run import UNKNOWN_AUTHOR, Run
from deployer.model.steps import AwaitReady, Plan, RolloutOptions, StartUnit, Wave
from deployer.plan.planned import Change, Planned

START = StartUnit("hostB", "heat-scaleout-engine@1.service", because="not running")
MORE = StartUnit("hostB", "heat-scaleout-engine@2.service", because="not running")
OTHER = StartUnit("hostLong", "heat-scaleout-engine@2.service", because="not running")
WAIT = AwaitReady("hostB", START.unit, None)
PLAN = Plan((Wave("start engines", (START, WAIT)),), ("hostB", "hostLong"))
BROKE = {"hostB": errors.HostFailed("hostB", "it broke", hint="mend it")}


def a_report(done=(), failed=(), left=(), reverted=None):
    """What a deploy did; `left` is of the plan that failed."""
    applied = Applied(tuple(done), dict(failed), tuple(left))
    planned = Planned(Change(None), None, {}, PLAN)
    return Report(planned, Rollout(applied, reverted), run=Run(7, UNKNOWN_AUTHOR))


def has(report):
    return {host: now.has for host, now in run_report.hosts(report).items()}


def test_nothing_to_do_says_so():
    said = "Nothing to do: every host is as wanted."
    assert run_report.text(replace(a_report(), run=None)) == said
    assert run_report.text(a_report()) == f"{said} This is generation 7."


def test_success_counts_the_changes_and_tells_the_generation():
    assert run_report.text(a_report((START, WAIT))) == "1 step done. This is generation 7."


def test_failure_tells_who_why_what_is_left_what_each_has_and_what_to_run_next():
    assert run_report.text(a_report((), BROKE, (START, OTHER))).splitlines() == [
        "0 steps done, 2 left.",
        "hostB     FAILED  it broke",
        "                  mend it",
        f"hostB     left    {START}",
        f"hostLong  left    {OTHER}",
        "hostB     has     what it had before (1 step left)",
        "hostLong  has     what it had before (1 step left)",
        "Mend it, then run `invoke deploy`: it goes on from what the hosts have now.",
    ]


@pytest.mark.parametrize(
    ("left", "reverted", "following"),
    [
        ((OTHER,), None, "invoke restart --limit hostLong"),
        ((START, OTHER), None, "invoke restart --limit hostB,hostLong"),
        ((), Reverted(("hostB",), Applied((START, WAIT))), "invoke restart --limit hostB"),
        ((), None, "invoke deploy"),  # all were restarted; one does not prove to work
    ],
)
def test_restart_goes_on_with_the_hosts_that_are_left(left, reverted, following):
    report = a_report((START,), BROKE, left, reverted)
    change = replace(report.planned.change, options=RolloutOptions(restart=("hostA", "hostB", "hostLong")))

    report = replace(report, planned=replace(report.planned, change=change))

    assert f"`{following}`" in run_report.text(report)


def test_host_that_was_put_back_has_what_it_had():
    report = a_report((), BROKE, (OTHER,), Reverted(("hostB",), Applied((START, WAIT))))

    assert has(report)["hostB"] == "what it had before"
    assert report.result == "put back"


def test_host_that_could_not_be_put_back_is_told_with_why():
    back = Reverted(("hostB",), Applied((), {"hostB": errors.HostFailed("hostB", "no memory")}, (START,)))
    report = a_report((START,), BROKE, (MORE,), back)

    assert "hostB     FAILED  could not be reverted to what it had: no memory" in run_report.text(report)
    assert has(report)["hostB"] == "a part of what was planned: 1 of 2 steps"
    assert report.result == "failed"


@pytest.mark.parametrize(
    ("done", "left", "said"),
    [
        ((START,), (), "what was planned, but it does not prove to work"),
        ((START,), (MORE,), "a part of what was planned"),
        ((), (START,), "what it had before (1 step left)"),
    ],
)
def test_host_that_failed_has_what_was_done_of_its_plan(done, left, said):
    assert has(a_report(done, BROKE, left))["hostB"].startswith(said)


def test_host_without_a_step_has_what_it_had():
    assert has(a_report((START,), BROKE, (MORE,)))["hostLong"] == "what it had: nothing was planned for it"


def test_json_adds_to_the_plans_json():
    data = run_report.json(a_report((START, WAIT), BROKE, (OTHER,)))

    assert {name: data[name] for name in console.plan_json(PLAN)} == console.plan_json(PLAN)
    assert data["done"] == [{"host": "hostB", "step": str(START)}]
    assert data["failed"] == {"hostB": {"error": "hostB: it broke", "hint": "mend it"}}
    assert data["left"] == [{"host": "hostLong", "step": str(OTHER)}]
    assert (data["generation"], data["now"]["hostLong"]["next"]) == (7, "invoke deploy")
