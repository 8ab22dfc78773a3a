"""What processes do a second, from what was counted at two times."""

import pytest
import sites

from deployer import pipeline
from deployer.status import rates
from deployer.status.rates import Counters, Rates

ENGINE, API = ("hostB", "heat-scaleout-engine@1.service"), ("hostB", "heat-scaleout-api@8004.service")


def of(before, now):
    return rates.rates({API: before} if before else {}, {API: now})[API]


def test_rates_are_the_differences_by_the_seconds_on_the_clock_of_who_counts():
    before = Counters(pid=7, at=100.0, cpu=10.0, memory=5, requests_at=50.0, requests=1000)
    now = Counters(pid=7, at=102.0, cpu=10.5, memory=6, requests_at=54.0, requests=1100)

    assert of(before, now) == Rates(requests_per_second=25.0, cpu_percent=25.0, memory_bytes=6)


def test_process_that_was_not_counted_before_has_its_memory_and_no_rates():
    assert of(None, Counters(7, 102.0, 10.5, 6, 54.0, 1100)) == Rates(None, None, 6)


@pytest.mark.parametrize(
    "now",
    [
        Counters(pid=7, at=102.0, cpu=0.1, memory=6, requests_at=54.0, requests=3),  # the counters began anew
        Counters(pid=7, at=100.0, cpu=10.5, memory=6, requests_at=50.0, requests=1100),  # no time has passed
        Counters(pid=7, at=3.0, cpu=10.5, memory=6, requests_at=3.0, requests=1100),  # the host was started again
        Counters(pid=7, at=102.0, cpu=None, memory=6, requests_at=54.0, requests=None),  # nobody counts it now
    ],
    ids=["reset", "no time", "reboot", "not counted"],
)
def test_rates_that_nobody_can_know_are_left_out(now):
    before = Counters(pid=7, at=100.0, cpu=10.0, memory=5, requests_at=50.0, requests=1000)

    assert of(before, now) == Rates(None, None, 6)


def test_process_in_the_place_of_another_has_no_cpu_of_its_own_yet():
    before = Counters(pid=7, at=100.0, cpu=0.1)

    assert of(before, Counters(pid=8, at=102.0, cpu=0.5)).cpu_percent is None


def test_process_that_did_nothing_has_rates_of_0():
    before = Counters(7, 100.0, 10.0, 5, 50.0, 1000)

    assert of(before, Counters(7, 102.0, 10.0, 5, 52.0, 1000)) == Rates(0.0, 0.0, 5)


def test_total_of_requests_is_that_of_those_who_were_counted_and_unknown_for_none():
    assert rates.total_requests({API: Rates(2.5), ENGINE: Rates(None)}) == 2.5
    assert rates.total_requests({ENGINE: Rates(None)}) is None


def test_counters_of_a_site_are_of_every_process_that_runs(inventory, fleet):
    sites.deploy(inventory, fleet)

    found = pipeline.status(inventory, fleet, counters=True).counters

    assert (found[API].requests, found[API].cpu, found[API].at) == (7, 12.5, fleet.hosts["hostB"].uptime)
    assert (found[ENGINE].requests, found[ENGINE].memory) == (None, 200 * 2**20)
    assert found["hostA", "heat-engine.service"].cpu == 12.5


def test_status_that_nobody_watches_is_asked_as_before_and_has_no_counters(inventory, fleet):
    sites.deploy(inventory, fleet)
    fleet.asked.clear()

    assert pipeline.status(inventory, fleet).counters == {}

    assert fleet.asked == [("observe", "observe", ("hostA", "hostB", "hostC"))]


def test_status_that_is_watched_takes_one_request_a_host(inventory, fleet):
    sites.deploy(inventory, fleet)
    fleet.asked.clear()

    pipeline.status(inventory, fleet, counters=True)

    assert fleet.asked == [("observe", "watch", ("hostA", "hostB", "hostC"))]


def test_requests_are_not_known_while_the_proxys_host_does_not_answer(inventory, fleet):
    sites.deploy(inventory, fleet)
    fleet.loses("hostA")

    found = pipeline.status(inventory, fleet, counters=True).counters

    assert (found[API].requests, found[API].cpu) == (None, 12.5)
    assert "hostA" not in {host for host, _ in found}
