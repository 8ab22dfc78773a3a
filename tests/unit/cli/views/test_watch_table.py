"""The table of a watch: its columns stay in place, and what has no room goes, the least important first."""

import pytest

from deployer.cli.views import watch_table
from deployer.status.instances import InstanceStatus
from deployer.status.rates import Rates

ENGINE, API = "heat-scaleout-engine@1.service", "heat-scaleout-api@8004.service"
ROWS = (
    InstanceStatus("hostA", "engine", "heat-engine.service", pid=204, state="running", drift="host's own"),
    InstanceStatus(
        "hostB",
        "api",
        API,
        pid=187,
        state="running",
        proxy="UP",
        sessions=3,
        listens_on=("198.18.2.12:8004",),
    ),
    InstanceStatus(
        "hostB",
        "engine",
        ENGINE,
        pid=100,
        state="running",
        heat="up",
        workers={"up": 2, "down": 0},
        queue={"messages": 5, "consumers": 2},
    ),
)
RATES = {
    ("hostB", API): Rates(43.75, 3.61, 157 * 2**20),
    ("hostB", ENGINE): Rates(None, 100.0, 3 * 2**29),
}


def titles(lines):
    return lines[0].split()


def test_table_with_room_for_all_has_every_column_and_what_each_process_does():
    assert watch_table.lines(ROWS, RATES, None) == [
        "HOST   UNIT         STATE    HEALTH   REQ/S  OPEN  QUEUE     CPU   MEMORY  PID  ADDRESS           DRIFT",
        "hostA  heat-engine  running                                                204                    host's own",
        "hostB  api@8004     running  UP        43.8     3           3.6%  157 MiB  187  198.18.2.12:8004",
        "hostB  engine@1     running  2 up                      5  100.0%  1.5 GiB  100",
    ]


def test_table_in_80_columns_has_the_important_ones_and_no_longer_line():
    lines = watch_table.lines(ROWS, RATES, 80)

    assert titles(lines) == ["HOST", "UNIT", "STATE", "HEALTH", "REQ/S", "QUEUE", "CPU", "MEMORY", "DRIFT"]
    assert max(map(len, lines)) <= 80


@pytest.mark.parametrize("width", range(20, 130))
def test_column_has_room_or_is_left_out_whatever_the_width(width):
    lines = watch_table.lines(ROWS, RATES, width)
    whole = watch_table.lines(ROWS, RATES, None)

    assert max(map(len, lines)) <= width
    assert titles(lines) == [title for title in titles(whole) if title in titles(lines)]


def test_wider_window_never_has_fewer_columns():
    counts = [len(titles(watch_table.lines(ROWS, RATES, width))) for width in range(20, 130)]

    assert counts == sorted(counts)


def test_columns_stay_in_place_when_the_numbers_come_and_grow():
    first = watch_table.lines(ROWS, {}, 80)[0]

    assert watch_table.lines(ROWS, RATES, 80)[0] == first


def test_long_drift_takes_no_room_of_what_is_more_important_than_16_letters():
    drifting = InstanceStatus("hostB", "api", API, state="running", drift="holds the address of " + "x" * 80)

    assert titles(watch_table.lines([*ROWS, drifting], RATES, 80))[-4:] == ["REQ/S", "QUEUE", "CPU", "DRIFT"]


def test_api_that_is_not_up_shows_its_last_check():
    down = InstanceStatus("hostB", "api", API, state="running", proxy="DOWN", check="L4CON")

    assert "DOWN L4CON" in watch_table.lines([down], {}, 80)[1]


def test_site_without_processes_has_the_titles_alone():
    assert [line.split()[0] for line in watch_table.lines([], {}, 80)] == ["HOST"]
