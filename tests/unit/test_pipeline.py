"""Each command from end to end, on a fleet of hosts in memory."""

import pytest
import sites

from deployer import errors, pipeline
from deployer.model.events import Level
from deployer.model.names import unit_name
from deployer.model.service import Service
from deployer.model.steps import Plan, RolloutOptions
from deployer.plan import drain
from deployer.plan.planned import Change

API, CFN, PROXY = (
    unit_name(service, number) for service, number in ((Service.API, 8004), (Service.CFN, 8000), (Service.PROXY, 0))
)
ENGINES = [unit_name(Service.ENGINE, number) for number in (1, 2)]
HEAT_CONF = "/etc/heat/heat.conf"
NODE = [API, CFN, *ENGINES]


@pytest.fixture
def deployed(inventory, fleet):
    """The same hosts after a deploy, with what they did forgotten."""
    assert sites.deploy(inventory, fleet, sites.yes).exit_code == 0
    for host in fleet.hosts.values():
        host.done.clear()
    fleet.asked.clear()
    return fleet


def running(fleet):
    return {name: list(host.running()) for name, host in fleet.hosts.items()}


def performed(fleet):
    """Host -> what was done there; programs that only ask are left out."""
    done = {name: [step for step in steps if step != "run"] for name, steps in fleet.performed().items()}
    return {name: steps for name, steps in done.items() if steps}


def pids(fleet):
    return {(name, unit): pid for name, host in fleet.hosts.items() for unit, pid in host.running().items()}


def titles(fleet):
    return [title for title, _, _ in fleet.asked]


def test_deploy_on_fresh_hosts_brings_every_process_up(inventory, fleet):
    report = sites.deploy(inventory, fleet, sites.yes)

    assert (report.exit_code, report.left.changes()) == (0, ())
    assert running(fleet) == {"hostA": [PROXY], "hostB": NODE, "hostC": NODE}


def test_deploy_with_heats_own_programs_brings_every_process_up(inventory):
    fleet = sites.a_fleet(inventory, sites.HEAT_24)

    assert sites.deploy(inventory, fleet, sites.yes).exit_code == 0
    assert running(fleet) == {"hostA": [PROXY], "hostB": NODE, "hostC": NODE}


def test_deploy_takes_the_addresses_over_and_leaves_the_sources_engine_alone(inventory, fleet):
    sites.deploy(inventory, fleet, sites.yes)

    source = fleet.hosts["hostA"]
    assert {(each.address, each.port): each.unit for each in source.listeners} == {
        ("10.0.0.1", 8004): PROXY,
        ("10.0.0.1", 8000): PROXY,
    }
    assert [each["unit"] for each in source.book("/var/lib/heat-scaleout/ledger.json")["stopped"]] == [
        "heat-api.service",
        "heat-api-cfn.service",
    ]
    assert [each.unit for each in source.engines] == ["heat-engine.service"]


def test_deploy_never_changes_the_sources_heat_conf(inventory, fleet):
    sites.deploy(inventory, fleet, sites.yes)

    assert fleet.hosts["hostA"].files[HEAT_CONF].content.decode() == sites.CONF


def test_second_deploy_changes_nothing_and_asks_each_host_once(inventory, deployed):
    before = pids(deployed)

    report = sites.deploy(inventory, deployed, sites.yes)

    assert (report.exit_code, report.planned.plan.waves) == (0, ())
    assert deployed.asked == [("observe", "observe", ("hostA", "hostB", "hostC"))]
    assert (performed(deployed), pids(deployed)) == ({}, before)


def test_plan_after_a_deploy_is_empty_and_before_it_the_very_plan_that_deploy_runs(inventory, fleet):
    shown = sites.planned(inventory, fleet).plan

    report = sites.deploy(inventory, fleet, sites.yes)

    assert report.planned.plan == shown
    assert report.applied.done == tuple(shown)
    assert sites.planned(inventory, fleet).plan.changes() == ()


def test_plan_changes_nothing(inventory, fleet):
    sites.planned(inventory, fleet, contents=True)

    assert performed(fleet) == {}


def test_deploy_that_is_not_accepted_changes_nothing(inventory, fleet):
    report = sites.deploy(inventory, fleet, sites.no)

    assert (report.accepted, report.exit_code) == (False, 0)
    assert not [step for steps in fleet.performed().values() for step in steps if step != "run"]


def test_accept_is_asked_once_and_before_the_first_change(inventory, fleet):
    asked = []

    def accept(planned, warnings):
        asked.append((len(planned.plan.changes()) > 0, running(fleet)))
        return True

    sites.deploy(inventory, fleet, accept)

    assert asked == [(True, {"hostA": [], "hostB": [], "hostC": []})]


def test_one_more_engine_touches_no_other_process(deployed):
    before = pids(deployed)
    grown = sites.an_inventory(hostB="{address: 10.0.0.2, api: 1, cfn: 1, engines: 3}")

    report = sites.deploy(grown, deployed, sites.yes)

    third = unit_name(Service.ENGINE, 3)
    assert report.exit_code == 0
    assert {key: pid for key, pid in pids(deployed).items() if key != ("hostB", third)} == before
    assert [step for step in performed(deployed)["hostB"] if step != "run"] == [f"enable {third}", f"start {third}"]
    assert set(performed(deployed)) == {"hostB"}


