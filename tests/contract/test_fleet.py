"""What a fleet promises to the stages above it, whether its hosts are in memory or real."""

import base64
import itertools
import time

import pytest

from deployer import errors
from deployer.model.state import digest_of

UNIT = "heat-scaleout-contract.service"
UNIT_FILE = f"/etc/systemd/system/{UNIT}"
UNIT_TEXT = "[Service]\nExecStart=/bin/sleep {}\n[Install]\nWantedBy=multi-user.target\n"
LIMIT = 30.0
NUMBERS = itertools.count(1)


@pytest.fixture
def place(fleet_under_test):
    """A folder on every host that no other test has used, and its ledger."""
    return f"{fleet_under_test.folder}/{next(NUMBERS)}"


@pytest.fixture
def unit(fleet_under_test, place):
    """A unit on the first host that is written and known to systemd, and gone after the test."""
    host = fleet_under_test.hosts[0]
    do(fleet_under_test, place, write(UNIT_FILE, UNIT_TEXT.format(1000)), systemctl("daemon-reload"))
    yield host
    ended = do(
        fleet_under_test,
        place,
        write(UNIT_FILE, UNIT_TEXT.format(1000)),  # systemd does not even stop a unit whose file is no good
        systemctl("daemon-reload"),
        systemctl("disable", "--now", UNIT),
        {"do": "remove", "path": UNIT_FILE},
        systemctl("daemon-reload"),
    )
    assert ended["failed"] is None


def write(path, text, **access):
    return {
        "do": "write",
        "path": path,
        "content": base64.b64encode(text.encode()).decode(),
        "kept": ".before",
        "owner": "root",
        "group": "root",
        "mode": 0o644,
    } | access


def systemctl(*arguments):
    return {"do": "systemctl", "arguments": arguments, "timeout": LIMIT}


def run(*argv, **how):
    return {"do": "run", "argv": argv, "timeout": LIMIT} | how


def do(ground, place, *steps, host=None):
    """Perform steps on one host and return what it did and what failed."""
    host = host or ground.hosts[0]
    request = {"ledger": f"{place}/ledger.json", "steps": list(steps)}
    return outcome(ground.fleet.ask("perform", "perform", {host: request}, LIMIT)[host])


def outcome(reply):
    return {"done": reply["done"], "failed": reply["failed"]}


def observe(ground, **request):
    host = ground.hosts[0]
    return ground.fleet.ask("observe", "observe", {host: request}, LIMIT)[host]


def test_observe_of_two_hosts_returns_a_reply_for_each(fleet_under_test):
    replies = fleet_under_test.fleet.ask("observe", "observe", dict.fromkeys(fleet_under_test.hosts, {}), LIMIT)

    assert tuple(replies) == fleet_under_test.hosts
    assert [reply["uid"] for reply in replies.values()] == [0, 0]


def test_observe_asks_nothing_and_brings_every_field_empty(fleet_under_test):
    reply = observe(fleet_under_test)

    empty = ("files", "globs", "texts", "units", "processes", "replies", "free", "accounts", "answers")
    assert [name for name in empty if reply[name]] == []
    assert reply["ledger"] == {"files": {}, "folders": [], "stopped": []}
    assert reply["sent"] <= reply["received"]


def test_observe_of_a_host_that_is_gone_has_its_error_and_the_others_their_replies(fleet_under_test):
    requests = {fleet_under_test.gone: {}, fleet_under_test.hosts[1]: {}}

    replies = fleet_under_test.fleet.ask("observe", "observe", requests, LIMIT)

    assert isinstance(replies[fleet_under_test.gone], errors.HostUnreachable)
    assert replies[fleet_under_test.hosts[1]]["uid"] == 0


def test_observe_brings_the_answers_of_programs_and_why_one_has_none(fleet_under_test):
    programs = {"printed": {"argv": ["cat"], "stdin": "äöü\n"}, "failed": {"argv": ["false"], "stdin": ""}}

    answers = observe(
        fleet_under_test,
        programs={name: each | {"timeout": LIMIT} for name, each in programs.items()},
        accounts=["root"],
    )["answers"]

    assert answers["printed"] == {"printed": "äöü\n", "why": None}
    assert (answers["failed"]["printed"], bool(answers["failed"]["why"])) == ("", True)


def test_observe_of_accounts_tells_those_that_are_missing(fleet_under_test):
    assert observe(fleet_under_test, accounts=["root", "nobody-at-all"])["accounts"] == {
        "root": 0,
        "nobody-at-all": None,
    }


def test_observe_of_a_missing_file_leaves_it_out(fleet_under_test, place):
    assert observe(fleet_under_test, trees=[f"{place}/nothing"])["files"] == {}


