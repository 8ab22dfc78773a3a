"""Wait until Heat's database lists every worker of an engine that was started, or restarted, as up.

VALUES: conf (path of heat.conf), host (the engine's name), unit, seconds. Arguments: `force` where its process of
before may have been killed, then what that worked on is marked as failed and printed; and the seconds after which it
ends with 75 while the unit still does the work of before its restart, and prints which.
"""

import contextlib
import sys
import time

from deployer.heat.scripts import engine_work, queues, service_table, units

CONF, HOST, UNIT = VALUES["conf"], VALUES["host"], VALUES["unit"]  # noqa: F821 (given before this text)
SECONDS = VALUES["seconds"]  # noqa: F821
IS_FORCED, SECONDS_TO_STOP = "force" in sys.argv, float(sys.argv[-1])
POLL_INTERVAL = 0.1  # seconds: no event announces a row of the table
UNIT_INTERVAL = 1.0  # seconds between two looks at the unit, each a program: the engine needs the processors to start
NOT_YET = 75  # EX_TEMPFAIL of sysexits.h


def main():
    database = service_table.database(CONF)
    engine_work.await_end(UNIT, SECONDS_TO_STOP, lambda: not_yet(database))
    fresh = wait(database, HOST, UNIT, SECONDS)
    forget_others(database, CONF, HOST, fresh)


def not_yet(database):
    print(engine_work.unfinished(HOST, engine_work.held(database, engine_work.ids_of(database, HOST))))
    sys.exit(NOT_YET)


def wait(database, host, unit, seconds):
    """Wait until every worker process of a unit has its row, written since the unit started; return their ids."""
    deadline = time.monotonic() + seconds
    state, seen = units.state(unit), time.monotonic()
    while True:
        pid, since = int(state["MainPID"]), units.started(state)
        fresh = [
            row["engine_id"]
            for row in service_table.rows(database)
            if row["host"] == host and row["up"] and row["created"] >= since - 1
        ]
        is_listed = pid and len(fresh) >= max(1, len(units.children(pid)))
        if is_listed or time.monotonic() >= seen + UNIT_INTERVAL:
            state, seen = units.state(unit), time.monotonic()
            if is_listed and int(state["MainPID"]) == pid:
                return fresh
        if time.monotonic() > deadline or state["ActiveState"] == "failed" or int(state["NRestarts"]) >= 3:
            sys.exit(
                "Heat does not list %s as up; the end of the journal of %s:\n%s" % (host, unit, units.last_lines(unit))
            )
        time.sleep(POLL_INTERVAL)


def forget_others(database, conf, host, fresh):
    """Remove what earlier workers of this engine left, but for workers that still hold resources."""
    gone = [each for each in engine_work.ids_of(database, host) if each not in fresh]
    if IS_FORCED:
        print(engine_work.mark_failed(database, host, gone))
    idle = [each for each in gone if not engine_work.held(database, [each])]
    with contextlib.suppress(queues.NoBroker):  # `invoke recover` shows what is left
        engine_work.forget(database, conf, idle)


main()
