"""The plan is the difference of two states, in an order that keeps the site serving."""

from dataclasses import replace

import pytest
import sites

from deployer.desired import desired_state
from deployer.model.facts import Observation
from deployer.model.probe import AnswersHttp, AnswersSocket, Program
from deployer.model.service import Service
from deployer.model.state import HostState, UnitState
from deployer.model.steps import AwaitReady, EnableUnit, ReleasePort, RolloutOptions, WriteFile
from deployer.plan import diff, host_steps

ENGINE, API, CFN = (
    sites.a_unit(service, number) for service, number in ((Service.ENGINE, 1), (Service.API, 8004), (Service.CFN, 8000))
)
PROXY = sites.a_unit(Service.PROXY, needs=(("10.0.0.1", 8004), ("10.0.0.1", 8000)))
PROXY_CONF = sites.a_file("/etc/heat-scaleout/apis-proxy.conf", only=Service.PROXY)
UNIT_FILE = sites.a_file("/etc/systemd/system/heat-scaleout-engine@.service")


def old(unit):
    return sites.a_unit(*_service_and_number(unit), config="before")


def _service_and_number(unit):
    return {ENGINE: (Service.ENGINE, 1), API: (Service.API, 8004), CFN: (Service.CFN, 8000), PROXY: (Service.PROXY, 0)}[
        unit
    ]


def difference(desired, observed, **facts):
    """The plan for one host."""
    return diff.plan_between({"hostB": desired}, {"hostB": Observation(observed, sites.facts(**facts))})


def sentences(plan):
    return [str(step) for step in plan.changes()]


def waves(plan):
    return [wave.name for wave in plan.waves]


def test_equal_states_need_no_step():
    state = sites.a_state(sites.a_file(), ENGINE, API, CFN, PROXY, PROXY_CONF)

    plan = difference(state, state)

    assert (plan.waves, plan.hosts) == ((), ("hostB",))


def test_desired_states_once_reached_need_no_step():
    inventory = sites.an_inventory()
    desired = desired_state.desired_states(inventory, sites.bare(inventory)).states

    assert diff.plan_between(desired, sites.as_wanted(desired)).waves == ()


def test_new_file_is_written_as_new():
    assert sentences(difference(sites.a_state(sites.a_file()), HostState())) == ["write /etc/heat/heat.conf (new)"]


def test_file_with_other_content_is_written_as_changed():
    plan = difference(sites.a_state(sites.a_file()), sites.a_state(sites.a_file(content="old")))

    assert sentences(plan) == ["write /etc/heat/heat.conf (changed)"]


def test_file_with_other_mode_is_written_and_both_accesses_are_reported():
    plan = difference(sites.a_state(sites.a_file(group="heat", mode=0o640)), sites.a_state(sites.a_file()))

    assert sentences(plan) == ["write /etc/heat/heat.conf (root:root 0644, not root:heat 0640)"]


def test_file_that_only_somebody_else_put_there_is_left_alone():
    assert sentences(difference(HostState(), sites.a_state(sites.a_file("/etc/heat/notes.txt")))) == []


def test_processes_start_at_once_on_a_host_that_serves_nobody_and_else_one_after_the_other():
    ready = AnswersHttp("10.0.0.2", 8004, "/")
    desired = sites.a_state(*(sites.a_unit(Service.ENGINE, number, ready=ready) for number in (1, 2)), API)

    def kinds(observed):
        return [
            type(step).__name__
            for step in difference(desired, observed)
            if step.unit.startswith("heat-scaleout-engine") and not isinstance(step, EnableUnit)
        ]

    assert kinds(HostState()) == ["StartUnit", "StartUnit", "AwaitReady", "AwaitReady"]
    assert kinds(sites.a_state(API)) == ["StartUnit", "AwaitReady", "StartUnit", "AwaitReady"]


def test_file_of_ours_that_is_no_longer_desired_is_removed_last():
    observed = sites.a_state(ENGINE, UNIT_FILE, managed=frozenset({UNIT_FILE.path, "/etc/heat-scaleout/engine.config"}))

    plan = difference(HostState(), observed)

    assert sentences(plan) == [
        "stop heat-scaleout-engine@1.service (not in the inventory)",
        "remove /etc/heat-scaleout/engine.config (no longer needed)",
        "remove /etc/systemd/system/heat-scaleout-engine@.service (no longer needed)",
        "let systemd read its units again (unit files removed)",
    ]