def test_deploy_without_a_change_measures_nothing_and_asks_no_database(inventory, deployed):
    deployed.asked.clear()

    sites.deploy(inventory, deployed, sites.yes)

    assert titles(deployed) == ["observe"]


def test_fewer_engines_need_no_check_of_the_limits(deployed):
    deployed.asked.clear()

    sites.deploy(sites.an_inventory(hostB="{address: 10.0.0.2, api: 1, cfn: 1, engines: 1}"), deployed, sites.yes)

    assert "measure" not in titles(deployed)


@pytest.mark.parametrize("adds", [Service.ENGINE, Service.API])
def test_command_that_only_adds_asks_for_the_limits_with_its_first_look(deployed, adds):
    hostB = {Service.ENGINE: "api: 1, cfn: 1, engines: 3", Service.API: "api: 2, cfn: 1, engines: 2"}[adds]
    grown = sites.an_inventory(hostB=f"{{address: 10.0.0.2, {hostB}}}")
    deployed.capacity["allowed"] = 1000
    deployed.asked.clear()

    report = pipeline.deploy(Change(grown, adds=adds), deployed, sites.yes)

    assert titles(deployed)[:2] == ["observe", "stage"]
    assert any("Heat uses 1656" in each for each in report.warnings) is (adds is Service.ENGINE)


def test_limits_that_the_first_look_did_not_ask_for_are_asked_for_later(deployed):
    """An API is added, and an engine that the inventory has as well does not run yet."""
    grown = sites.an_inventory(hostB="{address: 10.0.0.2, api: 2, cfn: 1, engines: 3}")
    deployed.capacity["allowed"] = 119
    deployed.asked.clear()

    with pytest.raises(errors.NotReady, match="allows 119 connections"):
        pipeline.deploy(Change(grown, adds=Service.API), deployed, sites.yes)

    assert [(verb, hosts) for _, verb, hosts in deployed.asked] == [
        ("observe", ("hostA", "hostB", "hostC")),
        ("measure", ("hostA",)),
    ]


@pytest.mark.parametrize(
    ("hostB", "asked"), [("api: 2, cfn: 1, engines: 2", False), ("api: 1, cfn: 1, engines: 3", True)]
)
def test_database_is_asked_for_engines_alone_as_apis_open_no_connection(deployed, hostB, asked):
    deployed.asked.clear()
    ran = []
    run_program = deployed.hosts["hostA"].run_program
    deployed.hosts["hostA"].run_program = lambda *how: ran.append(how[2]) or run_program(*how)

    sites.deploy(sites.an_inventory(hostB=f"{{address: 10.0.0.2, {hostB}}}"), deployed, sites.yes)

    assert titles(deployed).count("measure") == 1
    assert any("max_user_connections" in text for text in ran) is asked


def test_growth_past_what_the_database_allows_is_refused_before_the_first_change(deployed):
    deployed.capacity["allowed"] = 119  # of five engines' 120, with the source's own
    grown = sites.an_inventory(hostB="{address: 10.0.0.2, api: 1, cfn: 1, engines: 3}")
    before = deployed.performed()

    with pytest.raises(
        errors.NotReady, match=r"allows 119 connections, but 24 engine workers .* 120 in total"
    ) as caught:
        sites.deploy(grown, deployed, sites.yes)

    assert caught.value.exit_code == 3
    assert {name: [step for step in steps if step != "run"] for name, steps in deployed.performed().items()} == {
        name: [step for step in steps if step != "run"] for name, steps in before.items()
    }


def test_growth_that_could_pass_what_the_database_allows_is_a_warning(deployed):
    deployed.capacity["allowed"] = 1000
    grown = sites.an_inventory(hostB="{address: 10.0.0.2, api: 1, cfn: 1, engines: 3}")

    report = sites.deploy(grown, deployed, sites.yes)

    assert report.exit_code == 0
    assert [each for each in report.warnings if "Heat uses 1656, and others use 4:" in each]


def test_growth_without_the_memory_for_it_is_refused(deployed):
    deployed.hosts["hostB"].available = 100 * 2**20
    grown = sites.an_inventory(hostB="{address: 10.0.0.2, api: 1, cfn: 1, engines: 3}")

    with pytest.raises(errors.NotReady, match="hostB: the new processes need about .* but 100 MiB are available"):
        sites.deploy(grown, deployed, sites.yes)


def test_proxys_timeouts_that_make_504s_are_refused_without_a_check_of_other_limits(deployed):
    deployed.asked.clear()

    with pytest.raises(errors.NotReady, match="clients get 504 while Heat still works"):
        sites.deploy(sites.an_inventory(proxy="timeouts: {server: 10s}"), deployed, sites.yes)

    assert "measure" not in titles(deployed)


def test_check_judges_every_limit(inventory, fleet):
    fleet.capacity["allowed"] = 50

    checked = pipeline.preflight(inventory, fleet)

    assert [each for each in checked.problems if "the database allows 50 connections" in each]


