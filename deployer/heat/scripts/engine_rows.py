"""List the engines that Heat's database knows, or wait until those of one unit are up; prints JSON.

VALUES: conf (path of heat.conf), and to wait: host (the engine's name), unit, seconds.
"""

import json
import os
import subprocess
import sys
import time

from deployer.heat.scripts import service_table

LOOK = 0.2  # seconds between two looks at the table: a row is announced by nothing


def main():
    engine = service_table.database(VALUES["conf"])  # noqa: F821 (given before this text)
    if "unit" in VALUES:  # noqa: F821
        wait(engine, VALUES["host"], VALUES["unit"], VALUES["seconds"])  # noqa: F821
    json.dump(service_table.rows(engine), sys.stdout)


def wait(engine, host, unit, seconds):
    """Wait until every worker process of a unit has its row, written since the unit started."""
    deadline = time.monotonic() + seconds
    while True:
        state = unit_state(unit)
        pid, since = int(state["MainPID"]), started(state)
        of_unit = [row for row in service_table.rows(engine) if row["host"] == host and row["created"] >= since - 1]
        fresh = [row for row in of_unit if row["up"]]
        if pid and len(fresh) >= max(1, len(children(pid))):
            return
        if time.monotonic() > deadline or state["ActiveState"] == "failed" or int(state["NRestarts"]) >= 3:
            sys.exit("Heat does not list %s as up; the last words of %s:\n%s" % (host, unit, last_words(unit)))
        time.sleep(LOOK)


def unit_state(unit):
    keys = "ActiveState,MainPID,NRestarts,ExecMainStartTimestampMonotonic"
    shown = subprocess.run(["systemctl", "show", "--property=" + keys, unit], stdout=subprocess.PIPE, timeout=30)
    return dict(line.split("=", 1) for line in shown.stdout.decode().splitlines())


def started(state):
    """When a unit's process started, as a wall clock of this host reads it now."""
    return time.time() - time.monotonic() + int(state["ExecMainStartTimestampMonotonic"]) / 1e6


def children(pid):
    try:
        with open(os.path.join("/proc", str(pid), "task", str(pid), "children")) as stream:
            return stream.read().split()
    except OSError:
        return []


def last_words(unit):
    shown = subprocess.run(["journalctl", "--unit", unit, "--lines=15", "--no-pager", "--output=cat"],
                           stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, timeout=30)
    return shown.stdout.decode("utf-8", "replace")


main()
