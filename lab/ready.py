"""Waits until a lab is of use: every host lets us in, and the controller's Heat answers."""

import json
import socket
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path

from lab.lab_errors import HostFailed
from lab.progress import say

PAUSE = 0.1
REQUEST_TIMEOUT = 5
SAY_EVERY = 5


def until(what: str, ready: Callable[[], bool], deadline: float, failed: Callable[[], str | None]) -> None:
    """Ask `ready` again and again; raise HostFailed when `failed` gives a reason or `deadline` (monotonic) is past."""
    told = time.monotonic() + SAY_EVERY
    while not ready():
        reason = failed()
        if reason or time.monotonic() > deadline:
            raise HostFailed(f"{what} did not come up: {reason or 'no answer in time'}", hint="Try: invoke lab.status")
        if time.monotonic() > told:
            say(f"waiting for {what} ...")
            told += SAY_EVERY
        time.sleep(PAUSE)


def admits(config: Path, host: str, address: str) -> bool:
    """Tell whether a host lets us in over SSH."""
    if not listens(address, 22):
        return False
    argv = ["ssh", "-F", str(config), "-o", "BatchMode=yes", host, "true"]
    done = subprocess.run(argv, stdin=subprocess.DEVNULL, capture_output=True, timeout=30, check=False)
    return done.returncode == 0


def all_admit(config: Path, hosts: Mapping[str, str], deadline: float, failed: Callable[[str], str | None]) -> None:
    """Wait until every host of name -> address lets us in; raise HostFailed naming the first that does not."""

    def one(host: str) -> None:
        until(host, lambda: admits(config, host, hosts[host]), deadline, lambda: failed(host))

    with ThreadPoolExecutor(8) as pool:
        for waiting in [pool.submit(one, host) for host in hosts]:
            waiting.result()


def listens(address: str, port: int) -> bool:
    """Tell whether something accepts connections there."""
    try:
        with socket.create_connection((address, port), timeout=1):
            return True
    except OSError:
        return False


def answers(url: str) -> bool:
    """Tell whether an HTTP server answers there with anything but its own failure."""
    try:
        with urllib.request.urlopen(url, timeout=REQUEST_TIMEOUT):
            return True
    except urllib.error.HTTPError as error:
        return error.code < 500
    except OSError:
        return False


def heat_works(address: str, password: str, since: float, deadline: float, failed: Callable[[], str | None]) -> None:
    """Wait for Keystone, both APIs and an engine that Heat itself reports up since `since` (Unix time)."""
    for what, port, path in (("Keystone", 5000, "v3"), ("the REST API", 8004, ""), ("the CFN API", 8000, "")):
        url = f"http://{address}:{port}/{path}"
        until(f"{what} on hostA", lambda url=url: answers(url), deadline, failed)
    until("the engine on hostA", lambda: engine_is_up(address, password, since), deadline, failed)


def engine_is_up(address: str, password: str, since: float) -> bool:
    """Tell whether an engine that Heat lists as up reported after `since`; a dead one's row says up for minutes."""
    try:
        token, project = administrator(address, password)
        rows = fetch(f"http://{address}:8004/v1/{project}/services", {"X-Auth-Token": token})["services"]
    except (OSError, KeyError):
        return False
    return any(row["status"] == "up" and last_report(row) >= since - 1 for row in rows)


def last_report(row: Mapping[str, str]) -> float:
    """Return when an engine last wrote its row, in Unix time."""
    stamp = row["updated_at"] or row["created_at"]
    return datetime.fromisoformat(stamp.rstrip("Z")).replace(tzinfo=UTC).timestamp()


def administrator(address: str, password: str) -> tuple[str, str]:
    """Log in as the administrator; return the token and the project's id."""
    scope = {"domain": {"id": "default"}}
    body = {
        "auth": {
            "identity": {
                "methods": ["password"],
                "password": {"user": {"name": "admin", "password": password, **scope}},
            },
            "scope": {"project": {"name": "admin", **scope}},
        }
    }
    request = urllib.request.Request(
        f"http://{address}:5000/v3/auth/tokens",
        data=json.dumps(body).encode(),
        headers={"Content-Type": "application/json"},
    )
    with urllib.request.urlopen(request, timeout=REQUEST_TIMEOUT) as answer:
        return answer.headers["X-Subject-Token"], json.load(answer)["token"]["project"]["id"]


def fetch(url: str, headers: Mapping[str, str]) -> dict:
    """Read one JSON document."""
    request = urllib.request.Request(url, headers=dict(headers))
    with urllib.request.urlopen(request, timeout=REQUEST_TIMEOUT) as answer:
        return json.load(answer)