def test_one_more_api_reloads_the_proxy_and_restarts_nothing(deployed):
    before = pids(deployed)
    grown = sites.an_inventory(hostB="{address: 10.0.0.2, api: [8004, 8104], cfn: 1, engines: 2}")

    sites.deploy(grown, deployed, sites.yes)

    new = ("hostB", unit_name(Service.API, 8104))
    assert {key: pid for key, pid in pids(deployed).items() if key != new} == before
    assert f"reload {PROXY}" in performed(deployed)["hostA"]
    assert "8104" in deployed.hosts["hostA"].files["/etc/heat-scaleout/apis-proxy.conf"].content.decode()


def test_host_that_is_removed_is_stopped_after_the_proxy_has_forgotten_it(deployed):
    shrunk = sites.an_inventory(hostB="{address: 10.0.0.2}")

    report = sites.deploy(shrunk, deployed, sites.yes)

    assert report.exit_code == 0
    assert running(deployed)["hostB"] == []
    assert [title for title, verb, _ in deployed.asked if verb == "perform"][-4:] == [
        "update proxy",
        "stop APIs",
        "stop engines",
        "remove files",
    ]
    assert [path for path in deployed.hosts["hostB"].files if path.startswith("/etc/")] == []


def test_original_heat_conf_of_a_node_is_kept_and_comes_back_when_it_is_removed(inventory, fleet):
    fleet.hosts["hostB"].has_file(HEAT_CONF, "[DEFAULT]\n# the operator's own\n")
    sites.deploy(inventory, fleet, sites.yes)
    assert b"own" in fleet.hosts["hostB"].files[f"{HEAT_CONF}.before-heat-scaleout"].content

    sites.deploy(sites.an_inventory(hostB="{address: 10.0.0.2}"), fleet, sites.yes)

    assert b"own" in fleet.hosts["hostB"].files[HEAT_CONF].content
    assert sites.planned(sites.an_inventory(hostB="{address: 10.0.0.2}"), fleet).plan.changes() == ()


def test_changed_heat_conf_of_the_source_restarts_one_host_after_the_other(inventory, deployed):
    before = pids(deployed)
    deployed.hosts["hostA"].has_file(HEAT_CONF, sites.CONF + "[cache]\nenabled = true\n", group="heat", mode=0o640)

    report = sites.deploy(inventory, deployed, sites.yes)

    assert report.exit_code == 0
    assert [each for each in titles(deployed) if each.startswith(("change", "restart"))] == [
        "change hostB",
        "restart APIs on hostB",
        "change hostC",
        "restart APIs on hostC",
    ]
    expected = [
        f"@1 set server {section}/{host}-{port} state {state}"
        for host in ("hostB", "hostC")
        for state in ("drain", "ready")
        for section, port in (("rest_api_proxy", 8004), ("cfn_api_proxy", 8000))
    ]
    assert sorted(performed(deployed)["hostA"]) == sorted(expected)
    assert [key for key, pid in pids(deployed).items() if before[key] == pid] == [("hostA", PROXY)]


def test_restart_that_fails_leaves_its_server_drained_until_the_next_run(inventory, deployed):
    deployed.hosts["hostA"].has_file(HEAT_CONF, sites.CONF + "[cache]\nenabled = true\n", group="heat", mode=0o640)
    deployed.breaks("hostB", '"await_http"', "status 500")

    assert sites.deploy(inventory, deployed, sites.yes).exit_code == 5

    assert deployed.hosts["hostA"].drained == {"rest_api_proxy/hostB-8004", "cfn_api_proxy/hostB-8000"}
    deployed.mends()
    assert sites.deploy(inventory, deployed, sites.yes).exit_code == 0
    assert deployed.hosts["hostA"].drained == set()


def test_drained_host_gets_no_requests_whoever_reloads_the_proxy_and_stays_so_until_undrained(inventory, deployed):
    drained = sites.an_inventory(hostB="{address: 10.0.0.2, api: 1, cfn: 1, engines: 2, drained: true}")

    report = sites.deploy(drained, deployed, sites.yes)

    assert (report.exit_code, report.left.changes()) == (0, ())
    assert [str(step) for step in report.planned.plan.changes()][:2] == [
        "drain rest_api_proxy/hostB-8004 (its host is drained)",
        "drain cfn_api_proxy/hostB-8000 (its host is drained)",
    ]
    assert sites.planned(drained, deployed).plan.changes() == ()
    deployed.hosts["hostA"].systemd.systemctl(["reload", PROXY])
    assert sites.planned(drained, deployed).plan.changes() == ()
    assert sites.deploy(inventory, deployed, sites.yes).exit_code == 0
    assert sites.planned(inventory, deployed).plan.changes() == ()


