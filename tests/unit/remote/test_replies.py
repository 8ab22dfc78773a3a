"""What hosts answer is checked where it enters: nothing is decided from a reply that is not what its verb answers."""

import base64
import json

import pytest
import sites

from deployer import errors
from deployer.model.run import Author
from deployer.model.state import digest_of
from deployer.remote import replies

CONTENT = base64.b64encode(b"[DEFAULT]\n").decode()
REQUEST = {"trees": ["/etc/heat"], "carry": ["/etc/heat/"], "units": ["heat-scaleout-*"], "disk": ["/etc"]}
A_UNIT = {"active": "active", "sub": "", "enabled": True, "pid": 1, "stale": False, "restarts": 0}
PERFORM = {"steps": [{"do": "run"}, {"do": "run"}]}


def a_file(**changed):
    return {
        "digest": digest_of(b"[DEFAULT]\n"),
        "owner": "root",
        "group": "heat",
        "mode": 0o640,
        "content": CONTENT,
    } | changed


def an_observation(**changed):
    """What a host in memory answers to REQUEST, with some fields in place of its own."""
    reply = sites.a_fleet(sites.an_inventory()).hosts["hostB"].ask("observe", REQUEST)
    return reply | changed


def refusal(verb, request, reply):
    with pytest.raises(errors.HostFailed) as caught:
        replies.read("hostB", verb, request, json.dumps(reply).encode())
    assert caught.value.hint
    return caught.value.message


def test_observation_as_it_was_asked_for_is_taken_as_it_is():
    files = {"/etc/heat/heat.conf": a_file(), "/etc/heat/environment.d/x.yaml": a_file()}

    reply = replies.checked("hostB", "observe", REQUEST, an_observation(files=files))

    assert reply["files"] == files


@pytest.mark.parametrize(
    "path",
    [
        "/etc/heat/../cron.d/evil",
        "/etc/cron.d/evil",
        "/etc/heaty/x",
        "/etc/heat/./x",
        "/etc/heat//x",
        "etc/heat/x",
        "/etc/heat/",
        "/etc/heat/\x1b[2Kx",
        "/etc/heat/x\n",
        "/etc/heat/\ud800",
        "/etc/heat/\u202etxt.evil",
        "/etc/heat/" + "x" * 256,
        "/etc/heat/x" * 500,
        "",
    ],
)
def test_file_that_is_not_below_the_folder_that_was_asked_for_is_refused(path):
    message = refusal("observe", REQUEST, an_observation(files={path: a_file()}))

    assert message.startswith("hostB: its answer to `observe` is refused: ")
    assert message.isprintable()


def test_file_whose_name_is_no_utf8_is_taken():
    path = b"/etc/heat/caf\xe9".decode("utf-8", "surrogateescape")

    assert path in replies.checked("hostB", "observe", REQUEST, an_observation(files={path: a_file()}))["files"]


@pytest.mark.parametrize(
    "changed",
    [
        {"mode": 0o100644},
        {"mode": -1},
        {"mode": True},
        {"mode": "0644"},
        {"owner": "root:root"},
        {"owner": "\x1b[31mroot"},
        {"owner": ""},
        {"group": None},
        {"digest": "0" * 63},
        {"digest": digest_of(b"another")},
        {"content": "&&&"},
        {"content": base64.b64encode(b"another").decode()},
    ],
)
def test_file_with_another_owner_mode_or_content_than_a_file_has_is_refused(changed):
    refusal("observe", REQUEST, an_observation(files={"/etc/heat/heat.conf": a_file(**changed)}))


def test_content_that_was_not_asked_for_is_refused():
    refusal("observe", REQUEST | {"carry": []}, an_observation(files={"/etc/heat/heat.conf": a_file()}))


def test_file_below_another_file_is_refused():
    files = {"/etc/heat/a": a_file(), "/etc/heat/a/b/c": a_file()}

    assert refusal("observe", REQUEST, an_observation(files=files)).endswith("/etc/heat/a/b/c is below a file")


