"""The truth table on a bad day: whatever is wrong or left over has a name there, and nothing else has."""

import json
import subprocess
import sys
import time
from pathlib import Path

import pytest

pytestmark = pytest.mark.lab
ROOT = Path(__file__).resolve().parents[2]
ENGINE, CFN = "heat-scaleout-engine@1.service", "heat-scaleout-cfn@8000.service"
LEFT_API = "heat-scaleout-api@8099.service"
TOLD = """import socket, sys
link = socket.socket(socket.AF_UNIX)
link.connect('/run/heat-scaleout-proxy/master.sock')
link.sendall(sys.argv[1].encode())
link.shutdown(socket.SHUT_WR)
print(link.recv(65536).decode())"""


@pytest.fixture
def bad_day(site):
    """A killed engine, a stranger in the place of an API, a unit and a server left over; mended afterwards."""
    dead = rows(site, "hostB-engine-1")
    site.on("hostB", "systemctl", "kill", "--signal=KILL", ENGINE)
    site.on("hostC", "systemctl", "stop", CFN)
    site.on("hostC", "systemd-run", "--unit=stranger", "python3", "-m", "http.server", "8000", "--directory=/srv")
    site.on("hostB", "systemctl", "enable", LEFT_API)
    site.on("hostA", "python3", "-c", TOLD, "@1 add server rest_api_proxy/left 127.0.0.9:8004\n")
    yield
    site.on("hostC", "systemctl", "stop", "stranger")
    site.on("hostC", "systemctl", "start", CFN)
    site.on("hostB", "systemctl", "disable", LEFT_API)
    site.on("hostA", "systemctl", "reload", "heat-scaleout-proxy")
    mysql(site, f"DELETE FROM service WHERE engine_id IN ({', '.join(map(repr, dead))})")


def rows(site, engine):
    return mysql(site, f"SELECT engine_id FROM service WHERE deleted_at IS NULL AND host = '{engine}'").split()


def mysql(site, words):
    return site.on("hostA", "mysql", "-N", "heat", "-e", words)


def drifts(site):
    """(host, unit) -> what is told of it, of everything but a host's own engine."""
    shown = json.loads(site.invoke("status", "--exit-code", "--format", "json", code=8).stdout)
    return {
        (each["host"], each["unit"]): each for each in shown["instances"] if each["drift"] not in ("", "host's own")
    }


def at_rest(site):
    """The status once what other tests have killed is forgotten: by Heat when it has not reported for two minutes."""
    deadline = time.monotonic() + 100
    while (shown := site.json("status"))["drift"] and time.monotonic() < deadline:
        mysql(site, "DELETE FROM service WHERE updated_at < UTC_TIMESTAMP() - INTERVAL 75 SECOND")
        time.sleep(2)
    return shown


def test_status_of_a_good_day_has_every_view_and_no_drift(site):
    """A restart leaves nothing behind: an engine that ends by itself takes its rows away."""
    site.on("hostB", "systemctl", "restart", ENGINE)
    shown = at_rest(site)
    by_service = {each["service"]: each for each in shown["instances"] if each["host"] != "hostA"}

    assert {each["drift"] for each in shown["instances"]} == {"", "host's own"}
    site.invoke("status", "--exit-code")
    assert {each["config_is_desired"] for each in shown["instances"] if each["drift"] == ""} == {True}
    assert {each["listening"] for each in shown["instances"] if each["service"] != "engine"} == {True}
    assert (by_service["api"]["check"], by_service["cfn"]["sessions"]) == ("L7OK", 0)
    engine = by_service["engine"]
    assert engine["queue"]["consumers"] == engine["workers"]["up"] > 0 == engine["workers"]["down"]


def test_status_names_what_is_wrong_and_what_is_left_over(site, bad_day):
    found = drifts(site)

    assert "without process" in found["hostB", ENGINE]["drift"] or "queue" in found["hostB", ENGINE]["drift"]
    assert found["hostC", CFN]["drift"].startswith("not running")
    assert found["hostC", "stranger.service"]["drift"] == f"holds the address of {CFN}"
    assert found["hostB", LEFT_API]["drift"] == "not in the inventory"
    assert found["left", "rest_api_proxy/left"]["drift"] == "server rest_api_proxy/left without unit"
    assert set(found) == {
        ("hostB", ENGINE),
        ("hostC", CFN),
        ("hostC", "stranger.service"),
        ("hostB", LEFT_API),
        ("left", "rest_api_proxy/left"),
    }


def test_watch_ends_with_0_when_nobody_wants_more(site):
    """And gives one picture a line, each complete, over the connections of the first."""
    command = [
        sys.executable,
        "-m",
        "invoke",
        "status",
        "--watch",
        "--interval",
        "0.5",
        "--format",
        "json",
        "--inventory",
        str(site.inventory),
    ]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as ran:
        pictures = [json.loads(ran.stdout.readline()) for _ in range(3)]
        ran.send_signal(2)
        _, talked = ran.communicate(timeout=30)

    assert [len(each["instances"]) for each in pictures] == [len(pictures[0]["instances"])] * 3
    for each in pictures[-1]["instances"]:
        rates = each["rates"]
        assert 0 <= rates["cpu_percent"] < 10_000
        assert 2**20 < rates["memory_bytes"] < 2**36
        assert (rates["requests_per_second"] is not None) == (each["service"] in ("api", "cfn"))
    assert (ran.returncode, "Traceback" in talked) == (0, False)
