"""What people and scripts read."""

import json

from deployer import errors
from deployer.cli.views import console, plan_view
from deployer.model.steps import AwaitReady, Plan, StartUnit, Wave

START = StartUnit("hostB", "heat-scaleout-engine@1.service", because="not running")
OTHER = StartUnit("hostLong", "heat-scaleout-engine@2.service", because="not running")
WAIT = AwaitReady("hostB", START.unit, None)
PLAN = Plan((Wave("start engines", (START, WAIT)),), ("hostB", "hostLong"))
LINE = {
    "host": "hostB",
    "service": "api",
    "unit": "heat-scaleout-api@8004.service",
    "address": "10.0.0.2",
    "port": 8004,
    "pid": None,
    "state": "stopped",
    "heat": "",
    "proxy": "missing",
    "drift": "not running",
}


def test_plan_text_has_a_line_a_change_and_one_for_each_host_without():
    assert plan_view.text(PLAN).splitlines() == [
        "hostB     start heat-scaleout-engine@1.service (not running)",
        "hostLong  no change",
        "2 hosts, 1 step, nothing applied (plan)",
    ]


def test_plan_text_of_nothing_counts_in_the_plural():
    assert plan_view.text(Plan((), ("hostB",))) == "hostB  no change\n1 host, 0 steps, nothing applied (plan)"


def test_plan_json_names_a_host_that_only_serves_the_others():
    """With --limit, the proxy's host is asked to drain and is none of those that were named."""
    elsewhere = Plan((Wave("drain", (StartUnit("hostA", "x.service", because="it restarts"),)),), ("hostB",))

    assert {host: len(steps) for host, steps in console.plan_json(elsewhere)["hosts"].items()} == {
        "hostB": 0,
        "hostA": 1,
    }


def test_plan_json_is_the_contract():
    assert console.plan_json(PLAN) == {
        "schema_version": 1,
        "changes": 1,
        "hosts": {"hostB": [{"step": str(START), "because": "not running"}], "hostLong": []},
    }


def test_error_is_two_lines_and_one_without_a_hint():
    assert console.error_text(errors.BadInput("wrong", hint="right")) == "error: wrong\nhint: right"
    assert console.error_text(errors.BadInput("wrong")) == "error: wrong"


def test_json_keeps_every_letter():
    assert json.loads(console.as_json({"host": "hübsch"})) == {"host": "hübsch"}
    assert "hübsch" in console.as_json({"host": "hübsch"})


def test_errors_carry_the_exit_code_of_the_contract():
    codes = {
        errors.BadInput("x"): 3,
        errors.BadInventory(["x"]): 3,
        errors.NotReady(["x"]): 3,
        errors.HostUnreachable("hostB", "x"): 4,
        errors.HostFailed("hostB", "x"): 5,
        errors.VerifyFailed("x"): 7,
    }

    assert [error.exit_code for error in codes] == list(codes.values())


def test_several_failures_are_told_together_with_the_hints():
    both = errors.ManyFailed(
        (errors.HostUnreachable("hostB", "gone", hint="try ssh"), errors.HostFailed("hostC", "broken")), 4
    )

    assert both.message == "hostB: gone\n  try ssh\nhostC: broken"


def test_hosts_that_failed_in_the_same_way_share_a_line():
    def gone(*hosts):
        return [errors.HostUnreachable(host, "no way there", hint="try ssh") for host in hosts]

    alike = errors.together(gone("hostA", "hostB"))
    different = errors.together([*gone("hostA"), errors.HostFailed("hostC", "broken"), *gone("hostB")])

    assert (alike.message, alike.hint, alike.exit_code) == ("hostA, hostB: no way there", "try ssh", 4)
    assert different.message == "hostA, hostB: no way there\n  try ssh\nhostC: broken"
