"""Several journals become one, by time, and each keeps its own order."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deployer.logs import merge
from deployer.logs.merge import LogEntry


def entry(time, message="text", unit="heat-scaleout-engine@1.service"):
    return {"time": time, "unit": unit, "pid": 1, "priority": 6, "message": message}


def test_entries_of_two_hosts_are_merged_by_time():
    found = merge.merged({"hostB": [entry(1), entry(4)], "hostC": [entry(2), entry(3)]})

    assert [(each.time, each.host) for each in found] == [(1, "hostB"), (2, "hostC"), (3, "hostC"), (4, "hostB")]


def test_entries_of_one_time_are_in_the_order_of_the_hosts():
    found = merge.merged({"hostC": [entry(1)], "hostB": [entry(1)]})

    assert [each.host for each in found] == ["hostC", "hostB"]


times = st.lists(st.integers(0, 20))


@given(times, times)
def test_no_entry_is_lost_and_each_host_keeps_its_order_even_if_its_clock_goes_back(first, second):
    journals = {"hostB": [entry(each) for each in first], "hostC": [entry(each) for each in second]}

    found = merge.merged(journals)

    assert [each.time for each in found if each.host == "hostB"] == first
    assert [each.time for each in found if each.host == "hostC"] == second


def test_message_that_is_redacted_is_no_match_for_what_it_was():
    journals = {"hostB": [entry(1, "login with *** refused"), entry(2, "s3cret"), entry(3, "S3CRETS")]}

    assert [each.time for each in merge.merged(journals, "s3cret")] == [2, 3]


@pytest.mark.parametrize(
    ("unit", "name"),
    [
        ("heat-scaleout-engine@12.service", "engine@12"),
        ("heat-scaleout-proxy.service", "proxy"),
        ("heat-engine.service", "heat-engine"),
    ],
)
def test_unit_is_called_without_what_all_units_of_ours_have(unit, name):
    assert LogEntry(1, "hostB", unit, None, None, "").name == name


def test_entry_as_json_has_its_time_in_utc_and_its_unit_whole():
    shown = merge.line_json(LogEntry(1_795_284_551_681_074, "hostB", "heat-scaleout-api@8004.service", 42, 6, "text"))

    assert shown == {
        "schema_version": 1,
        "time": "2026-11-21T18:09:11.681074+00:00",
        "host": "hostB",
        "unit": "heat-scaleout-api@8004.service",
        "pid": 42,
        "priority": 6,
        "message": "text",
    }
