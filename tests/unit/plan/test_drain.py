"""A process that stops is drained at the proxy first, as long as others can serve; and gets its requests back."""

from dataclasses import replace

import sites

from deployer.model.facts import Observation, Server
from deployer.model.names import unit_name
from deployer.model.probe import AnswersHttp
from deployer.model.service import Service
from deployer.model.state import HostState
from deployer.model.steps import DrainServer, ReadyServer, RestartUnit
from deployer.plan import diff, drain

API, CFN = unit_name(Service.API, 8004), unit_name(Service.CFN, 8000)
B, C, CFN_B = (
    Server(section, name, address, "UP")
    for section, name, address in (
        ("rest_api_proxy", "hostB-8004", "10.0.0.2:8004"),
        ("rest_api_proxy", "hostC-8004", "10.0.0.3:8004"),
        ("cfn_api_proxy", "hostB-8000", "10.0.0.2:8000"),
    )
)

SERVING = sites.a_unit(Service.API, 8004, ready=AnswersHttp("10.0.0.2", 8004))


def with_status(server, status):
    return Server(server.section, server.name, server.address, status)


def hosts(*servers, units=(API,), state=None):
    """A proxy with servers, and a node that listens for units at their ports."""
    ports = {API: 8004, CFN: 8000}
    listeners = tuple(sites.a_listener(ports[unit], "10.0.0.2", "uwsgi", unit=unit) for unit in units)
    return {
        "hostA": Observation(HostState(), sites.facts(servers=servers)),
        "hostB": Observation(state or HostState(), sites.facts(listeners=listeners)),
    }


def drains(*servers, stopping=(API,), **how):
    return tuple(drain.drain_steps(drain.proxy_view(hosts(*servers, **how)), {"hostB": stopping}, "it restarts"))


def leftover(*servers):
    return list(drain.leftover_undrain_steps(drain.proxy_view(hosts(*servers)), [SERVING]))


def drained(*servers, stopping=(API,), **how):
    return [step.server for step in drains(*servers, stopping=stopping, **how)]


def test_server_of_a_stopping_process_is_drained_at_the_proxy_that_has_it():
    (step,) = drains(B, C)

    assert step == DrainServer("hostA", "rest_api_proxy/hostB-8004", because="it restarts")


def test_last_server_of_a_section_is_not_drained():
    assert drained(B) == []
    assert drained(B, CFN_B) == []


def test_server_is_not_drained_when_the_others_do_not_serve():
    for status in ("DOWN", "DRAIN", "MAINT", "DOWN 1/2"):
        assert drained(B, with_status(C, status)) == []


def test_restart_of_those_who_alone_serve_is_reported():
    restart = RestartUnit("hostB", API)
    reported = [
        list(drain.warnings_without_drain(hosts(B, other), steps))
        for other, steps in (
            (with_status(C, "DRAIN"), [restart]),
            (C, [DrainServer("hostA", B.path), restart]),
            (C, []),
        )
    ]

    assert reported == [
        [
            "hostB: rest_api_proxy has no other server while hostB-8004 restarts: requests fail during the restart, "
            "unless another server is started first"
        ],
        [],
        [],
    ]


def test_process_that_does_not_stop_is_not_drained():
    assert drained(B, C, CFN_B, stopping=()) == []
    assert drained(B, C, stopping=(CFN,), units=(API, CFN)) == []


def test_nothing_is_drained_while_no_proxy_runs():
    assert drained() == []


def test_server_at_an_ipv6_address_is_found():
    server = Server("rest_api_proxy", "hostB-8004", "[2001:db8::2]:8004", "UP")
    observed = {
        "hostA": Observation(HostState(), sites.facts(servers=(server, C))),
        "hostB": Observation(HostState(), sites.facts(listeners=(sites.a_listener(8004, "2001:db8::2", unit=API),))),
    }

    (step,) = drain.drain_steps(drain.proxy_view(observed), {"hostB": [API]}, "it restarts")

    assert step.server == "rest_api_proxy/hostB-8004"


def test_every_drain_has_its_undrain():
    assert list(drain.undrain_steps(drains(B, C), "it is ready")) == [
        ReadyServer("hostA", "rest_api_proxy/hostB-8004", because="it is ready")
    ]


def test_server_that_an_earlier_run_left_drained_is_undrained():
    (step,) = leftover(with_status(B, "DRAIN"), C)

    assert (step.server, step.because) == ("rest_api_proxy/hostB-8004", "it was drained")


def test_server_that_somebody_put_into_maintenance_serves_again():
    (step,) = leftover(with_status(B, "MAINT"), C)

    assert (step.server, step.because) == ("rest_api_proxy/hostB-8004", "it was in maintenance")


def test_server_that_serves_is_left_as_it_is():
    assert leftover(B, C) == []


def test_server_of_a_process_that_this_plan_starts_is_undrained():
    observed = hosts(with_status(B, "DRAIN"), C, state=HostState())
    observed["hostB"] = Observation(HostState(), sites.facts())

    plan = diff.plan_between({"hostA": HostState(), "hostB": sites.a_state(SERVING)}, observed)

    assert [type(step).__name__ for step in plan.changes()] == ["EnableUnit", "StartUnit", "ReadyServer"]


