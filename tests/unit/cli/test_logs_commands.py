"""`logs` at the terminal: its host that may be left out, its streams and exit codes, and how following ends."""

import io
import itertools
import json
import os
import signal
import subprocess
import sys

import pytest
import sites
from invoke import Program

from deployer import errors
from deployer.cli import logs_view, signals
from deployer.cli.tasks import namespace
from deployer.heat import redacting_fleet
from deployer.remote import fleet as fleets

ENGINE, API = "heat-scaleout-engine@1.service", "heat-scaleout-api@8004.service"


@pytest.fixture
def invoke(capsys):
    """Run a command in this process: its exit code, stdout and stderr."""

    def run(*argv):
        capsys.readouterr()
        try:
            Program(namespace=namespace).run(["invoke", *map(str, argv)], exit=False)
            code = 0
        except SystemExit as ending:
            code = ending.code or 0
        return code, *capsys.readouterr()

    return run


@pytest.fixture
def file(tmp_path):
    """An inventory file of the guide's three hosts."""
    path = tmp_path / "site.yaml"
    path.write_text(sites.an_inventory_text())
    return path


@pytest.fixture
def inventory():
    """The guide's three hosts."""
    return sites.an_inventory()


@pytest.fixture
def fleet(monkeypatch, inventory):
    """The hosts that the commands reach, with a line or two in the journals of two."""
    found = sites.a_fleet(inventory)
    monkeypatch.setattr(fleets, "over_ssh", lambda hosts, progress: found)
    found.hosts["hostB"].logs_line(ENGINE, "first", 1_000_000)
    found.hosts["hostC"].logs_line(API, "second", 2_000_000)
    found.hosts["hostB"].logs_line(ENGINE, "third ERROR", 3_000_000)
    return found


@pytest.fixture
def polls(monkeypatch):
    """Let following be interrupted after some polls; a poll may be preceded by something that happens."""
    happens = []

    class Told:
        def is_set(self):
            return False

        def wait(self, seconds):
            if not happens:
                raise KeyboardInterrupt
            happens.pop(0)()

    monkeypatch.setattr(signals.threading, "Event", Told)
    return happens


def words(out):
    """The last word of each line."""
    return [line.split()[-1] for line in out.splitlines()]


def test_logs_of_no_host_are_those_of_all_merged_by_time(invoke, file, fleet):
    code, out, err = invoke("logs", "--inventory", file)

    assert (code, words(out), err) == (0, ["first", "second", "ERROR"], "")
    assert [line.split()[2:4] for line in out.splitlines()] == [
        ["hostB", "engine@1"],
        ["hostC", "api@8004"],
        ["hostB", "engine@1"],
    ]


@pytest.mark.parametrize("argv", [("logs", "hostC"), ("logs", "--host", "hostC"), ("logs", "--lines", "3", "hostC")])
def test_host_is_given_by_its_place_or_as_a_flag_and_is_the_only_one_asked(invoke, file, fleet, argv):
    code, out, _ = invoke(*argv, "--inventory", file)

    assert (code, words(out)) == (0, ["second"])
    assert fleet.asked[0] == ("read journals", "logs", ("hostC",))


def test_several_hosts_are_given_with_commas(invoke, file, fleet):
    assert words(invoke("logs", "hostA,hostB", "--inventory", file)[1]) == ["first", "ERROR"]


def test_tasks_with_a_host_that_must_be_given_miss_it_as_before(invoke, file, fleet):
    _, out, err = invoke("add-engine", "--inventory", file)

    assert fleet.asked == []
    assert "did not receive required positional arguments: 'host'" in out + err


@pytest.mark.parametrize(
    ("flags", "shown"),
    [
        (("--service", "api"), ["second"]),
        (("--service", "engine", "--lines", "1"), ["ERROR"]),
        (("--grep", "error"), ["ERROR"]),
        (("--grep", "nothing"), []),
        (("--since", "1970-01-01T00:00:02Z"), ["second", "ERROR"]),
    ],
)
def test_flags_choose_the_lines_that_are_shown(invoke, file, fleet, flags, shown):
    code, out, _ = invoke("logs", *flags, "--inventory", file)

    assert (code, words(out)) == (0, shown)


