"""A host whose sshd answers what it likes: it takes bounded time and memory, and its error is an error of that host."""

import functools
import json
import logging
import threading
import time

import paramiko
import pytest
import sites
import ssh_server
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from lies import STEERING, mutations

from deployer import errors
from deployer.model import events
from deployer.model.hosts import Host, Login
from deployer.remote import agent_script, fleet, replies, ssh

BEGUN = agent_script.BEGIN.encode() + b"\n"  # what comes before a reply
HOST_KEY, CLIENT_KEY = (paramiko.ECDSAKey.generate() for _ in range(2))
TIMEOUT = 0.7  # seconds for the host to answer
PATIENT = 20.0
WINDOW = 2**21  # bytes that a host may send before we take them: Paramiko's own number
GRACE = 30.0  # seconds beyond that on a machine that is busy with other things
PERFORM = {"steps": [{"do": "run"}], "ledger": ""}
OBSERVE = {"trees": ["/etc/heat"], "carry": ["/etc/heat/"], "units": ["heat-*"], "disk": ["/etc"]}
LOGS = {"units": [], "lines": 5}
REQUESTS = {
    "observe": {},
    "watch": {"units": []},
    "measure": {},
    "logs": LOGS,
    "perform": PERFORM,
    "holder": {},
    "release": {},
    "stage": {},
    "close": {},
    "recall": {},
}
HOLDER = {"id": "1", "owner": "a", "host": "b", "pid": 7, "command": "deploy", "since": "now", "holder": 8}
TRUTHS = {
    "measure": {"available": 1, "most_files": 1, "units": {}, "answers": {}},
    "logs": {"entries": [], "cursor": None, "cut": None, "failed": None, "units": [], "clock": 1.0, "files": {}},
    "perform": {"done": [], "failed": {"index": 0, "why": "x"}, "seconds": []},
    "holder": {"held_by": HOLDER},
    "release": {"ended": HOLDER, "held_by": {}},
    "stage": {"problems": ["x"]},
    "close": {},
    "recall": {"runs": [{"number": 1, "result": "done", "who": "x"}], "state": None},
}


@pytest.fixture(autouse=True)
def quiet():
    """Paramiko logs what ends its server's threads."""
    logging.getLogger("paramiko").setLevel(logging.CRITICAL + 1)


@pytest.fixture
def hosts(tmp_path):
    """Serve with an answer to every command; the fleet that reaches it, open until the test ends."""
    CLIENT_KEY.write_private_key_file(str(tmp_path / "key"))
    opened = []

    def build(answer=None, refuse=None):
        server = ssh_server.listening(HOST_KEY, CLIENT_KEY, {}, answer=answer, refuse=refuse)
        port = server.__enter__()
        (tmp_path / "known").write_text(f"[127.0.0.1]:{port} {HOST_KEY.get_name()} {HOST_KEY.get_base64()}\n")
        login = Login(
            user="operator",
            port=port,
            key=str(tmp_path / "key"),
            sudo=False,
            known_hosts=str(tmp_path / "known"),
            connect_timeout=PATIENT,
        )
        reached = fleet.over_ssh({"hostB": Host("hostB", "127.0.0.1", login)}, events.ignore)
        opened.extend([server, reached])
        return reached.__enter__()

    yield build
    for each in reversed(opened):
        each.__exit__(None, None, None)


def ask(hosts, verb="observe", timeout=TIMEOUT):
    started = time.monotonic()
    reply = hosts.ask("ask", verb, {"hostB": REQUESTS[verb]}, timeout)["hostB"]
    assert time.monotonic() - started < timeout + GRACE
    return reply


def whole(channel, printed, talk=b"", status=0):
    """Answer as a program does that has read its input."""
    while channel.recv(65536):
        continue
    channel.sendall_stderr(talk)
    channel.sendall(printed)
    channel.send_exit_status(status)
    channel.close()


def without_end(send, piece):
    """Send one piece after the other until nobody takes them."""

    def answer(channel):
        while True:
            send(channel, piece)

    return answer


def drip(channel):
    """A byte every now and then: no single wait for the next one is long."""
    pause = threading.Event()
    while not pause.wait(0.05):
        channel.sendall(b" ")


@pytest.mark.parametrize("piece", [b"x" * 65536, b"\n" * 65536], ids=["text", "lines"])
def test_answer_without_end_is_cut_off_after_so_many_bytes(hosts, monkeypatch, piece):
    """What we hold is no more than what we have taken, and the host counts that."""
    monkeypatch.setattr(replies, "LONGEST_REPLY", 2**20)
    taken = []
    reached = hosts(without_end(lambda channel, part: (channel.sendall(part), taken.append(len(part))), piece))

    reply = ask(reached, timeout=PATIENT)

    assert isinstance(reply, errors.HostFailed)
    assert reply.message == "hostB: its answer to `observe` is longer than 1 MiB"
    assert sum(taken) < 2**20 + 2 * WINDOW


@pytest.mark.parametrize(
    "answer",
    [
        lambda channel: None,
        drip,
        lambda channel: (channel.sendall(BEGUN + b"{}"), None),
        without_end(paramiko.Channel.sendall_stderr, b"x" * 65536),
        without_end(paramiko.Channel.sendall_stderr, b"\n" * 65536),
        without_end(paramiko.Channel.sendall_stderr, b"heat-scaleout-step 1 0.100 done\n" * 1000),
    ],
    ids=["silence", "a byte now and then", "no end", "talk without end", "lines without end", "steps without end"],
)
def test_host_that_does_not_come_to_an_end_is_given_up_in_time(hosts, answer):
    assert isinstance(ask(hosts(answer)), errors.HostUnreachable)


