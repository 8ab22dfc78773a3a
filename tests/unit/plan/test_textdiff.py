"""What a plan changes inside each file."""

import sites

from deployer.model.facts import Observation
from deployer.model.service import Service
from deployer.model.state import HostState
from deployer.model.steps import Plan, RemoveFile, RestartUnit, Wave, WriteFile
from deployer.plan import textdiff

CONF = "[database]\nconnection = mysql://heat:{}@10.0.0.1/heat\n"
PROXY = "listen statistics\n    stats enable\n    stats auth operator:{}\n"
PROXY_PATH = "/etc/heat-scaleout/apis-proxy.conf"


def of(*steps, observed=(), source=()):
    looked = {"hostA": Observation(sites.a_state(*source)), "hostB": Observation(sites.a_state(*observed))}
    return textdiff.diffs_of(Plan((Wave("stage", steps),), ("hostB",)), looked, "hostA")


def write(path="/etc/heat/heat.conf", content="[DEFAULT]\ndebug = true\n", **how):
    return WriteFile("hostB", sites.a_file(path, content, **how), because="changed")


def test_diff_shows_what_goes_and_what_comes():
    observed = sites.a_file(content="[DEFAULT]\ndebug = false\n")

    shown = of(write(), observed=[observed])["hostB:/etc/heat/heat.conf"].splitlines()

    assert shown[3:] == [" [DEFAULT]", "-debug = false", "+debug = true"]


def test_diff_of_a_new_file_is_all_of_it():
    assert of(write())["hostB:/etc/heat/heat.conf"].splitlines()[3:] == ["+[DEFAULT]", "+debug = true"]


def test_diff_of_a_file_that_only_the_source_has_yet_is_what_becomes_of_it():
    there = sites.a_file(content="[DEFAULT]\ndebug = false\n")

    shown = of(write(), source=[there])["hostB:/etc/heat/heat.conf"].splitlines()

    assert shown[3:] == [" [DEFAULT]", "-debug = false", "+debug = true"]


def test_diff_of_a_file_that_is_no_ini_masks_nothing_in_it():
    step = write("/etc/heat/environment.d/default.yaml", 'resource_registry:\n  "OS::A": "OS::B"\n')

    assert '+  "OS::A": "OS::B"' in of(step)["hostB:/etc/heat/environment.d/default.yaml"]


def test_diff_of_a_removed_file_is_what_goes():
    step = RemoveFile("hostB", "/etc/heat/heat.conf", because="no longer needed")

    shown = of(step, observed=[sites.a_file(content="[DEFAULT]\n")])["hostB:/etc/heat/heat.conf"]

    assert "\n-[DEFAULT]" in shown


def test_diff_of_a_step_without_a_file_is_none():
    assert of(RestartUnit("hostB", "heat-scaleout-engine@1.service", because="x")) == {}


def test_diff_of_heat_conf_masks_old_and_new_secrets():
    observed = sites.a_file(content=CONF.format("canary-old"))

    shown = of(write(content=CONF.format("canary-new")), observed=[observed])["hostB:/etc/heat/heat.conf"]

    assert "canary" not in shown
    assert "***" in shown


def test_diff_of_the_proxys_configuration_masks_the_password_of_its_page():
    observed = sites.a_file(PROXY_PATH, PROXY.format("canary-old"))
    step = write(
        PROXY_PATH, PROXY.replace("enable", "enable\n    stats uri /").format("canary-new"), only=Service.PROXY
    )

    shown = of(step, observed=[observed])["hostB:" + PROXY_PATH]

    assert "canary" not in shown
    assert "+    stats uri /" in shown
    assert "stats auth operator:***" in shown


def test_diff_of_bytes_that_are_no_text_does_not_fail():
    step = WriteFile("hostB", sites.file_of("/etc/heat/x", b"\xff\xfe\n"), because="new")

    assert list(of(step)) == ["hostB:/etc/heat/x"]


def test_diff_of_nothing_is_nothing():
    assert textdiff.diffs_of(Plan(), {"hostB": Observation(HostState())}, "hostB") == {}


def test_diff_of_a_file_of_another_grammar_masks_what_its_lines_name_as_secret():
    content = (
        "parameters:\n  admin_password: one two\n  - 'api_key': \"three\"\n  url: http://u:four@h/\n  name: public\n"
    )

    (shown,) = of(write("/etc/heat/environment.d/default.yaml", content)).values()

    assert shown.splitlines()[3:] == [
        "+parameters:",
        "+  admin_password: ***",
        "+  - 'api_key': ***",
        "+  url: http://u:***@h/",
        "+  name: public",
    ]
