"""Each slow request is kept with the proxy's timers, which say what it waited for."""

import pytest

from benchmarks.load import requests, slow
from benchmarks.load.arrivals import Book
from benchmarks.load.samples import Sample, Window

RUN = "45e77d"
MEDIANS = {"add-api": 2.5, "quiet": 2.5}
ADD_API = Window("add-api", 10.0, 20.0)
LINE = (
    "Nov 21 04:09:01 hostA heat-scaleout-proxy.service[77]: 198.18.3.1:4242 [21/Nov/2026:04:09:01.123] rest_api_proxy "
    'rest_api_proxy/{server} {timers} 401 331 - - ---- 1/1/0/0/0 0/0 "POST /v1/{id}/stacks HTTP/1.1"'
)


def a_sample(number=2, due=11.0, took=0.05, late=0.0):
    return Sample(number, due, due + late, due + took, requests.order(number, "", 1.0).kind.expected)


def a_book(**timers):
    """The proxy's lines by number (n2="0/0/0/48/48"), all of one server."""
    book = Book(RUN)
    for name, values in timers.items():
        identity = requests.identity(RUN, int(name[1:]))
        book.lines[identity] = LINE.format(server="hostB-8004", timers=values, id=identity)
    return book


def found(book, *samples, windows=(ADD_API,)):
    return slow.slow(book, samples, windows, MEDIANS)


@pytest.mark.parametrize(
    ("timers", "cause"),
    [
        ("0/0/0/48/49", slow.SERVER),
        ("0/40/0/6/49", slow.QUEUE),
        ("0/0/41/5/49", slow.CONNECTION),
        ("39/0/0/8/49", slow.CLIENT),
        ("0/0/0/3/4", slow.UNSEEN),
        ("0/45/-1/-1/+49", slow.QUEUE),
    ],
)
def test_slow_request_waited_for_what_most_of_its_time_went_to(timers, cause):
    (one,) = found(a_book(n2=timers), a_sample())

    assert (one.cause, one.server, one.took) == (cause, "rest_api_proxy/hostB-8004", 50.0)
    assert (one.at, one.into) == (0.0, 1.0)
    assert list(one.timers.values()) == [int(each) for each in timers.replace("+", "").split("/")]


def test_request_of_which_no_proxy_tells_went_to_the_server_itself():
    (one,) = found(a_book(), a_sample())

    assert (one.cause, one.timers) == (slow.DIRECT, None)


def test_request_within_some_medians_or_out_of_every_window_is_not_slow():
    assert found(a_book(), a_sample(took=0.015), a_sample(due=21.0)) == []


def test_first_answers_of_a_server_that_had_rested_are_told():
    timers = "0/0/0/48/48"
    book = a_book(**{f"n{number}": timers for number in range(102)})
    early = [a_sample(number, due=9.0 + number / 100, took=0.005) for number in range(100)]

    late, rested = found(book, *early, a_sample(100, due=10.0), a_sample(101, due=13.0))

    assert (late.nth, late.is_first) == (101, False)
    assert (rested.nth, rested.is_first) == (1, True)


def test_counts_tell_how_many_waited_for_what_and_how_many_were_first():
    book = a_book(n2="0/0/0/48/48", n3="0/0/0/90/90", n6="0/60/0/1/61")
    samples = [a_sample(2), a_sample(3, took=0.1), a_sample(6, took=0.07)]

    assert slow.counts(found(book, *samples)) == [
        {"window": "add-api", "cause": slow.SERVER, "slow": 2, "first": 2, "most": 100.0},
        {"window": "add-api", "cause": slow.QUEUE, "slow": 1, "first": 1, "most": 70.0},
    ]


def test_slowest_of_each_window_are_kept_in_their_order(monkeypatch):
    monkeypatch.setattr(slow, "MOST_KEPT", 2)
    samples = [a_sample(2, took=0.09), a_sample(3, due=12.0, took=0.03), a_sample(6, due=13.0, took=0.2)]

    kept = slow.slowest(found(a_book(), *samples, windows=[ADD_API]))

    assert [each.took for each in kept] == [90.0, 200.0]