def test_measure_tells_what_the_host_has_to_spare_and_nothing_of_units_not_asked_for(fleet_under_test):
    host = fleet_under_test.hosts[0]

    reply = fleet_under_test.fleet.ask("measure", "measure", {host: {}}, LIMIT)[host]

    assert reply["available"] > 2**20
    assert reply["most_files"] >= 1024
    assert reply["units"] == {}


def test_measured_unit_has_its_processes_and_the_memory_they_hold(fleet_under_test, place, unit):
    do(fleet_under_test, place, systemctl("start", UNIT))

    reply = fleet_under_test.fleet.ask("measure", "measure", {unit: {"units": ["heat-scaleout-contr*"]}}, LIMIT)[unit]

    assert list(reply["units"]) == [UNIT]
    assert reply["units"][UNIT]["processes"] >= 1
    assert reply["units"][UNIT]["memory"] > 0


def test_watch_brings_what_observe_does_and_what_a_unit_has_used(fleet_under_test, place, unit):
    do(fleet_under_test, place, systemctl("start", UNIT))

    first, second = (
        fleet_under_test.fleet.ask("observe", "watch", {unit: {"units": ["heat-scaleout-contr*"]}}, LIMIT)[unit]
        for _ in range(2)
    )

    assert set(first) - set(observe(fleet_under_test)) == {"usage"}
    assert 0 < first["usage"]["at"] <= second["usage"]["at"]
    assert 0 <= first["usage"]["units"][UNIT]["cpu"] <= second["usage"]["units"][UNIT]["cpu"]
    assert first["usage"]["units"][UNIT]["memory"] > 0


def logs(ground, host, **request):
    asked = {"units": [UNIT], "lines": 50, "size": 2**20, "seconds": 10.0}
    configuration = {"folders": [ground.folder], "endings": [".conf"], "ledger": f"{ground.folder}/ledger.json"}
    return ground.fleet.ask(
        "read journals", "logs", {host: {**asked, "configuration": configuration, **request}}, LIMIT
    )[host]


def logs_with(ground, host, text, count=1, **request):
    """The logs once so many entries have a text: the journal has them a moment after systemd has sent them."""
    deadline = time.monotonic() + LIMIT
    while True:
        reply = logs(ground, host, **request)
        if sum(text in each["message"] for each in reply["entries"]) >= count or time.monotonic() > deadline:
            return reply


def test_logs_of_a_unit_that_never_was_are_empty_and_no_failure(fleet_under_test):
    reply = logs(fleet_under_test, fleet_under_test.hosts[1], units=["heat-scaleout-never@*"])

    assert (reply["entries"], reply["failed"], reply["cut"], reply["files"]) == ([], None, None, {})


def test_logs_tell_what_systemd_did_with_a_unit_oldest_first(fleet_under_test, place, unit):
    before = logs(fleet_under_test, unit)["cursor"]
    do(fleet_under_test, place, systemctl("start", UNIT))

    reply = logs_with(fleet_under_test, unit, "Started", units=["heat-scaleout-contr*"], after=before)

    times = [each["time"] for each in reply["entries"]]
    assert {each["unit"] for each in reply["entries"]} == {UNIT}
    assert times == sorted(times)
    assert "Started" in reply["entries"][-1]["message"]


def test_logs_after_a_cursor_are_those_that_came_since(fleet_under_test, place, unit):
    earlier = logs(fleet_under_test, unit)["cursor"]
    do(fleet_under_test, place, systemctl("start", UNIT))
    before = logs_with(fleet_under_test, unit, "Started", after=earlier)
    nothing = logs(fleet_under_test, unit, after=before["cursor"])
    do(fleet_under_test, place, systemctl("restart", UNIT))

    new = logs_with(fleet_under_test, unit, "Started", after=before["cursor"], grep="sTARTED")

    assert (nothing["entries"], nothing["cursor"]) == ([], None)
    assert len(new["entries"]) == 1
    assert new["entries"][0] not in before["entries"]
    assert new["cursor"] != before["cursor"]


def test_logs_after_a_cursor_beyond_the_limit_come_with_the_next_request(fleet_under_test, place, unit):
    do(fleet_under_test, place, systemctl("start", UNIT))
    start = logs_with(fleet_under_test, unit, "Started")["cursor"]
    do(fleet_under_test, place, systemctl("restart", UNIT), systemctl("restart", UNIT))
    whole = logs_with(fleet_under_test, unit, "Started", 2, after=start)["entries"]

    first = logs(fleet_under_test, unit, after=start, lines=1)
    rest = logs(fleet_under_test, unit, after=first["cursor"])

    assert (len(first["entries"]), first["cut"], rest["cut"]) == (1, "lines", None)
    assert first["entries"] + rest["entries"] == whole


def test_logs_beyond_the_limit_of_lines_are_cut_to_the_newest_and_say_so(fleet_under_test, place, unit):
    before = logs(fleet_under_test, unit)
    do(fleet_under_test, place, systemctl("restart", UNIT), systemctl("restart", UNIT))
    count = sum("Started" in each["message"] for each in before["entries"]) + 2
    whole = logs_with(fleet_under_test, unit, "Started", count)

    cut = logs(fleet_under_test, unit, lines=1)

    assert len(whole["entries"]) > 1
    assert (cut["entries"], cut["cut"]) == (whole["entries"][-1:], "lines")


