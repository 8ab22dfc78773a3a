"""Figures follow from the samples alone."""

from benchmarks.load import requests, samples
from benchmarks.load.samples import Sample, Window


def a_sample(number=0, due=0.0, waited=0.01, status=None, late=0.0, why=""):
    right = requests.order(number, "", 1.0).kind.expected
    return Sample(number, due, due + late, due + waited, right if status is None else status, why)


def test_latency_counts_from_when_it_was_due_not_from_when_it_was_sent():
    result = samples.result("r", [a_sample(due=1.0, late=3.0, waited=3.01)], [Window("all", 0.0, 9.0)])

    assert round(result.window("all").p99) == 3010
    assert round(result.window("all").late_p99) == 3000


def test_request_counts_in_every_window_in_which_it_was_waited_for():
    windows = [Window("quiet", 0.0, 1.0), Window("reload", 1.0, 2.0), Window("quiet", 2.0, 3.0)]

    result = samples.result("r", [a_sample(due=0.9, waited=0.2), a_sample(due=2.5)], windows)

    counted = [(each.name, each.requests, each.seconds) for each in result.windows]
    assert counted == [("quiet", 2, 2.0), ("reload", 1, 1.0)]


def test_any_status_but_the_expected_one_is_a_failure():
    some = [a_sample(0), a_sample(1, status=503), a_sample(2, status=200), a_sample(3, status=0, why="Refused")]

    result = samples.result("r", some, [Window("add-api", 0.0, 1.0)])

    assert (result.requests, result.posts, result.failed) == (4, 2, 3)
    assert [each["why"] for each in result.failures] == [
        "status 503 instead of 200",
        "status 200 instead of 401",
        "Refused",
    ]
    assert result.failures[0]["id"] == "load-r-0000001" and result.failures[0]["window"] == "add-api"


def test_percentile_is_the_nearest_rank_and_0_of_nothing():
    values = [float(each) for each in range(1, 101)]

    assert [samples.percentile(values, percent) for percent in (50, 99, 100)] == [50.0, 99.0, 100.0]
    assert samples.percentile([7.0], 99) == 7.0
    assert samples.percentile([], 99) == 0.0
