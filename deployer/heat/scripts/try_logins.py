"""Try from this host whether database, broker and Keystone take the login of a heat.conf; prints JSON.

VALUES: conf (base64 of a heat.conf's text, which is kept in memory only), seconds (limit of one try).
Printed: {problems: [{what, where, why}], bound: stacks whose user's Keystone is a loopback address}; where is
host:port, and no secret is in any of them. A token is validated as keystonemiddleware does it for each request of a
client: at the identity endpoint of Keystone's own catalogue.
"""

import base64
import json
import os
import re
import sys
import textwrap
from urllib import parse

from oslo_config import cfg

from deployer.heat.scripts import keystone

LIMIT = VALUES["seconds"]  # noqa: F821 (given before this text)


def main():
    conf = read(base64.b64decode(VALUES["conf"]))  # noqa: F821
    # One after the other: some libraries pull in eventlet, whose import beside other threads never ends.
    problems = [problem for each in (databases, brokers, keystones) for problem in each(conf)]
    json.dump({"problems": problems, "bound": stacks_bound_to_loopback(conf)}, sys.stdout)


def read(text):
    """Parse a heat.conf that never touches a disk."""
    from oslo_db import options

    memory = os.memfd_create("heat.conf")
    os.write(memory, text)
    conf = cfg.ConfigOpts()
    conf.register_opts(options.database_opts, "database")
    conf([], project="heat", default_config_files=["/proc/self/fd/%d" % memory], default_config_dirs=[])
    return conf


def databases(conf):
    import sqlalchemy

    for url in filter(None, (conf.database.connection, conf.database.slave_connection)):
        where = "[database] connection"
        try:
            parts = sqlalchemy.engine.make_url(url)
            where = "%s:%s" % (str(parts.host).rpartition("@")[2], parts.port or 3306)  # of a password with an @
            settings = {"connect_timeout": LIMIT} if parts.drivername.startswith("mysql") else {}
            sqlalchemy.create_engine(url, connect_args=settings).connect().close()
        except sqlalchemy.exc.ArgumentError as error:  # its text may hold the URL, and so the password
            yield {"what": "database", "where": where, "why": type(error).__name__}
        except Exception as error:  # whatever the driver raises is the answer
            yield problem("database", where, getattr(error, "orig", error))


def stacks_bound_to_loopback(conf):
    """How many stacks keep a loopback address of Keystone with their user's credentials (heat.db.models.UserCreds)."""
    import sqlalchemy

    loopback = " OR ".join("auth_url LIKE '%%//%s%%'" % host for host in ("127.", "localhost", "[::1]"))
    query = (
        "SELECT COUNT(*) FROM stack JOIN user_creds ON stack.user_creds_id = user_creds.id "
        "WHERE stack.deleted_at IS NULL AND (%s)" % loopback
    )
    try:
        with sqlalchemy.create_engine(conf.database.connection).connect() as link:
            return link.exec_driver_sql(query.replace("%", "%%")).scalar()
    except Exception:  # a database that does not answer is reported by its own try
        return 0


def brokers(conf):
    import amqp
    import oslo_messaging

    url = oslo_messaging.TransportURL.parse(conf)
    for host in url.hosts if url.transport == "rabbit" else []:
        where = "%s:%s" % (host.hostname, host.port or 5672)
        try:
            link = amqp.Connection(
                where,
                host.username,
                host.password,
                virtual_host=url.virtual_host or "/",
                connect_timeout=LIMIT,
                read_timeout=LIMIT,
            )
            link.connect()
            link.close()
        except Exception as error:  # whatever the driver raises is the answer
            yield problem("broker", where, error)


def keystones(conf):
    where = "Keystone"
    try:
        auth, session = keystone.login(keystone.registered(conf)), keystone.session(conf, LIMIT)
        where = place(getattr(auth, "auth_url", "")) or where
        token = auth.get_token(session)
    except Exception as error:  # whatever the library raises is the answer
        yield problem("Keystone", where, error)
        return
    yield from validation(conf, auth, session, token)


def validation(conf, auth, session, token):
    """Why clients would get 503 for every token, if they would."""
    wanted = keystone.place_in_catalogue(conf)
    where = "no %(interface)s endpoint of identity" % wanted
    try:
        where = place(auth.get_access(session).service_catalog.url_for(**wanted)) or where
        keystone.api(conf, auth, session).get("/auth/tokens", headers={"X-Subject-Token": token})
    except Exception as error:  # whatever the library raises is the answer
        yield problem("catalogue", where, error)


def place(url):
    """The host and port of a URL, without a password."""
    return parse.urlsplit(url or "").netloc.rpartition("@")[2]


def problem(what, where, error):
    message = (str(error).splitlines() or ["no reason given"])[0]  # some drivers raise a bare timeout
    before, pool, within = message.partition("HTTPConnectionPool(")  # urllib3's text names the rest twice
    cause = re.search(r"\[Errno -?\d+\] [\w ]+", within)
    message = before + cause[0] if cause else message
    return {"what": what, "where": where, "why": "%s: %s" % (type(error).__name__, textwrap.shorten(message, 300))}


main()
