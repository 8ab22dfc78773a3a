"""What people and scripts read."""

import json
from types import SimpleNamespace

from deployer import console, errors
from deployer.steps import AwaitReady, Plan, StartUnit, Wave

START = StartUnit("hostB", "heat-scaleout-engine@1.service", because="not running")
OTHER = StartUnit("hostLong", "heat-scaleout-engine@2.service", because="not running")
WAIT = AwaitReady("hostB", START.unit, None)
PLAN = Plan((Wave("start engines", (START, WAIT)),), ("hostB", "hostLong"))
LINE = {"host": "hostB", "service": "api", "unit": "heat-scaleout-api@8004.service", "address": "10.0.0.2",
        "port": 8004, "pid": None, "state": "stopped", "heat": "", "proxy": "missing", "drift": "not running"}


def test_plan_text_has_a_line_a_change_and_one_for_each_host_without():
    assert console.plan_text(PLAN).splitlines() == [
        "hostB     start heat-scaleout-engine@1.service (not running)",
        "hostLong  no change",
        "2 hosts, 1 step, nothing applied (plan)"]


def test_plan_text_of_nothing_counts_in_the_plural():
    assert console.plan_text(Plan((), ("hostB",))) == "hostB  no change\n1 host, 0 steps, nothing applied (plan)"


def test_plan_json_names_a_host_that_only_serves_the_others():
    """With --limit, the proxy's host is asked to drain and is none of those that were named."""
    elsewhere = Plan((Wave("drain", (StartUnit("hostA", "x.service", because="it restarts"),)),), ("hostB",))

    assert {host: len(steps) for host, steps in console.plan_json(elsewhere)["hosts"].items()} == {
        "hostB": 0, "hostA": 1}


def test_plan_json_is_the_contract():
    assert console.plan_json(PLAN) == {
        "schema_version": 1, "changes": 1,
        "hosts": {"hostB": [{"step": str(START), "because": "not running"}], "hostLong": []}}


def a_report(done=(), failed=(), left=(), back=None, rolls=""):
    """What a deploy did; `left` is of the plan that failed."""
    applied = SimpleNamespace(done=done, failed=dict(failed), left=left, wave=Wave("change it", (), rolls))
    return SimpleNamespace(planned=SimpleNamespace(plan=PLAN), applied=applied, left=Plan(), back=back)


def test_host_that_was_put_back_is_told_and_what_it_serves():
    failed = {"hostB": errors.HostFailed("hostB", "it broke")}
    back = SimpleNamespace(done=(START, WAIT), failed={})

    text = console.deploy_text(a_report((), failed, (OTHER,), back, rolls="hostB"))

    assert "hostB  has again what it had before (1 step), and serves.\nNo other host was changed" in text


def test_host_that_could_not_be_put_back_is_told_with_why():
    failed = {"hostB": errors.HostFailed("hostB", "it broke")}
    back = SimpleNamespace(done=(), failed={"hostB": errors.HostFailed("hostB", "no memory")})

    text = console.deploy_text(a_report((), failed, (OTHER,), back, rolls="hostB"))

    assert "hostB  could not be put back to what it had:\nhostB  FAILED  no memory" in text


def test_deploy_text_of_nothing_to_do_says_so():
    assert console.deploy_text(a_report()) == "Nothing to do: every host is as wanted."


def test_deploy_text_of_success_counts_the_changes():
    assert console.deploy_text(a_report((START, WAIT))) == "1 step done."


def test_deploy_text_of_failure_tells_who_why_what_is_left_and_what_to_run_next():
    failed = {"hostB": errors.HostFailed("hostB", "it broke", hint="mend it")}
    text = console.deploy_text(a_report((), failed, (START, OTHER)))

    assert text.splitlines() == [
        "0 steps done, 2 left.", "hostB  FAILED  it broke", "    mend it", f"hostB  left    {START}",
        f"hostLong  left    {OTHER}",
        "Mend it, then run `invoke deploy`: it goes on from what the hosts have now."]


def test_deploy_json_adds_to_the_plans_json():
    failed = {"hostB": errors.HostFailed("hostB", "it broke", hint="mend it")}

    data = console.deploy_json(a_report((START, WAIT), failed, (OTHER,)))

    assert {name: data[name] for name in console.plan_json(PLAN)} == console.plan_json(PLAN)
    assert data["done"] == [{"host": "hostB", "step": str(START)}]
    assert data["failed"] == {"hostB": {"error": "hostB: it broke", "hint": "mend it"}}
    assert data["left"] == [{"host": "hostLong", "step": str(OTHER)}]


def test_error_is_two_lines_and_one_without_a_hint():
    assert console.error_text(errors.BadInput("wrong", hint="right")) == "error: wrong\nhint: right"
    assert console.error_text(errors.BadInput("wrong")) == "error: wrong"


def test_json_keeps_every_letter():
    assert json.loads(console.as_json({"host": "hübsch"})) == {"host": "hübsch"}
    assert "hübsch" in console.as_json({"host": "hübsch"})


def test_talk_goes_to_stderr_alone(capsys):
    console.talk("some words")

    assert tuple(capsys.readouterr()) == ("", "some words\n")


def test_progress_without_a_terminal_is_a_plain_line_for_each_stage(capsys):
    progress = console.Progress()
    progress.begin("start engines", ("hostB", "hostC"))
    progress.done("hostC")
    progress.done("hostB")
    progress.end()

    assert tuple(capsys.readouterr()) == ("", "start engines: hostB, hostC\n")


def test_progress_of_a_look_says_nothing_without_a_terminal(capsys):
    console.Progress().begin("look", ("hostB",))

    assert tuple(capsys.readouterr()) == ("", "")


def test_errors_carry_the_exit_code_of_the_contract():
    codes = {errors.BadInput("x"): 3, errors.BadInventory(["x"]): 3, errors.NotReady(["x"]): 3,
             errors.HostUnreachable("hostB", "x"): 4, errors.HostFailed("hostB", "x"): 5, errors.VerifyFailed("x"): 7}

    assert [error.exit_code for error in codes] == list(codes.values())


def test_several_failures_are_told_together_with_the_hints():
    both = errors.ManyFailed((errors.HostUnreachable("hostB", "gone", hint="try ssh"),
                              errors.HostFailed("hostC", "broken")), 4)

    assert both.message == "hostB: gone\n  try ssh\nhostC: broken"
