"""The source host's folder: what is read from it, and what the others get."""

import pytest
import sites

from deployer import errors
from deployer.heat import source
from deployer.model import state
from deployer.model.service import Service


def a_source(conf=sites.CONF, **others):
    files = [
        sites.a_file(content=conf),
        *(sites.a_file(f"/etc/heat/{name.replace('__', '/')}", text) for name, text in others.items()),
    ]
    return source.read("hostA", "/etc/heat", sites.a_state(*files))


def test_read_without_heat_conf_is_refused():
    with pytest.raises(errors.BadInput, match="there is no /etc/heat/heat.conf"):
        source.read("hostA", "/etc/heat", sites.a_state(sites.a_file("/etc/heat/api-paste.ini")))


def test_read_takes_the_whole_folder_and_nothing_beside_it():
    state = sites.a_state(
        *(
            sites.a_file(path)
            for path in ("/etc/heat/environment.d/default.yaml", "/etc/heat-scaleout/api.ini", "/etc/heathen/x")
        ),
        sites.a_file(content=sites.CONF),
    )

    assert sorted(source.read("hostA", "/etc/heat", state).tree) == ["environment.d/default.yaml", "heat.conf"]


def test_read_leaves_out_what_we_keep_beside_our_own_files():
    kept = {
        name: sites.a_file(f"/etc/heat/{name}")
        for name in ("heat.conf.before-heat-scaleout", "heat.conf.heat-scaleout-new")
    }
    state = sites.a_state(sites.a_file(content=sites.CONF), *kept.values())

    assert list(source.read("hostA", "/etc/heat", state).tree) == ["heat.conf"]


def test_listens_is_what_heat_conf_says_of_each_api():
    found = a_source(sites.CONF.replace("bind_port = 8000", "bind_port = 8100"))

    assert found.listens(Service.API) == ("10.0.0.1", 8004)
    assert found.listens(Service.CFN) == ("10.0.0.1", 8100)


def test_listens_without_options_is_unknown():
    assert a_source("[DEFAULT]\n").listens(Service.API) == (None, None)


def test_grace_is_heats_own_and_its_default_where_none_is_set():
    assert a_source("[DEFAULT]\ngraceful_shutdown_timeout = 5\n").grace == 5
    assert a_source("[DEFAULT]\ngraceful_shutdown_timeout = 0\n").grace == 0
    assert a_source("[DEFAULT]\n").grace == 60


def test_health_path_is_where_the_paste_file_has_it():
    assert a_source(**{"api-paste.ini": sites.PASTE}).check_path(Service.CFN) == "/healthcheck"
    assert a_source().check_path(Service.CFN) == "/"


def test_bytes_that_are_no_text_survive():
    content = bytes(range(256))

    assert state.bytes_of(state.text_of(content)) == content


def test_option_that_must_be_a_number_and_is_none_is_refused_by_name():
    for conf, name in (
        ("[heat_api]\nbind_port = http\n", "bind_port"),
        ("[DEFAULT]\ngraceful_shutdown_timeout = long\n", "graceful_shutdown_timeout"),
    ):
        found = a_source(conf)
        with pytest.raises(errors.BadConfig, match=f"hostA:/etc/heat/heat.conf: .* {name} is no number"):
            print(found.listens(Service.API), found.grace)


def test_source_is_shown_without_its_files():
    assert "canary" not in repr(a_source("[database]\nconnection = mysql://heat:canary@10.0.0.1/heat\n"))


INJECTIONS = (
    "10.0.0.1\n  listen evil",
    "10.0.0.1 ssl crt /x",
    "$$(x)",
    "`x`",
    "{{7*7}}",
    "%h",
    "]",
    "fe80::1%eth0",
    "x" * 10_000,
    "10.0.0.1\u2028x",
    "localhost",
)


@pytest.mark.parametrize("text", INJECTIONS)
def test_address_of_an_api_that_is_none_is_refused(text):
    heat_source = a_source(f"[heat_api]\nbind_host = {text}\n")

    with pytest.raises(errors.BadConfig, match="bind_host is no IP address"):
        heat_source.listens(Service.API)


@pytest.mark.parametrize("address", ["0.0.0.0", "::", "10.0.0.1", "2001:db8::1"])
def test_address_of_an_api_is_taken_as_it_is(address):
    assert a_source(f"[heat_api]\nbind_host = {address}\nbind_port = 1\n").listens(Service.API) == (address, 1)


@pytest.mark.parametrize(
    "path",
    ["/healthcheck\n  http-request deny", "/a b", "/$(x)", "/`x`", "/{{7*7}}", "/%h", "/]", "x", "/a\u2028b", "/\0"],
)
def test_path_of_a_health_check_that_would_change_the_proxy_is_refused(path):
    paste = (
        "[pipeline:heat-api]\npipeline = healthcheck app\n[filter:healthcheck]\n"
        f"paste.filter_factory = oslo_middleware:Healthcheck.factory\npath = {path}\n"
    )

    with pytest.raises(errors.BadConfig, match="api-paste.ini: the path of the health check"):
        a_source(**{"api-paste.ini": paste}).check_path(Service.API)


def test_check_path_is_that_of_the_pipeline_that_heat_loads_for_its_flavor():
    paste = (
        "[pipeline:heat-api]\npipeline = app\n[pipeline:heat-api-noauth]\npipeline = alive app\n"
        "[filter:alive]\npath = /alive\npaste.filter_factory = oslo_middleware:Healthcheck.factory\n"
    )
    conf = "[paste_deploy]\nflavor = noauth\n"

    assert source_with(paste, "").check_path(Service.API) == "/"
    assert source_with(paste, conf).check_path(Service.API) == "/alive"


def source_with(paste, conf):
    return a_source(conf, **{"api-paste.ini": paste})
