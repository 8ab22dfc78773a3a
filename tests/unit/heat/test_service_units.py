"""Files and units of Heat's processes on a host, for both launchers."""

from dataclasses import replace

import pytest
import sites

from deployer.heat import service_units
from deployer.model import probe
from deployer.model.hosts import Instance
from deployer.model.names import unit_name
from deployer.model.probe import AnswersHttp, Program
from deployer.model.service import Service
from deployer.model.tls import Trust

TLS = service_units.TlsFiles("/etc/ssl/api.pem", "/etc/ssl/api.key", "digest", Trust("hostB", "/etc/ssl/ca.pem"))
UNIT_FILES = "/etc/systemd/system"


def a_runtime(**how):
    fine = {
        "host": "hostB",
        "address": "10.0.0.2",
        "prefix": "/opt/heat",
        "config_dir": "/etc/heat",
        "user": "heat",
        "group": "heat",
        "launcher": "uwsgi",
        "uwsgi": "/opt/heat/bin/uwsgi",
        "grace": 60,
        "threads": 8,
        "engine_grace": 60,
        "tree": "digest",
        "health": {Service.API: "/healthcheck", Service.CFN: "/healthcheck"},
    }
    return service_units.Runtime(**fine | how)


def a_host(api=(), cfn=(), engines=0, **how):
    """The state of a host that runs these."""
    numbers = {Service.API: api, Service.CFN: cfn, Service.ENGINE: range(1, engines + 1)}
    instances = [Instance("hostB", service, number, "10.0.0.2") for service in numbers for number in numbers[service]]
    return service_units.state_of(a_runtime(**how), instances)


def text(state, path):
    return state.files[path].content.decode()


def unit_text(state, service):
    return text(state, f"{UNIT_FILES}/heat-scaleout-{service}@.service")


def test_host_without_a_process_has_no_file():
    assert a_host() == sites.a_state()


def test_every_process_has_a_unit_of_its_kind_and_number():
    state = a_host(api=(8004, 8104), cfn=(8000,), engines=2)

    assert list(state.units) == [
        "heat-scaleout-api@8004.service",
        "heat-scaleout-api@8104.service",
        "heat-scaleout-cfn@8000.service",
        "heat-scaleout-engine@1.service",
        "heat-scaleout-engine@2.service",
    ]


def test_apis_of_a_kind_under_uwsgi_share_every_file():
    files = a_host(api=(8004, 8104)).files

    assert list(files) == [
        f"{UNIT_FILES}/heat-scaleout-api@.service",
        "/etc/heat-scaleout/api.ini",
        "/etc/heat-scaleout/api.config",
    ]
    assert "--http-socket 10.0.0.2:%i" in unit_text(a_host(api=(8004, 8104)), "api")


def test_apis_with_tls_have_a_socket_with_certificate_and_key_and_refuse_tls_1_1():
    state = a_host(api=(8004,), cfn=(8000,), tls=TLS)

    for service in ("api", "cfn"):
        assert "--https-socket 10.0.0.2:%i,/etc/ssl/api.pem,/etc/ssl/api.key" in unit_text(state, service)
        assert "--http-socket" not in unit_text(state, service)
        assert f"ssl-option = {0x10000000}" in text(state, f"/etc/heat-scaleout/{service}.ini").splitlines()


def test_api_with_tls_is_proven_over_tls_and_by_its_name_from_the_proxys_host():
    unit = a_host(api=(8004,), tls=TLS).units["heat-scaleout-api@8004.service"]

    assert (unit.secure, unit.ready.secure, unit.ready.trust) == (True, True, None)
    assert (unit.reached.trust, unit.reached.path) == (TLS.trust, unit.ready.path)


def test_new_certificate_is_a_new_configuration_of_the_apis_alone():
    before, after = (a_host(api=(8004,), engines=1, tls=replace(TLS, digest=each)) for each in ("one", "other"))

    assert {name for name, unit in before.units.items() if unit.config != after.units[name].config} == {
        "heat-scaleout-api@8004.service"
    }


def test_process_notes_whether_it_speaks_tls():
    plain, secure = (a_host(api=(8004,), engines=1, tls=each) for each in (None, TLS))
    noted = {
        name: service_units.read_started_with(text(state, f"/etc/heat-scaleout/{name}.config"))
        for state in (plain, secure)
        for name in ("api", "engine")
    }

    assert service_units.read_started_with(text(plain, "/etc/heat-scaleout/api.config")) == (
        plain.units["heat-scaleout-api@8004.service"].config,
        False,
    )
    assert noted["api"] == (secure.units["heat-scaleout-api@8004.service"].config, True)
    assert noted["engine"][1] is False
    assert service_units.read_started_with("") == (None, False)


