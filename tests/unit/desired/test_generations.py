"""What a host keeps of a deploy comes back as it was, and the generation to go back to is the one that was meant."""

import base64
import json

import pytest
import sites

from deployer import errors
from deployer.desired import desired_state, generations
from deployer.model.facts import Facts, Observation
from deployer.model.run import DONE, MOST_GENERATIONS, UNKNOWN_AUTHOR, Author, Run
from deployer.model.state import HostState
from deployer.observed import history
from deployer.remote import replies

AUTHOR = Author("alice@desk", "invoke deploy", "2026-11-21T00:00:00Z", "0.1.0", "/sites/some.yaml", "version: 1\n")
SITES = {
    "27": (sites.an_inventory(), sites.HEAT_27),
    "24": (sites.an_inventory(), sites.HEAT_24),
    "guide": (sites.guide(), sites.HEAT_24),
    "drained": (sites.an_inventory(hostB="{address: 10.0.0.2, api: 2, engines: 1, drained: true}"), sites.HEAT_27),
}


def states(name):
    inventory, installed = SITES[name]
    return desired_state.desired_states(inventory, sites.bare(inventory, installed=installed)).states


def kept(state):
    """A state as a host sends it: JSON, with the contents of its files; and as it is taken here."""
    sent = json.loads(json.dumps(generations.state_to_json(state)))
    for path, each in sent["files"].items():
        each["content"] = base64.b64encode(state.files[path].content).decode()
    return replies.checked("hostB", "recall", {}, {"runs": [], "state": sent})["state"]


def every_field(state):
    """All that a file and a unit have, also what is not compared."""
    return {path: vars(file) for path, file in state.files.items()}, {
        name: {key: value for key, value in vars(unit).items() if key != "pid"} for name, unit in state.units.items()
    }


@pytest.mark.parametrize("name", SITES)
def test_every_state_comes_back_with_contents_proofs_and_all_else(name):
    observed = states(name)

    assert any(unit.ready for state in observed.values() for unit in state.units.values())
    for state in observed.values():
        assert every_field(generations.state_from_json(kept(state))) == every_field(state)


def test_kept_state_has_no_content_of_a_file():
    state = states("27")["hostB"]

    text = json.dumps(generations.state_to_json(state))

    assert [
        path for path, file in state.files.items() if file.content and base64.b64encode(file.content).decode() in text
    ] == []


def test_host_that_has_kept_nothing_had_nothing_of_ours():
    assert generations.state_from_json(None) == HostState()


def test_run_comes_back_with_its_author():
    run = Run(7, AUTHOR, DONE)

    assert history.run_of(json.loads(json.dumps(run.json()))) == run


def test_authors_inventory_is_not_printed():
    assert "version" not in repr(Run(7, AUTHOR))


def known(*results):
    """Generations 1, 2, ... with these results."""
    return {number: (Run(number, UNKNOWN_AUTHOR, result), ("hostA",)) for number, result in enumerate(results, 1)}


@pytest.mark.parametrize(
    ("results", "number"),
    [
        (("done", "done"), 1),
        (("done", "failed", "done"), 1),
        (("done", "done", "put back"), 2),
        (("done", None, None), 1),
        (("done", "done", "failed", None), 2),
    ],
)
def test_without_a_number_the_target_is_the_last_that_was_done_before_the_newest(results, number):
    assert history.rollback_target(known(*results), None).number == number


@pytest.mark.parametrize("results", [(), ("done",), ("failed", "done"), (None, "put back")])
def test_without_an_earlier_one_that_was_done_there_is_no_target(results):
    with pytest.raises(errors.BadInput, match="no earlier generation") as caught:
        history.rollback_target(known(*results), None)

    assert "invoke restore" in caught.value.hint


def test_number_is_the_target_whatever_its_result_and_an_unknown_one_names_those_that_are():
    assert history.rollback_target(known("done", "failed", "done"), 2).number == 2
    with pytest.raises(errors.BadInput, match="no generation 9") as caught:
        history.rollback_target(known("done", "failed"), 9)
    assert "1, 2" in caught.value.hint


def a_kept_run(number, result):
    return Run(number, AUTHOR, result).json()


