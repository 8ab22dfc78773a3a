"""Which options of heat.conf name hosts, in whose role, old names and new; how their values write them. Pure."""

from collections.abc import Iterator
from dataclasses import replace
from enum import StrEnum

from deployer.heat.conf import addresses
from deployer.heat.conf.addresses import Spot


class Role(StrEnum):
    """Whose host an option names; the values are written in warnings."""

    DATABASE = "the database"
    BROKER = "the message broker"
    KEYSTONE = "Keystone"
    CACHE = "the cache"
    CLOUDWATCH = "the CloudWatch API"
    CFN = "the CFN API"
    API = "the REST API"


AT_PROXY = (Role.CFN, Role.API)  # what clients, and instances too, reach at the proxy


# Options of Heat, keystonemiddleware, keystoneauth, oslo.db, oslo.messaging and oslo.cache, in whatever section.
_ANYWHERE = {
    "sql_connection": Role.DATABASE,
    "slave_connection": Role.DATABASE,
    "asyncio_connection": Role.DATABASE,
    "asyncio_slave_connection": Role.DATABASE,
    "transport_url": Role.BROKER,
    "notification_transport_url": Role.BROKER,
    "rabbit_host": Role.BROKER,
    "rabbit_hosts": Role.BROKER,
    "auth_url": Role.KEYSTONE,
    "www_authenticate_uri": Role.KEYSTONE,
    "auth_uri": Role.KEYSTONE,
    "allowed_auth_uris": Role.KEYSTONE,
    "identity_uri": Role.KEYSTONE,
    "auth_host": Role.KEYSTONE,
    "memcached_servers": Role.CACHE,
    "memcache_servers": Role.CACHE,
    "heat_metadata_server_url": Role.CFN,
    "heat_waitcondition_server_url": Role.CFN,
    "heat_watch_server_url": Role.CLOUDWATCH,
}
# Names too common to mean the same everywhere.
_IN_SECTION = {
    ("database", "connection"): Role.DATABASE,
    ("sql", "connection"): Role.DATABASE,
    ("clients_heat", "url"): Role.API,  # instances send their signals there
    ("cache", "backend_argument"): Role.CACHE,
    ("cache", "redis_server"): Role.CACHE,
    ("cache", "redis_sentinels"): Role.CACHE,
}
MEMCACHE = ("memcached_servers", "memcache_servers")

# Schemes whose drivers take a URL without a host for one on loopback.
_LOCAL_WITHOUT_HOST = ("mysql", "mariadb", "postgresql", "rabbit", "amqp", "kafka")
# Query parameters that say where the database is instead of the URL's host.
_ELSEWHERE = ("unix_socket=", "host=", "read_default_file=", "service=")
_URL_ARGUMENT = "url:"


def role_of(section: str, key: str) -> Role | None:
    """Whose host an option names; None when it is not ours to rewrite."""
    return _IN_SECTION.get((section, key)) or _ANYWHERE.get(key)


def spots(role: Role, key: str, value: str) -> tuple[Spot, ...]:
    """Where an option's value names hosts, in order. An empty host is one that the driver takes for loopback."""
    offset = 0
    if key == "backend_argument":  # a MultiStrOpt of `name:value`
        if not value.startswith(_URL_ARGUMENT):
            return ()
        offset = len(_URL_ARGUMENT)
    found = tuple(_shifted(_spots(role, value[offset:]), offset))
    return found if is_local_without_host(value) and len(found) == 1 else tuple(spot for spot in found if spot.host)


def is_local_without_host(value: str) -> bool:
    """Whether a URL that names no host means one on loopback."""
    return addresses.scheme(value) in _LOCAL_WITHOUT_HOST and not any(word in value for word in _ELSEWHERE)


def is_local_file(value: str) -> bool:
    """Whether a database URL means a file or socket of the host itself."""
    return addresses.scheme(value) == "sqlite" or "unix_socket=" in value


def _spots(role: Role, value: str) -> Iterator[Spot]:
    return addresses.in_database_url(value) if role is Role.DATABASE else addresses.in_urls_or_list(value)


def _shifted(found: Iterator[Spot], offset: int) -> Iterator[Spot]:
    return (replace(spot, start=spot.start + offset, stop=spot.stop + offset) for spot in found)