@pytest.mark.parametrize(
    ("argv", "said"),
    [
        (("hostX",), "there is no host 'hostX'"),
        (("--service", "engines"), "--service takes api, cfn, engine, proxy, not 'engines'"),
        (("--since", "soon"), "--since takes 30s, 10m"),
        (("--lines", "many"), "--lines takes a number, not 'many'"),
        (("--lines", "0"), "--lines takes a number from 1 to 10000, not 0"),
        (("--format", "yaml"), "--format takes table, json"),
    ],
)
def test_bad_flag_ends_with_3_and_asks_nobody(invoke, file, fleet, argv, said):
    code, out, err = invoke("logs", *argv, "--inventory", file)

    assert (code, out, fleet.asked) == (3, "", [])
    assert said in err and "Traceback" not in err


def test_logs_as_json_are_the_contract_and_alone_on_stdout(invoke, file, fleet):
    code, out, err = invoke("logs", "--inventory", file, "--format", "json")

    data = json.loads(out)
    assert (code, err) == (0, "")
    assert list(data) == ["schema_version", "site", "entries", "errors", "notes"]
    assert data["entries"][0] == {
        "time": "1970-01-01T00:00:01.000000+00:00",
        "host": "hostB",
        "unit": ENGINE,
        "pid": 1,
        "priority": 6,
        "message": "first",
    }


def test_lines_that_are_left_out_are_told_on_stderr_and_in_json(invoke, file, fleet):
    _, out, err = invoke("logs", "--inventory", file, "--lines", "1")

    assert words(out) == ["second", "ERROR"]
    assert err == "note: hostB: older lines are left out: --lines has more of them\n"
    assert json.loads(invoke("logs", "--inventory", file, "--lines", "1", "--format", "json")[1])["notes"] == [
        "hostB: older lines are left out: --lines has more of them"
    ]


def test_clock_that_is_off_is_told_with_the_seconds(invoke, file, fleet):
    fleet.hosts["hostC"].skew = 90.0

    assert "note: hostC: its clock is 90.0 s ahead, and so are its lines\n" in invoke("logs", "--inventory", file)[2]


def test_host_that_is_lost_is_named_with_4_and_the_lines_of_the_others_are_shown(invoke, file, fleet):
    fleet.loses("hostC")

    code, out, err = invoke("logs", "--inventory", file)

    assert (code, words(out)) == (4, ["first", "ERROR"])
    assert "error: hostC: connection refused" in err


def test_host_whose_journal_cannot_be_read_is_named_with_5(invoke, file, fleet):
    fleet.fails_with("hostC", errors.HostFailed("hostC", "journalctl: no permission"))

    assert invoke("logs", "--inventory", file)[0] == 5


def test_secret_is_not_shown_and_not_found_by_what_it_is(invoke, file, fleet):
    for name in ("hostB", "hostC"):
        fleet.hosts[name].logs_line(ENGINE, "login root:admin@127.0.0.1 mysql://root:admin@db/heat", 4_000_000)

    _, out, _ = invoke("logs", "--inventory", file, "--grep", "login")

    assert "mysql://root:***@db/heat" in out and ":admin@" not in out
    assert invoke("logs", "--inventory", file, "--grep", ":admin@")[1] == ""


def test_following_shows_each_new_line_once_and_ends_with_0(invoke, file, fleet, polls):
    hostB, hostC = fleet.hosts["hostB"], fleet.hosts["hostC"]
    polls += [
        lambda: hostB.logs_line(ENGINE, "fourth", 4_000_000),
        lambda: None,
        lambda: (hostC.logs_line(API, "sixth", 6_000_000), hostB.logs_line(ENGINE, "fifth", 5_000_000)),
    ]

    code, out, err = invoke("logs", "--follow", "--lines", "1", "--inventory", file)

    assert (code, words(out)) == (0, ["second", "ERROR", "fourth", "fifth", "sixth"])
    assert err.strip() == ""