def test_written_file_is_seen_with_digest_and_access(fleet_under_test, place):
    reply = do(fleet_under_test, place, write(f"{place}/file", "text", mode=0o640))

    assert reply == {"done": [""], "failed": None}
    assert observe(fleet_under_test, trees=[f"{place}/file"])["files"] == {
        f"{place}/file": {"digest": digest_of(b"text"), "owner": "root", "group": "root", "mode": 0o640}
    }


def test_content_of_a_file_is_brought_only_when_it_is_to_be_carried(fleet_under_test, place):
    do(fleet_under_test, place, write(f"{place}/a", "one"), write(f"{place}/b", "two"))

    files = observe(fleet_under_test, trees=[place], carry=[f"{place}/b"])["files"]

    assert "content" not in files[f"{place}/a"]
    assert base64.b64decode(files[f"{place}/b"]["content"]) == b"two"


def test_written_file_is_in_the_ledger_until_it_is_removed(fleet_under_test, place):
    book = f"{place}/ledger.json"
    do(fleet_under_test, place, write(f"{place}/file", "text"))
    assert list(observe(fleet_under_test, ledger=book)["ledger"]["files"]) == [f"{place}/file"]

    do(fleet_under_test, place, {"do": "remove", "path": f"{place}/file"})

    assert observe(fleet_under_test, ledger=book)["ledger"]["files"] == {}
    assert observe(fleet_under_test, trees=[f"{place}/file"])["files"] == {}


def test_file_that_was_there_before_is_kept_and_comes_back_when_ours_is_removed(fleet_under_test, place):
    path = f"{place}/file"
    do(fleet_under_test, f"{place}/theirs", write(path, "original", mode=0o600))
    do(fleet_under_test, place, write(path, "first"), write(path, "second"))
    files = observe(fleet_under_test, trees=[place], carry=[path])["files"]
    assert base64.b64decode(files[f"{path}.before"]["content"]) == b"original"

    do(fleet_under_test, place, {"do": "remove", "path": path})

    files = observe(fleet_under_test, trees=[path, f"{path}.before"])["files"]
    assert {name: (file["digest"], file["mode"]) for name, file in files.items()} == {
        path: (digest_of(b"original"), 0o600)
    }


def test_file_stays_whose_original_somebody_took_away(fleet_under_test, place):
    path = f"{place}/file"
    do(fleet_under_test, f"{place}/theirs", write(path, "original"))
    do(fleet_under_test, place, write(path, "ours"))
    do(fleet_under_test, f"{place}/others", {"do": "remove", "path": f"{path}.before"})

    assert do(fleet_under_test, place, {"do": "remove", "path": path})["failed"] is None

    assert observe(fleet_under_test, trees=[path])["files"][path]["digest"] == digest_of(b"ours")
    do(fleet_under_test, f"{place}/others", {"do": "remove", "path": path})


def test_write_for_an_unknown_account_fails_and_writes_nothing(fleet_under_test, place):
    reply = do(fleet_under_test, place, write(f"{place}/file", "text", group="nobody-at-all"))

    assert "nobody-at-all" in reply["failed"]["why"]
    assert f"{place}/file" not in observe(fleet_under_test, trees=[place])["files"]


def test_step_that_fails_on_one_host_does_not_stop_the_other(fleet_under_test, place):
    first, second = fleet_under_test.hosts
    requests = {
        first: {"ledger": f"{place}/ledger.json", "steps": [run("false")]},
        second: {"ledger": f"{place}/ledger.json", "steps": [run("true")]},
    }

    replies = fleet_under_test.fleet.ask("perform", "perform", requests, LIMIT)

    assert replies[first]["failed"]["index"] == 0
    assert outcome(replies[second]) == {"done": [""], "failed": None}


def test_run_returns_what_the_program_prints_of_its_input(fleet_under_test, place):
    assert do(fleet_under_test, place, run("cat", stdin="äöü\n"))["done"] == ["äöü\n"]


def test_started_unit_is_seen_active_and_enabled_with_its_process(fleet_under_test, place, unit):
    do(fleet_under_test, place, systemctl("enable", UNIT), systemctl("start", UNIT))

    seen = observe(fleet_under_test, units=[UNIT])["units"][UNIT]

    assert (seen["active"], seen["enabled"], seen["stale"]) == ("active", True, False)
    assert seen["pid"] > 0


def test_start_of_a_running_unit_leaves_its_process_and_restart_replaces_it(fleet_under_test, place, unit):
    pids = []
    for verb in ("start", "start", "restart"):
        do(fleet_under_test, place, systemctl(verb, UNIT))
        pids.append(observe(fleet_under_test, units=[UNIT])["units"][UNIT]["pid"])

    assert pids[0] == pids[1] != pids[2]


