"""What a running HAProxy says of itself over its socket (management guide of HAProxy 2.6, sections 9.1 and 9.3)."""

import csv
from collections.abc import Mapping
from dataclasses import dataclass

from deployer.proxy.config import MARK

INFO = "description: " + MARK


@dataclass(frozen=True)
class Server:
    """One server as HAProxy sees it: `status` is UP, DOWN, MAINT, DRAIN ...; `check` the last check's result."""

    section: str
    name: str
    address: str
    status: str
    check: str
    sessions: int
    requests: int


def configuration(answer: str | None) -> str | None:
    """Given the answer to `show info`, return the digest of the configuration that the worker runs with."""
    lines = (answer or "").splitlines()
    return next((line[len(INFO):] for line in lines if line.lower().startswith(INFO)), None)


def servers(answer: str | None) -> tuple[Server, ...]:
    """Given an answer that contains `show stat`, return the servers of every section."""
    lines = (answer or "").splitlines()
    start = next((number for number, line in enumerate(lines) if line.startswith("# pxname")), len(lines))
    rows = csv.DictReader(line for line in lines[start:] if line.strip())
    return tuple(_server(row) for row in rows if row["svname"] not in ("FRONTEND", "BACKEND"))


def _server(row: Mapping[str, str]) -> Server:
    return Server(row["# pxname"], row["svname"], row.get("addr") or "", row["status"], row.get("check_status") or "",
                  int(row["scur"] or 0), int(row["stot"] or 0))
