"""A total spread over hosts: even by weight, least change, emptiest victims."""

import itertools

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from deployer import errors
from deployer.inventory import distribute
from deployer.inventory.distribute import HostShare

MOST = 64
PLACES = st.dictionaries(
    st.sampled_from("abcdefgh"),
    st.builds(HostShare, st.integers(0, 12), st.integers(1, 64), st.lists(st.integers(0, 9), max_size=12).map(tuple)),
    min_size=1,
)
QUICK = settings(max_examples=60, deadline=None)
TOTALS = st.integers(0, 100)


def counts(total, most=MOST, **places):
    return list(distribute.distribute(total, places, most).values())


def load(count, place):
    return count / place.weight


@QUICK
@given(PLACES, TOTALS)
def test_counts_of_the_same_hosts_add_up_to_the_total_and_no_host_has_too_many(places, total):
    total = min(total, MOST * len(places))

    found = distribute.distribute(total, places, MOST)

    assert sum(found.values()) == total
    assert list(found) == list(places)
    assert all(0 <= count <= MOST for count in found.values())


@QUICK
@given(PLACES, TOTALS)
def test_growing_never_takes_away_and_shrinking_never_adds(places, total):
    total = min(total, MOST * len(places))
    before = sum(place.has for place in places.values())

    changes = [count - places[name].has for name, count in distribute.distribute(total, places, MOST).items()]

    assert sum(abs(change) for change in changes) == abs(total - before)


@QUICK
@given(PLACES, TOTALS)
def test_no_process_would_be_better_off_on_another_host(places, total):
    """Of those that came, none on a host fuller than another would be with it; of those that stayed, the reverse."""
    total = min(total, MOST * len(places))
    found = distribute.distribute(total, places, MOST)

    for one, other in itertools.permutations(places, 2):
        room = found[other] < MOST
        if found[one] > places[one].has and room:
            assert load(found[one], places[one]) <= load(found[other] + 1, places[other])
        if found[one] < places[one].has and found[other]:
            assert load(found[other], places[other]) <= load(found[one] + 1, places[one])


@QUICK
@given(PLACES, TOTALS)
def test_the_same_total_again_changes_nothing(places, total):
    total = min(total, MOST * len(places))
    found = distribute.distribute(total, places, MOST)
    again = {name: HostShare(found[name], place.weight, place.holds) for name, place in places.items()}

    assert distribute.distribute(total, again, MOST) == found


@QUICK
@given(PLACES, st.integers(0, 40), st.integers(0, 40))
def test_growing_at_once_or_one_after_the_other_ends_the_same(places, first, second):
    start = {name: HostShare(0, place.weight) for name, place in places.items()}
    low, high = sorted((first, second))
    middle = distribute.distribute(low, start, MOST)
    later = {name: HostShare(middle[name], place.weight) for name, place in places.items()}

    assert distribute.distribute(high, later, MOST) == distribute.distribute(high, start, MOST)


@QUICK
@given(PLACES)
def test_victim_among_hosts_of_one_load_is_the_one_that_holds_the_least(places):
    level = {name: HostShare(3, 2, (*place.holds, 0, 0, 0)[:3]) for name, place in places.items()}

    found = distribute.distribute(3 * len(level) - 1, level, MOST)

    (victim,) = (name for name in level if found[name] == 2)
    assert level[victim].work_of(3) == min(place.work_of(3) for place in level.values())


@pytest.mark.parametrize(
    ("total", "places", "expected"),
    [
        (6, {"b": HostShare(1), "c": HostShare(1)}, [3, 3]),
        (5, {"b": HostShare(1), "c": HostShare(1)}, [3, 2]),
        (6, {"b": HostShare(5), "c": HostShare(0)}, [5, 1]),
        (3, {"b": HostShare(0, 4), "c": HostShare(0, 2)}, [2, 1]),
        (12, {"b": HostShare(0, 16), "c": HostShare(0, 8), "d": HostShare(0, 8)}, [6, 3, 3]),
        (3, {"b": HostShare(3), "c": HostShare(3)}, [2, 1]),
        (3, {"b": HostShare(2, 1, (9, 0)), "c": HostShare(2, 1, (0, 5))}, [1, 2]),
        (2, {"b": HostShare(4), "c": HostShare(1)}, [1, 1]),
        (0, {"b": HostShare(4), "c": HostShare(1)}, [0, 0]),
        (2, {"b": HostShare(1, 0), "c": HostShare(0, 0)}, [1, 1]),
    ],
)
def test_spread_of_a_total_over_some_hosts_is(total, places, expected):
    assert counts(total, **places) == expected


def test_host_that_is_full_gets_no_more_and_the_others_do():
    assert counts(5, 2, b=HostShare(2, 64), c=HostShare(0), d=HostShare(0)) == [2, 2, 1]


def test_total_that_does_not_fit_is_refused_with_numbers():
    with pytest.raises(errors.BadInput, match="129 do not fit on 2 hosts: a host runs at most 64 of a kind"):
        counts(129, b=HostShare(1), c=HostShare(1))
