"""Clients and slow stacks at work while the site changes: no request fails, every POST arrives once, no stack is lost.

The long run of the same is `bin/load`.
"""

import contextlib
import http.client
import json
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from benchmarks.load import arrivals, client_process, stacks
from benchmarks.load.arrivals import Book
from benchmarks.load.client_process import Bounds

pytestmark = pytest.mark.lab

BOUNDS = Bounds(rate=100, most=20_000, seconds=200)
PROXY = "heat-scaleout-proxy.service"
RELOADS = 10
CONNECTIONS = 16  # over which a started API is warmed up: under uWSGI one for each thread
SECONDS = 40  # that a stack takes: longer than it takes to begin twenty
LIMIT = 100  # seconds for what then is still in progress


@pytest.mark.on("old")
def test_apis_come_and_go_and_the_proxy_reloads_without_losing_a_request(restored):
    with nothing_lost(restored):
        restored.invoke("add-api", "hostB", "--yes")
        warmed_up = restored.on("hostB", "journalctl", "--unit=heat-scaleout-api@8005.service", "--output=cat")
        restored.invoke("add-cfn", "hostC", "--yes")
        for _ in range(RELOADS):
            restored.on("hostA", "systemctl", "reload", "heat-scaleout-proxy.service")
        restored.invoke("remove-api", "hostB", "--yes")
        restored.invoke("remove-cfn", "hostC", "--yes")
    assert warmed_up.count("GET /v1/heat-scaleout/stacks") >= CONNECTIONS


@pytest.mark.on("old")
def test_processes_restart_and_engines_leave_without_losing_a_request_or_a_stack(restored):
    slow = stacks.Stacks(stacks.opened(restored.lab.directory / "clouds.yaml"), "slow")
    left_by_others = set(restored.unread_queues())
    with nothing_lost(restored):
        slow.begin(20, stacks.single(SECONDS))
        in_progress = slow.in_progress()
        restored.on("hostA", "sed", "-i", "s/^debug = .*/debug = true/", "/etc/heat/heat.conf")
        restarts = [each["step"] for each in restored.json("deploy", "--yes")["done"] if "restart " in each["step"]]
        restored.invoke("remove-engine", "hostC", "--yes")
    fates = slow.awaited(LIMIT)

    assert len([each for each in restarts if "engine" in each]) == 2 and in_progress >= 15
    assert fates == stacks.Fates(begun=20, complete=20, failed={}, stuck=())
    assert slow.delete() == ()
    assert set(restored.unread_queues()) <= left_by_others


@pytest.mark.on("newest")
def test_ports_change_their_kind_and_the_proxy_its_unit_without_losing_a_request(restored):
    changes = [("proxy: {host: hostA}", "proxy: {host: hostA, maxconn: 9000}")]
    changes += [("    api: 1\n    cfn: 1\n", "    api: [8000]\n    cfn: [8004]\n")] * 2
    other = restored.edited(*changes)
    with nothing_lost(restored):
        assert proxy_steps(restored, other) == [f"reload {PROXY}"] * 3
        older = f"echo '# older' >>/etc/systemd/system/{PROXY} && systemctl daemon-reload"
        restored.on("hostA", "sh", "-c", older)
        with request_in_progress(restored) as answer:
            assert proxy_steps(restored, other) == [f"restart {PROXY}"]

    assert answer.result(LIMIT) == 400


def proxy_steps(site, inventory):
    """Deploy an inventory; what that did to the proxy's process."""
    done = json.loads(site.invoke("deploy", "--yes", "--format", "json", inventory=inventory).stdout)["done"]
    steps = [each["step"].partition(" (")[0] for each in done]
    return [step for step in steps if step.startswith(("reload", "restart", "start", "stop")) and step.endswith(PROXY)]


@contextlib.contextmanager
def request_in_progress(site):
    """A client's request with a token, which is whole only when the proxy has another process; the status it gets."""
    heat = stacks.opened(site.lab.directory / "clouds.yaml")
    before = main_pid(site)
    client = http.client.HTTPConnection(site.lab.hosts["hostA"], 8004, timeout=LIMIT)
    client.putrequest("POST", f"/v1/{heat.get_project_id()}/stacks")
    for name, value in {"X-Auth-Token": heat.get_token(), "Content-Length": "2"}.items():
        client.putheader(name, value)
    client.endheaders(b"{")

    def rest_of_it():
        deadline = time.monotonic() + LIMIT
        while main_pid(site) in (before, "0") and time.monotonic() < deadline:
            time.sleep(0.2)
        client.send(b"{")
        return client.getresponse().status

    with ThreadPoolExecutor(1) as pool:
        yield pool.submit(rest_of_it)


def main_pid(site):
    return site.on("hostA", "systemctl", "show", "--property=MainPID", "--value", PROXY).strip()


@contextlib.contextmanager
def nothing_lost(site):
    """Have clients ask the proxy for the length of a `with`, then look at every answer and into the APIs' logs."""
    with client_process.clients(site.lab.hosts["hostA"], BOUNDS) as load:
        yield
    book = Book(load.run)
    arrivals.collect(site.lab, book)
    result = load.result()
    failures = [f"{each}: the proxy said {arrivals.proxy_lines(book, [each])}" for each in result.failures[:5]]
    arrived = arrivals.judged(book, load.samples)
    assert (result.failed, failures) == (0, [])
    assert result.requests > 300
    assert (arrived.once, arrived.twice, arrived.lost) == (result.posts, (), ())