def test_drained_host_serves_again_before_a_new_heat_conf_restarts_the_only_other(inventory, deployed):
    drained = sites.an_inventory(hostB="{address: 10.0.0.2, api: 1, cfn: 1, engines: 2, drained: true}")
    sites.deploy(drained, deployed, sites.yes)
    deployed.hosts["hostA"].has_file(HEAT_CONF, sites.CONF + "[cache]\nenabled = true\n", group="heat", mode=0o640)
    assert losses(sites.planned(inventory, deployed)) != ()

    for limit in (("hostB", "hostA"), ()):
        planned = sites.planned(inventory, deployed, limit=limit)
        assert (losses(planned), planned.plan.rolled()) == ((), ("hostB",) if limit else ("hostC",))
        assert sites.deploy(inventory, deployed, sites.yes, limit=limit).exit_code == 0


def losses(planned):
    """The restarts of a plan while which no server can serve."""
    return tuple(drain.warnings_without_drain(planned.observed, planned.plan))


def test_host_is_not_drained_while_no_other_serves(inventory, deployed):
    drained = sites.an_inventory(hostB="{address: 10.0.0.2, api: 1, cfn: 1, engines: 2, drained: true}")
    deployed.hosts["hostA"].drained = {"rest_api_proxy/hostC-8004"}

    with pytest.raises(errors.NotReady, match="serves now, hostC-8004 is DRAIN"):
        sites.deploy(drained, deployed, sites.yes)


def test_last_engine_that_is_alive_leaves_only_when_forced(inventory, deployed):
    bare = sites.an_inventory(hostB="{address: 10.0.0.2, api: 1, cfn: 1}", hostC="{address: 10.0.0.3, api: 1, cfn: 1}")
    deployed.hosts["hostA"].engines = []

    with pytest.raises(errors.NotReady, match="Heat lists no other engine that is alive, without hostB-engine"):
        sites.deploy(bare, deployed, sites.yes)

    assert sites.deploy(bare, deployed, sites.yes, options=RolloutOptions(force=True)).exit_code == 0
    assert ENGINES[0] not in running(deployed)["hostB"]


def test_heat_that_does_not_say_which_engines_are_alive_is_not_taken_for_one_without(inventory, deployed):
    fewer = sites.an_inventory(hostB="{address: 10.0.0.2, api: 1, cfn: 1, engines: 1}")
    deployed.breaks("hostA", "# engine_view", "no answer in 30 s")

    with pytest.raises(
        errors.NotReady, match=r"Heat did not say whether another engine is alive \(.*no answer in 30 s"
    ):
        sites.deploy(fewer, deployed, sites.yes)

    assert sites.deploy(fewer, deployed, sites.yes, options=RolloutOptions(force=True)).exit_code == 0


def test_engine_that_stops_is_waited_for_until_its_work_is_done(inventory, deployed):
    asks = deployed.holds("hostB", times=2)
    fewer = sites.an_inventory(hostB="{address: 10.0.0.2, api: 1, cfn: 1, engines: 1}")

    report = sites.deploy(fewer, deployed, sites.yes)

    assert (report.exit_code, len(asks)) == (0, 3)
    assert "stop engines (hostB: hostB-engine-2 still works on web/server (CREATE))" in titles(deployed)


def test_engine_that_works_longer_than_anybody_waits_is_reported_with_its_work(inventory, deployed):
    deployed.holds("hostB", times=99)
    fewer = sites.an_inventory(hostB="{address: 10.0.0.2, api: 1, cfn: 1, engines: 1}")

    report = sites.deploy(fewer, deployed, sites.yes, options=RolloutOptions(wait=0.0))

    assert report.exit_code == 5
    assert "hostB-engine-2 still works on web/server (CREATE)" in report.applied.failed["hostB"].message
    assert "kill" not in str(performed(deployed)["hostB"])


def test_engine_that_works_longer_is_killed_when_forced(inventory, deployed):
    deployed.holds("hostB", times=1)
    fewer = sites.an_inventory(hostB="{address: 10.0.0.2, api: 1, cfn: 1, engines: 1}")

    report = sites.deploy(fewer, deployed, sites.yes, options=RolloutOptions(wait=0.0, force=True))

    assert report.exit_code == 0
    assert f"kill {ENGINES[1]}" in performed(deployed)["hostB"]


class Breaks:
    """A fleet whose host does not become ready with a new heat.conf, as often as that is there."""

    def __init__(self, fleet, host, fragment):
        self.fleet, self.host, self.fragment = fleet, host, fragment
        self.holds_lease = fleet.holds_lease

    def ask(self, title, verb, requests, timeout, level=Level.INFO):
        self.fleet.mends()
        if b"broken" in self.fleet.hosts[self.host].files[HEAT_CONF].content:
            self.fleet.breaks(self.host, self.fragment, "status 500")
        return self.fleet.ask(title, verb, requests, timeout, level)


def test_first_host_that_does_not_become_ready_gets_back_what_it_had_and_the_others_are_untouched(inventory, deployed):
    then = {name: dict(host.files) for name, host in deployed.hosts.items()}
    before = pids(deployed)
    deployed.hosts["hostA"].has_file(HEAT_CONF, sites.CONF + "[cache]\nbroken = true\n", group="heat", mode=0o640)

    report = sites.deploy(inventory, Breaks(deployed, "hostB", '"await_http"'), sites.yes)

    assert (report.exit_code, tuple(report.applied.failed), report.reverted.applied.failed) == (7, ("hostB",), {})
    assert {name: host.files for name, host in deployed.hosts.items() if name != "hostA"} == {
        name: files for name, files in then.items() if name != "hostA"
    }
    assert [key for key, pid in pids(deployed).items() if before[key] == pid and key[0] == "hostC"] == [
        key for key in before if key[0] == "hostC"
    ]
    assert deployed.hosts["hostA"].drained == set()
    assert running(deployed)["hostB"] == NODE