@pytest.mark.parametrize(
    "changed",
    [
        {"listeners": [{"address": "10.0.0.2\n  server evil", "port": 80}]},
        {"listeners": [{"address": "fe80::1%eth0", "port": 80}]},
        {"listeners": [{"address": "10.0.0.2", "port": 65536}]},
        {"listeners": [{"address": "10.0.0.2", "port": 80, "unit": "--all"}]},
        {"listeners": [{"address": "10.0.0.2", "port": 80, "unit": "x.service\nhostA: fine"}]},
        {"clock": 1e300},
        {"cpus": 0},
        {"uid": None},
        {"free": {}},
        {"free": {"/etc": -1}},
        {"free": {"/etc": 1, "/var": 1}},
        {"units": {"sshd.service": A_UNIT}},
        {"newest": {"number": 10**12, "result": None}},
        {"newest": {"number": 1}},
        {"globs": {"uwsgi": ["/tmp/x"]}},
        {"texts": {"/etc/shadow": "x"}},
        {"busy": 1},
        {"ledger": []},
    ],
)  # fmt: skip
def test_value_out_of_bounds_or_that_was_not_asked_for_is_refused(changed):
    refusal("observe", REQUEST, an_observation(**changed))


def test_title_of_a_process_is_shown_in_one_line_without_what_steers_a_terminal():
    title = "heat-api\nhostA: all is well\x1b]0;x\x07\u202e"
    found = {"address": "10.0.0.2", "port": 80, "pid": 7, "program": title, "unit": "", "argv": [title]}

    (listener,) = replies.checked("hostB", "observe", REQUEST, an_observation(listeners=[found]))["listeners"]

    assert listener["program"] == listener["argv"][0] == "heat-api\\x0ahostA: all is well\\x1b]0;x\\x07\\u202e"


def test_field_that_no_verb_answers_is_dropped():
    assert "surprise" not in replies.checked("hostB", "observe", REQUEST, an_observation(surprise=1))


@pytest.mark.parametrize(
    "reply",
    [
        {"done": [], "failed": None, "seconds": []},
        {"done": ["", "", ""], "failed": None, "seconds": []},
        {"done": ["", ""], "failed": {"index": 2, "why": "x"}, "seconds": []},
        {"done": [""], "failed": {"index": 0, "why": "x"}, "seconds": []},
        {"done": ["", ""], "failed": None, "seconds": [1, 1, 1]},
        {"done": ["", ""], "failed": None, "seconds": [-1]},
        {"done": ["", None], "failed": None, "seconds": []},
    ],
)
def test_steps_that_were_not_asked_for_are_refused(reply):
    refusal("perform", PERFORM, reply)


def test_reason_beyond_all_measure_is_left_out():
    reply = {"done": [], "failed": {"index": 0, "why": "x" * 100_000}, "seconds": []}

    failed = replies.checked("hostB", "perform", PERFORM, reply)["failed"]

    assert failed["why"] == "(left out: a text of 100000 characters)"


def test_program_as_proof_that_an_api_is_reached_is_refused():
    """That proof is run on the proxy's host: who owns another host would run programs there."""
    program = {"kind": "Program", "timeout": 5.0, "argv": ["/bin/sh"], "stdin": "", "busy_timeout": 0.0}
    unit = {
        "running": True,
        "enabled": True,
        "config": None,
        "ready": program,
        "reached": None,
        "secure": False,
        "needs": [["10.0.0.2", 8004]],
        "reads": ["/etc/heat/"],
        "drained": False,
    }
    name = "heat-scaleout-api@8004.service"
    kept = {"runs": [], "state": {"files": {}, "units": {name: unit}}}
    evil = {"runs": [], "state": {"files": {}, "units": {name: unit | {"reached": program}}}}

    assert replies.checked("hostB", "recall", {}, kept)["state"]["units"][name]["ready"] == program
    refusal("recall", {}, evil)


@pytest.mark.parametrize(
    "printed",
    [
        b"",
        b"Welcome!\n{}",
        b"\xff\xfe\xfd",
        b"[" * 100_000,
        b"1" * 10_000,
        b'{"clock": NaN}',
        b"null",
        b"[]",
        b'"text"',
        b"{}",
        b'{"files": "\\ud800"}',
    ],
)
def test_what_is_no_reply_is_an_error_of_its_host(printed):
    with pytest.raises(errors.HostFailed, match=r"^hostB: its answer to `observe` is"):
        replies.read("hostB", "observe", REQUEST, printed)


def test_reply_that_is_cut_off_is_no_reply():
    with pytest.raises(errors.HostFailed, match="is no JSON"):
        replies.read("hostB", "stage", {}, b'{"problems": [')


def test_no_field_of_a_run_is_dropped():
    run = dict.fromkeys(Author.__dataclass_fields__, "x") | {"number": 1, "result": "done", "hosts": ["hostA"]}

    assert replies.checked("hostB", "recall", {}, {"runs": [run], "state": None})["runs"] == [run]
