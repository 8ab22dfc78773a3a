"""What Heat's database and its broker know of the engines; prints JSON.

VALUES: conf (path of heat.conf), seconds (limit of one try to connect). Printed: {rows, queues, problems}; `rows` is
null when the database does not answer; `queues` maps the id of an engine to [messages that wait, consumers], or null
where it has no queue, and is empty when the broker does not answer. No secret is in any of them.
"""

import json
import sys
import textwrap

from deployer.heat.scripts import queues, service_table

CONF, SECONDS = VALUES["conf"], VALUES["seconds"]  # noqa: F821 (given before this text)


def main():
    problems = []
    rows = answered("database", table, problems)
    found = answered("broker", lambda: counted([row["engine_id"] for row in rows]), problems) if rows else {}
    json.dump({"rows": rows, "queues": found or {}, "problems": problems}, sys.stdout)


def answered(what, ask, problems):
    try:
        return ask()
    except queues.NoBroker as error:
        problems.append("%s: %s" % (what, error))
    except Exception as error:  # whatever the driver raises is the answer
        problems.append("%s: %s" % (what, why(error)))
    return None


def why(error):
    """The driver's own message; the messages of others may hold the URL, and so the password."""
    cause = getattr(error, "orig", None)
    message = textwrap.shorten((str(cause).splitlines() or [""])[0], 300) if cause else ""
    return "%s: %s" % (type(cause).__name__, message) if cause else type(error).__name__


def table():
    return service_table.rows(service_table.database(CONF, SECONDS))


def counted(engine_ids):
    names = {each: queues.of_engine(each) for each in engine_ids}
    broker = queues.connect(CONF, SECONDS)
    found = queues.counts(broker, [name for pair in names.values() for name in pair])
    broker.close()
    return {each: together(found[listener], found[worker]) for each, (listener, worker) in names.items()}


def together(listener, worker):
    """What waits in both queues, and who reads the one by which an engine shows that it is alive."""
    return [listener[0] + (worker[0] if worker else 0), listener[1]] if listener else None


main()