def test_apis_believe_the_proxy_what_the_client_speaks_only_where_tls_is():
    line = "Environment=OS_OSLO_MIDDLEWARE__ENABLE_PROXY_HEADERS_PARSING=true"

    for launcher in ("uwsgi", "heat-api"):
        assert line in unit_text(a_host(api=(8004,), launcher=launcher, forwarded=True), "api").splitlines()
        assert line not in unit_text(a_host(api=(8004,), launcher=launcher), "api").splitlines()
    assert line not in unit_text(a_host(engines=1, forwarded=True), "engine").splitlines()


def test_apis_of_a_kind_under_heat_api_each_have_an_overlay_with_their_port():
    state = a_host(api=(8004, 8104), launcher="heat-api")

    assert "--config-file /etc/heat/heat.conf --config-file /etc/heat-scaleout/api-%i.conf" in unit_text(state, "api")
    for port in (8004, 8104):
        overlay = text(state, f"/etc/heat-scaleout/api-{port}.conf")
        assert overlay.splitlines()[1:] == ["[heat_api]", "bind_host = 10.0.0.2", f"bind_port = {port}"]


def test_cfn_api_under_heat_api_overrides_its_own_section():
    overlay = text(a_host(cfn=(8000,), launcher="heat-api"), "/etc/heat-scaleout/cfn-8000.conf")

    assert overlay.splitlines()[1] == "[heat_api_cfn]"


def test_engine_is_its_own_program_with_either_launcher():
    for launcher in ("uwsgi", "heat-api"):
        unit = unit_text(a_host(engines=1, launcher=launcher), "engine")
        command = "/opt/heat/bin/python3 /etc/heat-scaleout/heat-engine --config-file /etc/heat/heat.conf"
        assert f"ExecStart={command}\n" in unit
        assert "Environment=OS_DEFAULT__HOST=hostB-engine-%i\n" in unit


def test_ipv6_address_is_bracketed_for_uwsgi_and_plain_in_an_overlay():
    uwsgi = a_host(api=(8004,), address="2001:db8::2")
    programs = a_host(api=(8004,), address="2001:db8::2", launcher="heat-api")

    assert "--http-socket [2001:db8::2]:%i\n" in unit_text(uwsgi, "api")
    assert "bind_host = 2001:db8::2\n" in text(programs, "/etc/heat-scaleout/api-8004.conf")


def test_uwsgi_of_the_distribution_loads_its_python_plugin_and_one_beside_heat_does_not():
    distribution = text(a_host(api=(8004,), uwsgi="/usr/bin/uwsgi", prefix="/usr"), "/etc/heat-scaleout/api.ini")
    beside = text(a_host(api=(8004,)), "/etc/heat-scaleout/api.ini")

    assert "plugins = python3\n" in distribution
    assert "plugins" not in beside


def test_uwsgi_of_the_distribution_serves_a_heat_of_a_virtual_environment():
    ini = text(a_host(api=(8004,), uwsgi="/usr/bin/uwsgi"), "/etc/heat-scaleout/api.ini")

    assert "plugins = python3\nvirtualenv = /opt/heat\n" in ini
    assert "virtualenv" not in text(a_host(api=(8004,), prefix="/usr"), "/etc/heat-scaleout/api.ini")


def test_workers_of_the_inventory_are_in_every_launchers_file():
    workers = {Service.API: 5, Service.ENGINE: 7}

    assert "processes = 5\n" in text(a_host(api=(8004,), workers=workers), "/etc/heat-scaleout/api.ini")
    assert "workers = 5\n" in text(
        a_host(api=(8004,), workers=workers, launcher="heat-api"), "/etc/heat-scaleout/api-8004.conf"
    )
    assert "NUM_ENGINE_WORKERS=7\n" in unit_text(a_host(engines=1, workers=workers), "engine")


def test_workers_that_the_inventory_leaves_out_are_heats_own():
    assert "workers" not in text(a_host(api=(8004,), launcher="heat-api"), "/etc/heat-scaleout/api-8004.conf")
    assert "NUM_ENGINE_WORKERS" not in unit_text(a_host(engines=1), "engine")


