"""What workers of dead engines have left in Heat's database and broker, and its removal; prints JSON.

VALUES: conf (path of heat.conf), clean (whether it is removed), engines (null, or the names of engines whose workers
alone are meant, and which will never run again). Printed: [{engine_id, host, held, queues}].

A worker is dead when nobody reads its queues and Heat itself has it down: a stopping one reads nothing any more
while it ends its work, but goes on reporting. What it worked on is marked as failed, as `heat-manage
reset_stack_status` does (heat/db/api.py), but no other resource of the stack, which a living engine may work on.
"""

import json
import sys

import sqlalchemy

from deployer.heat.scripts import engine_work, queues, service_table
from deployer.remote.agent import priority

CONF, CLEAN, ENGINES = VALUES["conf"], VALUES["clean"], VALUES["engines"]  # noqa: F821 (given before this text)
WHY = "The engine that worked on this died"
HOLDERS = """SELECT engine_id FROM resource WHERE engine_id IS NOT NULL
             UNION SELECT engine_id FROM stack_lock WHERE engine_id IS NOT NULL"""
STUCK = """SELECT stack_id FROM resource WHERE engine_id IN :ids
           UNION SELECT stack_id FROM stack_lock WHERE engine_id IN :ids"""
REPAIRS = (
    """UPDATE resource SET status = 'FAILED', status_reason = :why, engine_id = NULL,
       atomic_key = COALESCE(atomic_key, 0) + 1 WHERE engine_id IN :ids AND status = 'IN_PROGRESS'""",
    "UPDATE resource SET engine_id = NULL, atomic_key = COALESCE(atomic_key, 0) + 1 WHERE engine_id IN :ids",
    "DELETE FROM stack_lock WHERE engine_id IN :ids",
)
FAILED = "UPDATE stack SET status = 'FAILED', status_reason = :why WHERE id IN :ids AND status = 'IN_PROGRESS'"


def main():
    database = service_table.database(CONF)
    broker = queues.connect(CONF)
    found = [each for each in dead(database, broker) if each["held"] or each["queues"] or each["host"]]
    broker.close()
    if ENGINES is not None:
        found = [each for each in found if each["host"] in ENGINES]
    if CLEAN and (found or ENGINES):
        clean(database, [each["engine_id"] for each in found])
    json.dump(found, sys.stdout)


def dead(database, broker):
    """Workers of whom a trace is left and who do not live: rows, work, queues."""
    names, alive = known(database)
    for engine_id in sorted(names):
        counts = queues.counts(broker, queues.of_engine(engine_id))
        there = sorted(name for name, count in counts.items() if count)
        read = any(count and count[1] for count in counts.values())
        if engine_id not in alive and not read:
            yield {
                "engine_id": engine_id,
                "host": names[engine_id],
                "queues": there,
                "held": engine_work.held(database, [engine_id]),
            }


def known(database):
    """Id -> the name of its engine for every worker that Heat's tables name, and those that report in time.

    A row that Heat has marked as deleted has no name here: nothing is left of it unless it has work or queues.
    """
    rows = service_table.rows(database)
    with database.connect() as link:
        ids = [row[0] for row in link.execute(sqlalchemy.text(HOLDERS))]
        ids += [row[0] for row in link.execute(sqlalchemy.text("SELECT engine_id FROM service"))]
    names = dict.fromkeys(ids, "")
    names.update((row["engine_id"], row["host"]) for row in rows)
    return names, {row["engine_id"] for row in rows if row["up"]}


def clean(database, ids):
    """Mark what they worked on as failed, and take their locks, rows and queues away."""
    priority.take_share()  # engines wait for the rows that we lock
    with database.begin() as link:
        given = {"ids": ids or [""]}
        stacks = [row[0] for row in link.execute(engine_work.expanding(STUCK), given)]
        for statement in REPAIRS:
            why = {"why": WHY} if ":why" in statement else {}
            link.execute(engine_work.expanding(statement), {**given, **why})
        link.execute(engine_work.expanding(FAILED), {"ids": stacks or [""], "why": WHY})
    engine_work.forget(database, CONF, ids, ["engine." + name for name in ENGINES or ()])


main()
