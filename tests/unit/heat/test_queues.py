"""The broker's part of the programs for Heat's Python: addresses as oslo.messaging reads them, and no secret told."""

import ssl
import sys
from types import ModuleType, SimpleNamespace

import pytest

from deployer.heat.scripts import queues

TLS = "\n[oslo_messaging_rabbit]\nssl = true\n"


class NotFound(Exception):
    pass


class PreconditionFailed(Exception):
    pass


class AMQPNotImplementedError(Exception):
    pass


class FakeBroker:
    """A broker of queues in memory: name -> (messages, consumers); names with `quorum` know no condition."""

    def __init__(self, **found):
        self.found, self.opened, self.is_up = found, 0, True
        self.link = SimpleNamespace(channel=self.channel)

    def open(self):
        self.opened, self.is_up = self.opened + 1, True

    def channel(self):
        assert self.is_up, "the broker hung up"
        return FakeChannel(self)


class FakeChannel:
    """A channel, which any error closes, as the protocol has it."""

    def __init__(self, broker):
        self.broker, self.is_open = broker, True

    def queue_declare(self, name, passive):
        assert self.is_open and passive
        if name not in self.broker.found:
            self.is_open = False
            raise NotFound
        return SimpleNamespace(**dict(zip(("message_count", "consumer_count"), self.broker.found[name], strict=True)))

    def queue_delete(self, name, if_unused=False):
        assert self.is_open
        if if_unused and "quorum" in name:
            self.is_open = self.broker.is_up = False
            raise AMQPNotImplementedError
        if if_unused and self.broker.found.get(name, (0, 0))[1]:
            self.is_open = False
            raise PreconditionFailed
        self.broker.found.pop(name, None)

    def close(self):
        assert self.is_open


@pytest.fixture(autouse=True)
def driver(monkeypatch):
    """Heat's AMQP library, whose connections are refused with the login in the error."""
    amqp = ModuleType("amqp")
    amqp.NotFound, amqp.PreconditionFailed = NotFound, PreconditionFailed
    amqp.AMQPNotImplementedError = AMQPNotImplementedError
    amqp.Connection = lambda where, **_: (_ for _ in ()).throw(ConnectionRefusedError(111, f"refused\nby {where}"))
    monkeypatch.setitem(sys.modules, "amqp", amqp)


def hosts(tmp_path, url, rest=""):
    path = tmp_path / "heat.conf"
    path.write_text(f"[DEFAULT]\ntransport_url = {url}\n{rest}")
    return queues.hosts_of(str(path))


def one(*arguments):
    ((where, settings),) = hosts(*arguments)
    return where, settings


def test_login_and_vhost_are_percent_decoded(tmp_path):
    where, settings = one(tmp_path, "rabbit://he%40at:p%2Fw%3A%25@10.0.0.1:5673/%2Fheat")

    assert (where, settings["userid"], settings["password"]) == ("10.0.0.1:5673", "he@at", "p/w:%")
    assert (settings["virtual_host"], settings["ssl"], settings["login_method"]) == ("/heat", False, "AMQPLAIN")


@pytest.mark.parametrize(
    ("place", "where"),
    [
        ("broker", "broker:5672"),
        ("broker:1", "broker:1"),
        ("[::1]", "[::1]:5672"),
        ("[fd00::7]:99", "[fd00::7]:99"),
        ("", "localhost:5672"),
    ],
)
def test_port_and_vhost_have_the_defaults_of_rabbitmq(tmp_path, place, where):
    assert one(tmp_path, f"rabbit://u:p@{place}/")[0] == where
    assert one(tmp_path, f"rabbit://u:p@{place}")[1]["virtual_host"] == "/"


def test_without_a_url_the_broker_is_here_and_its_user_guest(tmp_path):
    where, settings = one(tmp_path, "rabbit://")

    assert (where, settings["userid"], settings["password"]) == ("localhost:5672", "guest", "guest")


