"""A few of the faults of benchmarks/faults, seconds each: what is promised holds on both kinds of Heat.

`bin/faults` makes all of them, and counts.
"""

import pytest
from test_30_change import requests_all_the_while

from benchmarks.faults import bad_host, fault_testbed, killed_deployer, lost_host, proxies, two_commands
from benchmarks.faults.bad_host import Case
from benchmarks.testbed import Testbed

pytestmark = pytest.mark.lab

OUR_FILES = "/etc/heat-scaleout"
ADD = ("add-api", fault_testbed.CANARY, "--yes", "--format", "json")


@pytest.fixture
def bed(restored, tmp_path):
    """The site as the faults see it; afterwards it is again as the first deploy left it."""
    (tmp_path / fault_testbed.USUAL).write_text(restored.inventory.read_text())
    return Testbed(restored.lab, restored.inventory, tmp_path)


def test_deployer_that_is_killed_between_two_waves_leaves_a_site_that_one_rerun_converges(bed):
    trial = killed_deployer.before(bed, killed_deployer.ADDED, 7)

    assert trial.case.startswith("add-api, request 7: ")  # a wave: the proxy's, or one before it where APIs have files
    assert trial.broken == ()


def test_host_whose_sshd_is_killed_before_the_staging_is_told_of_and_nothing_is_changed(bed):
    without_sshd, before_staging = lost_host.LOSSES[0], lost_host.STAGES[1]

    assert lost_host.lose(bed, without_sshd, *before_staging, killed_deployer.ADDED).broken == ()


def test_one_of_two_commands_at_once_is_refused(bed):
    assert two_commands.both(bed, "drain").broken == ()


def test_folder_that_is_full_or_read_only_is_found_before_the_first_change(bed):
    cases = [
        Case(name, lambda bed, make=make: make(bed, OUR_FILES, fault_testbed.FRONT), (3,), argv=ADD, needs_change=False)
        for name, make in (("full", bad_host.small), ("read-only", bad_host.read_only))
    ]

    assert [bad_host.attempt(bed, bad_host.REFUSED, each).broken for each in cases] == [(), ()]


def test_reload_of_the_proxy_by_a_stranger_keeps_a_drain(bed):
    assert proxies.reloaded_while_drained(bed).broken == ()


@pytest.mark.on("old")
def test_reload_of_the_proxy_by_a_stranger_while_a_host_restarts_loses_no_request(bed, restored):
    with requests_all_the_while(restored) as answers:
        assert proxies.reloaded_in_a_roll(bed).broken == ()

    assert len(answers) > 20
    assert set(answers) == {200}
