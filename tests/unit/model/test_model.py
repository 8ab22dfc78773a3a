"""Both states speak one vocabulary, and compare by what matters."""

import pytest
import sites

from deployer.model.hosts import Instance
from deployer.model.names import unit_name
from deployer.model.probe import AnswersHttp
from deployer.model.service import Service
from deployer.model.state import Unit, UnitState, digest_of


def test_file_compares_by_digest_owner_and_mode_and_not_by_what_it_carries():
    assert sites.a_file() == sites.a_file(check=("true",), only=Service.PROXY)
    for other in (
        sites.a_file(content="other"),
        sites.a_file(owner="heat"),
        sites.a_file(group="heat"),
        sites.a_file(mode=0o600),
    ):
        assert sites.a_file() != other


def test_unit_compares_by_what_it_runs_and_not_by_its_process():
    assert Unit("x", pid=1, ready=AnswersHttp("10.0.0.1", 1)) == Unit("x", pid=2, needs=(("10.0.0.1", 1),))
    for other in (Unit("x", state=UnitState.INACTIVE), Unit("x", enabled=False), Unit("x", config="new")):
        assert Unit("x") != other


@pytest.mark.parametrize(
    ("service", "number", "name", "port"),
    [
        (Service.API, 8004, "heat-scaleout-api@8004.service", 8004),
        (Service.CFN, 8000, "heat-scaleout-cfn@8000.service", 8000),
        (Service.ENGINE, 2, "heat-scaleout-engine@2.service", None),
        (Service.PROXY, 0, "heat-scaleout-proxy.service", None),
    ],
)
def test_instance_has_a_unit_and_an_api_its_port(service, number, name, port):
    instance = Instance("hostB", service, number)

    assert (instance.unit, instance.port, unit_name(service, number)) == (name, port, name)


def test_digest_is_sha256():
    assert digest_of(b"") == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"


def test_state_of_a_host_is_the_same_in_another_order():
    assert sites.a_state(sites.a_file(), sites.a_file("/x")) == sites.a_state(sites.a_file("/x"), sites.a_file())
