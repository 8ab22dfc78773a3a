"""List the engines that Heat's database knows, or wait until those of one unit are up; prints JSON.

VALUES: conf (path of heat.conf), and to wait: host (the engine's name), unit, seconds. Ends with 75 when the unit still
ends its work before it starts again after `seconds`, and prints on what.
"""

import contextlib
import json
import sys
import time

from deployer.heat.scripts import engine_work, queues, service_table, units

LOOK = 0.2  # seconds between two looks at the table: a row is announced by nothing
PAUSE = 20  # seconds of waiting for work after which it is told what it is
NOT_YET = 75  # EX_TEMPFAIL of sysexits.h


def main():
    database = service_table.database(VALUES["conf"])  # noqa: F821 (given before this text)
    if "unit" in VALUES:  # noqa: F821
        await_end(database, VALUES["host"], VALUES["unit"])  # noqa: F821
        fresh = wait(database, VALUES["host"], VALUES["unit"], VALUES["seconds"])  # noqa: F821
        forget_others(database, VALUES["conf"], VALUES["host"], fresh)  # noqa: F821
    json.dump(service_table.rows(database), sys.stdout)


def await_end(database, host, unit):
    """Wait until a unit that was told to restart has ended its work."""
    deadline = time.monotonic() + PAUSE
    while units.is_stopping(units.state(unit)):
        if time.monotonic() > deadline:
            work = engine_work.held(database, engine_work.ids_of(database, host))
            print("%s still works on %s" % (host, engine_work.named(work) or "something that has no name in Heat"))
            sys.exit(NOT_YET)
        time.sleep(LOOK)


def wait(database, host, unit, seconds):
    """Wait until every worker process of a unit has its row, written since the unit started; return their ids."""
    deadline = time.monotonic() + seconds
    while True:
        state = units.state(unit)
        pid, since = int(state["MainPID"]), units.started(state)
        fresh = [
            row["engine_id"]
            for row in service_table.rows(database)
            if row["host"] == host and row["up"] and row["created"] >= since - 1
        ]
        if pid and len(fresh) >= max(1, len(units.children(pid))):
            return fresh
        if time.monotonic() > deadline or state["ActiveState"] == "failed" or int(state["NRestarts"]) >= 3:
            sys.exit("Heat does not list %s as up; the last words of %s:\n%s" % (host, unit, units.last_words(unit)))
        time.sleep(LOOK)


def forget_others(database, conf, host, fresh):
    """Take away what earlier workers of this engine left, but for those that still hold something."""
    gone = [each for each in engine_work.ids_of(database, host) if each not in fresh]
    idle = [each for each in gone if not engine_work.held(database, [each])]
    with contextlib.suppress(queues.NoBroker):  # `invoke recover` shows what is left
        engine_work.forget(database, conf, idle)


main()
