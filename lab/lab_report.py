"""A lab's state as text or JSON, and errors as the operator sees them."""

import json
from collections.abc import Sequence

from lab import addressing, hosts, ready, site
from lab.lab_errors import BadInput
from lab.site import Lab

SCHEMA_VERSION = 1
COLUMNS = ("host", "address", "machine", "pid", "ssh")


def number(text: str) -> int | None:
    """Return the number of hosts that a flag gives, None for an empty one; raise BadInput if it is no number."""
    try:
        return int(text) if text else None
    except ValueError:
        raise BadInput(f"--hosts {text}: not a number", hint=f"It takes 1 to {addressing.MOST_HOSTS}.") from None


def sentence(lab: Lab) -> str:
    """Return a lab's hosts in one line; the last of many stands for those between."""
    listed = [f"{name} {address}" for name, address in lab.hosts.items()]
    return ", ".join(listed if len(listed) <= 4 else [*listed[:2], "...", listed[-1]])


def status(name: str, form: str) -> str:
    """Return what every host of a lab is doing, as a table or JSON; raise BadInput for another form or no lab."""
    if form not in ("table", "json"):
        raise BadInput(f"--format {form} is not known", hint="It takes table or json.")
    record = site.require(name)
    lab = site.described(record)
    rows = [row(record, host, address) for host, address in lab.hosts.items()]
    if form == "table":
        return table(rows)
    known = {"schema_version": SCHEMA_VERSION, "name": lab.name, "heat": lab.heat, "directory": str(lab.directory)}
    return json.dumps({**known, "hosts": rows}, indent=2)


def row(record: site.Record, host: str, address: str) -> dict[str, object]:
    """Return what one host is doing."""
    alive = hosts.is_alive(record, host)
    return {
        "host": host,
        "address": address,
        "machine": "running" if alive else "off",
        "pid": record.processes[host].pid if alive else None,
        "ssh": "answers" if alive and ready.listens(address, 22) else "silent",
    }


def table(rows: Sequence[dict[str, object]]) -> str:
    """Lay rows out in columns."""
    texts = [[str(row[column] or "-") for column in COLUMNS] for row in rows]
    lines = [COLUMNS, *texts]
    widths = [max(len(line[place]) for line in lines) for place in range(len(COLUMNS))]
    return "\n".join(aligned(line, widths) for line in lines)


def aligned(cells: Sequence[str], widths: Sequence[int]) -> str:
    """Return one line of a table."""
    return "  ".join(cell.ljust(width) for cell, width in zip(cells, widths, strict=True)).rstrip()
