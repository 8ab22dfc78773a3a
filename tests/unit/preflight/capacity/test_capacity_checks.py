"""When a plan makes the limits worth a check, and that all limits are checked at once."""

from dataclasses import replace

import pytest
import sites
from capacity_sites import CAPACITY, MIB, a_site, engines

from deployer.model.facts import HostResources
from deployer.model.steps import EnableUnit, Plan, RestartUnit, StartUnit, StopUnit, Wave, WriteFile
from deployer.preflight.capacity import capacity_checks


@pytest.mark.parametrize(
    ("step", "expected"),
    [
        (EnableUnit("hostB", "x"), True),
        (RestartUnit("hostB", "x"), True),
        (StartUnit("hostB", "x"), False),
        (StopUnit("hostB", "x"), False),
        (WriteFile("hostB", sites.a_file()), False),
    ],
)
def test_plan_that_adds_processes_or_starts_them_anew_grows(step, expected):
    assert capacity_checks.grows(Plan((Wave("some", (step,)),), ("hostB",))) is expected


def test_every_limit_is_judged_at_once():
    inventory = sites.an_inventory(proxy="maxconn: 600000")
    site = a_site(
        inventory=inventory, measured={"hostB": HostResources(MIB, 2**20, engines(5)), "hostC": HostResources(MIB)}
    )

    judged = capacity_checks.check_limits(site, replace(CAPACITY, allowed=10))

    assert [each.split(":")[0] for each in judged.problems] == ["hostA", "hostA"]
    assert [each.split(":")[0] for each in judged.warnings] == ["hostB", "hostC"]
