"""Every name that we give can be read back, and nobody else's name is taken for one of ours."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deployer.model import names
from deployer.model.names import Endpoint, OwnEngine, OwnUnit
from deployer.model.service import Service

NUMBERS = st.integers(0, 65535)
HOSTS = st.from_regex(r"[A-Za-z0-9]([A-Za-z0-9.-]{0,30}[A-Za-z0-9])?", fullmatch=True)
ADDRESSES = st.ip_addresses().map(str) | st.just("*")


@given(st.sampled_from([each for each in Service if each is not Service.PROXY]), NUMBERS)
def test_unit_name_of_any_service_is_read_back(service, number):
    name = names.unit_name(service, number)

    assert names.parse_unit(name) == OwnUnit(service, number)
    assert (names.is_ours(name), names.service_of(name)) == (True, service)
    assert name == names.unit_template(service).replace("@", f"@{number}")


def test_unit_name_of_the_proxy_is_read_back():
    name = names.unit_name(Service.PROXY)

    assert (names.parse_unit(name), names.service_of(name)) == (OwnUnit(Service.PROXY), Service.PROXY)


@pytest.mark.parametrize(
    "unit",
    [
        "heat-engine.service",
        "my-heat-scaleout-api@8004.service",
        "heat-scaleout-api@.service",
        "heat-scaleout-api@8004",
        "heat-scaleout-api@08004.service",
        "heat-scaleout-api@8004.service\n",
        "heat-scaleout-engine.service",
        "heat-scaleout-other@1.service",
        "heat-scaleout-proxy@1.service",
        "heat-scaleout.slice",
    ],
)
def test_unit_with_another_name_is_not_read(unit):
    assert names.parse_unit(unit) is None


@pytest.mark.parametrize("unit", ["heat-engine.service", "sshd.service", "heat-scaleout.slice", ""])
def test_unit_of_others_is_not_ours_and_has_no_service(unit):
    assert (names.is_ours(unit), names.service_of(unit)) == (False, "")


@given(HOSTS, st.integers(0, 1000))
def test_engine_name_of_any_host_is_read_back(host, number):
    name = names.engine_name(host, number)

    assert names.parse_engine(name) == OwnEngine(host, number)
    assert names.engine_of_unit(host, names.unit_name(Service.ENGINE, number)) == name


@pytest.mark.parametrize("name", ["hostB", "-engine-1", "hostB-engine-", "hostB-engine-x", "hostB-engine-01"])
def test_engine_with_another_name_is_not_read(name):
    assert names.parse_engine(name) is None


@pytest.mark.parametrize("unit", ["heat-scaleout-api@1.service", "heat-scaleout-proxy.service", "heat-engine.service"])
def test_unit_that_runs_no_engine_of_ours_has_no_name_in_heat(unit):
    assert names.engine_of_unit("hostB", unit) is None


@given(ADDRESSES, st.integers(1, 65535))
def test_endpoint_of_any_address_is_read_back(address, port):
    text = names.endpoint(address, port)

    assert names.parse_endpoint(text) == Endpoint(address, port)
    assert str(Endpoint(address, port)) == text


@pytest.mark.parametrize("text", ["", "10.0.0.1", ":8004", "10.0.0.1:", "10.0.0.1:http", "[::1]"])
def test_endpoint_without_an_address_or_a_port_is_not_read(text):
    assert names.parse_endpoint(text) is None


@given(ADDRESSES)
def test_address_in_brackets_gets_no_second_pair(address):
    once = names.bracketed(address)

    assert once == (f"[{address}]" if ":" in address else address)
    assert names.bracketed(once) == once


@pytest.mark.parametrize(
    "unit",
    [
        "",
        "session-7.scope",
        "ssh.service",
        "sshd@3-10.0.0.1:22.service",
        "user@1000.service",
        "cron.service",
    ],
)
def test_process_in_a_login_is_not_systemds(unit):
    assert not names.starts_processes(unit)


@pytest.mark.parametrize("unit", ["heat-api.service", "apache2.service", "devstack@h-api.service"])
def test_process_of_a_service_is_systemds(unit):
    assert names.starts_processes(unit)
