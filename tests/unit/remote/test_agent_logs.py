"""The journal as the agent reads it: what journalctl is asked, what is made of its answer, and where it ends."""

import base64
import json
import os
import stat
import sys
import time

import pytest

from deployer.remote.agent import generations, logs, sockets

ENGINE = "heat-scaleout-engine@1.service"
PROGRAM = """\
#!{python} -S
import json, sys, time
with open({asked!r}, "w") as stream:
    json.dump(sys.argv[1:], stream)
{body}
"""


@pytest.fixture
def journalctl(tmp_path, monkeypatch):
    """Put a journalctl on PATH, given the body of its program; return what it was asked."""
    folder = tmp_path / "bin"
    folder.mkdir()
    monkeypatch.setenv("PATH", str(folder), prepend=os.pathsep)

    def put(body):
        program = folder / "journalctl"
        program.write_text(PROGRAM.format(python=sys.executable, asked=str(tmp_path / "asked"), body=body))
        program.chmod(program.stat().st_mode | stat.S_IXUSR)
        return lambda: json.loads((tmp_path / "asked").read_text())

    return put


@pytest.fixture
def request_of(tmp_path):
    """A request to the agent, with some fields changed."""
    (tmp_path / "heat").mkdir()
    (tmp_path / "heat" / "heat.conf").write_text("[DEFAULT]\n")
    configuration = {
        "folders": [str(tmp_path / "heat")],
        "endings": [".conf"],
        "ledger": str(tmp_path / "state" / "ledger.json"),
    }
    fine = {"units": ["heat-scaleout-*"], "programs": [], "lines": 3, "size": 10**6, "seconds": 20.0}
    return lambda **fields: {**fine, "configuration": configuration, **fields}


def row(number, message="text", **fields):
    """An entry as journalctl writes it; the journal's fields are texts."""
    return {
        "__CURSOR": f"s={number}",
        "__REALTIME_TIMESTAMP": str(1_000_000 * number),
        "_PID": "42",
        "PRIORITY": "6",
        "_SYSTEMD_UNIT": ENGINE,
        "MESSAGE": message,
        **fields,
    }


def printing(*rows, then=""):
    lines = "\n".join(map(json.dumps, rows))
    return f"sys.stdout.write({lines + chr(10)!r})\nsys.stdout.flush()\n{then}"


def messages(reply):
    return [each["message"] for each in reply["entries"]]


def test_newest_entries_come_oldest_first_with_the_newest_ones_cursor(journalctl, request_of):
    asked = journalctl(printing(row(3, "third"), row(2, "second"), row(1, "first")))

    reply = logs.logs(request_of(since="-600s"))

    assert messages(reply) == ["first", "second", "third"]
    assert reply["entries"][0] == {"time": 1_000_000, "unit": ENGINE, "pid": 42, "priority": 6, "message": "first"}
    assert (reply["cursor"], reply["cut"], reply["failed"]) == ("s=3", None, None)
    assert {"--reverse", "--since=-600s", "--unit=heat-scaleout-*", "--output=json", "--all"} <= set(asked())


def test_pattern_that_no_unit_is_like_is_asked_together_with_a_plain_name(journalctl, request_of):
    asked = journalctl("")

    assert logs.logs(request_of())["entries"] == []

    assert [each for each in asked() if each.startswith("--unit=") and "*" not in each] == [f"--unit={logs.NO_UNIT}"]


def test_entries_after_a_cursor_stay_in_order_and_end_with_the_last_ones_cursor(journalctl, request_of):
    asked = journalctl(printing(row(4), row(5), row(6)))

    reply = logs.logs(request_of(after="s=3", since="-600s"))

    assert [each["time"] for each in reply["entries"]] == [4_000_000, 5_000_000, 6_000_000]
    assert reply["cursor"] == "s=6"
    assert "--after-cursor=s=3" in asked()
    assert not {"--reverse", "--since=-600s"} & set(asked())


def test_entries_beyond_the_limit_of_lines_are_left_out_and_the_newest_stay(journalctl, request_of):
    journalctl(printing(*(row(number, str(number)) for number in (5, 4, 3, 2, 1)), then="time.sleep(60)"))

    reply = logs.logs(request_of())

    assert (messages(reply), reply["cut"], reply["cursor"]) == (["3", "4", "5"], "lines", "s=5")


def test_entries_beyond_a_limit_after_a_cursor_are_left_to_the_next_request(journalctl, request_of):
    journalctl(printing(*(row(number, "x" * 400) for number in (5, 6, 7))))

    reply = logs.logs(request_of(after="s=4", size=1000))

    assert (len(reply["entries"]), reply["cut"], reply["cursor"]) == (1, "size", "s=5")


def test_text_that_is_looked_for_counts_in_capitals_or_not_and_alone_counts_as_a_line(journalctl, request_of):
    noise = [row(number, "healthcheck") for number in range(20, 3, -1)]
    journalctl(printing(*noise, row(3, "An ERROR"), row(2, "no errors?"), row(1, "well")))

    reply = logs.logs(request_of(grep="Error"))

    assert (messages(reply), reply["cut"], reply["cursor"]) == (["no errors?", "An ERROR"], None, "s=20")


def test_cursor_passes_entries_that_are_not_looked_for(journalctl, request_of):
    journalctl(printing(row(5, "healthcheck"), row(6, "healthcheck")))

    reply = logs.logs(request_of(after="s=4", grep="error"))

    assert (reply["entries"], reply["cursor"]) == ([], "s=6")


