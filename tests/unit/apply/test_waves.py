"""A plan runs wave by wave; a failure stops its host and the next wave, and is named."""

import base64

import pytest
import sites
from contract.fake_fleet import FakeFleet
from contract.fake_host import FakeHost

from deployer import errors
from deployer.apply import agent_requests, waves
from deployer.model.names import unit_name
from deployer.model.probe import AnswersHttp, AnswersSocket, Program
from deployer.model.service import Service
from deployer.model.steps import (
    AwaitAnswer,
    AwaitReady,
    AwaitStopped,
    DrainServer,
    EnableUnit,
    Plan,
    ReadyServer,
    ReleasePort,
    ReloadSystemd,
    ReloadUnit,
    RemoveFile,
    RestartUnit,
    SharePort,
    StartUnit,
    Step,
    StopUnit,
    Wave,
    WriteFile,
)

ENGINES = tuple(f"heat-scaleout-engine@{number}.service" for number in (1, 2))
API, PROXY = unit_name(Service.API, 8004), unit_name(Service.PROXY)
TEMPLATE = "/etc/systemd/system/heat-scaleout-engine@.service"


@pytest.fixture
def fleet():
    hosts = {name: FakeHost(name, "10.0.0.2") for name in ("hostB", "hostC")}
    for host in hosts.values():
        host.has_file(TEMPLATE, "[Service]\nExecStart=/bin/sleep 1000\n")
    return FakeFleet(hosts)


def starts(host="hostB"):
    return tuple(StartUnit(host, unit, because="not running") for unit in ENGINES)


def a_plan(*waves):
    return Plan(tuple(Wave(f"wave {number}", steps) for number, steps in enumerate(waves, 1)))


def test_plan_without_waves_asks_nobody(fleet):
    assert waves.run(Plan(), fleet) == waves.Applied()
    assert fleet.asked == []


def test_every_step_is_done_in_one_request_a_host_and_wave(fleet):
    plan = a_plan((*starts(), *starts("hostC")), (StopUnit("hostB", ENGINES[0]),))

    applied = waves.run(plan, fleet)

    assert (applied.done, dict(applied.failed), applied.left) == (tuple(plan), {}, ())
    assert fleet.asked == [("wave 1", "perform", ("hostB", "hostC")), ("wave 2", "perform", ("hostB",))]


def test_neighbouring_starts_go_to_systemd_in_one_call(fleet):
    waves.run(a_plan(starts()), fleet)

    assert fleet.performed()["hostB"] == [f"start {ENGINES[0]} {ENGINES[1]}"]


def test_starts_with_something_between_them_stay_apart_and_in_order(fleet):
    first, second = starts()

    waves.run(a_plan((first, ReloadSystemd("hostB"), second)), fleet)

    assert fleet.performed()["hostB"] == [f"start {ENGINES[0]}", "daemon-reload", f"start {ENGINES[1]}"]


@pytest.mark.parametrize(
    ("first", "second"),
    [
        (RestartUnit("hostB", ENGINES[0]), RestartUnit("hostB", API)),  # an engine's restart does not block
        (StopUnit("hostB", API), StopUnit("hostB", PROXY)),  # the agent stops the proxy in its own way
        (StartUnit("hostB", API), RestartUnit("hostB", API)),
    ],
)
def test_units_that_systemctl_takes_with_other_options_are_batches_of_their_own(first, second):
    assert agent_requests.batches_of((first, second)) == ((first,), (second,))


def test_addresses_of_a_takeover_that_are_neighbours_go_in_one_request():
    shares = [SharePort("hostA", "10.0.0.1", port, sites.a_listener(port)) for port in (8004, 8000)]
    (batch,) = agent_requests.batches_of(shares)

    asked = agent_requests.batch_request(batch)

    assert [holder["port"] for holder in asked["holders"]] == [8004, 8000]
    assert asked["description"] == f"{shares[0]}, {shares[1]}"


def test_equal_steps_of_a_wave_are_each_left_when_the_first_fails(fleet):
    """Progress is a position: one of two equal steps may be done and the other not."""
    reload = ReloadSystemd("hostB", because="unit files changed")
    fleet.breaks("hostB", ENGINES[0], "Job failed")

    applied = waves.run(a_plan((reload, *starts(), reload)), fleet)

    assert (applied.done, applied.left) == ((reload,), (*starts(), reload))


class StillWorking:
    """A fleet of which each engine is at work until it is killed; hosts cannot kill those in `unkillable`.

    `waited`: the seconds for which each was to be waited for, in order.
    """

    def __init__(self, unkillable=()):
        self.killed, self.unkillable = [], unkillable
        self.waited, self.asked = [], 0
        self.holds_lease = lambda: True

    def ask(self, title, verb, requests, timeout):
        self.asked += 1
        return {host: self._reply(each["steps"]) for host, each in requests.items()}

    def _reply(self, steps):
        for index, step in enumerate(steps):
            if step["description"].startswith("kill "):
                unit = step["arguments"][-1]
                if unit in self.unkillable:
                    return {"done": [""] * index, "failed": {"index": index, "why": "Access denied"}}
                self.killed.append(unit)
            elif step["do"] == "run" and step["argv"][0] not in self.killed:
                self.waited += step["argv"][1:]
                return {"done": [""] * index, "failed": {"index": index, "why": "still works", "again": True}}
        return {"done": [""] * len(steps), "failed": None}