def test_host_that_never_accepts_the_command_is_given_up_in_time(hosts, monkeypatch):
    monkeypatch.setattr(ssh, "HEARTBEAT_INTERVAL", 0.2)
    never = threading.Event()
    reached = hosts(refuse=never.wait)

    reply = ask(reached)
    never.set()

    assert isinstance(reply, errors.HostUnreachable)


@pytest.mark.parametrize("verb", sorted(REQUESTS))
@pytest.mark.parametrize(
    "printed",
    [b"", b"null", b"[]", b"\xff\xfe", b"[" * 10**5, b"1", b"Welcome!\n{}"],
    ids=["nothing", "null", "list", "no text", "nested", "number", "noise"],
)
def test_wrong_answer_to_any_verb_is_an_error_of_its_host(verb, printed):
    with pytest.raises(errors.HostFailed):
        replies.read("hostB", verb, REQUESTS[verb], printed)


def test_every_verb_is_read_from_a_connection_with_mutated_replies(hosts):
    """One connection after the other, as each lie ends its own; none ends in anything but a reply or an error."""
    printed = [b""]
    reached = hosts(lambda channel: whole(channel, BEGUN + printed[0]))
    outcomes = set()

    @example(verb="stage", lie=dict, cut=400)  # the truth
    @example(verb="stage", lie=dict, cut=5)
    @given(verb=st.sampled_from(sorted(TRUTHS)), lie=mutations(), cut=st.integers(0, 400))
    @settings(max_examples=25, deadline=None, derandomize=True, database=None, suppress_health_check=list(HealthCheck))
    def tell(verb, lie, cut):
        printed[0] = json.dumps(lie(TRUTHS[verb])).encode()[: None if cut > 40 else cut]
        reply = ask(reached, verb, PATIENT)
        outcomes.add(type(reply))
        assert isinstance(reply, dict | errors.HostFailed)

    tell()
    assert outcomes == {dict, errors.HostFailed}


@pytest.mark.parametrize("verb", sorted(TRUTHS))
@given(lie=mutations())
@settings(max_examples=300, deadline=None, derandomize=True, database=None)
def test_mutated_reply_is_read_or_is_an_error_of_its_host(verb, lie):
    _is_read_or_refused(verb, REQUESTS[verb], lie(TRUTHS[verb]))


@given(lie=mutations())
@settings(max_examples=300, deadline=None, derandomize=True, database=None)
def test_mutated_observation_is_read_or_is_an_error_of_its_host(lie):
    reply = _is_read_or_refused("observe", OBSERVE, lie(_truth()))

    assert all(path.startswith("/etc/heat/") and ".." not in path for path in reply.get("files", {}))


@functools.cache
def _truth():
    """What the source host answers to OBSERVE."""
    return sites.a_fleet(sites.an_inventory()).hosts["hostA"].ask("observe", OBSERVE)


def _is_read_or_refused(verb, request, reply):
    try:
        return replies.read("hostB", verb, request, json.dumps(reply).encode())
    except errors.HostFailed as error:
        assert error.message.isprintable()
        return {}


@pytest.mark.parametrize(
    "answer",
    [
        lambda channel: None,
        lambda channel: channel.close(),
        lambda channel: channel.sendall(b"not begun\n"),
        lambda channel: channel.sendall(BEGUN + b"no JSON\n"),
        lambda channel: channel.sendall(BEGUN + b'{"held": 1}\n'),
        lambda channel: channel.sendall(BEGUN + b'{"denied": "\\u001b[2K"}\n'),
        lambda channel: channel.sendall(BEGUN + b"[]\n"),
        drip,
        without_end(paramiko.Channel.sendall, b"x" * 65536),
        without_end(paramiko.Channel.sendall, BEGUN),
        without_end(paramiko.Channel.sendall_stderr, b"x" * 65536),
    ],
    ids=[
        "silence",
        "end",
        "not begun",
        "no JSON",
        "no holder",
        "no user",
        "list",
        "a byte now and then",
        "no end",
        "beginning without end",
        "talk without end",
    ],
)
def test_lock_of_a_host_that_lies_is_not_taken_and_takes_bounded_time(hosts, monkeypatch, answer):
    monkeypatch.setattr(ssh, "EXPLANATION_TIMEOUT", TIMEOUT)
    reached = hosts(answer)
    started = time.monotonic()

    reply = reached.acquire_lease("hostB", {}, TIMEOUT)

    assert isinstance(reply, errors.DeployerError)
    assert not reached.holds_lease()
    assert time.monotonic() - started < 2 * TIMEOUT + GRACE


def test_lock_whose_host_answers_heartbeats_with_noise_without_end_is_lost(hosts, monkeypatch):
    def answer(channel):
        channel.sendall(BEGUN + json.dumps({"held": HOLDER}).encode() + b"\n")
        without_end(paramiko.Channel.sendall, b'{"heard": -1}\n')(channel)

    monkeypatch.setattr("deployer.remote.lease.HEARTBEAT_TIMEOUT", TIMEOUT)
    monkeypatch.setattr("deployer.remote.lease.CLOSE_TIMEOUT", TIMEOUT)
    reached = hosts(answer)

    assert "held" in reached.acquire_lease("hostB", {}, PATIENT)
    assert not reached.holds_lease()


def test_last_words_of_a_host_are_an_error_of_it(hosts):
    reply = ask(hosts(lambda channel: whole(channel, b"", STEERING.encode(), status=1)), timeout=PATIENT)

    assert isinstance(reply, errors.HostFailed)
    assert "the agent did not run" in reply.message
