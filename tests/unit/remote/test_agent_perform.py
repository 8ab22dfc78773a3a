"""Steps are done in order up to the first that fails, each within its limit."""

import http.server
import json
import os
import re
import socket
import ssl
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from steps_here import write

from deployer.remote.agent import ledger, perform, programs, sockets
from lab import authority

LISTENER = """\
import socket, sys
server = socket.create_server(("127.0.0.1", 0))
print(server.getsockname()[1], flush=True)
sys.stdin.read()
"""


@pytest.fixture
def book(tmp_path):
    return str(tmp_path / "state" / "ledger.json")


@pytest.fixture
def listener():
    """A process of ours that holds a port until it is told to stop."""
    with subprocess.Popen([sys.executable, "-c", LISTENER], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        process.port = int(process.stdout.readline())
        yield process
        process.stdin.close()


class Answers(http.server.BaseHTTPRequestHandler):
    """Answers 503 at first, then 200."""

    def do_GET(self):  # noqa: N802 (the name is http.server's)
        self.server.asked.append(self.path)
        self.send_response(503 if len(self.server.asked) < 3 else 200)
        self.end_headers()

    def log_message(self, *_):
        pass


@pytest.fixture
def api():
    server = http.server.HTTPServer(("127.0.0.1", 0), Answers)
    server.asked = []
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


def performed(book, *steps):
    return perform.perform({"ledger": book, "steps": list(steps)})


def outcome(book, *steps):
    """What was done and what failed, without the seconds that it took."""
    reply = performed(book, *steps)
    return {name: reply[name] for name in ("done", "failed")}


def run(*argv, **how):
    return {"do": "run", "argv": list(argv), **how}


def free(process, timeout=5, **how):
    holder = {"address": "127.0.0.1", "port": process.port, "pid": process.pid, "unit": "", "signal": "SIGTERM", **how}
    return {"do": "release_port", "holders": [holder], "beside": "heat-scaleout-none.service", "timeout": timeout}


def await_http(port, **how):
    return {
        "do": "await_http",
        "unit": "heat-scaleout-none.service",
        "address": "127.0.0.1",
        "port": port,
        "path": "/healthcheck",
        "expect": [200, 300],
        "timeout": 5,
        **how,
    }


def test_steps_are_done_in_order_and_their_outputs_returned(book):
    assert outcome(book, run("echo", "one"), run("echo", "two")) == {"done": ["one\n", "two\n"], "failed": None}


def test_steps_that_were_done_have_their_seconds_and_the_one_that_failed_has_none(book):
    reply = performed(book, run("true"), run(sys.executable, "-c", "import time; time.sleep(0.2)"), run("false"))

    quick, slow = reply["seconds"]
    assert 0 <= quick < 0.2 <= slow < 10


def test_each_step_is_told_on_stderr_as_it_ends_with_no_word_of_a_program(book, capfd):
    performed(book, run("echo", "secret"), run("false"))

    first, second = capfd.readouterr().err.splitlines()
    assert re.fullmatch(r"heat-scaleout-step 1 [0-9]+\.[0-9]{3} done", first)
    assert re.fullmatch(r"heat-scaleout-step 2 [0-9]+\.[0-9]{3} failed", second)


def test_failed_step_stops_the_rest_and_is_named_by_its_index(book, tmp_path):
    reply = outcome(book, run("true"), run("false"), write(tmp_path / "file"))

    assert reply == {"done": [""], "failed": {"index": 1, "why": "false ended with 1: "}}
    assert not (tmp_path / "file").exists()


@pytest.mark.parametrize(
    ("step", "why"),
    [
        (run("/no/such/program"), "No such file or directory"),
        (run("sleep", "9", timeout=0.05), "timed out"),
        (run("sh", "-c", "echo words >&2; exit 3"), "sh ended with 3: words"),
        (run("sh", "-c", "echo printed; exit 3"), "sh ended with 3: printed"),
        ({"do": "dance"}, "dance"),
    ],
)
def test_whatever_fails_is_reported_as_text(book, step, why):
    assert why in performed(book, step)["failed"]["why"]


def test_run_gets_its_input_and_no_shell(book):
    assert performed(book, run("cat", stdin="$HOME\n"), run("echo", "$HOME; ls"))["done"] == ["$HOME\n", "$HOME; ls\n"]


def test_output_of_a_program_that_fails_is_cut_to_its_end(book):
    why = performed(book, run("sh", "-c", "seq 100000 >&2; exit 1"))["failed"]["why"]

    assert why.endswith("100000")
    assert len(why) < 2100


def test_end_of_an_output_begins_with_a_whole_word(book):
    """Half a secret would not be known as one."""
    why = performed(book, run("sh", "-c", "yes secretsecret | head -n 1000 | tr '\\n' ' ' >&2; exit 1"))["failed"][
        "why"
    ]

    assert set(why.partition(": ")[2].split()) == {"secretsecret"}


def test_reply_can_be_written_as_json(book):
    assert json.loads(json.dumps(performed(book, run("printf", "\\377"), run("false"))))["failed"]["index"] == 1


def test_free_stops_the_process_that_the_plan_saw_and_notes_how_to_bring_it_back(book, listener):
    assert performed(book, free(listener))["failed"] is None

    assert listener.wait(timeout=5) != 0
    (stopped,) = ledger.read(book)["stopped"]
    assert (stopped["unit"], stopped["port"], stopped["enabled"]) == ("", listener.port, False)
    assert stopped["argv"] == [sys.executable, "-c", LISTENER]


def test_unit_that_was_disabled_by_a_run_that_went_no_further_is_remembered_as_enabled(book, monkeypatch):
    holder = {"unit": "heat-api.service", "address": "127.0.0.1", "port": 8004, "pid": os.getpid()}
    for is_enabled in (True, False):
        monkeypatch.setattr(perform, "is_enabled", lambda _, now=is_enabled: now)
        perform.remember_stopped([holder], book)

    assert [each["enabled"] for each in ledger.read(book)["stopped"]] == [True]


def test_free_refuses_another_process_than_the_plan_saw(book, listener):
    why = performed(book, free(listener, pid=listener.pid + 1))["failed"]["why"]

    assert f"127.0.0.1:{listener.port} is now held by another process than planned" in why
    assert listener.poll() is None
    assert ledger.read(book)["stopped"] == []


def test_free_of_an_address_that_is_free_already_does_nothing(book, listener):
    listener.stdin.close()
    listener.wait(timeout=5)

    assert outcome(book, free(listener)) == {"done": [""], "failed": None}
    assert ledger.read(book)["stopped"] == []


def test_free_of_a_process_that_does_not_stop_fails_in_time(book):
    stubborn = "import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN)\n" + LISTENER
    with subprocess.Popen([sys.executable, "-c", stubborn], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        process.port = int(process.stdout.readline())
        why = performed(book, free(process, timeout=0.1))["failed"]["why"]
        process.stdin.close()

    assert "is still held after its process was stopped" in why


RELOADING = """\
import os, signal, sys
signal.signal(signal.SIGTERM, lambda *_: os.execv(sys.executable, [sys.executable, *sys.orig_argv[1:]]))
signal.signal(signal.SIGINT, signal.SIG_DFL)  # who runs the tests in the background ignores it
"""


def test_free_ends_a_server_that_reloads_on_sigterm_by_the_signal_that_it_ends_on(book):
    """uWSGI without die-on-term."""
    argv = [sys.executable, "-c", RELOADING + LISTENER]
    with subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as process:
        process.port = int(process.stdout.readline())
        reply = performed(book, free(process, signal="SIGINT"))
        process.stdin.close()

    assert reply["failed"] is None


def test_holder_of_every_address_holds_the_one_asked_for():
    with socket.create_server(("0.0.0.0", 0)) as server:
        assert perform.listeners_at("127.0.0.9", server.getsockname()[1])[0]["pid"] == os.getpid()


@pytest.mark.parametrize(
    ("files", "unit", "stays"),
    [({}, "heat-api.service", False), ({}, "", True), ({"/x": {"original": None}}, "heat-api.service", True)],
)
def test_notes_stay_while_they_are_needed_to_bring_something_back(book, files, unit, stays):
    ledger.write(book, {"files": files, "folders": [], "stopped": [{"unit": unit, "port": 8004, "argv": ["x"]}]})

    assert performed(book, {"do": "remove_records"})["failed"] is None

    assert Path(book).exists() is stays


def test_await_http_ends_with_the_first_good_answer(book, api):
    assert performed(book, await_http(api.server_port))["failed"] is None
    assert api.asked == ["/healthcheck"] * 3


def test_await_http_of_bad_answers_reports_the_last_in_time(book, api):
    why = performed(book, await_http(api.server_port, expect=[204], timeout=0.1))["failed"]["why"]

    assert f"no good answer from 127.0.0.1:{api.server_port}/healthcheck (status " in why


@pytest.fixture(scope="module")
def issued(tmp_path_factory):
    """A folder with an authority's certificate, and one with key that it gave to hostB."""
    folder = tmp_path_factory.mktemp("issued")
    authority.make(folder)
    (folder / "both.pem").write_text("".join(authority.sign(folder, "hostB", "127.0.0.1")))
    return folder


@pytest.fixture
def secure_api(api, issued):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(issued / "both.pem")
    api.socket = context.wrap_socket(api.socket, server_side=True)
    return api


def test_await_http_over_tls_takes_any_certificate_where_no_trust_is_asked_for(book, secure_api):
    assert performed(book, await_http(secure_api.server_port, secure=True))["failed"] is None


def test_await_http_over_tls_takes_who_proves_its_name(book, secure_api, issued):
    trust = {"name": "hostB", "ca": str(issued / "ca.pem")}

    assert performed(book, await_http(secure_api.server_port, secure=True, trust=trust))["failed"] is None


@pytest.mark.parametrize(("name", "why"), [("hostC", "match"), ("hostB", "certificate verify failed")])
def test_await_http_over_tls_refuses_another_name_and_another_authority(book, secure_api, issued, tmp_path, name, why):
    authority.make(tmp_path)
    trust = {"name": name, "ca": str((issued if name == "hostC" else tmp_path) / "ca.pem")}

    failed = performed(book, await_http(secure_api.server_port, secure=True, trust=trust, timeout=0.1))["failed"]
    assert why in failed["why"]


def test_await_http_over_tls_of_a_plain_server_reports_it(book, api):
    assert "SSL" in performed(book, await_http(api.server_port, secure=True, timeout=0.1))["failed"]["why"]


def test_await_http_with_nobody_listening_reports_it_in_time(book):
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]

    assert "refused" in performed(book, await_http(port, timeout=0.1))["failed"]["why"]


def test_await_reply_ends_when_the_answer_contains_the_text(book, monkeypatch):
    answers = iter(["", None, "Description: wanted"])
    monkeypatch.setattr(sockets, "ask_or_none", lambda path, question: next(answers))
    step = {"do": "await_reply", "socket": "/x", "send": "show info\n", "contains": "wanted", "timeout": 5}

    assert performed(book, step)["failed"] is None


STAT = "# pxname,svname,scur,status,\nrest,hostB,{},{},\nrest,hostC,9,UP,\n"
IDLE = {
    "send": "show stat\n",
    "row": {"# pxname": "rest", "svname": "hostB"},
    "column": "scur",
    "matches": "0",
    "else": "it still has requests in progress",
}
ALONE = {"send": "show proc\n", "lacks": "# old workers", "else": "old workers end theirs"}


@pytest.fixture
def answers(monkeypatch):
    """What a socket answers to each line, one after the other, and what it was asked."""
    given, asked = {}, []

    def ask(path, question):
        asked.append(question)
        left = given[question]
        return left.pop(0) if len(left) > 1 else left[0]

    monkeypatch.setattr(sockets, "ask", ask)
    given["asked"] = asked
    return given


def tell(*until, **how):
    return {
        "do": "set_server",
        "socket": "/x",
        "send": "set server rest/hostB state drain\n",
        "until": list(until),
        "timeout": 5,
        **how,
    }


def test_command_waits_until_every_answer_shows_the_effect(book, answers):
    answers.update(
        {
            tell()["send"]: ["\n"],
            "show stat\n": [STAT.format(2, "DRAIN"), STAT.format(0, "DRAIN")],
            "show proc\n": ["# old workers\n17\n", "# workers\n"],
        }
    )

    assert performed(book, tell(IDLE, ALONE))["failed"] is None
    assert answers["asked"] == [tell()["send"], *["show stat\n"] * 2, *["show proc\n"] * 2]


def test_command_that_is_answered_with_a_complaint_fails_with_it(book, answers):
    answers[tell()["send"]] = ["No such server.\n"]

    assert performed(book, tell(IDLE))["failed"]["why"] == "set server rest/hostB state drain answered: No such server."


def test_command_without_effect_fails_in_time_and_reports_what_it_waited_for(book, answers):
    answers.update({tell()["send"]: [""], "show stat\n": [STAT.format(3, "DRAIN")]})

    why = performed(book, tell(IDLE, timeout=0.1))["failed"]["why"]

    assert why == "after 0 s it still has requests in progress (scur: 3)"


def test_command_that_may_do_without_its_effect_reports_what_it_waited_for(book, answers):
    answers.update({tell()["send"]: [""], "show stat\n": [STAT.format(3, "DRAIN")]})

    reply = outcome(book, tell(IDLE, timeout=0.1, force=True))

    assert reply == {"done": ["after 0 s it still has requests in progress (scur: 3)"], "failed": None}


def test_command_of_a_server_that_is_not_in_the_table_never_counts_as_shown(book, answers):
    answers.update({tell()["send"]: [""], "show stat\n": ["# pxname,svname,scur,status,\nrest,hostC,0,UP,\n"]})

    assert performed(book, tell(IDLE, timeout=0.1))["failed"] is not None


def test_command_to_a_socket_that_is_not_there_fails(book, tmp_path):
    assert "No such file" in performed(book, tell(socket=str(tmp_path / "nothing")))["failed"]["why"]


def test_call_returns_what_a_program_prints():
    assert programs.call(["echo", "words"]) == "words\n"
