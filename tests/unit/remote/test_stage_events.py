"""What a stage tells of its steps, whatever a host says of them."""

import pytest

from deployer import errors
from deployer.model.events import Level, StepFinished
from deployer.remote import stage_events

REQUESTS = {"hostB": {"steps": [{"do": "run", "description": "one"}, {"do": "run", "description": "two"}]}, "hostC": {}}


@pytest.fixture
def told():
    return []


@pytest.fixture
def stage(told):
    return stage_events.begun("try", REQUESTS, Level.INFO, told.append)


def test_stage_names_the_steps_of_each_host_that_has_some(stage, told):
    assert told[0].steps == {"hostB": ("one", "two")}


def test_step_is_told_once_in_order_and_by_its_sentence(stage, told):
    for number in (2, 1, 1, 2, 3, 0, -1):
        stage.step_finished("hostB", number, 0.5, "done")
    stage.step_finished("hostC", 1, 0.5, "done")

    steps = [event for event in told if isinstance(event, StepFinished)]
    assert [(event.host, event.step, event.number) for event in steps] == [("hostB", "one", 1), ("hostB", "two", 2)]


def test_step_that_ended_in_no_known_way_is_not_told(stage, told):
    stage.step_finished("hostB", 1, 0.5, "exploded")

    assert len(told) == 1


@pytest.mark.parametrize(
    ("reply", "failed"),
    [
        (errors.HostUnreachable("hostB", "gone"), True),
        ({"failed": {"index": 0, "why": "it broke"}}, True),
        ({"failed": {"index": 0, "why": "it works on", "again": True}}, False),
        ({"failed": None}, False),
        ({}, False),
    ],
)
def test_host_that_failed_is_told_apart_from_one_that_waits(stage, told, reply, failed):
    stage.host_finished("hostB", reply)
    stage.end()

    assert (told[1].failed, told[2].failed) == (failed, ("hostB",) if failed else ())
