"""Which hosts a total goes over, what weighs them, and which wishes are refused."""

import pytest
import sites

from deployer import errors
from deployer.inventory import reader, scaling
from deployer.inventory.scaling import ScaleRequest
from deployer.model.service import Service

ENGINES = ScaleRequest({Service.ENGINE: 6})
LONE = sites.an_inventory_text(hostB="{address: 10.0.0.2}", hostC="", hostA="{address: 10.0.0.1, engines: 1}")


def read(text):
    return reader.parse(text, sites.PATH)


def scaled(text, wish, cpus=None, held=None):
    """Host -> (REST APIs, CFN APIs, engines) once a wish is in the inventory."""
    inventory = read(text)
    weights = dict.fromkeys(inventory.hosts, 2) | (cpus or {})
    after = read(scaling.scaled_text(text, inventory, wish, weights, held or {}))
    return {name: (after.hosts[name].api, after.hosts[name].cfn, after.hosts[name].engines) for name in after.hosts}


def test_total_goes_over_the_hosts_that_run_heat_already():
    assert scaled(sites.an_inventory_text(), ENGINES) == {"hostA": (0, 0, 0), "hostB": (1, 1, 3), "hostC": (1, 1, 3)}


def test_host_without_any_process_gets_none_while_others_have_some():
    text = sites.an_inventory_text(hostD="{address: 10.0.0.4}")

    assert scaling.hosts_for(read(text)) == ("hostB", "hostC")


def test_host_of_another_kind_gets_its_share():
    text = sites.an_inventory_text(hostD="{address: 10.0.0.4, engines: 1}")

    assert scaled(text, ScaleRequest({Service.API: 3}))["hostD"] == (1, 0, 1)


def test_proxys_host_gets_its_share_where_it_runs_heat():
    assert scaling.hosts_for(read(LONE)) == ("hostA",)


def test_processors_weigh_the_hosts():
    assert scaled(sites.an_inventory_text(), ENGINES, {"hostB": 8, "hostC": 4})["hostB"] == (1, 1, 4)


def test_several_totals_are_spread_at_once():
    wish = ScaleRequest({Service.ENGINE: 2, Service.API: 4, Service.CFN: 3})

    assert scaled(sites.an_inventory_text(), wish) == {"hostA": (0, 0, 0), "hostB": (2, 2, 1), "hostC": (2, 1, 1)}


def test_engine_that_holds_least_leaves_first():
    held = {"hostB-engine-2": 0, "hostC-engine-2": 7}

    found = scaled(sites.an_inventory_text(), ScaleRequest({Service.ENGINE: 3}), held=held)

    assert (found["hostB"], found["hostC"]) == ((1, 1, 1), (1, 1, 2))


def test_wish_for_workers_alone_needs_no_processors():
    text = sites.an_inventory_text()

    assert read(scaling.scaled_text(text, read(text), ScaleRequest(workers=6), {})).heat.engine_workers == 6


def test_flags_become_a_wish():
    assert scaling.request_of({"engines": 6, "api": 4, "workers": 2}) == ScaleRequest(
        {Service.ENGINE: 6, Service.API: 4}, 2
    )
    assert scaling.request_of({"cfn": 3}) == ScaleRequest({Service.CFN: 3})


@pytest.mark.parametrize(
    ("wish", "words"),
    [
        (ScaleRequest(), "scale needs a number"),
        (ScaleRequest({Service.API: -2}), "-2 is no number of processes"),
        (ScaleRequest({Service.CFN: 0}), "the site's last cfn"),
        (ScaleRequest({Service.ENGINE: 0}), "the site's last engine"),
        (ScaleRequest(workers=0), "--workers takes a number from 1 to 64, not 0"),
    ],
)
def test_wish_that_cannot_be_is_refused_before_any_host_is_asked(wish, words):
    with pytest.raises(errors.BadInput, match=words) as caught:
        scaling.refuse_impossible(sites.an_inventory(), wish)

    assert caught.value.exit_code == 3


def test_none_of_a_kind_that_the_site_has_none_of_is_no_change():
    scaling.refuse_impossible(read(LONE), ScaleRequest({Service.API: 0}))

    assert scaled(LONE, ScaleRequest({Service.API: 0}))["hostA"] == (0, 0, 1)


def test_total_for_more_than_the_hosts_can_run_is_refused_with_numbers():
    with pytest.raises(errors.BadInput, match="129 do not fit on 2 hosts"):
        scaled(sites.an_inventory_text(), ScaleRequest({Service.ENGINE: 129}))


def test_host_that_keeps_the_same_size_or_runs_no_engine_is_not_told_of():
    text = sites.an_inventory_text(
        hostA="{address: 10.0.0.1, heat: {engine_workers: 9}}",
        hostB="{address: 10.0.0.2, engines: 1, heat: {engine_workers: 6}}",
    )

    assert list(scaling.warnings(read(text), ScaleRequest(workers=6))) == []
