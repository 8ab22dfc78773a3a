"""Units that are slow, hang, die at once or will not stop: what a deploy makes of them, with systemd's own states."""

import sites

from deployer.model.names import unit_name
from deployer.model.service import Service
from deployer.model.steps import RolloutOptions

API, ENGINE, PROXY = unit_name(Service.API, 8004), unit_name(Service.ENGINE, 2), unit_name(Service.PROXY)
FEWER = sites.an_inventory(hostB="{address: 10.0.0.2, api: 1, cfn: 1, engines: 1}")


def serves(fleet):
    """Who listens at the clients' address of the REST API."""
    return {each.unit for each in fleet.hosts["hostA"].listeners if each.port == 8004}


def test_api_that_takes_a_while_to_answer_is_waited_for_before_the_proxy_leads_to_it(inventory, fleet):
    host = fleet.hosts["hostB"]
    host.systemd.behaves(API, start=20.0)
    before = host.clock.now

    assert sites.deploy(inventory, fleet).exit_code == 0

    assert host.clock.now - before >= 20
    assert serves(fleet) == {PROXY}


def test_api_that_never_answers_ends_the_deploy_before_anything_is_taken_over(inventory, fleet):
    fleet.hosts["hostB"].systemd.behaves(API, start=None)

    report = sites.deploy(inventory, fleet)

    assert report.exit_code == 5
    assert "no good answer from 10.0.0.2:8004" in report.applied.failed["hostB"].message
    assert serves(fleet) == {"heat-api.service"}


def test_api_whose_port_somebody_took_dies_again_and_again_and_is_given_up_early(inventory, fleet):
    host = fleet.hosts["hostB"]
    sites.deploy(inventory, fleet)
    host.dies(API, again=False)
    before = host.clock.now

    def take_port(when, step):
        if when == "before" and "start" in step.get("arguments", ()):
            host.runs("nc", 8004)
            host.listeners[-1].is_deaf = True

    fleet.moment = lambda name, when, step: take_port(when, step) if name == "hostB" else None
    report = sites.deploy(inventory, fleet)

    assert (report.exit_code, host.units[API].state) == (5, "activating")
    assert "address already in use" in report.applied.failed["hostB"].message
    assert host.clock.now - before < 60


def test_engine_that_does_not_end_its_work_is_deactivating_and_not_killed(inventory, fleet):
    sites.deploy(inventory, fleet)
    fleet.holds("hostB", times=99)

    report = sites.deploy(FEWER, fleet, options=RolloutOptions(wait=0.0))

    engine = fleet.hosts["hostB"].units[ENGINE]
    assert (report.exit_code, engine.state, engine.pid > 0) == (5, "deactivating", True)


def test_engine_that_still_ends_its_work_is_killed_by_force_and_gone(inventory, fleet):
    sites.deploy(inventory, fleet)
    fleet.holds("hostB", times=1)

    report = sites.deploy(FEWER, fleet, options=RolloutOptions(wait=0.0, force=True))

    engine = fleet.hosts["hostB"].units[ENGINE]
    assert (report.exit_code, engine.state, engine.pid) == (0, "inactive", 0)