def test_server_of_a_process_that_dies_over_and_over_is_undrained_after_its_restart():
    old = sites.a_unit(Service.API, 8004, config="old")
    observed = hosts(with_status(B, "DRAIN"), C, units=(), state=sites.a_state(old))

    plan = diff.plan_between({"hostA": HostState(), "hostB": sites.a_state(SERVING)}, observed)

    assert [type(step).__name__ for step in plan.changes()] == ["RestartUnit", "ReadyServer"]


def test_restart_is_drained_before_and_served_after_in_waves_of_its_own():
    unit, old = (sites.a_unit(Service.API, 8004, config=config) for config in ("new", "old"))
    observed = hosts(B, C, state=sites.a_state(old))

    plan = diff.plan_between({"hostA": HostState(), "hostB": sites.a_state(unit)}, observed)

    assert [(type(step).__name__, step.host) for wave in plan.waves for step in wave.steps] == [
        ("DrainServer", "hostA"),
        ("RestartUnit", "hostB"),
        ("ReadyServer", "hostA"),
    ]
    assert len(plan.waves) == 3


def test_stopping_process_is_drained_before_the_proxy_forgets_it_and_stops_after():
    proxy, old = (sites.a_unit(Service.PROXY, 0, config=config) for config in ("new", "old"))
    observed = hosts(B, C, state=sites.a_state(sites.a_unit(Service.API, 8004)))
    observed["hostA"] = Observation(sites.a_state(old), observed["hostA"].facts)

    plan = diff.plan_between({"hostA": sites.a_state(proxy), "hostB": HostState()}, observed)

    assert [type(step).__name__ for step in plan] == ["DrainServer", "ReloadUnit", "StopUnit"]


def test_start_drains_nothing():
    observed = hosts(C, units=())

    plan = diff.plan_between({"hostA": HostState(), "hostB": sites.a_state(sites.a_unit(Service.API, 8004))}, observed)

    assert [type(step).__name__ for step in plan] == ["EnableUnit", "StartUnit"]


def two_nodes(*servers, b="old", c="old"):
    """hostB and hostC with an API each, of these configurations; both are wanted with `new`."""
    observed = {"hostA": Observation(HostState(), sites.facts(servers=servers))}
    desired = {"hostA": HostState()}
    for number, (host, config) in enumerate((("hostB", b), ("hostC", c)), 2):
        listener = sites.a_listener(8004, f"10.0.0.{number}", "uwsgi", unit=API)
        probe = AnswersHttp(f"10.0.0.{number}", 8004)
        observed[host] = Observation(
            sites.a_state(sites.a_unit(Service.API, 8004, config=config)), sites.facts(listeners=(listener,))
        )
        desired[host] = sites.a_state(sites.a_unit(Service.API, 8004, config="new", ready=probe))
    return desired, observed


def steps_of(plan):
    return [
        f"{type(step).__name__} {getattr(step, 'server', '').rpartition('/')[2] or step.host}"
        for step in plan.changes()
    ]


def test_server_left_drained_serves_again_before_the_next_host_is_drained_and_restarts():
    desired, observed = two_nodes(with_status(B, "DRAIN"), C, b="new")

    assert steps_of(diff.plan_between(desired, observed)) == [
        "ReadyServer hostB-8004",
        "DrainServer hostC-8004",
        "RestartUnit hostC",
        "ReadyServer hostC-8004",
    ]


def test_host_left_drained_restarts_first_while_the_others_serve():
    desired, observed = two_nodes(B, with_status(C, "DRAIN"))

    assert steps_of(diff.plan_between(desired, observed)) == [
        "DrainServer hostC-8004",
        "RestartUnit hostC",
        "ReadyServer hostC-8004",
        "DrainServer hostB-8004",
        "RestartUnit hostB",
        "ReadyServer hostB-8004",
    ]


def test_server_that_the_configuration_has_drained_does_not_count_as_one_that_serves():
    waiting = Server(B.section, B.name, B.address, "DRAIN", configured=True)
    desired, observed = two_nodes(waiting, C, b="new")

    assert steps_of(diff.plan_between(desired, observed)) == ["RestartUnit hostC", "ReadyServer hostB-8004"]


def test_host_that_is_to_be_drained_and_still_serves_is_drained_before_it_restarts():
    desired, observed = two_nodes(B, C, c="new")
    (unit,) = desired["hostB"].units.values()
    desired["hostB"] = sites.a_state(replace(unit, drained=True))

    assert steps_of(diff.plan_between(desired, observed)) == [
        "DrainServer hostB-8004",
        "RestartUnit hostB",
        "ReadyServer hostB-8004",
        "DrainServer hostB-8004",
    ]


def test_host_that_is_drained_and_stays_so_restarts_without_any_request():
    desired, observed = two_nodes(with_status(B, "DRAIN"), C, c="new")
    (unit,) = desired["hostB"].units.values()
    desired["hostB"] = sites.a_state(replace(unit, drained=True))

    assert steps_of(diff.plan_between(desired, observed)) == ["RestartUnit hostB"]