def test_disabled_unit_is_neither_active_nor_enabled(fleet_under_test, place, unit):
    do(fleet_under_test, place, systemctl("enable", "--now", UNIT), systemctl("start", UNIT))

    do(fleet_under_test, place, systemctl("disable", "--quiet", "--now", UNIT))

    seen = observe(fleet_under_test, units=[UNIT])["units"].get(UNIT, {"active": "inactive", "enabled": False})
    assert (seen["active"], seen["enabled"]) == ("inactive", False)


def test_masked_unit_is_seen_as_such_and_does_not_start(fleet_under_test, place):
    masked = "heat-scaleout-contract@7.service"
    try:
        assert do(fleet_under_test, place, systemctl("mask", masked))["failed"] is None

        seen = observe(fleet_under_test, units=[masked.replace("7", "*")])["units"]
        started = do(fleet_under_test, place, systemctl("start", masked))
    finally:
        do(fleet_under_test, place, systemctl("unmask", masked))

    assert {name: each["masked"] for name, each in seen.items()} == {masked: True}
    assert "is masked" in started["failed"]["why"]
    assert observe(fleet_under_test, units=[masked.replace("7", "*")])["units"] == {}


def test_unit_that_is_changed_by_a_file_of_somebody_else_shows_which(fleet_under_test, place, unit):
    drop_in = f"{UNIT_FILE}.d/by-hand.conf"
    try:
        do(
            fleet_under_test,
            place,
            write(drop_in, "[Service]\nNice=5\n"),
            systemctl("daemon-reload"),
            systemctl("start", UNIT),
        )
        seen = observe(fleet_under_test, units=[UNIT])["units"][UNIT]
    finally:
        do(fleet_under_test, place, {"do": "remove", "path": drop_in}, systemctl("daemon-reload"))

    assert (seen["drop_ins"], seen["masked"]) == ([drop_in], False)


def test_unit_runs_on_when_it_is_disabled_and_starts_at_once_when_it_is_enabled_now(fleet_under_test, place, unit):
    seen = []
    for arguments in (("enable", "--now"), ("disable",)):
        do(fleet_under_test, place, systemctl(*arguments, UNIT))
        shown = observe(fleet_under_test, units=[UNIT])["units"][UNIT]
        seen.append((shown["active"], shown["enabled"]))

    assert seen == [("active", True), ("active", False)]


def test_unit_whose_file_changed_is_stale_until_systemd_reads_it_again(fleet_under_test, place, unit):
    do(fleet_under_test, place, systemctl("start", UNIT), write(UNIT_FILE, UNIT_TEXT.format(2000)))
    assert observe(fleet_under_test, units=[UNIT])["units"][UNIT]["stale"] is True

    do(fleet_under_test, place, systemctl("daemon-reload"))

    assert observe(fleet_under_test, units=[UNIT])["units"][UNIT]["stale"] is False


def test_start_of_a_unit_that_is_not_there_fails_and_names_it(fleet_under_test, place):
    reply = do(fleet_under_test, place, systemctl("start", "heat-scaleout-missing.service"), run("true"))

    assert (reply["done"], reply["failed"]["index"]) == ([], 0)
    assert "heat-scaleout-missing.service" in reply["failed"]["why"]


# Its successor, which is told of it by `-x SOCKET -sf PID`, ends it.
HANDS_OVER = "[Service]\nExecStart=/bin/sh -c '[ -z $$3 ] || kill -USR1 $$3; exec sleep 600'\n"
STOPS_SLOWLY = (  # at a signal that no process minds: a trap would not be set yet when a process has just begun
    "[Service]\nEnvironment=STOPS_AFTER=20\nKillSignal=SIGWINCH\nTimeoutStopSec=20\nExecStart=/bin/sleep infinity\n"
)
SERVES = (  # and is said to by an environment that hosts in memory read
    "[Service]\nEnvironment=LISTEN=127.0.0.1:{port}\n"
    "ExecStart=/usr/bin/python3 -m http.server {port} --bind 127.0.0.1\n[Install]\nWantedBy=multi-user.target\n"
)
PORT = 48731


def state(ground):
    return observe(ground, units=[UNIT])["units"].get(UNIT, {"active": "inactive", "enabled": False, "pid": 0})


def rewrite_unit(ground, place, text):
    """Have the unit run something else."""
    assert do(ground, place, write(UNIT_FILE, text), systemctl("daemon-reload"))["failed"] is None


