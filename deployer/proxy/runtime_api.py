"""The state of a running HAProxy, by its socket (management guide of HAProxy 2.6, sections 9.1 and 9.3)."""

import csv
import re
from collections.abc import Mapping, Sequence

from deployer.model import printable
from deployer.model.facts import Server
from deployer.model.wire import Request
from deployer.proxy.config import DRAINED_STATE_FILE, MASTER_SOCKET
from deployer.proxy.config_digest import MARK

COUNT = re.compile("[0-9]{1,18}")
INFO = "description: " + MARK
# Workers of an older configuration may still send requests to a server that only the newest one knows as drained.
NO_OLD_WORKERS = {
    "send": "show proc\n",
    "lacks": "# old workers",
    "else": "the proxy still ends requests that it began before its last reload",
}


def configuration(answer: str | None) -> str | None:
    """Given the answer to `show info`, return the digest of the configuration that the worker runs with."""
    lines = (answer or "").splitlines()
    return next((line[len(INFO) :] for line in lines if line.lower().startswith(INFO)), None)


def servers(answer: str | None) -> tuple[Server, ...]:
    """Given an answer that contains `show stat`, return the servers of every section; none of what is no such table."""
    lines = (answer or "").splitlines()
    start = next((number for number, line in enumerate(lines) if line.startswith("# pxname")), len(lines))
    try:
        rows = [*csv.DictReader((line for line in lines[start:] if line.strip()), restkey="", restval="")]
    except csv.Error:
        return ()
    return tuple(_server(row) for row in rows if row.get("svname") not in (None, "FRONTEND", "BACKEND"))


def _server(row: Mapping[str, str]) -> Server:
    return Server(
        _cell(row, "# pxname"),
        _cell(row, "svname"),
        _cell(row, "addr"),
        _status(row),
        _cell(row, "check_status"),
        _count(row, "scur"),
        _count(row, "stot"),
        _status(row) != _cell(row, "status"),
    )


def _status(row: Mapping[str, str]) -> str:
    """A server's status; HAProxy 2.6 shows one that is up as such though its weight is 0 and it gets no requests."""
    status = _cell(row, "status")
    return "DRAIN" if status.startswith("UP") and row.get("weight") == "0" else status


def _cell(row: Mapping[str, str], column: str) -> str:
    return printable.in_one_line(row.get(column) or "")


def _count(row: Mapping[str, str], column: str) -> int:
    return int(found[0]) if (found := COUNT.fullmatch(row.get(column) or "")) else 0


def drain(server: str) -> Request:
    """The command to HAProxy by which `section/name` gets no new requests, and what shows that it has none left."""
    idle = _shows(server, "scur", "0", "it still has requests in progress")
    return _command(f"@1 set server {server} state drain\n", [idle, NO_OLD_WORKERS])


def ready(server: str) -> Request:
    """The command to HAProxy by which `section/name` gets requests again, and what shows that it does."""
    serves = _shows(server, "status", "UP|no check", "it does not serve")
    return _command(f"@1 set server {server} state ready\n", [serves])


def _command(line: str, until: Sequence[Request]) -> Request:
    keep = {"file": DRAINED_STATE_FILE, "socket": MASTER_SOCKET, "send": "@1 show servers state\n"}
    return {"socket": MASTER_SOCKET, "send": line, "keep": keep, "until": until}


def _shows(server: str, column: str, pattern: str, otherwise: str) -> Request:
    """A condition on the table of servers of the worker with the newest configuration, and what is so without it."""
    section, _, name = server.partition("/")
    row = {"# pxname": section, "svname": name}
    return {"send": "@1 show stat\n", "row": row, "column": column, "matches": pattern, "else": otherwise}