def overdue_engines():
    probes = {unit: Program((unit,), busy_timeout=0.0) for unit in ENGINES}
    return a_plan(tuple(AwaitStopped("hostB", unit, probe, force=True) for unit, probe in probes.items()))


@pytest.mark.parametrize(
    ("wait", "asked"), [(0.0, ["0"]), (5.0, ["5"]), (25.0, ["10", "10", "5"]), (30.0, ["10", "10", "10"])]
)
def test_engine_is_waited_for_as_long_as_was_asked_and_no_longer(wait, asked):
    fleet = StillWorking()
    probe = Program((ENGINES[0],), busy_timeout=wait, interval=10.0)

    applied = waves.run(a_plan((AwaitStopped("hostB", ENGINES[0], probe),)), fleet)

    assert (fleet.waited, applied.is_waiting) == (asked, True)


def test_program_of_an_older_generation_gets_no_argument_and_is_given_up_in_time():
    fleet = StillWorking()

    waves.run(a_plan((AwaitReady("hostB", ENGINES[0], Program((ENGINES[0],), busy_timeout=60.0)),)), fleet)

    assert (fleet.waited, fleet.asked) == ([], 3)


def test_every_engine_that_is_overdue_is_killed_and_proven_gone():
    fleet = StillWorking()

    applied = waves.run(overdue_engines(), fleet)

    assert fleet.killed == list(ENGINES)
    assert (applied.done, dict(applied.failed)) == (tuple(overdue_engines()), {})


def test_engine_that_cannot_be_killed_fails_with_the_reason_of_its_host():
    applied = waves.run(overdue_engines(), StillWorking(unkillable=ENGINES[1:]))

    assert applied.failed["hostB"].message == f"hostB: could not kill {ENGINES[1]}: Access denied"
    assert applied.left == tuple(overdue_engines())[1:]


def test_failed_step_stops_its_host_and_the_next_wave_and_is_named(fleet):
    write = WriteFile("hostB", sites.a_file("/etc/x"), because="new")
    fleet.breaks("hostB", ENGINES[0], "Job failed")
    plan = a_plan((write, *starts()), starts("hostC"))

    applied = waves.run(plan, fleet)

    assert applied.done == (write,)
    assert applied.left == (*starts(), *starts("hostC"))
    (error,) = applied.failed.values()
    assert isinstance(error, errors.HostFailed)
    assert error.message == (
        f"hostB: could not start {ENGINES[0]} (not running), start {ENGINES[1]} (not running): Job failed"
    )


def test_failed_host_does_not_stop_the_others_of_its_wave(fleet):
    fleet.breaks("hostB", "start")

    applied = waves.run(a_plan((*starts(), *starts("hostC"))), fleet)

    assert applied.done == starts("hostC")
    assert list(applied.failed) == ["hostB"]
    assert list(fleet.hosts["hostC"].running()) == list(ENGINES)


@pytest.mark.parametrize(("later", "named", "more"), [(0, 0, []), (3, 3, []), (23, 20, ["  and 3 more"])])
def test_interrupt_has_a_note_of_the_steps_that_have_not_begun(fleet, later, named, more):
    def interrupted(host, when, step):
        raise KeyboardInterrupt

    fleet.moment = interrupted
    steps = tuple(StartUnit("hostC", f"unit-{number}", because="not running") for number in range(later))

    with pytest.raises(KeyboardInterrupt) as caught:
        waves.run(a_plan(starts(), steps), fleet)

    lines = "\n".join(getattr(caught.value, "__notes__", [])).splitlines()
    listed = [f"  hostC  start unit-{number} (not running)" for number in range(named)]
    assert lines == (["not begun:", *listed, *more] if later else [])


def test_host_that_is_lost_on_the_way_has_its_error_and_all_its_steps_left(fleet):
    fleet.loses("hostB")

    applied = waves.run(a_plan(starts()), fleet)

    assert isinstance(applied.failed["hostB"], errors.HostUnreachable)
    assert (applied.done, applied.left) == ((), starts())