def test_one_more_api_leaves_the_configuration_of_the_first_as_it_is():
    for launcher in ("uwsgi", "heat-api"):
        before = a_host(api=(8004,), launcher=launcher)
        after = a_host(api=(8004, 8104), launcher=launcher)
        first = unit_name(Service.API, 8004)
        assert after.units[first] == before.units[first]
        assert {path: after.files[path] for path in before.files} == before.files


def test_configuration_digest_changes_with_whatever_a_process_reads():
    unit = unit_name(Service.API, 8004)
    base = a_host(api=(8004,)).units[unit].config
    changes = [
        {"tree": "another"},
        {"address": "10.0.0.9"},
        {"threads": 9},
        {"workers": {Service.API: 3}},
        {"grace": 61},
        {"user": "other"},
        {"prefix": "/usr"},
        {"launcher": "heat-api"},
    ]

    assert [change for change in changes if a_host(api=(8004,), **change).units[unit].config == base] == []


def test_overlay_changes_the_configuration_digest_of_its_process_with_the_workers():
    unit = unit_name(Service.API, 8004)
    one, two = (
        a_host(api=(8004,), launcher="heat-api", workers={Service.API: number}).units[unit].config for number in (1, 2)
    )

    assert one != two


def test_digest_that_a_process_notes_is_the_one_its_unit_must_have():
    state = a_host(engines=1)

    assert text(state, "/etc/heat-scaleout/engine.config").strip() == state.units[unit_name(Service.ENGINE, 1)].config
    noted = service_units.started_with_path(unit_name(Service.ENGINE, 1))
    assert noted == "/run/heat-scaleout-engine-1/config"
    assert f"ExecStartPre=/bin/cp /etc/heat-scaleout/engine.config {noted.replace('-1/', '-%i/')}\n" in unit_text(
        state, "engine"
    )


def test_systemd_waits_longer_than_heats_own_grace_and_for_ever_when_that_has_no_end():
    for grace, seconds in ((60, "90"), (600, "630"), (0, "infinity")):
        engine = unit_text(a_host(engines=1, engine_grace=grace), "engine")
        assert f"TimeoutStopSec={seconds}\n" in engine
        assert f"Environment=OS_DEFAULT__GRACEFUL_SHUTDOWN_TIMEOUT={grace}\n" in engine
        assert f"TimeoutStopSec={seconds}\n" in unit_text(a_host(api=(8004,), grace=grace), "api")


def test_api_is_ready_when_it_answers_at_its_own_address_and_port():
    unit = a_host(api=(8104,)).units[unit_name(Service.API, 8104)]

    assert probe.without_warm_up(unit.ready) == AnswersHttp("10.0.0.2", 8104, "/healthcheck")


@pytest.mark.parametrize(
    ("how", "connections"),
    [({"threads": 8}, 16), ({"threads": 4, "workers": {Service.API: 3}}, 12), ({"launcher": "heat-api"}, 16)],
)
def test_started_api_warms_up_every_thread_of_every_worker(how, connections):
    ready = a_host(api=(8004,), **how).units[unit_name(Service.API, 8004)].ready

    assert ready.warm_up_paths == ("/healthcheck", "/v1/heat-scaleout/stacks")
    assert ready.warm_up_connections == connections


def test_api_behind_tls_is_warmed_up_on_its_own_host_and_not_by_the_proxys():
    unit = a_host(api=(8004,), tls=TLS).units[unit_name(Service.API, 8004)]

    assert unit.ready.warm_up_connections and not unit.reached.warm_up_connections


def test_engine_is_ready_when_heat_lists_it():
    ready = a_host(engines=1).units[unit_name(Service.ENGINE, 1)].ready

    assert isinstance(ready, Program)
    assert ready.argv == ("/opt/heat/bin/python3", "-")
    assert ready.timeout > service_units.ENGINE_TIMEOUT


def test_processes_run_as_heats_user_and_stop_being_root():
    for service, state in (("api", a_host(api=(8004,))), ("engine", a_host(engines=1))):
        unit = unit_text(state, service)
        assert "User=heat\nGroup=heat\n" in unit
        assert "NoNewPrivileges=yes\n" in unit
        assert "CapabilityBoundingSet=\n" in unit
        assert "Restart=always\n" in unit
        assert "Slice=heat-scaleout.slice\n" in unit


def test_proxy_is_none_of_heats_processes():
    instances = [Instance("hostB", Service.PROXY, 0, "10.0.0.2")]

    assert service_units.state_of(a_runtime(), instances) == sites.a_state()