def test_unit_whose_process_has_yet_to_end_is_deactivating_until_it_is_killed(fleet_under_test, place, unit):
    rewrite_unit(fleet_under_test, place, STOPS_SLOWLY)
    do(fleet_under_test, place, systemctl("start", UNIT))
    process = state(fleet_under_test)["pid"]

    assert do(fleet_under_test, place, systemctl("disable", "--now", "--no-block", UNIT))["failed"] is None

    stopping = state(fleet_under_test)
    assert (stopping["active"], stopping["pid"]) == ("deactivating", process)
    do(fleet_under_test, place, systemctl("kill", "--signal=KILL", UNIT), systemctl("stop", UNIT))
    assert state(fleet_under_test)["active"] in ("inactive", "failed")


def test_start_of_a_unit_that_is_stopping_waits_for_its_end_within_the_limit_of_the_step(fleet_under_test, place, unit):
    rewrite_unit(fleet_under_test, place, STOPS_SLOWLY)
    do(fleet_under_test, place, systemctl("start", UNIT), systemctl("stop", "--no-block", UNIT))

    reply = do(fleet_under_test, place, systemctl("start", UNIT) | {"timeout": 1})

    assert "timed out after 1 seconds" in reply["failed"]["why"]
    assert state(fleet_under_test)["active"] == "deactivating"
    # The start that was given up is still queued, and would follow the end of the process.
    do(fleet_under_test, place, systemctl("stop", "--no-block", UNIT), systemctl("kill", "--signal=KILL", UNIT))


def test_start_that_nobody_waits_for_follows_the_stop_that_is_under_way(fleet_under_test, place, unit):
    rewrite_unit(fleet_under_test, place, STOPS_SLOWLY)
    do(fleet_under_test, place, systemctl("start", UNIT), systemctl("stop", "--no-block", UNIT))
    process = state(fleet_under_test)["pid"]

    assert do(fleet_under_test, place, systemctl("start", "--no-block", UNIT))["failed"] is None

    assert (state(fleet_under_test)["active"], state(fleet_under_test)["pid"]) == ("deactivating", process)
    kill = systemctl("kill", "--signal=KILL", UNIT)
    assert do(fleet_under_test, place, kill, systemctl("start", UNIT))["failed"] is None
    assert state(fleet_under_test)["active"] == "active"
    assert state(fleet_under_test)["pid"] not in (0, process)
    do(fleet_under_test, place, systemctl("stop", "--no-block", UNIT), kill)


def test_unit_whose_process_was_killed_while_it_stopped_has_failed_until_that_is_reset(fleet_under_test, place, unit):
    rewrite_unit(fleet_under_test, place, STOPS_SLOWLY)
    do(fleet_under_test, place, systemctl("start", UNIT), systemctl("stop", "--no-block", UNIT))

    do(fleet_under_test, place, systemctl("kill", "--signal=KILL", UNIT), systemctl("stop", UNIT))

    assert (state(fleet_under_test)["active"], state(fleet_under_test)["pid"]) == ("failed", 0)
    assert do(fleet_under_test, place, systemctl("reset-failed", UNIT))["failed"] is None
    assert state(fleet_under_test)["active"] == "inactive"


def test_killed_process_of_a_unit_that_is_not_to_start_again_leaves_it_without_one(fleet_under_test, place, unit):
    do(fleet_under_test, place, systemctl("start", UNIT))

    do(fleet_under_test, place, systemctl("kill", "--signal=KILL", UNIT), systemctl("stop", UNIT))

    assert (state(fleet_under_test)["active"] in ("inactive", "failed"), state(fleet_under_test)["pid"]) == (True, 0)


def test_reload_of_a_unit_that_cannot_reload_fails_and_names_it(fleet_under_test, place, unit):
    do(fleet_under_test, place, systemctl("start", UNIT))

    reply = do(fleet_under_test, place, systemctl("reload", UNIT))

    assert UNIT in reply["failed"]["why"]
    assert state(fleet_under_test)["active"] == "active"


def test_unit_without_a_program_does_not_start(fleet_under_test, place, unit):
    rewrite_unit(fleet_under_test, place, "[Service]\nUser=root\n")

    assert UNIT in do(fleet_under_test, place, systemctl("start", UNIT))["failed"]["why"]
    assert state(fleet_under_test)["pid"] == 0


def test_soft_stop_ends_and_disables_a_unit_and_leaves_it_no_other_settings(fleet_under_test, place, unit):
    do(fleet_under_test, place, systemctl("enable", "--now", UNIT))

    assert do(fleet_under_test, place, {"do": "soft_stop", "unit": UNIT, "timeout": LIMIT})["failed"] is None

    seen = state(fleet_under_test)
    assert (seen["active"] in ("inactive", "failed"), seen["enabled"]) == (True, False)
    assert observe(fleet_under_test, trees=[f"/run/systemd/system/{UNIT}.d"])["files"] == {}


def holders(ground):
    """Who listens on the port of the test's unit, as a step names it."""
    listeners = [each for each in observe(ground, units=[UNIT])["listeners"] if each["port"] == PORT]
    return [{name: each[name] for name in ("address", "port", "pid", "unit")} for each in listeners]


