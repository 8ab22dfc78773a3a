"""Several numbers changed in one pass give what one change after the other gives; sizes of engines are set in place."""

import functools

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from inventory_texts import INVENTORIES, a_text, read
from test_inventory_editor import HEAD, LAYOUTS, TAILS

from deployer import errors
from deployer.inventory import editor
from deployer.model.service import Service

KINDS = (Service.API, Service.CFN, Service.ENGINE)
HOST_C = "  hostC:\n    address: 10.0.0.3\n    engines: 1  # of C\n"


def one_by_one(text, totals):
    """The same by a change of one number at a time."""
    for host, counts in totals.items():
        for service, count in counts.items():
            now = sum(each.service is service for each in read(text).instances_of(host))
            change = functools.partial(editor.with_more if count > now else editor.with_fewer, text, host, service)
            text = change(abs(count - now)) if count != now else text
    return text


def numbers(text, host):
    instances = read(text).instances_of(host)
    return tuple(sum(each.service is kind for each in instances) for kind in KINDS)


@pytest.mark.parametrize("layout", LAYOUTS.values(), ids=LAYOUTS)
@pytest.mark.parametrize("tail", [*TAILS[:3], HOST_C], ids=range(4))
@pytest.mark.parametrize("wanted", [(3, 2, 5), (0, 1, 1)])
def test_totals_of_a_host_in_every_layout_are_as_if_changed_one_by_one(layout, tail, wanted):
    text = HEAD + layout + tail
    totals = {"hostB": dict(zip(KINDS, wanted, strict=True)), "hostA": {Service.ENGINE: 4, Service.API: 1}}

    edited = editor.with_totals(text, totals)

    assert edited == one_by_one(text, totals)
    assert (numbers(edited, "hostB"), numbers(edited, "hostA")) == (wanted, (1, 0, 4))


@settings(max_examples=25, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 5), st.integers(0, 5), st.integers(1, 5)), min_size=3, max_size=3))
def test_totals_of_several_hosts_are_what_the_text_then_says(wanted):
    totals = {
        host: dict(zip(KINDS, counts, strict=True))
        for host, counts in zip(("hostA", "hostB", "hostC"), wanted, strict=True)
    }

    edited = editor.with_totals(a_text(), totals)

    assert [numbers(edited, host) for host in totals] == wanted


def test_totals_keep_comments_byte_order_mark_and_line_ends():
    text = ("\ufeff" + HEAD + LAYOUTS["block with comments"]).replace("\n", "\r\n")

    edited = editor.with_totals(text, {"hostB": {Service.ENGINE: 3, Service.API: 2}})

    assert edited == text.replace("engines:    2", "engines:    3").replace("api:   1 ", "api:   2 ")


def test_totals_that_are_there_already_leave_every_byte():
    assert editor.with_totals(a_text(), {"hostB": {Service.ENGINE: 2, Service.CFN: 1}, "hostA": {}}) == a_text()


def test_new_kinds_of_one_host_come_in_the_order_they_were_given():
    text = HEAD + "  hostB:\n    address: 10.0.0.2\n"

    edited = editor.with_totals(text, {"hostB": {Service.API: 1, Service.CFN: 1, Service.ENGINE: 2}})

    assert edited == text + "    api: 1\n    cfn: 1\n    engines: 2\n"


def test_port_that_one_kind_gets_is_taken_for_the_next():
    text = HEAD + "  hostB: {address: 10.0.0.2, api: [8001], cfn: [8000]}\n"

    edited = editor.with_totals(text, {"hostB": {Service.API: 2, Service.CFN: 2}})

    assert "api: [8001, 8002], cfn: [8000, 8003]" in edited


@pytest.mark.parametrize(
    ("totals", "words"),
    [
        ({"hostX": {Service.ENGINE: 1}}, "no host hostX"),
        ({"hostB": {Service.ENGINE: 65}}, "hostB: 65 engines: a host runs at most 64"),
        ({"hostB": {Service.PROXY: 2}}, "there is one proxy"),
    ],
)
def test_totals_that_cannot_be_are_refused(totals, words):
    with pytest.raises(errors.BadInput) as caught:
        editor.with_totals(a_text(), totals)

    assert words in caught.value.message


@pytest.mark.parametrize("path", INVENTORIES, ids=lambda path: path.stem)
def test_engine_workers_are_set_and_set_back(path):
    text = path.read_text()
    before = read(text).heat.engine_workers

    edited = editor.with_engine_workers(text, 7)

    assert read(edited).heat.engine_workers == 7
    assert read(edited).hosts == read(text).hosts
    assert before is None or editor.with_engine_workers(edited, before) == text


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("heat: {source: hostA}", "heat: {source: hostA, engine_workers: 6}"),
        ("heat: {engine_workers: 2, source: hostA}  # x", "heat: {engine_workers: 6, source: hostA}  # x"),
        ("heat:\n  source: hostA  # y", "heat:\n  source: hostA  # y\n  engine_workers: 6"),
    ],
)
def test_engine_workers_are_written_in_the_style_of_their_section(before, after):
    text = HEAD.replace("heat: {source: hostA}", before)

    assert editor.with_engine_workers(text, 6) == HEAD.replace("heat: {source: hostA}", after)


def test_engine_workers_that_are_so_already_leave_every_byte():
    text = a_text(heat="source: hostA, engine_workers: 4")

    assert editor.with_engine_workers(text, 4) == text


@pytest.mark.parametrize("workers", [0, -1, 65])
def test_engine_workers_that_cannot_be_are_refused(workers):
    with pytest.raises(errors.BadInput, match="heat: the change would leave a wrong inventory"):
        editor.with_engine_workers(a_text(), workers)
