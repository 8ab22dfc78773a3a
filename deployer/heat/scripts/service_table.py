"""Heat's own table of its engines, one row a worker process: for programs in Heat's Python.

"up" is Heat's own rule (heat/common/service_utils.py): reported within two report intervals.
"""

import datetime

import sqlalchemy
from oslo_config import cfg
from oslo_db import options

COLUMNS = "engine_id, host, hostname, topic, report_interval, created_at, updated_at"


def database(path, limit=None):
    """The database of a heat.conf; connecting to it takes `limit` seconds at most, where its driver knows one."""
    conf = cfg.ConfigOpts()
    conf.register_opts(options.database_opts, "database")
    conf([], project="heat", default_config_files=[path], default_config_dirs=[])
    url = sqlalchemy.engine.make_url(conf.database.connection)
    limited = limit and url.drivername.startswith("mysql")
    return sqlalchemy.create_engine(url, connect_args={"connect_timeout": limit} if limited else {})


def rows(engine):
    now = datetime.datetime.utcnow()
    with engine.connect() as link:
        found = link.execute(sqlalchemy.text("SELECT %s FROM service WHERE deleted_at IS NULL" % COLUMNS)).fetchall()
    return [as_dict(row, now) for row in found]


def as_dict(row, now):
    engine_id, host, hostname, topic, interval, created, updated = row
    age = (now - (updated or created)).total_seconds()
    return {
        "engine_id": engine_id,
        "host": host,
        "hostname": hostname,
        "topic": topic,
        "age": age,
        "up": age <= 2 * interval,
        "created": created.replace(tzinfo=datetime.timezone.utc).timestamp(),
    }