def test_removed_file_that_is_no_unit_file_needs_no_reading_of_units():
    plan = difference(HostState(), HostState(managed=frozenset({"/etc/heat-scaleout/api.ini"})))

    assert sentences(plan) == ["remove /etc/heat-scaleout/api.ini (no longer needed)"]


def test_written_unit_file_lets_systemd_read_it_in_the_same_wave():
    plan = difference(sites.a_state(UNIT_FILE), HostState())

    assert [[type(step).__name__ for step in wave.steps] for wave in plan.waves] == [["WriteFile", "ReloadSystemd"]]


def test_units_that_systemd_has_not_read_again_are_read_although_no_file_differs():
    assert sentences(difference(HostState(), HostState(stale=True))) == [
        "let systemd read its units again (unit files changed)"
    ]


def test_new_host_gets_files_then_engines_then_apis_then_the_proxy():
    plan = difference(sites.a_state(sites.a_file(), PROXY_CONF, PROXY, API, CFN, ENGINE), HostState())

    assert waves(plan) == ["write files", "start engines", "start APIs", "update proxy"]
    assert sentences(plan) == [
        "write /etc/heat/heat.conf (new)",
        "enable heat-scaleout-engine@1.service (must start at boot)",
        "start heat-scaleout-engine@1.service (not running)",
        "enable heat-scaleout-api@8004.service (must start at boot)",
        "enable heat-scaleout-cfn@8000.service (must start at boot)",
        "start heat-scaleout-api@8004.service (not running)",
        "start heat-scaleout-cfn@8000.service (not running)",
        "write /etc/heat-scaleout/apis-proxy.conf (new)",
        "enable heat-scaleout-proxy.service (must start at boot)",
        "start heat-scaleout-proxy.service (not running)",
    ]


def test_units_that_are_not_desired_stop_from_the_proxy_to_the_engines():
    plan = difference(HostState(), sites.a_state(ENGINE, API, CFN, PROXY))

    assert waves(plan) == ["stop proxy", "stop APIs", "stop engines"]
    assert sentences(plan) == [
        f"stop {unit} (not in the inventory)"
        for unit in (
            "heat-scaleout-proxy.service",
            "heat-scaleout-api@8004.service",
            "heat-scaleout-cfn@8000.service",
            "heat-scaleout-engine@1.service",
        )
    ]


def test_api_that_moves_leaves_its_old_host_only_after_the_proxy_knows_the_new_one():
    new_conf = sites.a_file(PROXY_CONF.path, "other servers", only=Service.PROXY)
    desired = {"hostA": sites.a_state(new_conf, PROXY), "hostB": HostState(), "hostC": sites.a_state(API)}
    observed = {
        "hostA": Observation(sites.a_state(PROXY_CONF, old(PROXY))),
        "hostB": Observation(sites.a_state(API)),
        "hostC": Observation(HostState()),
    }

    plan = diff.plan_between(desired, observed)

    assert [(wave.name, wave.steps[0].host) for wave in plan.waves] == [
        ("start APIs", "hostC"),
        ("update proxy", "hostA"),
        ("stop APIs", "hostB"),
    ]


def test_unit_that_is_stopped_but_enabled_is_stopped_when_not_desired():
    plan = difference(HostState(), sites.a_state(sites.a_unit(state=UnitState.INACTIVE, enabled=True)))

    assert sentences(plan) == ["stop heat-scaleout-engine@1.service (not in the inventory)"]


def test_unit_that_neither_runs_nor_is_enabled_is_nothing_to_stop():
    assert (
        sentences(difference(HostState(), sites.a_state(sites.a_unit(state=UnitState.INACTIVE, enabled=False)))) == []
    )


@pytest.mark.parametrize(
    ("state", "when_desired", "when_not"),
    [
        (UnitState.ACTIVE, [], ["stop"]),
        (UnitState.ACTIVATING, ["start (not running)"], ["stop"]),
        (UnitState.DEACTIVATING, ["start (it is still stopping)"], ["stop"]),
        (UnitState.FAILED, ["start (not running)"], []),
        (UnitState.INACTIVE, ["start (not running)"], []),
    ],
)
def test_each_state_of_systemd_has_its_step(state, when_desired, when_not):
    starts = sentences(difference(sites.a_state(ENGINE), sites.a_state(sites.a_unit(state=state))))
    stops = sentences(difference(HostState(), sites.a_state(sites.a_unit(state=state, enabled=False))))

    assert [each.replace(f" {ENGINE.name}", "") for each in starts] == when_desired
    assert stops == [f"{each} {ENGINE.name} (not in the inventory)" for each in when_not]


