"""What is sent, and when, is fixed before anything is sent."""

import pytest

from benchmarks.load import requests


def orders(count, rate=200.0):
    return [requests.order(number, "ab12cd", rate) for number in range(count)]


def test_requests_are_due_at_a_fixed_rate_whatever_happens():
    assert [each.due for each in orders(4)] == [0.0, 0.005, 0.01, 0.015]


def test_half_is_over_kept_connections_and_half_are_posts():
    some = orders(160)

    assert sum(1 for each in some if each.kept) == 80
    assert sum(1 for each in some if each.kind.method == "POST" and each.kept) == 40
    assert {each.kind for each in some} == set(requests.KINDS)


def test_request_carries_its_id_in_its_path_and_in_a_header():
    for each in orders(32):
        assert each.identity in each.path
        assert each.headers[requests.HEADER] == each.identity


def test_request_over_a_connection_of_its_own_says_so():
    assert [each.headers.get("Connection") for each in orders(4)] == [None, "close", None, "close"]


def test_every_id_is_unique_and_gives_its_number_back():
    some = orders(500)

    assert len({each.identity for each in some}) == 500
    assert [requests.number_of(each.identity) for each in some] == [each.number for each in some]


@pytest.mark.parametrize("address", ["127.0.0.1", "198.18.7.11"])
def test_lab_and_loopback_may_be_asked(address):
    requests.refuse_stranger(address)


@pytest.mark.parametrize("address", ["198.19.0.1", "192.0.2.1", "10.0.0.1", "example.org", "2001:db8::1"])
def test_any_other_target_is_refused_before_anything_is_sent(address):
    with pytest.raises(ValueError):
        requests.refuse_stranger(address)