def test_host_whose_change_could_not_be_made_is_reverted_too(inventory, deployed):
    deployed.hosts["hostA"].has_file(HEAT_CONF, sites.CONF + "[cache]\nbroken = true\n", group="heat", mode=0o640)
    deployed.breaks("hostB", '"restart"', "no memory")

    report = sites.deploy(inventory, deployed, sites.yes)

    assert (report.exit_code, report.reverted is not None) == (5, True)
    assert b"broken" not in deployed.hosts["hostB"].files[HEAT_CONF].content


def test_host_that_is_lost_while_it_changes_is_reported_and_left(inventory, deployed):
    class Loses:
        holds_lease = deployed.holds_lease

        def ask(self, title, verb, requests, timeout, level=Level.INFO):
            if title == "change hostB":
                deployed.loses("hostB")
            return deployed.ask(title, verb, requests, timeout, level)

    deployed.hosts["hostA"].has_file(HEAT_CONF, sites.CONF + "[cache]\nenabled = true\n", group="heat", mode=0o640)

    report = sites.deploy(inventory, Loses(), sites.yes)

    assert (report.exit_code, report.reverted, tuple(report.applied.failed)) == (5, None, ("hostB",))
    assert "hostC" not in performed(deployed)


def test_restore_starts_the_old_server_again_and_leaves_nothing_of_ours(inventory):
    fleet = sites.a_fleet(inventory)
    files = {name: dict(host.files) for name, host in fleet.hosts.items()}
    listening = sorted((each.port, each.unit) for each in fleet.hosts["hostA"].listeners)
    sites.deploy(inventory, fleet, sites.yes)

    report = sites.restore(inventory, fleet, sites.yes)

    assert (report.exit_code, report.left.changes()) == (0, ())
    assert running(fleet) == {"hostA": [], "hostB": [], "hostC": []}
    assert {name: host.files for name, host in fleet.hosts.items()} == files
    assert sorted((each.port, each.unit) for each in fleet.hosts["hostA"].listeners) == listening
    assert fleet.hosts["hostA"].book("/var/lib/heat-scaleout/ledger.json")["stopped"] == []
    assert sites.restore(inventory, fleet, sites.yes).planned.plan.changes() == ()


def test_restore_starts_the_old_server_before_the_proxy_stops(inventory, deployed):
    plan = sites.restore(inventory, deployed, sites.no).planned.plan

    assert [wave.name for wave in plan.waves][:3] == ["start old server", "stop proxy", "stop APIs"]
    assert str(plan.changes()[0]) == (
        "start heat-api-cfn.service, heat-api.service again (the proxy releases its addresses)"
    )


@pytest.mark.parametrize("fragment", ['"start_predecessor"', '"soft_stop"', '"disable"', '"remove"', "engine_stopped"])
def test_restore_that_breaks_anywhere_is_finished_by_running_it_again(inventory, fragment):
    fleet = sites.a_fleet(inventory)
    files = {name: dict(host.files) for name, host in fleet.hosts.items()}
    sites.deploy(inventory, fleet, sites.yes)
    for name in fleet.hosts:
        fleet.breaks(name, fragment)

    assert sites.restore(inventory, fleet, sites.yes).exit_code == 5
    fleet.mends()

    assert sites.restore(inventory, fleet, sites.yes).exit_code == 0
    assert {name: host.files for name, host in fleet.hosts.items()} == files


def test_half_done_deploy_is_restored_as_well(inventory, fleet):
    files = {name: dict(host.files) for name, host in fleet.hosts.items()}
    fleet.breaks("hostC", '"start"', "no memory")
    assert sites.deploy(inventory, fleet, sites.yes).exit_code == 5
    fleet.mends()

    assert sites.restore(inventory, fleet, sites.yes).exit_code == 0
    assert {name: host.files for name, host in fleet.hosts.items()} == files


def test_rebooted_host_has_all_its_processes_and_needs_nothing(inventory, deployed):
    deployed.hosts["hostB"].reboot()

    assert running(deployed)["hostB"] == NODE
    assert sites.deploy(inventory, deployed, sites.yes).planned.plan.changes() == ()


def test_process_that_died_is_all_that_comes_back(inventory, deployed):
    deployed.hosts["hostB"].systemd.systemctl(["disable", "--now", ENGINES[0]])

    sites.deploy(inventory, deployed, sites.yes)

    assert [step for step in performed(deployed)["hostB"] if step != "run"] == [
        f"enable {ENGINES[0]}",
        f"start {ENGINES[0]}",
    ]
    assert "hostC" not in performed(deployed)