@pytest.fixture
def server(fleet_under_test, place, unit):
    """The unit, enabled, serves HTTP on a port of 127.0.0.1."""
    rewrite_unit(fleet_under_test, place, SERVES.format(port=PORT))
    do(fleet_under_test, place, systemctl("enable", "--now", UNIT))
    await_http = {"do": "await_http", "unit": UNIT, "address": "127.0.0.1", "port": PORT, "path": "/", "timeout": LIMIT}
    assert do(fleet_under_test, place, await_http | {"expect": [200]})["failed"] is None
    return unit


def port_step(what, held):
    return {"do": what, "holders": held, "beside": "heat-scaleout-none.service", "timeout": 10}


def test_shared_port_stays_with_its_holder(fleet_under_test, place, server):
    held = holders(fleet_under_test)
    assert [(each["address"], each["unit"]) for each in held] == [("127.0.0.1", UNIT)]

    assert do(fleet_under_test, place, port_step("share_port", held))["failed"] is None

    assert holders(fleet_under_test) == held
    assert state(fleet_under_test)["pid"] == held[0]["pid"]


def test_port_held_by_another_process_than_planned_is_neither_shared_nor_released(fleet_under_test, place, server):
    held = [each | {"pid": 1} for each in holders(fleet_under_test)]

    for what in ("share_port", "release_port"):
        why = do(fleet_under_test, place, port_step(what, held))["failed"]["why"]
        assert why == f"127.0.0.1:{PORT} is now held by another process than planned"

    assert state(fleet_under_test)["active"] == "active"


def test_released_port_is_free_and_given_back_with_whoever_had_it(fleet_under_test, place, server):
    held = holders(fleet_under_test)

    assert do(fleet_under_test, place, port_step("release_port", held))["failed"] is None

    assert (holders(fleet_under_test), state(fleet_under_test)["enabled"]) == ([], False)
    stopped = observe(fleet_under_test, ledger=f"{place}/ledger.json")["ledger"]["stopped"]
    assert [(each["unit"], each["port"], each["enabled"]) for each in stopped] == [(UNIT, PORT, True)]

    give_back = {"do": "start_predecessor", "stopped": stopped, "beside": "heat-scaleout-none.service", "timeout": 30}
    assert do(fleet_under_test, place, give_back)["failed"] is None

    assert [each["unit"] for each in holders(fleet_under_test)] == [UNIT]
    assert (state(fleet_under_test)["active"], state(fleet_under_test)["enabled"]) == ("active", True)


def test_await_http_without_anybody_listening_fails_and_names_the_address(fleet_under_test, place):
    step = {
        "do": "await_http",
        "unit": UNIT,
        "address": "127.0.0.1",
        "port": 1,
        "path": "/",
        "expect": [200],
        "timeout": 0.1,
    }

    assert "127.0.0.1:1/" in do(fleet_under_test, place, step)["failed"]["why"]


def test_await_http_of_another_units_answer_fails_and_names_whose_it_is(fleet_under_test, place, server):
    step = {"do": "await_http", "unit": UNIT, "address": "127.0.0.1", "port": PORT, "path": "/", "expect": [200]}
    assert do(fleet_under_test, place, step | {"timeout": LIMIT, "owner": UNIT})["failed"] is None

    other = step | {"timeout": 0.1, "owner": "heat-scaleout-none.service"}

    assert f" of {UNIT}), not from heat-scaleout-none.service" in do(fleet_under_test, place, other)["failed"]["why"]


def test_seamless_restart_starts_a_unit_and_then_its_successor_and_leaves_no_other_settings(
    fleet_under_test, place, unit
):
    rewrite_unit(fleet_under_test, place, HANDS_OVER)
    restart = {"do": "seamless_restart", "unit": UNIT, "socket": f"{place}/socket", "timeout": LIMIT}
    assert do(fleet_under_test, place, restart)["failed"] is None
    first = state(fleet_under_test)

    assert do(fleet_under_test, place, restart)["failed"] is None

    second = state(fleet_under_test)
    assert (first["active"], second["active"], second["stale"]) == ("active", "active", False)
    assert second["pid"] not in (0, first["pid"])
    assert observe(fleet_under_test, trees=[f"/run/systemd/system/{UNIT}.d"])["files"] == {}


def test_await_reply_of_a_missing_socket_fails_and_names_it(fleet_under_test, place):
    step = {"do": "await_reply", "socket": f"{place}/socket", "send": "?\n", "contains": "!", "timeout": 0.1}

    assert f"{place}/socket" in do(fleet_under_test, place, step)["failed"]["why"]


def test_word_to_a_missing_socket_fails(fleet_under_test, place):
    step = {
        "do": "set_server",
        "socket": f"{place}/socket",
        "send": "@1 set server a/b state drain\n",
        "timeout": 0.1,
        "until": [],
    }

    assert do(fleet_under_test, place, step)["failed"]["index"] == 0