def test_following_as_json_is_an_object_a_line(invoke, file, fleet, polls):
    polls.append(lambda: fleet.hosts["hostC"].logs_line(API, "new", 4_000_000))

    _, out, _ = invoke("logs", "--follow", "--format", "json", "--inventory", file)

    assert [json.loads(line)["message"] for line in out.splitlines()] == ["first", "second", "third ERROR", "new"]
    assert {json.loads(line)["schema_version"] for line in out.splitlines()} == {1}


def test_following_a_host_that_has_nothing_yet_shows_its_first_line(invoke, file, fleet, polls):
    polls.append(lambda: fleet.hosts["hostA"].logs_line(ENGINE, "awake", 9_000_000))

    assert words(invoke("logs", "hostA", "--follow", "--inventory", file)[1]) == ["awake"]


def test_following_names_a_host_that_is_lost_and_shows_all_its_lines_when_it_is_back(
    invoke, file, fleet, polls, monkeypatch
):
    monkeypatch.setattr(logs_view.time, "monotonic", itertools.count(0, 10).__next__)
    polls += [
        lambda: fleet.loses("hostB"),
        lambda: fleet.hosts["hostB"].logs_line(ENGINE, "meanwhile", 4_000_000),
        fleet.mends,
    ]

    code, out, err = invoke("logs", "--follow", "--lines", "1", "--inventory", file)

    assert (code, words(out)) == (0, ["second", "ERROR", "meanwhile"])
    assert err.splitlines()[:2] == [
        "error: hostB: connection refused; it is tried again",
        "note: hostB answers again",
    ]


def test_following_reads_on_at_once_while_a_host_has_more(inventory, fleet, capsys):
    """Neither lines nor time are lost when more came than one reply holds."""
    waits = []

    class Told:
        def is_set(self):
            return len(waits) == 4

        def wait(self, seconds):
            waits.append(seconds)
            if len(waits) == 1:
                for number in range(2500):
                    fleet.hosts["hostB"].logs_line(ENGINE, f"line {number}")

    hosts = redacting_fleet.RedactingFleet(inventory, fleet)
    asked = logs_view.LogQuery(("hostB",), lines=1)
    view = logs_view.View(inventory, hosts, asked, "table")
    view._go_on(logs_view.pipeline.logs(inventory, hosts, asked), lambda entry: entry.message, Told())

    assert capsys.readouterr().out.splitlines() == ["third ERROR", *(f"line {number}" for number in range(2500))]
    assert waits == [1.0, 0.0, 0.0, 1.0]


def test_reader_who_has_gone_ends_the_logs_quietly(file, fleet, monkeypatch):
    class Closed(io.StringIO):
        def write(self, text):
            raise BrokenPipeError

    monkeypatch.setattr(sys, "stdout", Closed())
    monkeypatch.setattr(sys, "__stdout__", None)

    Program(namespace=namespace).run(["invoke", "logs", "--inventory", str(file)], exit=False)

    assert sys.stdout is None


def test_ctrl_c_of_a_real_process_that_follows_ends_it_with_0(tmp_path):
    """With a host that is never there, so that it waits for another try."""
    path = tmp_path / "nobody.yaml"
    text = sites.an_inventory_text(more="ssh: {port: 1, known_hosts: none, connect_timeout: 2}")
    for number in (1, 2, 3):
        text = text.replace(f"address: 10.0.0.{number}", f"address: 10.0.0.{number}, ssh: {{address: 127.0.0.1}}")
    path.write_text(text)
    command = [sys.executable, "-m", "invoke", "logs", "--follow", "--inventory", str(path)]

    with subprocess.Popen(
        command, cwd=sites.ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env={**os.environ}
    ) as ran:
        lost = [ran.stderr.readline() for _ in range(3)]
        ran.send_signal(signal.SIGINT)
        out, err = ran.communicate(timeout=30)

    assert all("it is tried again" in line for line in lost)
    assert (ran.returncode, out, "Traceback" in err) == (0, "", False)