def test_every_host_of_a_cluster_is_known_with_its_own_login(tmp_path):
    found = hosts(tmp_path, "rabbit://u:p@one:5672,v:q@two:5672/heat")

    assert [(where, settings["userid"], settings["virtual_host"]) for where, settings in found] == [
        ("one:5672", "u", "heat"),
        ("two:5672", "v", "heat"),
    ]


def test_dollar_in_the_file_is_what_oslo_config_makes_of_it(tmp_path):
    assert one(tmp_path, "rabbit://u:a$$b@x/")[1]["password"] == "a$b"


def test_tls_without_an_authority_is_as_oslo_messaging_has_it(tmp_path):
    assert one(tmp_path, "rabbit://u:p@x/", TLS)[1]["ssl"] is True
    assert one(tmp_path, "rabbit://u:p@x/?ssl=true")[1]["ssl"] is True
    assert one(tmp_path, "rabbit://u:p@x/?ssl=false", TLS)[1]["ssl"] is False


def test_tls_with_an_authority_proves_the_brokers_name(tmp_path):
    rest = f"{TLS}ssl_ca_file = /ca.pem\nkombu_ssl_certfile = /c.pem\nssl_key_file = /k.pem\n"

    assert one(tmp_path, "rabbit://u:p@broker/", rest)[1]["ssl"] == {
        "ca_certs": "/ca.pem",
        "certfile": "/c.pem",
        "keyfile": "/k.pem",
        "cert_reqs": ssl.CERT_REQUIRED,
        "server_hostname": "broker",
    }
    off = f"{rest}ssl_enforce_hostname_verification = false\n"
    assert one(tmp_path, "rabbit://u:p@broker/", off)[1]["ssl"]["server_hostname"] is None


@pytest.mark.parametrize(
    "url",
    [
        "kafka://u:CANARY@x",
        "rabbit://u:CANARY\u2100@x/",
        "rabbit://u:CANARY@x/?ssl=perhaps",
        "rabbit://u:CANARY@[x/",
        "rabbit://u:CANARY@x,v:CANARY@y/",
    ],
)
def test_broker_that_cannot_be_asked_is_reported_without_its_secrets(tmp_path, url):
    path = tmp_path / "heat.conf"
    path.write_text(f"[DEFAULT]\ntransport_url = {url}\n")

    with pytest.raises(queues.NoBroker) as caught:
        queues.connect(str(path))

    assert "CANARY" not in str(caught.value)
    assert caught.value.__cause__ is None and (caught.value.__suppress_context__ or not caught.value.__context__)


def test_all_hosts_that_refuse_are_named(tmp_path):
    path = tmp_path / "heat.conf"
    path.write_text("[DEFAULT]\ntransport_url = rabbit://u:p@one,u:p@two/\n")

    with pytest.raises(queues.NoBroker, match="one:5672: ConnectionRefusedError: .*; two:5672: "):
        queues.connect(str(path))


def test_queues_are_counted_and_a_missing_one_hides_no_other():
    assert queues.counts(FakeBroker(a=(3, 1), b=(0, 0)), ["a", "nope", "b"]) == {"a": (3, 1), "nope": None, "b": (0, 0)}


def test_queue_that_somebody_reads_is_kept():
    broker = FakeBroker(a=(3, 1), b=(0, 0))

    assert queues.delete(broker, ["a", "nope", "b"]) == ["a"]
    assert set(broker.found) == {"a"}


def test_quorum_queue_is_deleted_only_when_nobody_reads_it():
    broker = FakeBroker(quorum_a=(3, 1), quorum_b=(0, 0), c=(0, 0))

    assert queues.delete(broker, ["quorum_a", "quorum_b", "c"]) == ["quorum_a"]
    assert (set(broker.found), broker.opened) == ({"quorum_a"}, 2)


def test_queues_of_an_engine_have_heats_names():
    assert queues.of_engine("1-2") == ["heat-engine-listener.1-2", "engine_worker.1-2"]