@pytest.mark.parametrize("what", ["share_port", "release_port"])
def test_taking_over_an_address_that_nobody_holds_does_nothing(fleet_under_test, place, what):
    holder = {"address": "127.0.0.1", "port": 1, "pid": 1, "unit": "", "signal": "SIGTERM"}
    step = {"do": what, "holders": [holder], "beside": "heat-scaleout-none.service", "timeout": 1}

    assert do(fleet_under_test, place, step) == {"done": [""], "failed": None}


def a_file(path, text, check=(), comes=True):
    """A file as a host is asked to judge and keep it."""
    content = base64.b64encode(text.encode()).decode() if comes else None
    return {"path": path, "digest": digest_of(text.encode()), "content": content, "check": check, "comes": comes}


def a_run(number, result=None):
    return {
        "number": number,
        "command": "deploy",
        "who": "operator@desk",
        "at": "2026-11-21T00:00:00Z",
        "result": result,
    }


def stage(ground, place, number, *files, binds=()):
    """Have the first host judge and keep files; return its problems."""
    kept = {"owner": "root", "group": "root", "mode": 0o644, "check": [], "only": None}
    state = {"files": {each["path"]: {"digest": each["digest"], **kept} for each in files}, "units": {}}
    request = {
        "ledger": f"{place}/ledger.json",
        "run": a_run(number),
        "state": state,
        "files": list(files),
        "binds": binds,
    }
    return asked(ground, "stage", request)["problems"]


def asked(ground, verb, request):
    return ground.fleet.ask(verb, verb, {ground.hosts[0]: request}, LIMIT)[ground.hosts[0]]


def end(ground, place, number, result):
    asked(ground, "close", {"ledger": f"{place}/ledger.json", "run": a_run(number, result)})


def forget(ground, place):
    do(ground, place, {"do": "remove_records"})


def last_run(ground, place):
    found = observe(ground, ledger=f"{place}/ledger.json")["newest"]
    return {name: found.get(name) for name in ("number", "doing", "result")} if found else {}


def test_staged_file_is_judged_and_kept_and_nothing_else_is_changed(fleet_under_test, place):
    assert stage(fleet_under_test, place, 1, a_file(f"{place}/file", "good", check=["true", "{}"])) == []

    assert observe(fleet_under_test, trees=[f"{place}/file"])["files"] == {}
    assert last_run(fleet_under_test, place) == {"number": 1, "doing": None, "result": None}
    forget(fleet_under_test, place)


def test_address_that_the_host_does_not_have_is_reported_and_no_run_begins(fleet_under_test, place):
    assert stage(fleet_under_test, place, 1, binds=["0.0.0.0", "203.0.113.9", "127.0.0.1"]) == [
        "nobody can listen on 203.0.113.9 here: Cannot assign requested address"
    ]

    assert last_run(fleet_under_test, place) == {}


def test_file_that_its_program_refuses_is_reported_and_no_run_begins(fleet_under_test, place):
    problems = stage(fleet_under_test, place, 1, a_file(f"{place}/file", "bad", check=["false", "{}"]))

    assert len(problems) == 1
    assert problems[0].startswith(f"{place}/file: ")
    assert last_run(fleet_under_test, place) == {}


def test_run_that_is_not_newer_than_the_newest_is_refused(fleet_under_test, place):
    stage(fleet_under_test, place, 4)

    assert stage(fleet_under_test, place, 4) == ["generation 4 was begun meanwhile: deploy by operator@desk"]
    forget(fleet_under_test, place)


def test_ended_run_says_how_and_one_that_was_refused_leaves_no_generation(fleet_under_test, place):
    book = f"{place}/ledger.json"
    stage(fleet_under_test, place, 1)
    end(fleet_under_test, place, 1, "done")
    stage(fleet_under_test, place, 2)
    end(fleet_under_test, place, 2, "refused")

    assert last_run(fleet_under_test, place) == {"number": 2, "doing": None, "result": "refused"}
    runs = asked(fleet_under_test, "recall", {"ledger": book})["runs"]
    assert [(run["number"], run["result"]) for run in runs] == [(1, "done")]
    forget(fleet_under_test, place)


def test_state_of_a_generation_comes_back_with_its_contents(fleet_under_test, place):
    book, path = f"{place}/ledger.json", f"{place}/file"
    stage(fleet_under_test, place, 1, a_file(path, "first"))
    do(fleet_under_test, place, write(path, "first"))
    stage(fleet_under_test, place, 2, a_file(path, "first", comes=False), a_file(f"{place}/other", "second"))
    end(fleet_under_test, place, 2, "done")
    stage(fleet_under_test, place, 3, a_file(path, "third"))
    end(fleet_under_test, place, 3, "failed")

    first, second, none = (
        asked(fleet_under_test, "recall", {"ledger": book, "number": number})["state"] for number in (1, 9, 0)
    )

    assert {name: base64.b64decode(each["content"]) for name, each in first["files"].items()} == {path: b"first"}
    assert sorted(base64.b64decode(each["content"]) for each in second["files"].values()) == [b"first", b"second"]
    assert none is None
    do(fleet_under_test, place, {"do": "remove", "path": path})
    forget(fleet_under_test, place)