def test_engine_that_is_not_desired_is_disabled_once_it_is_proven_to_have_ended():
    ended = Program(("ended",))
    desired = HostState(shutdown_probes={ENGINE.name: ended})

    steps = [type(step).__name__ for step in difference(desired, sites.a_state(ENGINE))]

    assert steps == ["StopUnit", "AwaitStopped", "DisableUnit"]


def test_new_engine_does_not_wait_for_one_that_is_still_stopping():
    new, stopping = sites.a_unit(number=1), sites.a_unit(number=2)
    observed = sites.a_state(API, replace(stopping, state=UnitState.DEACTIVATING))

    plan = difference(sites.a_state(stopping, new, API), observed)

    assert [step.unit for step in plan if not isinstance(step, EnableUnit)] == [new.name, stopping.name]


@pytest.mark.parametrize(("result", "proven"), [(None, ["wait"]), ("failed", ["wait"]), ("done", [])])
def test_process_of_a_run_that_did_not_end_well_is_proven_again(result, proven):
    state = sites.a_state(sites.a_unit(ready=AnswersHttp("10.0.0.2", 8004)))

    plan = difference(state, state, last_run={"number": 1, "result": result})

    assert ([str(step).split()[0] for step in plan], plan.changes()) == (proven, ())


def test_process_that_restarts_anyway_is_not_proven_as_it_was():
    ready = AnswersHttp("10.0.0.2", 8004)
    observed = sites.a_state(sites.a_unit(config="before"))

    plan = difference(sites.a_state(sites.a_unit(ready=ready)), observed, last_run={"number": 1, "result": None})

    assert [type(step).__name__ for step in plan] == ["RestartUnit", "AwaitReady"]


def test_engine_with_changed_heat_conf_is_restarted_once():
    desired = sites.a_state(sites.a_file(), ENGINE)

    plan = difference(desired, sites.a_state(sites.a_file(content="old"), old(ENGINE)))

    assert sentences(plan) == [
        "write /etc/heat/heat.conf (changed)",
        "restart heat-scaleout-engine@1.service (its configuration changed)",
    ]


def test_engine_that_runs_with_an_old_configuration_is_restarted_although_no_file_differs():
    state = sites.a_state(sites.a_file(), ENGINE)

    plan = difference(state, sites.a_state(sites.a_file(), old(ENGINE)))

    assert sentences(plan) == ["restart heat-scaleout-engine@1.service (its configuration changed)"]


def test_process_that_may_have_read_a_file_somebody_changed_is_restarted():
    reader = sites.a_unit(reads=("/etc/heat/", "/etc/heat-scaleout/engine.ini"))
    for path, steps in (("/etc/heat/heat.conf", 2), ("/etc/heat-scaleout/engine.ini", 2), ("/etc/heathen/x", 1)):
        plan = difference(sites.a_state(sites.a_file(path), reader), sites.a_state(sites.a_file(path, "old"), ENGINE))
        assert len(plan.changes()) == steps


def test_file_with_other_access_alone_restarts_nothing():
    reader = sites.a_unit(reads=("/etc/heat/",))

    plan = difference(sites.a_state(sites.a_file(mode=0o640), reader), sites.a_state(sites.a_file(), ENGINE))

    assert sentences(plan) == ["write /etc/heat/heat.conf (root:root 0644, not root:root 0640)"]


def test_engine_that_is_not_running_is_started_and_not_restarted():
    plan = difference(sites.a_state(ENGINE), sites.a_state(sites.a_unit(state=UnitState.INACTIVE, config=None)))

    assert sentences(plan) == ["start heat-scaleout-engine@1.service (not running)"]


def test_running_engine_that_is_not_enabled_is_only_enabled():
    plan = difference(sites.a_state(ENGINE), sites.a_state(sites.a_unit(enabled=False)))

    assert sentences(plan) == ["enable heat-scaleout-engine@1.service (must start at boot)"]


def test_hosts_change_one_after_the_other_each_as_a_whole_and_its_engines_first():
    desired = dict.fromkeys(("hostB", "hostC"), sites.a_state(ENGINE, API))
    observed = dict.fromkeys(desired, Observation(sites.a_state(old(ENGINE), old(API))))

    plan = diff.plan_between(desired, observed)

    assert waves(plan) == ["change hostB", "restart APIs on hostB", "change hostC", "restart APIs on hostC"]
    assert [wave.rolls for wave in plan.waves] == ["hostB", "hostB", "hostC", "hostC"]
    assert plan.rolled() == ("hostB", "hostC")
    assert [step.unit for step in plan.waves[0].steps] == [ENGINE.name]