def test_file_changed_by_hand_is_put_right_and_what_may_have_read_it_is_restarted(inventory, deployed):
    ours = deployed.hosts["hostB"].files[HEAT_CONF].content
    deployed.hosts["hostB"].files[HEAT_CONF].mode = 0o777
    deployed.hosts["hostC"].has_file(HEAT_CONF, "[DEFAULT]\n", group="heat", mode=0o640)

    report = sites.deploy(inventory, deployed, sites.yes)

    steps = [f"{step.host} {step}" for step in report.planned.plan.changes() if step.host != "hostA"]
    assert steps == [
        f"hostB write {HEAT_CONF} (root:heat 0777, not root:heat 0640)",
        f"hostC write {HEAT_CONF} (changed)",
        *(f"hostC restart {unit} (its configuration changed)" for unit in (*ENGINES, API, CFN)),
    ]
    assert (deployed.hosts["hostB"].files[HEAT_CONF].content, report.left.changes()) == (ours, ())


def test_unreachable_hosts_are_all_named_and_nothing_is_changed(inventory, fleet):
    fleet.loses("hostB")
    fleet.loses("hostC")

    with pytest.raises(errors.ManyFailed, match="^hostB, hostC: connection refused$") as raised:
        sites.deploy(inventory, fleet, sites.yes)

    assert raised.value.exit_code == 4
    assert performed(fleet) == {}


def test_single_unreachable_host_has_the_error_of_the_contract(inventory, fleet):
    fleet.loses("hostB")

    with pytest.raises(errors.HostUnreachable) as raised:
        sites.planned(inventory, fleet)

    assert (raised.value.exit_code, raised.value.host) == (4, "hostB")


def test_limit_changes_the_named_hosts_alone(inventory, fleet):
    report = sites.deploy(inventory, fleet, sites.yes, limit=("hostB",))

    assert (report.exit_code, report.planned.plan.hosts) == (0, ("hostB",))
    assert running(fleet) == {"hostA": [], "hostB": NODE, "hostC": []}


def test_limit_needs_no_other_host_than_the_source(inventory, fleet):
    fleet.loses("hostC")

    assert sites.deploy(inventory, fleet, sites.yes, limit=("hostB",)).exit_code == 0


def test_preflight_that_finds_problems_lists_them_all_and_changes_nothing(inventory, fleet):
    fleet.hosts["hostB"].paths = set()
    fleet.hosts["hostC"].skew = 99.0
    fleet.refused_logins["hostC"] = [{"what": "database", "where": "10.0.0.1:3306", "why": "refused"}]

    with pytest.raises(errors.NotReady) as raised:
        sites.deploy(inventory, fleet, sites.yes)

    assert raised.value.exit_code == 3
    assert [problem.split(":")[0] for problem in raised.value.problems] == ["hostB", "hostC", "hostC"]
    assert running(fleet) == {"hostA": [], "hostB": [], "hostC": []}
    assert list(fleet.hosts["hostC"].files) == []


def test_foreign_process_on_the_proxys_address_is_refused_and_keeps_running(inventory, fleet):
    source = fleet.hosts["hostA"]
    source.listeners = [each for each in source.listeners if each.port != 8000]
    pid = source.runs("nginx", 8000, "nginx.service")

    with pytest.raises(errors.NotReady, match="in use by nginx"):
        sites.deploy(inventory, fleet, sites.yes)

    assert pid in [each.pid for each in source.listeners]


def test_address_of_the_proxy_that_its_host_does_not_have_is_refused_before_any_change(fleet):
    desired = sites.an_inventory(proxy="bind: {api: '203.0.113.9:8004'}")

    with pytest.raises(errors.NotReady, match=r"hostA: nobody can listen on 203\.0\.113\.9 here"):
        sites.deploy(desired, fleet, sites.yes)

    assert "/etc/heat-scaleout/apis-proxy.conf" not in fleet.hosts["hostA"].files
    assert "/etc/heat/heat.conf" not in fleet.hosts["hostB"].files


def test_check_lists_problems_and_changes_nothing(inventory, fleet):
    assert pipeline.preflight(inventory, fleet).problems == ()
    fleet.loses("hostC")
    fleet.refused_logins["hostB"] = [{"what": "broker", "where": "10.0.0.1:5672", "why": "refused"}]

    problems = pipeline.preflight(inventory, fleet).problems

    assert [problem.split(":")[0] for problem in problems] == ["hostC", "hostB"]
    assert running(fleet) == {"hostA": [], "hostB": [], "hostC": []}


def test_check_of_a_source_that_is_gone_still_judges_the_others(inventory, fleet):
    fleet.loses("hostA")
    fleet.hosts["hostB"].skew = 99.0

    assert [problem.split(":")[0] for problem in pipeline.preflight(inventory, fleet).problems] == ["hostA", "hostB"]