def test_step_that_failed_is_what_the_run_was_doing(fleet_under_test, place):
    stage(fleet_under_test, place, 7)
    steps = [run("true") | {"description": "check it"}, run("false") | {"description": "make it so"}]
    asked(fleet_under_test, "perform", {"ledger": f"{place}/ledger.json", "run": 7, "steps": steps})

    assert last_run(fleet_under_test, place) == {"number": 7, "doing": "make it so", "result": None}
    forget(fleet_under_test, place)


def test_file_that_is_not_there_any_more_is_reported_when_it_is_not_to_come(fleet_under_test, place):
    path = f"{place}/file"
    do(fleet_under_test, place, write(path, "other"))

    problems = stage(fleet_under_test, place, 1, a_file(path, "first", comes=False))

    assert problems == [f"{path} has changed meanwhile"]
    assert last_run(fleet_under_test, place) == {}
    do(fleet_under_test, place, {"do": "remove", "path": path})


def test_generations_beyond_the_newest_twenty_go_with_what_they_alone_had(fleet_under_test, place):
    book, path = f"{place}/ledger.json", f"{place}/file"
    for number in range(1, 23):
        assert stage(fleet_under_test, place, number, a_file(path, "first" if number < 3 else "second")) == []

    runs = asked(fleet_under_test, "recall", {"ledger": book})["runs"]
    assert [run["number"] for run in runs] == list(range(3, 23))
    assert asked(fleet_under_test, "recall", {"ledger": book, "number": 2})["state"] is None
    kept = asked(fleet_under_test, "recall", {"ledger": book, "number": 22})["state"]
    assert base64.b64decode(kept["files"][path]["content"]) == b"second"
    forget(fleet_under_test, place)


def hold(ground, place, id, wait=0.0):
    who = {"id": id, "owner": "alice", "host": "ws", "pid": 7, "command": "invoke deploy"}
    return ground.fleet.acquire_lease(
        ground.hosts[0],
        {
            "path": f"/run/contract-{place.rpartition('/')[2]}.lock",
            "wait": wait,
            "heartbeat_timeout": LIMIT,
            "who": who,
        },
        LIMIT,
    )


def ask_for_lock(ground, place, verb, **more):
    host = ground.hosts[0]
    request = {"path": f"/run/contract-{place.rpartition('/')[2]}.lock"} | more
    reply = ground.fleet.ask("site lock", verb, {host: request}, LIMIT)[host]
    return {name: value for name, value in reply.items() if name in ("held_by", "ended")}


def test_lock_that_was_taken_is_held_and_shown_and_refused_to_another(fleet_under_test, place):
    assert not fleet_under_test.fleet.holds_lease()

    held = hold(fleet_under_test, place, "1")["held"]

    assert fleet_under_test.fleet.holds_lease()
    assert {name: held[name] for name in ("id", "owner", "pid")} == {"id": "1", "owner": "alice", "pid": 7}
    assert ask_for_lock(fleet_under_test, place, "holder")["held_by"] == held
    assert hold(fleet_under_test, place, "2") == {"held_by": held}
    assert do(fleet_under_test, place, run("true"))["failed"] is None


def test_lock_of_a_host_that_is_gone_is_its_error(fleet_under_test, place):
    ground = type(fleet_under_test)(fleet_under_test.fleet, (fleet_under_test.gone, ""), "", "")

    assert isinstance(hold(ground, place, "1"), errors.HostUnreachable)
    assert not fleet_under_test.fleet.holds_lease()


def test_lock_that_was_lost_stops_every_change_and_no_observation(fleet_under_test, place):
    held = hold(fleet_under_test, place, "1")["held"]
    assert ask_for_lock(fleet_under_test, place, "release", id="2") == {"ended": {}, "held_by": held}
    assert fleet_under_test.fleet.holds_lease()

    assert ask_for_lock(fleet_under_test, place, "release", id="1") == {"ended": held, "held_by": {}}

    steps = {"ledger": f"{place}/ledger.json", "steps": [write(f"{place}/file", "text")]}
    replies = fleet_under_test.fleet.ask("perform", "perform", dict.fromkeys(fleet_under_test.hosts, steps), LIMIT)
    assert [type(each) for each in replies.values()] == [errors.Locked, errors.Locked]
    assert not fleet_under_test.fleet.holds_lease()
    assert observe(fleet_under_test, trees=[place])["files"] == {}
    assert ask_for_lock(fleet_under_test, place, "holder") == {"held_by": {}}
