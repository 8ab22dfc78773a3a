"""Growing, shrinking, changing and rebooting a site that serves."""

import contextlib
import functools
import http.client
import threading
import time

import pytest

from lab import site as labs

pytestmark = pytest.mark.lab


def test_added_engine_is_up_in_heat_and_touches_no_other_process(restored):
    site = restored
    before, text = site.processes(), site.inventory.read_text()

    site.invoke("add-engine", "hostB", "--yes")

    after = site.processes()
    new = ("hostB", "heat-scaleout-engine@2.service")
    assert site.inventory.read_text() == text.replace("engines: 1  # grows", "engines: 2  # grows", 1)
    assert set(after) - set(before) == {new}
    assert {key: pid for key, pid in after.items() if key != new} == before
    assert heat_view(site, *new) == "up"

    site.inventory.write_text(text)
    site.invoke("deploy", "--yes")
    assert site.processes() == before
    assert "heat-scaleout-engine@2" not in site.on("hostB", "find", "/etc/systemd/system", "-name", "*engine@2*")


def test_second_api_on_a_host_gets_its_own_port_and_no_client_sees_an_error(restored):
    site = restored
    before, text = site.processes(), site.inventory.read_text()

    with requests_all_the_while(site) as answers:
        site.invoke("add-api", "hostB", "--yes")
        assert site.on("hostB", "ss", "-Hltn", "sport", "=", ":8005").count("LISTEN") == 1
        after = site.processes()
        proxied = {(each["host"], each["port"]) for each in site.json("status")["instances"] if each["proxy"] == "UP"}
        site.invoke("remove-api", "hostB", "--yes")

    assert site.inventory.read_text() == text
    assert ("hostB", 8005) in proxied
    assert {key: after[key] for key in before} == before
    assert site.processes() == before
    assert len(answers) > 20
    assert set(answers) == {200}


@pytest.mark.on("newest")
def test_changed_heat_conf_restarts_what_reads_it_one_host_at_a_time(restored):
    site = restored
    before = site.processes()
    site.on("hostA", "sed", "-i", "s/^debug = .*/debug = true/", "/etc/heat/heat.conf")

    with requests_all_the_while(site) as answers:
        done = site.json("deploy", "--yes")["done"]

    restarts = [each["host"] for each in done if each["step"].startswith("restart ")]
    assert restarts == ["hostB"] * 3 + ["hostC"] * 3
    after = site.processes()
    assert {key for key in before if before[key] == after[key]} == {("hostA", "heat-scaleout-proxy.service")}
    assert set(answers) == {200}

    site.on("hostA", "sed", "-i", "s/^debug = .*/debug = false/", "/etc/heat/heat.conf")


@pytest.mark.on("old")
def test_hand_edited_file_on_a_node_is_put_right_and_restarts_what_may_have_read_it(restored):
    site = restored
    site.on("hostB", "sed", "-i", "s/^bind_port = 8004/bind_port = 8444/", "/etc/heat/heat.conf")

    pending = site.json("plan")["hosts"]["hostB"]
    assert [each["step"].split()[0] for each in pending] == ["write", "restart", "restart", "restart"]

    site.invoke("deploy", "--yes")
    assert "bind_port = 8004" in site.on("hostB", "cat", "/etc/heat/heat.conf")


def test_killed_engine_comes_back_by_itself(site):
    pid = site.processes()["hostC", "heat-scaleout-engine@1.service"]

    site.on("hostC", "kill", "-KILL", str(pid))

    wait_until(lambda: site.processes().get(("hostC", "heat-scaleout-engine@1.service"), pid) != pid, 60)
    wait_until(lambda: heat_view(site, "hostC", "heat-scaleout-engine@1.service") == "up", 60)


@pytest.mark.on("newest")
def test_rebooted_host_comes_back_with_every_process(site):
    before = set(site.processes())
    started = site.on("hostB", "cat", "/proc/1/stat").split()[21]
    labs.run(site.lab, "hostB", ["sudo", "-n", "systemctl", "reboot"])

    wait_until(lambda: booted_since(site, "hostB", started), 90)
    wait_until(lambda: set(site.processes()) == before, 90)
    wait_until(lambda: site.json("plan")["changes"] == 0, 30)
    wait_until(lambda: {each["proxy"] for each in site.json("status")["instances"]} == {"UP", ""}, 60)


def booted_since(site, host: str, started: str) -> bool:
    """Whether a host answers again with a newer process 1."""
    ran = labs.run(site.lab, host, ["cat", "/proc/1/stat"], timeout=20)
    return ran.returncode == 0 and ran.stdout.split()[21] != started


def heat_view(site, host: str, unit: str) -> str:
    shown = site.json("status")["instances"]
    return next(each["heat"] for each in shown if (each["host"], each["unit"]) == (host, unit))


def wait_until(true, seconds: float) -> None:
    """Wait for what no event announces across hosts; fail after `seconds`."""
    deadline = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < deadline, "not in time"
        time.sleep(0.3)


@contextlib.contextmanager
def requests_all_the_while(site, tls=None):
    """The status of one request after another to the proxy's health check, each on a connection of its own.

    `tls` is the context of clients that speak it.
    """
    answers: list[int | str] = []
    over = threading.Event()
    worker = threading.Thread(target=ask_until, args=(site.lab.hosts["hostA"], over, answers, tls), daemon=True)
    worker.start()
    try:
        yield answers
    finally:
        over.set()
        worker.join(timeout=30)


def ask_until(address: str, over: threading.Event, answers: list, tls=None) -> None:
    kind = functools.partial(http.client.HTTPSConnection, context=tls) if tls else http.client.HTTPConnection
    for _ in range(20_000):
        connection = kind(address, 8004, timeout=30)
        try:
            connection.request("GET", "/healthcheck")
            answers.append(connection.getresponse().status)
        except OSError as error:
            answers.append(repr(error))
        finally:
            connection.close()
        if over.wait(0.02):
            return
