"""Ask Heat's database how many connections it allows, and heat.conf how many an engine worker may open; prints JSON.

VALUES: conf (path of heat.conf), seconds (limit of the login). Only MySQL and MariaDB are asked.
"""

import json
import sys

import sqlalchemy
from oslo_config import cfg
from oslo_db import options


def main():
    conf = read(VALUES["conf"])  # noqa: F821 (given before this text)
    # A worker's overflow is its number of threads, or more (heat/engine/service.py, _configure_db_conn_pool_size).
    found = {
        "pool": conf.database.max_pool_size or 0,
        "overflow": max(conf.database.max_overflow or 0, conf.executor_thread_pool_size),
    }
    if conf.database.connection.startswith(("mysql", "mariadb")):
        try:
            found.update(asked(conf.database.connection, VALUES["seconds"]))  # noqa: F821
        except Exception as error:  # whatever the driver raises; its text may hold the URL, and so the password
            found["why"] = type(error).__name__
    json.dump(found, sys.stdout)


def read(path):
    conf = cfg.ConfigOpts()
    conf.register_opts(options.database_opts, "database")
    conf.register_opt(cfg.IntOpt("executor_thread_pool_size", default=64, deprecated_name="rpc_thread_pool_size"))
    conf([], project="heat", default_config_files=[path], default_config_dirs=[])
    return conf


def asked(url, seconds):
    engine = sqlalchemy.create_engine(url, connect_args={"connect_timeout": seconds})
    with engine.connect() as link:
        site, user = link.execute(sqlalchemy.text("SELECT @@max_connections, @@max_user_connections")).fetchone()
        status = dict(
            tuple(row)
            for row in link.execute(
                sqlalchemy.text(
                    "SHOW GLOBAL STATUS WHERE Variable_name IN ('Max_used_connections', 'Threads_connected')"
                )
            )
        )
        own = link.execute(
            sqlalchemy.text(
                "SELECT COUNT(*) FROM information_schema.processlist WHERE user = SUBSTRING_INDEX(USER(), '@', 1)"
            )
        ).scalar()
    return {
        "allowed": min(site, user) if user else site,
        "most": int(status["Max_used_connections"]),
        "connected": int(status["Threads_connected"]) - 1,
        "own": own - 1,
    }  # without this very one


main()
