"""Before anything is changed every host has judged what it will get; what one has against it stops all."""

import json
from dataclasses import replace

import pytest
import sites

from deployer import errors
from deployer.apply import stage
from deployer.desired import generations
from deployer.model.facts import Observation
from deployer.model.run import DONE, Author, Run

AUTHOR = Author("alice@desk", "invoke deploy", "2026-11-21T00:00:00Z", "0.1.0", "some.yaml", "version: 1\n")
HEAT_CONF = "/etc/heat/heat.conf"


@pytest.fixture
def planned(inventory, fleet):
    """What the first deploy would do."""
    return sites.planned(inventory, fleet, author=AUTHOR)


def after(planned, number):
    """The plan of a site whose hosts have that many runs behind them."""
    last = {"number": number, "result": DONE}
    observed = {
        host: Observation(each.state, replace(each.facts, last_run=last)) for host, each in planned.observed.items()
    }
    return replace(planned, observed=observed)


def results(fleet):
    return {name: host.last_run.get("result", "none") for name, host in fleet.hosts.items()}


def test_every_host_begins_the_run_and_keeps_its_state(planned, fleet):
    stage.begin(planned, fleet)

    assert results(fleet) == dict.fromkeys(fleet.hosts, None)
    assert {host.last_run["who"] for host in fleet.hosts.values()} == {"alice@desk"}
    kept = json.loads(json.dumps(generations.state_to_json(planned.desired.states["hostB"])))
    assert fleet.hosts["hostB"].generations[1]["state"] == kept
    assert fleet.hosts["hostB"].generations[1]["run"]["hosts"] == ["hostA", "hostB", "hostC"]


def test_host_outside_of_the_plan_records_the_run_and_no_state(planned, fleet):
    stage.begin(replace(planned, plan=replace(planned.plan, hosts=("hostB",))), fleet)

    assert [host.generations[1]["state"] is None for host in fleet.hosts.values()] == [True, False, True]


def test_only_what_is_not_there_is_sent_and_every_unit_file_is_judged_as_one(inventory, fleet, planned):
    sites.deploy(inventory, fleet, sites.yes)
    sent = {}
    fleet.hosts["hostB"].files[HEAT_CONF].content = b"by hand"
    ask = fleet.hosts["hostB"].ask
    fleet.hosts["hostB"].ask = lambda verb, request: (
        sent.update({file["path"]: file for file in request.get("files", ())}) or ask(verb, request)
    )

    stage.begin(sites.planned(inventory, fleet), fleet)

    assert [path for path, file in sent.items() if file["comes"]] == [HEAT_CONF]
    assert {path: file["content"] is None for path, file in sent.items()} == {
        path: path != HEAT_CONF for path in planned.desired.states["hostB"].files
    }
    assert {file["check"][0] for path, file in sent.items() if path.startswith("/etc/systemd/")} == {"systemd-analyze"}


def test_problems_of_all_hosts_come_at_once_and_those_that_had_begun_end_it(planned, fleet):
    fleet.refuses("hostA", "/etc/heat-scaleout/apis-proxy.conf", "no such keyword")
    fleet.refuses("hostC", HEAT_CONF, "no such section")

    with pytest.raises(errors.NotReady) as caught:
        stage.begin(planned, fleet)

    assert caught.value.problems == (
        "hostA: /etc/heat-scaleout/apis-proxy.conf: no such keyword",
        f"hostC: {HEAT_CONF}: no such section",
    )
    assert results(fleet) == {"hostA": "none", "hostB": "refused", "hostC": "none"}
    assert [host.generations for host in fleet.hosts.values()] == [{}, {}, {}]


def test_hosts_that_are_lost_are_all_named_and_the_others_end_the_run(planned, fleet):
    fleet.loses("hostA")
    fleet.loses("hostC")

    with pytest.raises(errors.ManyFailed, match="(?s)hostA: connection refused.*hostC: connection refused") as caught:
        stage.begin(planned, fleet)

    assert caught.value.exit_code == 4
    assert results(fleet)["hostB"] == "refused"


def test_run_that_another_has_overtaken_is_refused_with_who_that_was(planned, fleet):
    stage.begin(after(planned, 3), fleet)

    with pytest.raises(errors.NotReady, match="hostB: generation 4 was begun meanwhile: invoke deploy by alice@desk"):
        stage.begin(after(planned, 3), fleet)


@pytest.mark.parametrize(
    ("trouble", "words"),
    [({"read_only": True}, "its file system is read-only"), ({"free": 4096}, "has no room: 4096 bytes are free")],
)
def test_place_that_takes_no_file_stops_all_before_the_first_change(planned, fleet, trouble, words):
    vars(fleet.hosts["hostC"]).update(trouble)

    with pytest.raises(errors.NotReady, match=f"hostC: /etc .*{words}"):
        stage.begin(planned, fleet)

    assert HEAT_CONF not in fleet.hosts["hostB"].files


def test_end_is_recorded_by_those_that_answer(planned, fleet):
    stage.begin(planned, fleet)
    fleet.loses("hostC")

    stage.record_result(Run(1, AUTHOR), DONE, list(fleet.hosts), fleet)

    assert results(fleet) == {"hostA": "done", "hostB": "done", "hostC": None}


def test_recall_brings_every_run_and_the_state_of_a_number(planned, fleet):
    stage.begin(planned, fleet)

    recalled = stage.recall(fleet.hosts, 1, fleet)

    assert [run["number"] for run in recalled["hostB"]["runs"]] == [1]
    assert generations.state_from_json(recalled["hostB"]["state"]) == planned.desired.states["hostB"]
    assert stage.recall(fleet.hosts, None, fleet)["hostB"]["state"] is None


def test_recall_needs_every_host(planned, fleet):
    fleet.loses("hostB")

    with pytest.raises(errors.HostUnreachable, match="hostB"):
        stage.recall(fleet.hosts, None, fleet)
