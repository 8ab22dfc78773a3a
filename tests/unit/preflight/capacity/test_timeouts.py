"""The ladder of timeouts: the proxy waits longer than Heat, and a client as long as the proxy."""

import pytest
import sites
from capacity_sites import a_site

from deployer.desired import desired_state
from deployer.preflight.capacity import capacity_checks, timeouts
from deployer.preflight.findings import Findings


def judged(server="", client="", rpc=None):
    stated = ", ".join(f"{name}: {value}" for name, value in (("server", server), ("client", client)) if value)
    inventory = sites.an_inventory(proxy=f"timeouts: {{{stated}}}" if stated else "")
    site = a_site(f"rpc_response_timeout = {rpc}" if rpc else "", inventory=inventory)
    return list(timeouts.problems(inventory, site.heat_source)), list(timeouts.warnings(inventory, site.heat_source))


def test_defaults_are_in_order():
    assert judged() == ([], [])


def test_proxy_that_the_inventory_makes_give_up_before_heat_is_a_problem_with_both_numbers():
    problems, warnings = judged(server="30s", client="30s")

    assert problems == [
        f"{sites.PATH}: proxy.timeouts.server is 30s, less than Heat's rpc_response_timeout (60 s): "
        "clients get 504 while Heat still works. Set it above 60s."
    ]
    assert warnings == []


def test_proxy_that_gives_up_before_heat_by_its_default_is_a_warning():
    assert judged(rpc=120) == (
        [],
        [
            "proxy.timeouts.server is 90s, less than Heat's rpc_response_timeout (120 s): clients get 504 while Heat "
            "still works. Set it above 120s."
        ],
    )


@pytest.mark.parametrize(
    ("how", "words"),
    [
        ({"server": "1m", "client": "1m"}, "server is 1m, as long as Heat's own rpc_response_timeout (60 s)"),
        ({"client": "30s"}, "proxy.timeouts.client (30s) is shorter than proxy.timeouts.server (90s)"),
        ({"server": "3m", "client": "3m"}, "a reload of the proxy ends requests that take longer than 120 s"),
    ],
)
def test_step_that_is_merely_odd_is_a_warning_with_numbers(how, words):
    problems, (note,) = judged(**how)

    assert problems == []
    assert words in note


def test_site_without_a_proxy_has_no_ladder():
    inventory = sites.an_inventory(proxy="timeouts: {server: 1s}", hostB="{address: 10.0.0.2, engines: 1}", hostC="")
    heat_source = a_site(inventory=inventory).heat_source

    assert capacity_checks.check_timeouts(inventory, heat_source) == Findings()


@pytest.mark.parametrize(("rpc", "expected"), [("", 65), ("rpc_response_timeout = 300", 305)])
def test_uwsgi_waits_longer_than_heat_whatever_heat_conf_says(rpc, expected):
    site = a_site(rpc)

    (ini,) = (
        file
        for path, file in desired_state.desired_states(site.inventory, site.observed).states["hostB"].files.items()
        if path.endswith("/api.ini")
    )

    assert f"\nsocket-timeout = {expected}\n" in ini.content.decode()