def test_reading_that_takes_too_long_is_ended_and_keeps_what_was_read(journalctl, request_of):
    journalctl(printing(row(2, "newest"), then='sys.stdout.write("{\\"__CUR"); sys.stdout.flush(); time.sleep(60)'))
    began = time.monotonic()

    reply = logs.logs(request_of(seconds=1.0))

    assert (messages(reply), reply["cut"], reply["failed"]) == (["newest"], "seconds", None)
    assert time.monotonic() - began < 20


@pytest.mark.parametrize(
    ("field", "message"),
    [
        ([104, 105, 27, 91, 49, 109, 255], "hi\x1b[1m\ufffd"),
        (["one", [116, 119, 111]], "one\ntwo"),
        (None, ""),
        ("plain ünï", "plain ünï"),
    ],
)
def test_message_is_a_text_however_journalctl_writes_it(journalctl, request_of, field, message):
    journalctl(printing(row(1, field)))

    assert messages(logs.logs(request_of())) == [message]


def test_message_that_is_far_too_long_is_left_out_as_a_whole(journalctl, request_of):
    journalctl(printing(row(1, "secret" * 20_000)))

    assert messages(logs.logs(request_of())) == ["(left out: a message of 120000 characters)"]


@pytest.mark.parametrize(
    ("fields", "unit"),
    [
        ({"_SYSTEMD_UNIT": "init.scope", "UNIT": ENGINE}, ENGINE),
        ({"_SYSTEMD_UNIT": ENGINE, "UNIT": "heat-scaleout-forged.service"}, ENGINE),
        ({"_SYSTEMD_UNIT": "systemd-coredump@1.service", "COREDUMP_UNIT": ENGINE}, ENGINE),
        ({"_SYSTEMD_UNIT": "other.service"}, "other.service"),
    ],
)
def test_entry_is_the_units_that_wrote_it_or_that_systemd_writes_about(journalctl, request_of, fields, unit):
    journalctl(printing(row(1, **fields)))

    assert [each["unit"] for each in logs.logs(request_of())["entries"]] == [unit]


@pytest.mark.parametrize("value", ["²", "9" * 30, "-1", "", " 6", "6\n", ["6", "7"]])
def test_priority_that_is_no_number_is_none(value):
    """Whoever writes to the journal writes it, and must not keep anybody from reading the others."""
    entry = {"__REALTIME_TIMESTAMP": "1", "MESSAGE": "x", "PRIORITY": value}

    assert logs.entry_of(entry, [])["priority"] is None


def test_entry_without_a_pid_or_priority_has_none(journalctl, request_of):
    entry = row(1)
    del entry["_PID"], entry["PRIORITY"]
    journalctl(printing(entry))

    shown = logs.logs(request_of())["entries"][0]

    assert (shown["pid"], shown["priority"]) == (None, None)


def test_journalctl_that_fails_says_why_with_its_last_words(journalctl, request_of):
    journalctl("sys.stderr.write('first\\nFailed to open files: no permission\\n'); sys.exit(1)")

    reply = logs.logs(request_of())

    assert (reply["failed"], reply["entries"]) == ("journalctl: Failed to open files: no permission", [])


def test_host_without_journalctl_says_so(request_of, tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))

    assert logs.logs(request_of())["failed"] == "journalctl: No such file or directory"


def test_own_engines_count_as_services_but_a_login_session_and_units_of_ours_do_not(
    journalctl, request_of, monkeypatch
):
    units = ["heat-engine.service", "session-3.scope", ENGINE]
    monkeypatch.setattr(sockets, "processes_like", lambda names: [{"unit": unit} for unit in units if names])
    asked = journalctl("")

    reply = logs.logs(request_of(programs=["heat-engine"]))

    assert reply["units"] == ["heat-engine.service"]
    assert "--unit=heat-engine.service" in asked()
    assert "--unit=session-3.scope" not in asked()


def test_configuration_comes_with_entries_and_not_without(journalctl, request_of, tmp_path):
    journalctl(printing(row(1)))
    files = logs.logs(request_of())["files"]
    journalctl("")

    assert base64.b64decode(files[f"{tmp_path}/heat/heat.conf"]["content"]) == b"[DEFAULT]\n"
    assert logs.logs(request_of())["files"] == {}


def test_configuration_of_generations_that_are_kept_comes_too(journalctl, request_of, tmp_path):
    journalctl(printing(row(1)))
    folder = str(tmp_path / "state")
    generations.make(folder)
    for number, content in enumerate((b"old", b"older"), 1):
        digest = f"digest{number}"
        (tmp_path / "state" / "objects" / digest).write_bytes(content)
        files = {"/etc/heat/heat.conf": {"digest": digest}, "/etc/heat/policy.yaml": {"digest": digest}}
        generations.write(folder, {"number": number}, {"files": files})
    generations.write(folder, {"number": 3}, None)

    files = logs.logs(request_of())["files"]

    kept = {path: base64.b64decode(each["content"]) for path, each in files.items() if "objects" in path}
    assert kept == {
        f"{folder}/objects/digest1/etc/heat/heat.conf": b"old",
        f"{folder}/objects/digest2/etc/heat/heat.conf": b"older",
    }
