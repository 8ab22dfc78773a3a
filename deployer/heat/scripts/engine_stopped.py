"""Wait until a stopping engine has ended its work, then remove the traces it leaves.

VALUES: conf (path of heat.conf), host (the engine's name), unit. Arguments: `force` where it may have been killed, then
what it worked on is marked as failed and printed; and the seconds after which it ends with 75 when the engine still
works, and prints on what.
"""

import sys
import time

from deployer.heat.scripts import engine_work, queues, service_table, units

CONF, HOST, UNIT = VALUES["conf"], VALUES["host"], VALUES["unit"]  # noqa: F821 (given before this text)
IS_FORCED, SECONDS = "force" in sys.argv, float(sys.argv[-1])
BROKER_SECONDS = 20  # for the broker to see that nobody reads the queues of a process that has ended
POLL_INTERVAL = 0.2  # seconds: no event announces an end of work
NOT_YET = 75  # EX_TEMPFAIL of sysexits.h


def main():
    database = service_table.database(CONF)
    ids = engine_work.ids_of(database, HOST)
    engine_work.await_end(UNIT, SECONDS, lambda: not_yet(engine_work.held(database, ids)))
    if units.has_process(units.state(UNIT)):
        sys.exit("%s was stopped, and somebody has started it again" % HOST)
    left = engine_work.held(database, ids)
    if left and not IS_FORCED:
        sys.exit(
            "%s ended while it worked on %s; `invoke recover` lists what is to be done"
            % (HOST, engine_work.named(left))
        )
    ended = engine_work.mark_failed(database, HOST, ids) or "%s has ended" % HOST
    forget(database, ids, ended)
    units.forget_failure(UNIT)
    if left:
        print(ended)


def forget(database, ids, ended):
    """Delete rows and queues, as soon as nobody reads these any more."""
    deadline = time.monotonic() + BROKER_SECONDS
    while True:
        try:
            read = engine_work.forget(database, CONF, ids, ["engine." + HOST])  # topic and host: heat/engine/service.py
        except queues.NoBroker as error:
            sys.exit("%s, but its queues could not be deleted: %s" % (ended, error))
        if not read:
            return
        if time.monotonic() > deadline:
            sys.exit("%s, but somebody reads %s" % (ended, engine_work.named(read)))
        time.sleep(POLL_INTERVAL)


def not_yet(work):
    print(engine_work.unfinished(HOST, work))
    sys.exit(NOT_YET)


main()