def test_host_that_changes_gets_its_new_files_in_its_own_turn():
    new, then = (sites.a_file("/etc/heat/heat.conf", text) for text in ("new", "old"))
    desired = dict.fromkeys(("hostB", "hostC"), sites.a_state(new, ENGINE))
    observed = dict.fromkeys(desired, Observation(sites.a_state(then, old(ENGINE))))

    plan = diff.plan_between(desired, observed)

    assert [(wave.rolls, type(wave.steps[0]).__name__) for wave in plan.waves] == [
        ("hostB", "WriteFile"),
        ("hostC", "WriteFile"),
    ]


def test_hosts_named_last_change_after_the_others():
    desired = dict.fromkeys(("hostA", "hostB", "hostC"), sites.a_state(ENGINE))
    observed = dict.fromkeys(desired, Observation(sites.a_state(old(ENGINE))))

    assert diff.plan_between(desired, observed, RolloutOptions(last=("hostA", "hostB"))).rolled() == (
        "hostC",
        "hostA",
        "hostB",
    )


def test_hosts_that_are_asked_to_restart_do_so_though_nothing_changed():
    state = sites.a_state(ENGINE, API)
    desired = dict.fromkeys(("hostB", "hostC"), state)

    plan = diff.plan_between(desired, dict.fromkeys(desired, Observation(state)), RolloutOptions(restart=("hostC",)))

    assert sentences(plan) == [f"restart {unit.name} (requested)" for unit in (ENGINE, API)]
    assert {step.host for step in plan} == {"hostC"}


def test_started_unit_is_proven_ready_before_the_next_wave():
    ready = AnswersHttp("10.0.0.2", 8004, "/healthcheck")
    plan = difference(sites.a_state(sites.a_unit(Service.API, 8004, ready=ready), PROXY), HostState())

    apis, proxy = plan.waves
    assert apis.steps[-1] == AwaitReady("hostB", "heat-scaleout-api@8004.service", ready)
    assert [step.unit for step in proxy.steps] == ["10.0.0.2:8004", *["heat-scaleout-proxy.service"] * 2]


def test_apis_that_are_ready_answer_a_client_before_the_next_wave():
    apis = [
        sites.a_unit(service, port, ready=AnswersHttp("10.0.0.2", port), answers=Program(("python3", "-", str(port))))
        for service, port in ((Service.API, 8004), (Service.CFN, 8000))
    ]

    started, _ = difference(sites.a_state(*apis, PROXY), HostState()).waves

    assert [type(step).__name__ for step in started.steps[-4:]] == [*["AwaitReady"] * 2, *["AwaitAnswer"] * 2]
    assert [step.program for step in started.steps[-2:]] == [unit.answers for unit in apis]


def test_restarted_unit_is_proven_ready_in_its_own_wave():
    ready = AnswersHttp("10.0.0.2", 8004)
    plan = difference(sites.a_state(sites.a_unit(Service.API, 8004, ready=ready)), sites.a_state(old(API)))

    assert [type(step).__name__ for wave in plan.waves for step in wave.steps] == ["RestartUnit", "AwaitReady"]


def test_waits_are_no_changes():
    ready = AnswersHttp("10.0.0.2", 8004)
    plan = difference(sites.a_state(sites.a_unit(Service.API, 8004, ready=ready)), HostState())

    assert len(list(plan)) == 3
    assert len(plan.changes()) == 2


def test_proxy_with_another_configuration_is_reloaded_and_never_restarted():
    new = sites.a_file(PROXY_CONF.path, "other", only=Service.PROXY)

    plan = difference(sites.a_state(new, PROXY), sites.a_state(PROXY_CONF, old(PROXY)))

    assert sentences(plan) == [
        "write /etc/heat-scaleout/apis-proxy.conf (changed)",
        "reload heat-scaleout-proxy.service (its configuration changed)",
    ]


def test_proxy_with_another_unit_is_restarted_as_a_reload_keeps_its_old_one():
    path = "/etc/systemd/system/heat-scaleout-proxy.service"
    new, then = (sites.a_file(path, text, only=Service.PROXY) for text in ("new", "old"))

    plan = difference(sites.a_state(new, PROXY), sites.a_state(then, PROXY))

    assert sentences(plan) == [
        f"write {path} (changed)",
        "let systemd read its units again (unit files changed)",
        "restart heat-scaleout-proxy.service (its unit changed; the earlier process ends the requests that it has)",
    ]


