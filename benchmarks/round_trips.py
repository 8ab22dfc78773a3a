"""Count what reached every host: its journal has a line of sshd for a connection and one of sudo for a request."""

import re
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from benchmarks import testbed
from benchmarks.testbed import Testbed

OWN = "journalctl"  # what our own reading of the journal has in its line


def counted(bed: Testbed, hosts: list[str], action: Callable[[], Any]) -> dict[str, dict[str, int]]:
    """Return host -> {connections, requests} that an action caused there, our own reading left out."""
    with ThreadPoolExecutor(8) as pool:
        cursors = list(pool.map(lambda host: _cursor(bed, host), hosts))
        action()
        counts = list(pool.map(lambda host, cursor: _since(bed, host, cursor), hosts, cursors))
    return dict(zip(hosts, counts, strict=True))


def _cursor(bed: Testbed, host: str) -> str:
    shown = testbed.call(bed.ssh(host, f"sudo -n {OWN} --quiet --lines=1 --show-cursor --output=cat"))
    return shown.rpartition("-- cursor: ")[2].strip()


def _since(bed: Testbed, host: str, cursor: str) -> dict[str, int]:
    command = f"echo $SSH_CONNECTION; sudo -n {OWN} --quiet --after-cursor='{cursor}' --output=cat"
    connection, *lines = testbed.call(bed.ssh(host, command)).splitlines()
    return tally(lines, own_port=connection.split()[1])


def tally(lines: list[str], own_port: str) -> dict[str, int]:
    """Given a journal's messages and the port our own reading came from, count connections and requests of others."""
    opened = [line for line in lines if re.match(r"Accepted publickey for ", line) and f" port {own_port} " not in line]
    asked = [line for line in lines if "; COMMAND=" in line and OWN not in line]
    return {"connections": len(opened), "requests": len(asked)}