@pytest.mark.parametrize(
    ("step", "request_"),
    [
        (RemoveFile("hostB", "/x"), {"do": "remove", "path": "/x"}),
        (ReloadSystemd("hostB"), {"do": "systemctl", "arguments": ("daemon-reload",)}),
        (EnableUnit("hostB", "u"), {"do": "systemctl", "arguments": ("enable", "--quiet", "--no-reload", "u")}),
        (StartUnit("hostB", "u"), {"do": "systemctl", "arguments": ("start", "u")}),
        (RestartUnit("hostB", "u"), {"do": "systemctl", "arguments": ("restart", "u")}),
        (
            ReloadUnit("hostB", "u"),
            {"do": "reload", "arguments": ("reload", "u"), "kept": "/run/heat-scaleout-proxy/drained"},
        ),
        (StopUnit("hostB", "u"), {"do": "systemctl", "arguments": ("disable", "--quiet", "--now", "u")}),
        (
            ReleasePort("hostB", "10.0.0.1", 8004, sites.a_listener(unit="heat-api.service")),
            {
                "do": "release_port",
                "holders": [
                    {"address": "10.0.0.1", "port": 8004, "pid": 501, "unit": "heat-api.service", "signal": "SIGTERM"}
                ],
            },
        ),
        (
            SharePort("hostB", "10.0.0.1", 8004, sites.a_listener(unit="heat-api.service")),
            {
                "do": "share_port",
                "holders": [
                    {"address": "10.0.0.1", "port": 8004, "pid": 501, "unit": "heat-api.service", "signal": "SIGTERM"}
                ],
                "beside": "heat-scaleout-proxy.service",
            },
        ),
        (
            DrainServer("hostA", "rest_api_proxy/hostB-8004"),
            {
                "do": "set_server",
                "socket": "/run/heat-scaleout-proxy/master.sock",
                "keep": {
                    "file": "/run/heat-scaleout-proxy/drained",
                    "socket": "/run/heat-scaleout-proxy/master.sock",
                    "send": "@1 show servers state\n",
                },
                "send": "@1 set server rest_api_proxy/hostB-8004 state drain\n",
            },
        ),
        (
            ReadyServer("hostA", "rest_api_proxy/hostB-8004"),
            {"do": "set_server", "send": "@1 set server rest_api_proxy/hostB-8004 state ready\n"},
        ),
        (
            AwaitReady("hostB", "u", AnswersHttp("10.0.0.2", 8004, "/up", timeout=7.0, warm_up_paths=("/up",))),
            {
                "warm_up_paths": ("/up",),
                "warm_up_connections": 0,
                "do": "await_http",
                "unit": "u",
                "address": "10.0.0.2",
                "port": 8004,
                "path": "/up",
                "expect": (200, 300),
                "timeout": 7.0,
            },
        ),
        (
            AwaitAnswer("hostB", "u", Program(("python3", "-", "api:8004"), "script", timeout=7.0)),
            {"do": "run", "argv": ("python3", "-", "api:8004"), "stdin": "script", "timeout": 7.0},
        ),
        (
            AwaitReady("hostB", "u", AnswersSocket("/s", "show info\n", "text", timeout=7.0)),
            {"do": "await_reply", "socket": "/s", "send": "show info\n", "contains": "text", "timeout": 7.0},
        ),
        (
            AwaitReady("hostB", "u", Program(("python3", "-"), "script", timeout=7.0)),
            {"do": "run", "argv": ("python3", "-"), "stdin": "script", "timeout": 7.0},
        ),
    ],
)
def test_step_becomes_a_request_of_the_agent(step, request_):
    asked = agent_requests.request(step)

    assert {name: asked[name] for name in request_} == request_


def test_one_program_asks_all_apis_of_a_host_as_a_client_would():
    steps = tuple(
        AwaitAnswer("hostB", f"u{port}", Program(("python3", "-", target), "script", timeout=7.0))
        for port, target in ((8004, "api:8004"), (8000, "cfn:8000"))
    )

    (batch,) = agent_requests.batches_of(steps)

    asked = agent_requests.batch_request(batch)
    assert (asked["argv"], asked["stdin"]) == (("python3", "-", "api:8004", "cfn:8000"), "script")
    assert asked["description"] == "wait until u8004 answers a client, wait until u8000 answers a client"


@pytest.mark.parametrize(
    ("holder", "unit", "signal"),
    [
        ({"program": "uwsgi", "unit": "session-7.scope"}, "", "SIGINT"),
        ({"program": "uwsgi-core", "unit": ""}, "", "SIGINT"),
        ({"program": "heat-api", "unit": "ssh.service"}, "", "SIGTERM"),
        ({"program": "heat-api", "unit": "heat-api.service"}, "heat-api.service", "SIGTERM"),
    ],
)
def test_process_that_somebody_started_by_hand_is_ended_by_its_own_signal_and_never_its_session(holder, unit, signal):
    asked = agent_requests.request(ReleasePort("hostB", "10.0.0.1", 8004, sites.a_listener(**holder)))

    assert [(each["unit"], each["signal"]) for each in asked["holders"]] == [(unit, signal)]


def test_write_request_carries_content_and_access():
    file = sites.a_file(
        "/x", "content", owner="heat", group="heat", mode=0o640, check=("true", "{}"), only=Service.PROXY
    )

    asked = agent_requests.request(WriteFile("hostB", file))

    assert base64.b64decode(asked.pop("content")) == b"content"
    assert asked == {
        "do": "write",
        "path": "/x",
        "owner": "heat",
        "group": "heat",
        "mode": 0o640,
        "kept": ".before-heat-scaleout",
    }


def test_every_kind_of_step_has_a_request():
    kinds = set(Step.__subclasses__())

    assert kinds == {kind for kind in agent_requests.request.registry if kind is not object}
