"""Heat's queues in its broker, and the deletion of those that nobody reads: for programs in Heat's Python.

The address is read as oslo.messaging reads it (TransportURL.parse and impl_rabbit.Connection of 18.3). No error has a
secret in it.
"""

import ssl
import textwrap
from urllib import parse

from oslo_config import cfg

GROUP = "oslo_messaging_rabbit"
OPTIONS = (
    cfg.BoolOpt("ssl", default=False, deprecated_name="rabbit_use_ssl"),
    cfg.StrOpt("ssl_version", default="", deprecated_name="kombu_ssl_version"),
    cfg.StrOpt("ssl_key_file", default="", deprecated_name="kombu_ssl_keyfile"),
    cfg.StrOpt("ssl_cert_file", default="", deprecated_name="kombu_ssl_certfile"),
    cfg.StrOpt("ssl_ca_file", default="", deprecated_name="kombu_ssl_ca_certs"),
    cfg.BoolOpt("ssl_enforce_hostname_verification", default=True),
    cfg.StrOpt("rabbit_login_method", default="AMQPLAIN"),
)
VERSIONS = {
    "tlsv1": "PROTOCOL_TLSv1",
    "sslv23": "PROTOCOL_SSLv23",
    "sslv2": "PROTOCOL_SSLv2",
    "sslv3": "PROTOCOL_SSLv3",
    "tlsv1_1": "PROTOCOL_TLSv1_1",
    "tlsv1_2": "PROTOCOL_TLSv1_2",
}
LIMIT = 5.0  # seconds for one host of the broker to answer


class NoBroker(Exception):
    """No host of the broker answers; the text says which were tried and why, without a secret."""


def of_engine(engine_id):
    """The queues of one worker of an engine, which outlive it (heat/engine/service.py, heat/engine/worker.py)."""
    return ["heat-engine-listener." + engine_id, "engine_worker." + engine_id]


class Broker:
    """A connection to one host of the broker, and how to open it again."""

    def __init__(self, where, settings, limit):
        self.where, self.settings, self.limit = where, settings, limit
        self.open()

    def open(self):
        import amqp

        limits = {"connect_timeout": self.limit, "read_timeout": self.limit, "write_timeout": self.limit}
        self.link = amqp.Connection(self.where, **limits, **self.settings)
        self.link.connect()

    def close(self):
        self.link.close()


def connect(path, limit=LIMIT):
    """Given the path of a heat.conf, return the first host of its broker that answers; the caller closes it.

    Raise NoBroker when there is none.
    """
    tried = []
    for where, settings in hosts_of(path):
        try:
            return Broker(where, settings, limit)
        except Exception as error:  # whatever the driver raises is the answer
            message = (str(error).splitlines() or ["no reason given"])[0]
            tried.append("%s: %s: %s" % (where, type(error).__name__, textwrap.shorten(message, 300)))
    raise NoBroker("; ".join(tried))


def counts(broker, names):
    """Queue -> (messages that wait, consumers), or None where there is no such queue."""
    import amqp

    found: "dict[str, object]" = {}
    channel = broker.link.channel()
    for name in names:
        try:
            declared = channel.queue_declare(name, passive=True)
            found[name] = (declared.message_count, declared.consumer_count)
        except amqp.NotFound:  # it closed the channel as well
            found[name] = None
            channel = broker.link.channel()
    channel.close()
    return found


def delete(broker, names):
    """Delete queues that nobody reads; return those that somebody reads, which are left alone."""
    import amqp

    kept = []
    for name in names:
        channel = broker.link.channel()
        try:
            channel.queue_delete(name, if_unused=True)
            channel.close()
        except amqp.PreconditionFailed:  # it closed the channel as well
            kept.append(name)
        except amqp.AMQPNotImplementedError:  # quorum queues know no "if unused", and the broker hung up
            broker.open()
            kept += delete_unconditionally(broker, name)
    return kept


def delete_unconditionally(broker, name):
    found = counts(broker, [name])[name]
    if found and found[1]:
        return [name]
    channel = broker.link.channel()
    channel.queue_delete(name)
    channel.close()
    return []


def hosts_of(path):
    """[(host:port, settings of a connection)] for every host of a heat.conf's transport_url."""
    try:
        return addresses(*read(path))
    except NoBroker:
        raise
    except Exception as error:  # its text may hold the URL, and so the password
        raise NoBroker("transport_url of %s: %s" % (path, type(error).__name__)) from None


def read(path):
    """The transport_url of a heat.conf, and its options of the broker, over which those of the URL's query go."""
    conf = cfg.ConfigOpts()
    conf.register_opts([cfg.StrOpt("transport_url", default="rabbit://")])
    conf.register_opts(OPTIONS, GROUP)
    conf([], project="heat", default_config_files=[path], default_config_dirs=[])
    url = parse.urlparse(conf.transport_url)
    query = {name: ",".join(values) for name, values in parse.parse_qs(url.query).items()}
    return url, {
        each.name: each.type(query[each.name]) if each.name in query else conf[GROUP][each.name] for each in OPTIONS
    }


def addresses(url, options):
    if url.scheme not in ("rabbit", "kombu+rabbit", "amqp", "kombu+amqp"):
        raise NoBroker("the transport is %s, and no RabbitMQ" % url.scheme)
    parts = [part for part in url.netloc.split(",") if part] or ["guest:guest@localhost"]
    vhost = parse.unquote(url.path[1:]) or "/"
    return [address(part, vhost, options, len(parts) == 1) for part in parts]


def address(part, vhost, options, alone):
    login, _, place = part.rpartition("@")
    user, _, password = login.partition(":")
    host, port = host_and_port(place)
    return "%s:%d" % (host, port), {
        "userid": parse.unquote(user),
        "password": parse.unquote(password),
        "virtual_host": vhost,
        "login_method": options["rabbit_login_method"],
        "ssl": tls(options, host.strip("[]") if alone else None) if options["ssl"] else False,
    }


def host_and_port(place):
    """A host, in brackets if it is an IPv6 address, and its port."""
    head, _, tail = place.rpartition(":")
    if tail.isdigit() and (":" not in head or head.endswith("]")):
        return head or "localhost", int(tail)
    bare = place.strip("[]")
    return ("[%s]" % bare if ":" in bare else bare) or "localhost", 5672


def tls(options, name):
    """What oslo.messaging gives to amqp; with an authority given, the broker must prove to be the one it names."""
    found = {
        key: options[option]
        for key, option in (("keyfile", "ssl_key_file"), ("certfile", "ssl_cert_file"), ("ca_certs", "ssl_ca_file"))
        if options[option]
    }
    if options["ssl_version"]:
        found["ssl_version"] = getattr(ssl, VERSIONS[options["ssl_version"].lower()])
    if options["ssl_ca_file"]:
        found["cert_reqs"] = ssl.CERT_REQUIRED
        found["server_hostname"] = name if options["ssl_enforce_hostname_verification"] else None
    return found or True
