"""What becomes of the others when a host fails: they stay as they are, go on, or get back what they had."""

import pytest
import sites
from fault_injection import BREAKS, FAILS, LOST, FaultInjector

from deployer import errors
from deployer.model.names import unit_name
from deployer.model.run import DONE, FAILED, REVERTED, Author
from deployer.model.service import Service
from deployer.model.steps import OnError, RolloutOptions

HEAT_CONF = "/etc/heat/heat.conf"
CHANGED = sites.CONF + "[cache]\nenabled = true\n"
GROWN = sites.an_inventory(
    hostB="{address: 10.0.0.2, api: 2, cfn: 1, engines: 3}", hostC="{address: 10.0.0.3, api: 2, cfn: 1, engines: 3}"
)
AUTHOR = Author("alice@desk", "invoke deploy", "2026-11-21T00:00:00Z", "0.1.0", "some.yaml", "version: 1\n")
PROXY = unit_name(Service.PROXY)


@pytest.fixture
def deployed(inventory, fleet):
    assert sites.deploy(inventory, fleet, sites.yes, author=AUTHOR).exit_code == 0
    return fleet


def site_status(fleet):
    """Every host's files, units that run, and listeners by their unit."""
    return {
        name: (
            dict(host.files),
            sorted(host.running()),
            sorted((each.unit, each.port) for each in host.listeners),
            sorted(host.drained),
        )
        for name, host in fleet.hosts.items()
    }


def change(fleet):
    fleet.hosts["hostA"].has_file(HEAT_CONF, CHANGED, group="heat", mode=0o640)


def deploy(inventory, fleet, on_error):
    return sites.deploy(inventory, fleet, sites.yes, options=RolloutOptions(on_error=on_error), author=AUTHOR)


def results(fleet):
    return {host.last_run["result"] for host in fleet.hosts.values()}


def has_cache(fleet):
    return [name for name in ("hostB", "hostC") if b"[cache]" in fleet.hosts[name].files[HEAT_CONF].content]


class OnceAt(FaultInjector):
    """A step fails once whose words contain a text, on one host."""

    def __init__(self, host, fragment, kind=FAILS):
        super().__init__(kind)
        self.where = (host, fragment)

    def __call__(self, host, when, step):
        self.number = len(self.steps) + 1 if self._is_it(host, when, step) else self.number
        super().__call__(host, when, step)

    def _is_it(self, host, when, step):
        return (
            not self.number
            and host == self.where[0]
            and when == "before"
            and self.where[1] in step.get("description", "")
        )


def test_run_that_ended_well_is_done_on_every_host(deployed):
    assert results(deployed) == {DONE}


def test_stop_reverts_the_host_that_failed_and_leaves_the_others_as_they_were(inventory, deployed):
    before = site_status(deployed)
    change(deployed)
    deployed.moment = OnceAt("hostB", f"restart {unit_name(Service.API, 8004)}")

    report = deploy(inventory, deployed, OnError.STOP)

    assert (report.exit_code, report.reverted.hosts, report.result) == (5, ("hostB",), REVERTED)
    assert {name: each for name, each in site_status(deployed).items() if name != "hostA"} == {
        name: each for name, each in before.items() if name != "hostA"
    }
    assert results(deployed) == {REVERTED}


def test_continue_changes_the_hosts_that_do_not_fail(inventory, deployed):
    change(deployed)
    deployed.breaks("hostB", '"restart"')

    report = deploy(inventory, deployed, OnError.CONTINUE)

    assert (report.exit_code, list(report.applied.failed), has_cache(deployed)) == (5, ["hostB"], ["hostC"])
    assert report.reverted.hosts == ("hostB",)
    assert {step.host for step in report.applied.left} == {"hostB"}


def test_continue_goes_on_until_all_that_are_left_have_failed_as_well(inventory, deployed):
    before = site_status(deployed)
    change(deployed)
    deployed.breaks("hostB", '"restart"')
    deployed.breaks("hostC", "await_http")

    report = deploy(inventory, deployed, OnError.CONTINUE)

    assert (report.exit_code, sorted(report.applied.failed)) == (5, ["hostB", "hostC"])
    assert has_cache(deployed) == []
    assert [site_status(deployed)[name][0] == before[name][0] for name in ("hostB", "hostC")] == [True, True]


def test_continue_ends_where_the_proxys_host_fails(deployed):
    deployed.breaks("hostA", "apis-proxy.conf")

    report = deploy(GROWN, deployed, OnError.CONTINUE)

    assert (report.exit_code, list(report.applied.failed)) == (5, ["hostA"])
    assert unit_name(Service.ENGINE, 3) in deployed.hosts["hostB"].running()
    assert {step.host for step in report.applied.left} == {"hostA"}