def test_generations_of_all_hosts_are_merged_in_order_with_their_hosts():
    merged = history.merge_runs(
        {
            "hostA": [a_kept_run(1, "done"), a_kept_run(3, "done")],
            "hostB": [a_kept_run(2, "failed"), a_kept_run(3, "done")],
        }
    )

    assert [(number, run.result, hosts) for number, (run, hosts) in merged.items()] == [
        (1, "done", ("hostA",)),
        (2, "failed", ("hostB",)),
        (3, "done", ("hostA", "hostB")),
    ]


@pytest.mark.parametrize("results", [("done", None), (None, "done")])
def test_run_that_has_not_ended_on_one_host_has_not_ended(results):
    merged = history.merge_runs(
        {f"host{name}": [a_kept_run(1, result)] for name, result in zip("AB", results, strict=True)}
    )

    assert merged[1][0].result is None


def test_generation_that_hosts_remember_alike_is_not_disputed():
    runs = {host: [a_kept_run(1, "done")] for host in ("hostA", "hostB")} | {"hostC": []}

    history.refuse_disputed(1, runs, "hostA")


@pytest.mark.parametrize(
    ("runs", "words"),
    [
        ({"hostA": [a_kept_run(1, "done")], "hostB": [a_kept_run(1, "done") | {"text": "evil"}]}, "hostB remembers"),
        ({"hostA": [], "hostB": [a_kept_run(1, "done")]}, "hostA does not remember it"),
    ],
)
def test_generation_of_which_one_host_alone_says_what_its_inventory_was_is_refused(runs, words):
    with pytest.raises(errors.BadInput, match=words):
        history.refuse_disputed(1, runs, "hostA")


def a_found(result, doing=None, number=4):
    last_run = a_kept_run(number, result) | {"doing": doing}
    return Observation(HostState(), Facts(last_run=last_run))


def test_run_that_has_not_ended_is_reported_with_its_hosts_author_and_step():
    text = "\n".join(
        history.describe_unfinished(
            {
                "hostA": a_found("done"),
                "hostB": a_found(None, "restart it"),
                "hostC": a_found(None),
                "hostD": Observation(HostState()),
            }
        )
    )

    for word in ("hostB", "hostC", "generation 4", "invoke deploy", "alice@desk", "in progress: restart it"):
        assert word in text
    assert "hostA" not in text and "hostD" not in text


@pytest.mark.parametrize(("numbers", "following"), [((), 1), ((4,), 5), ((4, 9), 10)])
def test_next_run_is_newer_than_the_newest_of_any_host(numbers, following):
    observed = {f"host{number}": a_found("done", number=number) for number in numbers} | {
        "bare": Observation(HostState())
    }

    assert history.next_run(observed, AUTHOR) == Run(following, AUTHOR)


def has_kept(state, *runs):
    return {"runs": [a_kept_run(number, "done") | {"hosts": hosts} for number, hosts in runs], "state": state}


def test_states_of_a_generation_are_those_of_each_host():
    state = states("27")["hostB"]

    observed = generations.states_of(
        3, {"hostA": has_kept(None), "hostB": has_kept(kept(state), (3, ["hostB"]))}, ["hostB"]
    )

    assert observed == {"hostA": HostState(), "hostB": state}


@pytest.mark.parametrize("empty", [None, {"files": {}, "units": {}}])
def test_generation_without_anything_of_a_host_that_works_then_is_refused(empty):
    with pytest.raises(errors.BadInput, match="generation 3 has no state on hostB$"):
        generations.states_of(3, {"hostA": has_kept(None), "hostB": has_kept(empty)}, ["hostB", "hostB"])


def test_generation_that_was_refused_while_a_host_was_lost_is_there_alone_and_is_refused():
    state, hosts = kept(states("27")["hostB"]), ["hostA", "hostB"]

    with pytest.raises(errors.BadInput, match="generation 4 has no state on hostA$"):
        generations.states_of(
            4, {"hostA": has_kept(state, (3, hosts)), "hostB": has_kept(state, (3, hosts), (4, hosts))}, hosts
        )


def test_number_that_no_site_comes_to_is_refused_with_its_host_before_it_is_passed_on():
    observed = {"hostA": a_found("done"), "hostB": a_found("done", number=MOST_GENERATIONS)}

    with pytest.raises(errors.BadInput, match=r"^hostB: the newest generation there has the number 1000000000"):
        history.next_run(observed, AUTHOR)