def test_failing_step_is_reported_with_what_is_left_and_a_second_run_goes_on(inventory, fleet):
    fleet.breaks("hostC", f'start", "--no-block", "{ENGINES[0]}', "Job for it failed")

    report = sites.deploy(inventory, fleet, sites.yes)

    assert report.exit_code == 5
    assert "hostC: could not start" in report.applied.failed["hostC"].message
    assert running(fleet) == {"hostA": [], "hostB": ENGINES, "hostC": []}
    assert {step.host for step in report.applied.left} == {"hostA", "hostB", "hostC"}
    fleet.mends()
    assert sites.deploy(inventory, fleet, sites.yes).exit_code == 0
    assert running(fleet) == {"hostA": [PROXY], "hostB": NODE, "hostC": NODE}


@pytest.mark.parametrize(
    "fragment",
    [
        '"do": "write"',
        '"daemon-reload"',
        '"enable"',
        '"start"',
        '"do": "run"',
        '"do": "await_http"',
        '"do": "release_port"',
        '"do": "await_reply"',
        "apis-proxy.conf",
    ],
)
def test_deploy_that_breaks_anywhere_is_finished_by_running_it_again(inventory, fleet, fragment):
    for name in fleet.hosts:
        fleet.breaks(name, fragment)
    if fragment == '"do": "run"':  # the logins are tried with it too, and refuse before anything is changed
        with pytest.raises(errors.NotReady):
            sites.deploy(inventory, fleet, sites.yes)
    else:
        assert sites.deploy(inventory, fleet, sites.yes).exit_code == 5

    fleet.mends()

    assert sites.deploy(inventory, fleet, sites.yes).exit_code == 0
    assert sites.planned(inventory, fleet).plan.changes() == ()


def test_broken_heat_conf_leaves_the_old_one_and_its_engines_serving(inventory, deployed):
    before, old = pids(deployed), deployed.hosts["hostB"].files[HEAT_CONF].content
    deployed.hosts["hostA"].has_file(HEAT_CONF, sites.CONF + "nonsense without a sign\n")

    with pytest.raises(errors.BadConfig, match="hostA:/etc/heat/heat.conf:"):
        sites.deploy(inventory, deployed, sites.yes)

    assert (pids(deployed), deployed.hosts["hostB"].files[HEAT_CONF].content) == (before, old)


def test_heat_conf_that_oslo_config_refuses_on_a_host_leaves_the_old_one_serving(inventory, deployed):
    before, old = pids(deployed), deployed.hosts["hostB"].files[HEAT_CONF].content
    deployed.hosts["hostA"].has_file(HEAT_CONF, sites.CONF + "[cache]\nenabled = true\n", group="heat", mode=0o640)
    deployed.refuses("hostB", HEAT_CONF, "ConfigFileParseError")

    with pytest.raises(errors.NotReady, match=f"^hostB: {HEAT_CONF}: ConfigFileParseError$"):
        sites.deploy(inventory, deployed, sites.yes)

    assert deployed.hosts["hostB"].files[HEAT_CONF].content == old
    assert (pids(deployed), performed(deployed)) == (before, {})


def test_host_lost_before_the_first_change_costs_nothing(inventory, fleet):
    def accept(planned, warnings):
        fleet.loses("hostC")
        return True

    with pytest.raises(errors.ManyFailed, match="^hostC: connection refused$") as failed:
        sites.deploy(inventory, fleet, accept)

    assert (failed.value.exit_code, failed.value.hint) == (4, "Nothing was changed on any host.")
    assert performed(fleet) == {}
    assert [host.generations for host in fleet.hosts.values()] == [{}, {}, {}]


def test_host_lost_during_a_deploy_is_named_and_stops_the_next_wave(inventory, fleet):
    class Loses:
        def ask(self, title, verb, requests, timeout, level=Level.INFO):
            if title == "write files":
                fleet.loses("hostC")
            return fleet.ask(title, verb, requests, timeout, level)

        def holds_lease(self):
            return True

    report = sites.deploy(inventory, Loses(), sites.yes)

    assert report.exit_code == 5
    assert isinstance(report.applied.failed["hostC"], errors.HostUnreachable)
    assert {step.host for step in report.applied.done} == {"hostA", "hostB"}
    assert {step.host for step in report.applied.left} == {"hostA", "hostB", "hostC"}


def test_run_that_was_interrupted_after_its_last_step_is_named_until_one_comes_to_its_end(inventory, fleet):
    class Dies:
        def ask(self, title, verb, requests, timeout, level=Level.INFO):
            if verb == "close":
                raise KeyboardInterrupt
            return fleet.ask(title, verb, requests, timeout, level)

        def holds_lease(self):
            return True

    with pytest.raises(KeyboardInterrupt):
        sites.deploy(inventory, Dies(), sites.yes)
    planned = sites.planned(inventory, fleet)
    assert (planned.plan.changes(), len(sites.unfinished(planned))) == ((), 1)
    assert "has not finished on hostA, hostB, hostC; no step was in progress" in sites.unfinished(planned)[0]

    sites.deploy(inventory, fleet, sites.yes)

    assert sites.unfinished(sites.planned(inventory, fleet)) == ()
    assert {run.number: run.result for run, _ in pipeline.history(inventory, fleet).values()} == {1: None, 2: "done"}


