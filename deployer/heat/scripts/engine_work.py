"""What an engine still holds in Heat's database, and how its traces are removed: for programs in Heat's Python.

An engine holds a resource while it works on it (resource.engine_id) and, without convergence, a stack's lock
(stack_lock.engine_id). A worker that ends properly marks its row of the service table as deleted and leaves it there.
"""

import time

import sqlalchemy

from deployer.heat.scripts import queues, units
from deployer.remote.agent import priority

RESOURCES = """SELECT stack.name, resource.name, resource.action
               FROM resource JOIN stack ON stack.id = resource.stack_id WHERE resource.engine_id IN :ids"""
LOCKS = """SELECT stack.name FROM stack_lock JOIN stack ON stack.id = stack_lock.stack_id
           WHERE stack_lock.engine_id IN :ids"""
# As `heat-manage reset_stack_status` does (heat/db/api.py), but no other resource of the stack, which a living engine
# may work on.
WHY = "The engine that worked on this died"
STUCK = """SELECT stack_id FROM resource WHERE engine_id IN :ids
           UNION SELECT stack_id FROM stack_lock WHERE engine_id IN :ids"""
REPAIRS = (
    """UPDATE resource SET status = 'FAILED', status_reason = :why, engine_id = NULL,
       atomic_key = COALESCE(atomic_key, 0) + 1 WHERE engine_id IN :ids AND status = 'IN_PROGRESS'""",
    "UPDATE resource SET engine_id = NULL, atomic_key = COALESCE(atomic_key, 0) + 1 WHERE engine_id IN :ids",
    "DELETE FROM stack_lock WHERE engine_id IN :ids",
)
FAILED = "UPDATE stack SET status = 'FAILED', status_reason = :why WHERE id IN :ids AND status = 'IN_PROGRESS'"
POLL_INTERVAL = 0.2  # seconds: no event announces an end of work
MOST_NAMED = 5


def ids_of(database, host):
    """The workers that an engine of this name has had, as far as they left a row."""
    with database.connect() as link:
        found = link.execute(sqlalchemy.text("SELECT engine_id FROM service WHERE host = :host"), {"host": host})
        return [row[0] for row in found]


def held(database, ids):
    """What these workers work on, as texts for a message."""
    resources = ["%s/%s (%s)" % tuple(row) for row in select(database, RESOURCES, ids)]
    return resources + ["the lock of stack %s" % row[0] for row in select(database, LOCKS, ids)]


def named(things):
    """A list of things for a message; of many the first."""
    more = len(things) - MOST_NAMED
    return ", ".join(things[:MOST_NAMED]) + (" and %d more" % more if more > 0 else "")


def await_end(unit, seconds, not_yet):
    """Wait until a unit that is stopping or restarting has ended its work; after some seconds do what is given."""
    deadline = time.monotonic() + seconds
    while units.is_stopping(units.state(unit)):
        if time.monotonic() >= deadline:
            not_yet()
        time.sleep(POLL_INTERVAL)


def unfinished(host, work):
    """Why an engine that is to stop runs still, as far as Heat's database says."""
    if work:
        return "%s still works on %s" % (host, named(work))
    return "%s has not ended yet, and Heat's database does not say what it works on" % host


def mark_failed(database, host, ids):
    """Mark as failed what workers that died worked on, as a sentence; "" when they worked on nothing."""
    work = held(database, ids)
    if not work:
        return ""
    repair(database, ids)
    return "%s ended while it worked: %s marked as failed" % (host, named(work))


def repair(database, ids):
    """Mark as failed, and free, what workers that died worked on."""
    priority.take_share()  # engines wait for the rows that we lock
    with database.begin() as link:
        given = {"ids": list(ids) or [""]}
        stacks = [row[0] for row in link.execute(expanding(STUCK), given)]
        for statement in REPAIRS:
            why = {"why": WHY} if ":why" in statement else {}
            link.execute(expanding(statement), {**given, **why})
        link.execute(expanding(FAILED), {"ids": stacks or [""], "why": WHY})


def forget(database, conf, ids, others=()):
    """Delete the queues and rows of workers that are gone, and other queues; return those that somebody still reads."""
    if not ids and not others:
        return []
    broker = queues.connect(conf)
    read = queues.delete(broker, [name for each in ids for name in queues.of_engine(each)] + list(others))
    broker.close()
    gone = [each for each in ids if not set(queues.of_engine(each)) & set(read)]
    priority.take_share()  # engines wait for the rows that we lock
    with database.begin() as link:
        link.execute(expanding("DELETE FROM service WHERE engine_id IN :ids"), {"ids": gone or [""]})
    return read


def select(database, statement, ids):
    with database.connect() as link:
        return link.execute(expanding(statement), {"ids": list(ids) or [""]}).fetchall()


def expanding(statement):
    return sqlalchemy.text(statement).bindparams(sqlalchemy.bindparam("ids", expanding=True))
