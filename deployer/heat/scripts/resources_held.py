"""How many resources each engine works on, by its name in Heat; prints JSON. VALUES: conf (path of heat.conf)."""

import json
import sys

import sqlalchemy

from deployer.heat.scripts import service_table

WORK = """SELECT service.host, COUNT(*) FROM resource JOIN service ON service.engine_id = resource.engine_id
          GROUP BY service.host"""


def main():
    with service_table.database(VALUES["conf"]).connect() as link:  # noqa: F821 (given before this text)
        json.dump({row[0]: row[1] for row in link.execute(sqlalchemy.text(WORK))}, sys.stdout)


main()
