"""Runs on a host with Heat's own Python: what oslo.config reads there. Prints hosts and keyed digests, never a secret.

Arguments: a key for the digests, the path of heat.conf, and the paths of files that single processes read after it.
"""

import hashlib
import hmac
import json
import re
import sys
from urllib.parse import urlsplit

import oslo_messaging
import sqlalchemy
from oslo_config import cfg
from oslo_db import options

KEY, HEAT_CONF, OVERLAYS = sys.argv[1], sys.argv[2], sys.argv[3:]
URLS = {
    "keystone_authtoken": ["auth_url", "www_authenticate_uri", "auth_uri"],
    "trustee": ["auth_url"],
    "clients_keystone": ["auth_uri"],
    "ec2authtoken": ["auth_uri", "auth_url"],
    "clients_heat": ["url"],
    "DEFAULT": ["heat_metadata_server_url", "heat_waitcondition_server_url"],
}
# The host itself: loopback, or an address that stands for all.
LOOPBACK = re.compile(r"localhost|\b127\.\d+\.\d+\.\d+|\b0\.0\.0\.0\b|::1|\[::\]", re.IGNORECASE)


def read(*paths):
    conf = cfg.ConfigOpts()
    conf.register_opts(options.database_opts, "database")
    conf.register_opts([cfg.IntOpt("graceful_shutdown_timeout", default=60)])
    for section in ("heat_api", "heat_api_cfn"):
        conf.register_opts([cfg.StrOpt("bind_host"), cfg.IntOpt("bind_port")], section)
    for section, keys in URLS.items():
        conf.register_opts([cfg.StrOpt(key) for key in keys], None if section == "DEFAULT" else section)
    conf([], project="heat", default_config_files=list(paths), default_config_dirs=[])
    return conf


def name(section, key):
    return f"[{section}] {key}"


def digest(*values):
    return hmac.new(KEY.encode(), repr(values).encode(), hashlib.sha256).hexdigest()[:12]


def binds(conf):
    return {section: [conf[section].bind_host, conf[section].bind_port] for section in ("heat_api", "heat_api_cfn")}


def servers(conf):
    """Option -> the hosts it names, None for one that is left to a default."""
    found = {}
    for section, keys in URLS.items():
        group = conf if section == "DEFAULT" else conf[section]
        found.update({name(section, key): [urlsplit(group[key]).hostname] for key in keys if group[key]})
    found["[database] connection"] = [sqlalchemy.engine.make_url(conf.database.connection or "none://").host]
    brokers = oslo_messaging.TransportURL.parse(conf).hosts
    found["[DEFAULT] transport_url"] = [each.hostname for each in brokers] or [None]
    return found


def logins(conf):
    """Option -> a digest of everything in it but the hosts."""
    database = sqlalchemy.engine.make_url(conf.database.connection or "none://")
    broker = oslo_messaging.TransportURL.parse(conf)
    return {
        "[database] connection": digest(
            database.drivername,
            database.username,
            database.password,
            database.port,
            database.database,
            sorted(database.query.items()),
        ),
        "[DEFAULT] transport_url": digest(
            broker.transport,
            broker.virtual_host,
            sorted(broker.query.items()),
            [(each.username, each.password, each.port) for each in broker.hosts],
        ),
    }


def written(path):
    """Option -> [a digest of what the file says, whether that names a loopback host or refers to another option]."""
    sections = {}
    cfg.ConfigParser(path, sections).parse()
    return {
        name(section, key): [digest(values), any(LOOPBACK.search(each) or "$" in each for each in values)]
        for section, keys in sections.items()
        for key, values in keys.items()
    }


def main():
    conf = read(HEAT_CONF)
    json.dump(
        {
            "binds": binds(conf),
            "servers": servers(conf),
            "logins": logins(conf),
            "written": written(HEAT_CONF),
            "grace": conf.graceful_shutdown_timeout,
            "overlays": {path: binds(read(HEAT_CONF, path)) for path in OVERLAYS},
        },
        sys.stdout,
    )


try:
    main()
except Exception as error:  # its words may quote a password
    sys.exit(f"{HEAT_CONF} cannot be read as Heat reads it: {type(error).__name__}")
