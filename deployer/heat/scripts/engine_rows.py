"""List the engines that Heat's database knows, or wait until those of one unit are up; prints JSON.

VALUES: conf (path of heat.conf), and to wait: host (the engine's name), unit, seconds. "up" is Heat's own rule
(heat/common/service_utils.py): reported within two report intervals.
"""

import datetime
import json
import os
import subprocess
import sys
import time

import sqlalchemy
from oslo_config import cfg
from oslo_db import options

COLUMNS = "engine_id, host, hostname, topic, report_interval, created_at, updated_at"
LOOK = 0.2  # seconds between two looks at the table: a row is announced by nothing


def main():
    engine = sqlalchemy.create_engine(connection(VALUES["conf"]))  # noqa: F821 (given before this text)
    if "unit" in VALUES:  # noqa: F821
        wait(engine, VALUES["host"], VALUES["unit"], VALUES["seconds"])  # noqa: F821
    json.dump(rows(engine), sys.stdout)


def connection(path):
    conf = cfg.ConfigOpts()
    conf.register_opts(options.database_opts, "database")
    conf([], project="heat", default_config_files=[path], default_config_dirs=[])
    return conf.database.connection


def rows(engine):
    now = datetime.datetime.utcnow()
    with engine.connect() as link:
        found = link.execute(sqlalchemy.text("SELECT %s FROM service WHERE deleted_at IS NULL" % COLUMNS)).fetchall()
    return [as_dict(row, now) for row in found]


def as_dict(row, now):
    engine_id, host, hostname, topic, interval, created, updated = row
    age = (now - (updated or created)).total_seconds()
    return {"engine_id": engine_id, "host": host, "hostname": hostname, "topic": topic, "age": age,
            "up": age <= 2 * interval, "created": created.replace(tzinfo=datetime.timezone.utc).timestamp()}


def wait(engine, host, unit, seconds):
    """Wait until every worker process of a unit has its row, written since the unit started."""
    deadline = time.monotonic() + seconds
    while True:
        state = unit_state(unit)
        pid, since = int(state["MainPID"]), started(state)
        fresh = [row for row in rows(engine) if row["host"] == host and row["up"] and row["created"] >= since - 1]
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