def test_continue_takes_no_address_over_when_nobody_who_serves_is_left(fleet):
    drained = sites.an_inventory(hostC="{address: 10.0.0.3, api: 1, cfn: 1, engines: 2, drained: true}")
    fleet.breaks("hostB", '"start"')

    report = deploy(drained, fleet, OnError.CONTINUE)

    assert list(report.applied.failed) == ["hostB"]
    assert {(each.unit, each.port) for each in fleet.hosts["hostA"].listeners} == {
        ("heat-api.service", 8004),
        ("heat-api-cfn.service", 8000),
    }


def test_continue_restarts_no_host_twice(inventory, deployed):
    deployed.breaks("hostC", '"restart"')
    pids = deployed.hosts["hostB"].running()
    watched = deployed.moment = FaultInjector()

    both = RolloutOptions(("hostB", "hostC"), on_error=OnError.CONTINUE)

    report = sites.deploy(inventory, deployed, author=AUTHOR, options=both)

    done = [step or "" for host, when, step in watched.steps if (host, when) == ("hostB", "after")]
    restarts = [step for step in done if "restart" in step]
    assert (report.exit_code, list(report.applied.failed)) == (5, ["hostC"])
    assert len(restarts) == len(set(restarts)) > 1
    assert not set(pids.values()) & set(deployed.hosts["hostB"].running().values())


@pytest.mark.parametrize("on_error", list(OnError))
def test_canary_that_is_lost_leaves_the_others_serving_and_one_run_more_ends_it(inventory, deployed, on_error):
    change(deployed)
    deployed.moment = OnceAt("hostB", "restart", LOST)

    report = deploy(inventory, deployed, on_error)

    assert report.exit_code == 5
    assert isinstance(report.applied.failed["hostB"], errors.HostUnreachable)
    assert has_cache(deployed) == (["hostB", "hostC"] if on_error is OnError.CONTINUE else ["hostB"])
    assert len(deployed.hosts["hostC"].running()) == 4
    assert deployed.hosts["hostB"].last_run["result"] is None
    deployed.mends()
    deployed.moment = FaultInjector()
    assert deploy(inventory, deployed, OnError.STOP).exit_code == 0
    assert sites.planned(inventory, deployed).plan.changes() == ()


@pytest.mark.parametrize(
    ("host", "fragment"),
    [
        ("hostC", "start heat-scaleout-engine@3"),
        ("hostB", "start heat-scaleout-api@8005"),
        ("hostA", "reload"),
        ("hostA", "wait until heat-scaleout-proxy"),
    ],
)
def test_revert_gives_every_host_what_it_had(deployed, host, fragment):
    before = site_status(deployed)
    deployed.moment = OnceAt(host, fragment)

    report = deploy(GROWN, deployed, OnError.REVERT)

    assert (list(report.applied.failed), report.reverted.applied.failed) == ([host], {})
    assert report.exit_code == (7 if "wait" in fragment else 5)
    assert site_status(deployed) == before
    assert results(deployed) == {REVERTED}


@pytest.mark.parametrize("fragment", ["start heat-scaleout-proxy", "wait until heat-scaleout-proxy", "stop heat-api"])
def test_revert_of_the_first_takeover_returns_the_addresses_to_the_old_server(inventory, fleet, fragment):
    fleet.hosts["hostB"].has_file(HEAT_CONF, "[DEFAULT]\n# the operator's own\n")
    before = site_status(fleet)
    fleet.moment = OnceAt("hostA", fragment)

    report = deploy(inventory, fleet, OnError.REVERT)

    assert (list(report.applied.failed), report.result) == (["hostA"], REVERTED)
    assert site_status(fleet) == before
    assert PROXY not in fleet.hosts["hostA"].running()


def test_revert_that_fails_itself_is_reported_and_one_run_more_ends_it(deployed):
    deployed.moment = OnceAt("hostC", "start heat-scaleout-engine@3", BREAKS)

    report = deploy(GROWN, deployed, OnError.REVERT)

    assert (report.exit_code, report.result, list(report.reverted.applied.failed)) == (5, FAILED, ["hostC"])
    deployed.moment = FaultInjector()
    assert deploy(GROWN, deployed, OnError.STOP).exit_code == 0
    assert sites.planned(GROWN, deployed).plan.changes() == ()


def test_nothing_is_reverted_when_the_source_is_out_of_reach(inventory, deployed):
    change(deployed)
    deployed.moment = OnceAt("hostB", "restart", LOST)

    def loses_all(host, when, step, once=deployed.moment):
        try:
            once(host, when, step)
        finally:
            if once.number:
                deployed.loses("hostA")

    deployed.moment = loses_all

    report = deploy(inventory, deployed, OnError.REVERT)

    assert (report.reverted, report.result) == (None, FAILED)