def test_status_of_a_site_as_desired_has_no_drift(inventory, deployed):
    shown = pipeline.status(inventory, deployed)

    assert shown.pending == shown.errors == ()
    assert {line.drift for line in shown.lines} == {"", "host's own"}
    assert {line.proxy for line in shown.lines if line.port} == {"UP"}
    assert {line.heat for line in shown.lines if line.service == "engine"} == {"up"}


def test_status_with_a_host_gone_shows_the_others(inventory, deployed):
    deployed.loses("hostC")

    shown = pipeline.status(inventory, deployed)

    assert shown.errors == ("hostC: connection refused",)
    assert {line.host: line.state for line in shown.lines} == {
        "hostA": "running",
        "hostB": "running",
        "hostC": "unreachable",
    }


def test_status_with_the_source_gone_shows_what_it_can(inventory, deployed):
    deployed.loses("hostA")

    shown = pipeline.status(inventory, deployed)

    assert {line.state for line in shown.lines if line.host == "hostB"} == {"running"}
    assert {line.proxy for line in shown.lines if line.port} == {"unknown"}
    assert shown.errors == ("hostA: connection refused",)


def test_status_without_heats_database_still_shows_the_processes(inventory, deployed):
    deployed.breaks("hostA", "python3", "it is not there")

    shown = pipeline.status(inventory, deployed)

    assert {line.heat for line in shown.lines if line.service == "engine"} == {"unknown"}
    assert shown.warnings == ("Heat's Python: it is not there",)
    assert shown.exit_code(counts_drift=True) == 5


def test_status_asks_every_host_once(inventory, deployed):
    pipeline.status(inventory, deployed)

    assert deployed.asked == [("observe", "observe", ("hostA", "hostB", "hostC"))]


def test_status_names_a_worker_that_was_killed_and_a_foreign_process_that_came(inventory, deployed):
    stopped = next(each for each in deployed.hosts["hostB"].listeners if each.port == 8004)
    stopped.unit, stopped.program = "nginx.service", "nginx"
    deployed.hosts["hostC"].dies(ENGINES[0], again=False)

    shown = pipeline.status(inventory, deployed)

    assert {(line.host, line.unit): line.drift for line in shown.lines if line.drift not in ("", "host's own")} == {
        ("hostB", API): "not listening",
        ("hostC", ENGINES[0]): "not running, row without process",
        ("hostB", "nginx.service"): f"holds the address of {API}",
    }
    assert shown.pending == (f"hostC: start {ENGINES[0]} (not running)",)
    assert shown.exit_code(counts_drift=True) == 8


def test_render_writes_what_a_deploy_would_without_asking_a_host(inventory, fleet, tmp_path):
    folder = tmp_path / "source"
    folder.mkdir()
    (folder / "heat.conf").write_text(sites.CONF)
    (folder / "api-paste.ini").write_text(sites.PASTE)

    written = pipeline.render(inventory, pipeline.source_from_folder(inventory, folder), tmp_path / "out").files

    sites.deploy(inventory, fleet, sites.yes)
    assert len(written) > 20
    for path in written:
        host, _, rest = path.relative_to(tmp_path / "out").as_posix().partition("/")
        assert fleet.hosts[host].files[f"/{rest}"].content == path.read_bytes()


def test_report_of_hosts_that_are_not_as_desired_afterwards_is_no_success(inventory, fleet):
    planned = sites.planned(inventory, fleet)

    assert pipeline.Report(planned, left=planned.plan).exit_code == 7
    assert pipeline.Report(planned, left=Plan()).exit_code == 0


def test_server_that_was_left_drained_and_then_died_serves_again_after_one_run(inventory, deployed):
    deployed.hosts["hostA"].drained = {"rest_api_proxy/hostB-8004"}
    deployed.hosts["hostB"].dies(API, again=False)

    report = sites.deploy(inventory, deployed, sites.yes)

    assert (report.exit_code, deployed.hosts["hostA"].drained) == (0, set())


def test_deploy_that_was_killed_at_its_last_record_is_ended_by_one_that_has_nothing_to_do(inventory, deployed):
    for host in deployed.hosts.values():
        host.loses_last_record()

    report = sites.deploy(inventory, deployed, sites.yes)

    changes = [step for step in report.applied.done if step.changes]
    assert (report.exit_code, changes, len(sites.unfinished(report.planned)) > 0) == (0, [], True)
    assert sites.unfinished(sites.planned(inventory, deployed)) == ()


def test_rollback_to_a_restore_is_refused_and_changes_nothing(inventory, deployed):
    deployed.breaks("hostB", '"disable"')
    assert sites.restore(inventory, deployed, sites.yes).exit_code == 5
    deployed.mends()
    before = running(deployed)

    with pytest.raises(errors.BadInput, match="generation 2 has no state on "):
        sites.rollback(inventory, 2, deployed, sites.yes)

    assert running(deployed) == before


def test_restore_that_was_killed_among_its_last_steps_leaves_nothing_when_it_is_run_again(inventory, deployed):
    deployed.hosts["hostA"].loses_generations()

    assert sites.restore(inventory, deployed, sites.yes).exit_code == 0

    assert [(host.last_run, host.generations) for host in deployed.hosts.values()] == [({}, {})] * 3
