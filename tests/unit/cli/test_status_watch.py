"""A picture taken again and again: where it is written, and when that ends."""

import io
import itertools
import json
import signal

import pytest
import sites

from deployer import pipeline
from deployer.cli import status_watch
from deployer.cli.output import output
from deployer.cli.output.output_options import Format, OutputOptions
from deployer.cli.views import alternate_screen
from deployer.status import site


class Terminal(io.StringIO):
    def isatty(self):
        return True


def repeat(look, ends=False):
    return status_watch.repeat(look, print, 2.0, ends)


@pytest.fixture
def naps(monkeypatch):
    """How long it slept between two pictures; the clock stands still, and nobody waits."""
    observed = []
    monkeypatch.setattr(status_watch.time, "monotonic", lambda: 7.0)
    monkeypatch.setattr(status_watch.time, "sleep", observed.append)
    return observed


def pictures(*codes):
    """One picture for each code, then Ctrl-C."""
    numbers = itertools.count(1)
    left = iter(codes)

    def look():
        code = next(left, None)
        if code is None:
            raise KeyboardInterrupt
        return f"picture {next(numbers)}\nits end", code

    return look


def test_pictures_follow_one_another_until_ctrl_c_which_is_no_failure(naps, capsys):
    assert repeat(pictures(0, 8, 4)) == 0

    assert capsys.readouterr().out == "".join(f"picture {number}\nits end\n" for number in (1, 2, 3))
    assert naps == [2.0, 2.0, 2.0]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_signal_whose_exception_is_lost_ends_it_all_the_same(naps, capsys, number):
    def look():
        try:
            signal.raise_signal(number)
        except KeyboardInterrupt:
            return "picture", 0
        raise AssertionError("nobody was told")

    before = signal.getsignal(number)  # SIGINT is ignored where the suite runs in the background of a script

    assert repeat(look) == 0

    assert capsys.readouterr().out == "picture\n"
    assert signal.getsignal(number) is before


def test_watch_that_counts_drift_ends_with_the_first_code_and_its_picture_shown(naps, capsys):
    assert repeat(pictures(0, 8, 0), ends=True) == 8

    assert "picture 2" in capsys.readouterr().out
    assert naps == [2.0]


def test_slow_look_is_followed_by_the_next_at_once(monkeypatch, capsys):
    naps, ticks = [], itertools.count(0, 5)
    monkeypatch.setattr(status_watch.time, "monotonic", lambda: float(next(ticks)))
    monkeypatch.setattr(status_watch.time, "sleep", naps.append)

    repeat(pictures(0))

    assert naps == [0.0]


@pytest.fixture
def inventory():
    """The guide's three hosts."""
    return sites.an_inventory()


@pytest.fixture
def fleet(inventory):
    """Hosts on which nothing was deployed yet."""
    return sites.a_fleet(inventory)


@pytest.fixture
def looks(inventory, fleet, monkeypatch):
    """A site in memory of which two seconds pass between two looks; after the third comes Ctrl-C."""
    sites.deploy(inventory, fleet)
    naps = itertools.count(1)

    def nap(seconds):
        if next(naps) == 3:
            raise KeyboardInterrupt
        for host in fleet.hosts.values():
            host.uptime, host.cpu_seconds, host.requests = host.uptime + 2, host.cpu_seconds + 0.5, host.requests + 25

    monkeypatch.setattr(status_watch.time, "sleep", nap)
    return fleet


def watched(inventory, fleet, format="table", ends=False):
    return status_watch.watch(inventory, fleet, output.opened(OutputOptions(Format(format))), ends, 2.0)


def test_watch_as_json_has_what_status_has_and_the_rates_of_each_process(inventory, looks, capsys):
    assert watched(inventory, looks, "json") == 0

    pictures = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    once = site.as_json(inventory, pipeline.status(inventory, looks))
    api = [next(each for each in found["instances"] if each["service"] == "api") for found in pictures]
    assert [set(found) for found in pictures] == [set(once)] * 3
    assert [each["rates"] for each in api] == [
        {"requests_per_second": None, "cpu_percent": None, "memory_bytes": 200 * 2**20},
        *[{"requests_per_second": 12.5, "cpu_percent": 25.0, "memory_bytes": 200 * 2**20}] * 2,
    ]
    assert {key for each in once["instances"] for key in each} == set(api[0]) - {"rates"}


def test_watch_that_is_piped_shows_one_table_below_the_other_without_control_characters(inventory, looks, capsys):
    assert watched(inventory, looks) == 0

    out = capsys.readouterr().out
    titles = [line for line in out.splitlines() if line.startswith(inventory.site)]
    assert [line.partition(", every")[2] for line in titles] == [
        " 2 s: 0 messages waiting",
        *[" 2 s: 50.0 requests/s, 0 messages waiting"] * 2,
    ]
    assert "\033" not in out


def test_rows_of_a_watch_are_by_host_and_service(inventory, looks, capsys):
    watched(inventory, looks, "json")

    found = json.loads(capsys.readouterr().out.splitlines()[0])["instances"]
    assert [(each["host"], each["unit"].partition(".")[0].removeprefix("heat-scaleout-")) for each in found[:6]] == [
        ("hostA", "proxy"),
        ("hostA", "heat-engine"),
        ("hostB", "api@8004"),
        ("hostB", "cfn@8000"),
        ("hostB", "engine@1"),
        ("hostB", "engine@2"),
    ]


def test_host_that_was_away_has_the_rates_of_all_that_time_when_it_is_back(inventory, looks, monkeypatch):
    watch = status_watch.Watch(inventory, looks, Format.JSON, False, 2.0)
    watch.again()
    looks.loses("hostC")
    watch.again()
    looks.mends()
    looks.hosts["hostC"].uptime += 10
    looks.hosts["hostC"].cpu_seconds = 13.5

    found = json.loads(watch.again()[0])["instances"]

    assert {each["rates"]["cpu_percent"] for each in found if each["host"] == "hostC"} == {10.0}


def test_terminal_has_the_pictures_in_place_and_keeps_the_last(inventory, looks, monkeypatch, capsys):
    terminal = Terminal()
    monkeypatch.setattr(status_watch.sys, "stdout", terminal)
    monkeypatch.setenv("TERM", "xterm")

    assert watched(inventory, looks) == 0

    in_place, _, afterwards = terminal.getvalue().partition(alternate_screen.LEAVE)
    assert in_place.startswith(alternate_screen.ENTER)
    assert in_place.count("api@8004") == 2 * 2  # of two hosts: when it first comes, and when its rates do
    assert afterwards.count("api@8004") == 2


def test_site_that_cannot_be_asked_is_an_error_in_the_picture_and_an_object_in_json(inventory, looks, capsys):
    looks.hosts["hostA"].has_file("/etc/heat/heat.conf", "no section\n")

    assert watched(inventory, looks, "json", ends=True) == 3
    assert watched(inventory, looks, ends=True) == 3

    first, _, rest = capsys.readouterr().out.partition("\n")
    data = json.loads(first)
    assert (data["instances"], len(data["errors"])) == ([], 1)
    assert "error: " in rest


def test_reader_who_has_gone_ends_the_watch_quietly(naps, monkeypatch, capsys):
    class Closed(io.StringIO):
        def write(self, text):
            raise BrokenPipeError

    monkeypatch.setattr(status_watch.sys, "stdout", Closed())
    monkeypatch.setattr(status_watch.sys, "__stdout__", None)

    assert repeat(pictures(0)) == 0
