"""Wait until a stopping engine has ended its work, then remove the traces it leaves.

VALUES: conf (path of heat.conf), host (the engine's name), unit, seconds.
Ends with 75 when the engine still works after `seconds`, and prints on what.
"""

import sys
import time

from deployer.heat.scripts import engine_work, queues, service_table, units

CONF, HOST, UNIT = VALUES["conf"], VALUES["host"], VALUES["unit"]  # noqa: F821 (given before this text)
SECONDS = VALUES["seconds"]  # noqa: F821
POLL_INTERVAL = 0.2  # seconds: no event announces an end of work
NOT_YET = 75  # EX_TEMPFAIL of sysexits.h


def main():
    database = service_table.database(CONF)
    ids = engine_work.ids_of(database, HOST)
    deadline = time.monotonic() + SECONDS
    while units.is_stopping(units.state(UNIT)):
        if time.monotonic() > deadline:
            not_yet(engine_work.held(database, ids))
        time.sleep(POLL_INTERVAL)
    left = engine_work.held(database, ids)
    if left:
        sys.exit(
            "%s ended while it worked on %s; `invoke recover` lists what is to be done"
            % (HOST, engine_work.named(left))
        )
    while True:
        try:
            read = engine_work.forget(database, CONF, ids, ["engine." + HOST])  # topic and host: heat/engine/service.py
        except queues.NoBroker as error:
            sys.exit("%s has ended, but its queues could not be deleted: %s" % (HOST, error))
        if not read:
            return
        if time.monotonic() > deadline:
            sys.exit("%s has ended, but somebody reads %s" % (HOST, engine_work.named(read)))
        time.sleep(POLL_INTERVAL)


def not_yet(work):
    print(engine_work.unfinished(HOST, work))
    sys.exit(NOT_YET)


main()
