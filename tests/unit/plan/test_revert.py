"""What a host gets back is what it had, whatever its processes do at that moment."""

from dataclasses import replace

import pytest
import sites

from deployer.model.facts import Facts, Observation, Server
from deployer.model.probe import AnswersHttp, AnswersSocket
from deployer.model.service import Service
from deployer.model.state import HostState, UnitState
from deployer.model.steps import AwaitReady, Plan, RestartUnit, StartUnit, Wave
from deployer.plan import revert

ENGINE = sites.a_unit(Service.ENGINE, 1)
CONF, OWN = (sites.a_file(f"/etc/heat/{name}") for name in ("heat.conf", "operators.yaml"))


def test_files_of_ours_come_back_and_the_operators_are_left():
    before = HostState({each.path: each for each in (CONF, OWN)}, {ENGINE.name: ENGINE}, frozenset({CONF.path}))

    nothing = {"hostB": HostState()}
    state = revert.previous_states({"hostB": Observation(before)}, nothing, nothing)["hostB"]

    assert (dict(state.files), dict(state.units)) == ({CONF.path: CONF}, {ENGINE.name: ENGINE})


def test_process_is_proven_as_it_would_have_been_and_one_that_did_not_run_is_not_started():
    ready = AwaitReady("hostB", ENGINE.name, None)
    stopped = sites.a_unit(Service.ENGINE, 2, state=UnitState.INACTIVE)
    before = HostState(units={ENGINE.name: ENGINE, stopped.name: stopped})
    desired = HostState(units={ENGINE.name: sites.a_unit(Service.ENGINE, 1, ready=ready)})

    stopping = {"hostB": HostState(shutdown_probes={stopped.name: ready})}
    state = revert.previous_states({"hostB": Observation(before)}, {"hostB": desired}, stopping)["hostB"]

    assert state.shutdown_probes == {stopped.name: ready}

    assert {name: unit.ready for name, unit in state.units.items()} == {ENGINE.name: ready}


@pytest.mark.parametrize("is_desired", [True, False])
def test_process_that_was_about_to_run_again_belongs_to_the_host_and_one_that_was_to_go_does_not(is_desired):
    stopping = sites.a_unit(state=UnitState.DEACTIVATING)
    desired = HostState(units={ENGINE.name: ENGINE} if is_desired else {})

    state = revert.previous_states(
        {"hostB": Observation(HostState(units={stopping.name: stopping}))}, {"hostB": desired}, {"hostB": HostState()}
    )["hostB"]

    assert list(state.units) == [ENGINE.name] * is_desired


def test_start_becomes_a_restart_as_the_process_may_just_run_again():
    plan = Plan((Wave("change hostB", (StartUnit("hostB", ENGINE.name), AwaitReady("hostB", ENGINE.name, None))),))

    assert list(revert.with_forced_restarts(plan)) == [
        RestartUnit("hostB", ENGINE.name, because="as before"),
        AwaitReady("hostB", ENGINE.name, None),
    ]


def test_proof_of_the_proxy_names_the_configuration_from_before():
    ready = AnswersSocket("/run/master.sock", "show info\n", "heat-scaleout new")
    proxy = sites.a_unit(Service.PROXY, 0, config="old")
    desired = HostState(units={proxy.name: sites.a_unit(Service.PROXY, 0, config="new", ready=ready)})

    state = revert.previous_states(
        {"hostA": Observation(HostState(units={proxy.name: proxy}))}, {"hostA": desired}, {"hostA": HostState()}
    )["hostA"]

    assert state.units[proxy.name].ready.contains == "heat-scaleout old"


def test_api_is_drained_again_if_the_proxy_had_it_drained_whatever_the_change_says():
    api = sites.a_unit(Service.API, 8004)
    ready = AnswersHttp("10.0.0.2", 8004)
    server = Server("rest_api_proxy", "hostB-8004", "10.0.0.2:8004", "UP")

    def reverted(status, drained):
        servers = Facts(servers=(replace(server, status=status),))
        before = {"hostA": Observation(HostState(), servers), "hostB": Observation(HostState(units={api.name: api}))}
        desired = {
            "hostA": HostState(),
            "hostB": HostState(units={api.name: replace(api, ready=ready, drained=drained)}),
        }
        states = revert.previous_states(before, desired, dict.fromkeys(before, HostState()))
        return states["hostB"].units[api.name].drained

    assert [reverted("UP", drained=True), reverted("DRAIN", drained=False)] == [False, True]
