"""Heat's own list of engines, read through the fleet."""

import json

import pytest
import sites

from deployer import errors
from deployer.heat import engines
from deployer.heat.engines import EngineView, Queue
from deployer.observed import observe

HELD = "resources_held"


def test_resources_held_of_a_source_that_is_lost_raise_its_error():
    inventory = sites.an_inventory()
    fleet = sites.a_fleet(inventory)
    fleet.loses("hostA")

    with pytest.raises(errors.HostUnreachable):
        engines.resources_held(inventory, fleet)


def test_resources_held_without_a_database_raise_with_the_host_and_the_reason():
    inventory = sites.an_inventory()
    fleet = sites.a_fleet(inventory)
    fleet.breaks("hostA", "python3", "OperationalError: (2003) cannot connect")

    with pytest.raises(errors.HostFailed, match=r"hostA: OperationalError: \(2003\) cannot connect"):
        engines.resources_held(inventory, fleet)


def test_answers_of_several_hosts_are_those_that_work_and_the_errors_of_the_others():
    fleet = sites.a_fleet(sites.an_inventory())
    fleet.breaks("hostB", '"run"', "no Python there")

    found = engines.answers(fleet, "try", HELD, dict.fromkeys(("hostB", "hostC"), ("/bin/cat", '{"x": 1}')), 5.0)

    assert isinstance(found["hostB"], errors.HostFailed)
    assert found["hostC"] == {"x": 1}


@pytest.mark.parametrize("printed", ["", "no JSON", "[" * 100_000, '{"x": "\x1b[2K"}', '{"x": -1}', "[]", "null"])
def test_output_of_a_script_that_is_not_its_own_is_an_error_of_its_host(printed):
    fleet = sites.a_fleet(sites.an_inventory())

    found = engines.answers(fleet, "try", HELD, {"hostB": ("/bin/cat", printed)}, 5.0)["hostB"]

    assert isinstance(found, errors.HostFailed)
    assert found.message.startswith("hostB: the output of resources_held is refused: ")
    assert found.message.isprintable()


def test_answers_gives_the_program_as_input_and_never_as_an_argument():
    fleet = sites.a_fleet(sites.an_inventory())
    seen = []
    fleet.hosts["hostB"].run_program = lambda host, argv, given: seen.append((argv, given)) or "{}"

    engines.answers(fleet, "try", HELD, {"hostB": ("/opt/heat/bin/python3", "secret")}, 5.0)

    assert seen == [(["/opt/heat/bin/python3", "-"], "secret")]


def seen(fleet, inventory):
    """What a look at the source brings back of Heat."""
    found = observe.observe_site(inventory, fleet, programs=engines.question(inventory))
    return engines.view(found.hosts["hostA"].facts.answers)


def test_view_has_the_rows_and_the_queues_of_one_observation():
    inventory = sites.an_inventory()
    fleet = sites.a_fleet(inventory)

    view = seen(fleet, inventory)

    (row,) = view.rows
    assert (row.host, view.queues, view.known, view.problems) == ("hostA", {row.engine_id: Queue(0, 1)}, True, ())
    assert fleet.asked == [("observe", "observe", ("hostA", "hostB", "hostC"))]


@pytest.mark.parametrize(
    "printed",
    [
        "",
        "[" * 100_000,
        "{}",
        '{"rows": [1], "queues": {}, "problems": []}',
        '{"rows": [], "queues": [], "problems": []}',
    ],
)
def test_view_that_heats_python_did_not_print_is_unknown_and_says_so(printed):
    view = engines.view({engines.QUESTION: {"printed": printed, "why": None}})

    assert not view.known
    assert view.problems[0].startswith("Heat's Python: the output of engine_view is refused: ")


def test_names_that_tenants_give_are_shown_in_one_line_without_what_steers_a_terminal():
    row = {"engine_id": "e\n", "host": "\x1b[2Khost", "hostname": "\u202ecba", "up": True, "age": 1.0}
    printed = json.dumps({"rows": [row], "queues": {}, "problems": []})

    (found,) = engines.view({engines.QUESTION: {"printed": printed, "why": None}}).rows

    assert (found.engine_id, found.host, found.hostname) == ("e\\x0a", "\\x1b[2Khost", "\\u202ecba")


def test_only_the_source_is_asked_for_heats_view():
    inventory = sites.an_inventory()

    found = observe.observe_site(inventory, sites.a_fleet(inventory), programs=engines.question(inventory)).hosts

    assert [name for name, each in found.items() if each.facts.answers] == ["hostA"]


def test_question_gives_the_program_as_input_and_never_as_an_argument():
    (question,) = engines.question(sites.an_inventory()).values()

    assert question["argv"] == ["/opt/heat/bin/python3", "-"]


def test_view_without_an_answer_knows_nothing_and_gives_the_reason():
    inventory = sites.an_inventory()
    fleet = sites.a_fleet(inventory)
    fleet.breaks("hostA", "python3", "ModuleNotFoundError: No module named 'sqlalchemy'")

    assert seen(fleet, inventory) == EngineView(
        known=False, problems=("Heat's Python: ModuleNotFoundError: No module named 'sqlalchemy'",)
    )
    assert engines.view({}).known is False


def test_view_without_the_broker_has_the_rows_and_gives_the_reason():
    told = {
        "rows": [{"engine_id": "a", "host": "h", "hostname": "h", "up": True, "age": 1.0}],
        "queues": {},
        "problems": ["broker: 10.0.0.1:5672: refused"],
    }

    view = engines.view({"engines": {"printed": json.dumps(told), "why": None}})

    assert (view.known, view.problems) == (True, ("Heat's broker: 10.0.0.1:5672: refused",))
    assert (view.is_alive(view.rows[0]), view.queue(view.rows)) == (True, None)


def test_view_without_the_database_knows_nothing():
    told = {"rows": None, "queues": {}, "problems": ["database: OperationalError: refused"]}

    assert not engines.view({"engines": {"printed": json.dumps(told), "why": None}}).known


def test_queue_without_anybody_tells_a_dead_row_and_the_queues_of_several_are_added():
    rows = tuple(engines.EngineRow(each, "h", "h", True, 1.0) for each in "abc")
    view = EngineView(rows, {"a": Queue(3, 1), "b": Queue(2, 0), "c": None})

    assert [view.is_alive(row) for row in rows] == [True, False, False]
    assert view.queue(rows) == Queue(5, 1)