@pytest.mark.parametrize(
    ("state", "pids", "planned"),
    [
        (UnitState.ACTIVE, (501, 502), "restart heat-scaleout-proxy.service (an earlier process of it still serves)"),
        (UnitState.FAILED, (501,), "start heat-scaleout-proxy.service (an earlier process of it still serves)"),
        (UnitState.FAILED, (), "start heat-scaleout-proxy.service (not running)"),
        (UnitState.ACTIVE, (501,), None),
    ],
)
def test_proxy_of_an_earlier_start_that_still_serves_is_taken_over_from(state, pids, planned):
    """A new one did not start, and somebody started it by hand beside the one that went on."""
    listeners = tuple(sites.a_listener(8004, address="10.0.0.1", pid=pid, unit=PROXY.name) for pid in pids)

    plan = difference(sites.a_state(PROXY), sites.a_state(replace(PROXY, state=state)), listeners=listeners)

    assert sentences(plan) == ([planned] if planned else [])


def test_running_proxy_frees_no_address():
    listeners = (sites.a_listener(8004, program="haproxy", unit="heat-scaleout-proxy.service"),)

    plan = difference(sites.a_state(PROXY), sites.a_state(old(PROXY)), listeners=listeners)

    assert sentences(plan) == ["reload heat-scaleout-proxy.service (its configuration changed)"]


def test_proxy_takes_over_the_addresses_it_needs_and_no_other():
    api = sites.a_listener(8004, unit="heat-api.service")
    listeners = (
        sites.a_listener(5000, unit="keystone.service"),
        api,
        sites.a_listener(8004, address="10.0.0.9"),
        sites.a_listener(8000, address="127.0.0.1"),
    )

    plan = difference(sites.a_state(PROXY), HostState(), listeners=listeners)

    assert [step for step in plan if isinstance(step, ReleasePort)] == [
        ReleasePort("hostB", "10.0.0.1", 8004, api, because="the proxy takes over 10.0.0.1:8004")
    ]


def test_take_over_stops_the_old_server_only_once_the_proxy_serves_beside_it():
    listeners = (sites.a_listener(8004, unit="heat-api.service"),)
    ready = AnswersSocket("/run/socket", "hello", "digest")

    plan = difference(sites.a_state(replace(PROXY, ready=ready), PROXY_CONF), HostState(), listeners=listeners)

    assert [str(step) for step in plan] == [
        "write /etc/heat-scaleout/apis-proxy.conf (new)",
        "enable heat-scaleout-proxy.service (must start at boot)",
        "share 10.0.0.1:8004 (the proxy takes over)",
        "start heat-scaleout-proxy.service (not running)",
        "wait until heat-scaleout-proxy.service is ready",
        "stop heat-api.service (the proxy takes over 10.0.0.1:8004)",
    ]


def test_take_over_that_was_interrupted_is_finished():
    both = (sites.a_listener(8004, program="haproxy", unit=PROXY.name), sites.a_listener(8004, unit="heat-api.service"))

    plan = difference(sites.a_state(PROXY), sites.a_state(PROXY), listeners=both)

    assert sentences(plan) == ["stop heat-api.service (the proxy takes over 10.0.0.1:8004)"]


def test_holder_of_all_addresses_holds_every_one():
    for everywhere in ("0.0.0.0", "::"):
        listener = sites.a_listener(8004, address=everywhere)
        assert list(host_steps.holders_of("10.0.0.1", 8004, [listener])) == [listener]


def test_holder_of_one_address_is_in_the_way_of_a_proxy_on_all():
    listener = sites.a_listener(8004, address="127.0.0.1")

    assert list(host_steps.holders_of("0.0.0.0", 8004, [listener])) == [listener]


def test_holder_of_another_port_or_address_is_not_in_the_way():
    others = [sites.a_listener(8005), sites.a_listener(address="10.0.0.9")]

    assert list(host_steps.holders_of("10.0.0.1", 8004, others)) == []


def test_host_that_needs_nothing_is_still_named_among_the_hosts_compared():
    desired = {"hostB": sites.a_state(sites.a_file()), "hostC": HostState()}

    plan = diff.plan_between(desired, dict.fromkeys(desired, Observation(HostState())))

    assert plan.hosts == ("hostB", "hostC")
    assert [step.host for step in plan] == ["hostB"]


def test_step_carries_the_file_with_its_content():
    file = sites.a_file()

    assert [
        step.file.content for step in difference(sites.a_state(file), HostState()) if isinstance(step, WriteFile)
    ] == [b"new"]
