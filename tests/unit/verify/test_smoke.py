"""The parts of the smoke test that decide: who is up, who was reached, what is signed, what may be shown."""

import logging
import re
from pathlib import Path

import pytest

from deployer import errors
from deployer.inventory import reader
from deployer.model.events import Level
from deployer.model.hosts import Secret
from deployer.model.names import Endpoint
from deployer.proxy.runtime_api import Server
from deployer.verify.smoke import balancing, cfn, clouds, engine_list, stack
from deployer.verify.smoke.result import CheckFailed, Outcome, Recorder

URL = "http://10.0.0.1:8000/v1/?Action=ListStacks&Version=2010-05-15"
LISTED = (
    b'<ListStacksResponse xmlns="http://cloudformation.amazonaws.com/doc/2010-05-15/"><ListStacksResult>'
    b"<StackSummaries><member><StackId>a</StackId></member><member><StackId>b</StackId></member>"
    b"</StackSummaries></ListStacksResult></ListStacksResponse>"
)

INVENTORY = """
version: 1
heat: {source: hostA}
proxy: {host: hostA}
hosts:
  hostA: {address: 10.0.0.1}
  hostB: {address: 10.0.0.2, api: 1, cfn: 1, engines: 1}
"""


def a_book():
    return Recorder("through the proxy", lambda _: None)


def a_row(host, status="up"):
    return {"host": host, "status": status}


def a_server(name, requests=0, status="UP"):
    return Server("rest_api_proxy", name, "10.0.0.2:8004", status, "L7OK", 0, requests)


def servers(**requests):
    return {name: a_server(name, count) for name, count in requests.items()}


def raising(error):
    raise error


def test_engines_all_up_are_counted_with_their_workers_and_the_hosts_own_are_named():
    rows = [a_row("hostB-engine-1"), a_row("hostB-engine-1"), a_row("hostA"), a_row("old", "down")]

    shown = engine_list.compare(engine_list.workers_up(rows), ["hostB-engine-1"])

    assert shown == "1 of 1 up with 2 workers; besides, a host's own: hostA (1 worker)"


@pytest.mark.parametrize(
    ("rows", "shown"),
    [([], "hostB-engine-1 is not listed"), ([a_row("hostB-engine-1", "down")], "hostB-engine-1 is down")],
)
def test_engine_of_the_inventory_that_is_not_up_is_named(rows, shown):
    with pytest.raises(CheckFailed, match=shown):
        engine_list.compare(engine_list.workers_up(rows), ["hostB-engine-1"])


def test_engine_with_rows_of_an_earlier_life_is_up_when_one_worker_is():
    up = engine_list.workers_up([a_row("hostB-engine-1", "down"), a_row("hostB-engine-1")])

    assert engine_list.compare(up, ["hostB-engine-1"]) == "1 of 1 up with 1 worker"


def test_engine_that_is_up_without_being_in_the_inventory_is_named():
    up = {"hostB-engine-1": 1, "hostB-engine-2": 4}

    with pytest.raises(CheckFailed, match="hostB-engine-2 is up, but the inventory has no such engine"):
        engine_list.compare(up, ["hostB-engine-1"])


def test_engine_that_ended_but_is_still_listed_is_reported_and_no_failure():
    up = {"hostB-engine-1": 1, "hostB-engine-2": 4}

    assert "for up to two minutes: hostB-engine-2" in engine_list.compare(up, ["hostB-engine-1"], ["hostB-engine-2"])


class FakeFleet:
    """Hosts by name and the units that run there."""

    def __init__(self, **units):
        self.units = units

    def ask(self, title, verb, requests, timeout, level=Level.INFO):
        return {host: {"units": {unit: {"active": "active"} for unit in self.units[host]}} for host in requests}


@pytest.mark.parametrize(("running", "is_reported"), [((), True), (("heat-scaleout-engine@2.service",), False)])
def test_engine_out_of_the_inventory_is_asked_for_on_its_host(running, is_reported):
    inventory = reader.parse(INVENTORY, Path("/site/lab.yaml"))
    rows = [a_row("hostB-engine-1"), a_row("hostB-engine-2")]
    heat = type("Heat", (), {"request": lambda *_, **__: FakeAnswer(200, {"services": rows})})()

    try:
        shown = engine_list.check_engines(inventory, FakeFleet(hostB=running), a_cloud(heat))
    except CheckFailed as error:
        shown = str(error)

    assert ("for up to two minutes: hostB-engine-2" in shown) is is_reported
    assert ("hostB-engine-2 is up, but the inventory has no such engine" in shown) is not is_reported


def test_counters_that_grew_are_added_up():
    got = balancing.added({"b": 1}, servers(b=10, c=5), servers(b=12, c=5))

    assert got == {"b": 3, "c": 0}


def test_counter_that_went_back_counts_from_the_reload():
    assert balancing.added({}, servers(b=10), servers(b=2)) == {"b": 2}


def test_server_that_appeared_meanwhile_counts_from_nothing():
    assert balancing.added({}, {}, servers(b=2)) == {"b": 2}


@pytest.mark.parametrize(
    ("way", "got", "is_enough"),
    [
        ("roundrobin", {"b": 2, "c": 2}, True),
        ("roundrobin", {"b": 4}, False),
        ("source", {"b": 4, "c": 0}, True),
        ("first", {"b": 4}, True),
        ("source", {}, False),
    ],
)
def test_requests_are_enough_when_every_server_that_can_be_reached_was(way, got, is_enough):
    assert balancing.enough(["b", "c"], got, way) is is_enough


def test_counts_of_a_pinned_client_say_why_others_got_none():
    shown = balancing.counts_text(["b", "c"], {"b": 4}, "source")

    assert shown.startswith("b 4, c 0 (`balance: source` gives one client one server")


def test_servers_without_a_request_are_named_with_what_haproxy_shows():
    shown = balancing.missing(["b", "c", "d"], {"b": 32}, [a_server("b"), a_server("c", status="DOWN")])

    assert shown == "no request of 32 reached c (HAProxy shows DOWN), d (HAProxy does not have it)"


def test_signature_covers_the_host_and_port_of_the_url():
    headers = cfn.signed(URL, "AKID", Secret("very-secret"), "RegionOne")

    pattern = (
        r"AWS4-HMAC-SHA256 Credential=AKID/\d{8}/RegionOne/cloudformation/aws4_request, "
        r"SignedHeaders=host;x-amz-date, Signature=[0-9a-f]{64}"
    )
    assert re.fullmatch(pattern, headers["Authorization"])
    assert re.fullmatch(r"\d{8}T\d{6}Z", headers["X-Amz-Date"])
    assert "very-secret" not in str(headers)


@pytest.mark.parametrize("other", [URL.replace("10.0.0.1", "10.0.0.2"), URL.replace("8000", "8001"), URL + "&x=1"])
def test_signature_of_another_address_differs(other):
    first, second = (cfn.signed(url, "AKID", Secret("s"), "RegionOne")["Authorization"] for url in (URL, other))

    assert first.rpartition("=")[2] != second.rpartition("=")[2]


def test_answer_to_list_stacks_is_counted():
    assert cfn.number_of_stacks(LISTED) == 2


@pytest.mark.parametrize("content", [b"", b"<html>", b"<ErrorResponse/>", b"{}"])
def test_answer_that_is_no_list_of_stacks_proves_nothing(content):
    with pytest.raises(CheckFailed, match="the answer to ListStacks is"):
        cfn.number_of_stacks(content)


def test_error_of_the_cfn_api_is_shown_as_text():
    content = b"<ErrorResponse><Error><Message>no such key</Message><Code>AccessDenied</Code></Error></ErrorResponse>"

    assert "AccessDenied" in cfn.answer_text(content)
    assert cfn.answer_text(b"not xml") == "not xml"


@pytest.mark.parametrize(
    ("url", "bind", "why"),
    [
        ("http://10.0.0.1:8004/v1/p", "10.0.0.1:8004", ""),
        ("http://10.0.0.1/v1/p", "10.0.0.1:80", ""),
        ("http://10.0.0.1:8004/v1/p", "*:8004", ""),
        ("http://10.0.0.1:8004/v1/p", "10.0.0.9:8004", "the proxy listens at 10.0.0.9:8004"),
        ("http://10.0.0.1:8005/v1/p", "10.0.0.1:8004", "the proxy listens on port 8004"),
        ("https://10.0.0.1:8004/v1/p", "10.0.0.1:8004", "the proxy speaks http"),
    ],
)
def test_endpoint_of_the_catalogue_is_compared_with_the_proxys_bind(url, bind, why):
    address, _, port = bind.rpartition(":")

    assert clouds.mismatch(url, ["10.0.0.1"], Endpoint(address, int(port)), secure=False) == why


def test_endpoint_in_plain_http_is_no_proxy_with_tls():
    assert clouds.mismatch("http://a:443/", [], Endpoint("*", 443), secure=True) == "the proxy speaks https"


def test_clouds_file_that_does_not_exist_is_bad_input(tmp_path):
    with pytest.raises(errors.BadInput, match="there is no"):
        clouds.chosen("any", str(tmp_path / "clouds.yaml"))


def test_cloud_that_does_not_exist_is_bad_input(tmp_path):
    path = tmp_path / "clouds.yaml"
    path.write_text("clouds: {one: {auth: {auth_url: 'http://127.0.0.1:1', username: u, password: p}}}")

    with pytest.raises(errors.BadInput, match="no cloud to log in to"):
        clouds.chosen("two", str(path))


def test_secrets_of_a_cloud_are_known_and_never_printed(tmp_path):
    path = tmp_path / "clouds.yaml"
    path.write_text("clouds: {one: {auth: {auth_url: 'http://127.0.0.1:1', username: u, password: hush}}}")

    cloud = clouds.chosen("one", str(path))

    assert cloud.secrets == ("hush",)
    assert "hush" not in repr(cloud)


@pytest.mark.parametrize("name", ["keystoneauth.session", "keystoneauth.identity.v3", "botocore.auth", "openstack"])
def test_libraries_log_no_answers_of_keystone_at_any_verbosity(tmp_path, monkeypatch, name):
    path = tmp_path / "clouds.yaml"
    path.write_text("clouds: {one: {auth: {auth_url: 'http://127.0.0.1:1', username: u, password: hush}}}")
    monkeypatch.setattr(logging.getLogger(), "level", logging.DEBUG)

    clouds.chosen("one", str(path))

    assert not logging.getLogger(name).isEnabledFor(logging.INFO)


def test_step_that_fails_is_recorded_with_its_reason_and_without_secrets():
    book = a_book()
    book.redact(["hush"])

    held = book.tried("Keystone", "it gives a token", lambda: raising(CheckFailed("password hush refused")))

    assert not held
    assert [(each.outcome, each.reason) for each in book.checks] == [(Outcome.FAILED, "password *** refused")]


def test_step_that_holds_is_recorded_with_what_it_saw_and_its_time():
    book = a_book()

    assert book.tried("engines", "all are up", lambda: "4 of 4")
    assert book.checks[0].detail == "4 of 4" and book.checks[0].seconds >= 0 and not book.checks[0].failed


def test_interrupt_of_a_step_is_not_swallowed():
    with pytest.raises(KeyboardInterrupt):
        a_book().tried("stack", "it is created", lambda: raising(KeyboardInterrupt()))


class FakeAnswer:
    def __init__(self, status, body=None, text=""):
        self.status_code, self._body, self.text = status, body, text

    def json(self):
        return self._body


class FakeHeat:
    """Heat's REST API with one stack, which it does not know for the first `unknown` deletions, nor
    answers the first `busy` ones.

    `script` maps a verb to what it answers, or to an error it raises.
    """

    def __init__(self, **script):
        made = FakeAnswer(201, {"stack": {"id": "1"}})
        self.script = {"POST": made, "PUT": FakeAnswer(202), "DELETE": FakeAnswer(204)} | script
        self.status, self.sent, self.unknown, self.busy = "", [], 0, 0

    def request(self, path, verb, **_):
        self.sent.append((verb, path.split("/")[-1] if verb != "GET" else ""))
        if verb == "GET":
            return self._shown()
        if verb == "DELETE" and self.unknown:
            self.unknown -= 1
            return FakeAnswer(404)
        if verb == "DELETE" and self.busy:
            self.busy -= 1
            return FakeAnswer(500)
        answer = self.script[verb]
        if isinstance(answer, BaseException):
            raise answer
        self.status = {"POST": "CREATE_COMPLETE", "PUT": "UPDATE_COMPLETE", "DELETE": "DELETE_COMPLETE"}[verb]
        return answer

    def _shown(self):
        values = [str(number) for number in range(5)]
        outputs = [{"output_key": "values", "output_value": values}]
        return FakeAnswer(200, {"stack": {"stack_status": self.status, "outputs": outputs}})

    def verbs(self):
        return [verb for verb, _ in self.sent if verb != "GET"]


def a_cloud(heat):
    connection = type("Connection", (), {"orchestration": heat})
    return clouds.Cloud(connection, ())


def test_stack_is_created_updated_read_and_deleted():
    heat, book = FakeHeat(), a_book()

    stack.prove(a_cloud(heat), book)

    assert heat.verbs() == ["POST", "PUT", "DELETE"]
    assert [check.failed for check in book.checks] == [False] * 4


def test_stack_whose_update_is_refused_is_deleted_all_the_same():
    heat, book = FakeHeat(PUT=FakeAnswer(500, text="no engine")), a_book()

    stack.prove(a_cloud(heat), book)

    assert heat.verbs() == ["POST", "PUT", "DELETE"]
    assert [check.outcome for check in book.checks] == [Outcome.OK, Outcome.FAILED, Outcome.OK]


def test_stack_that_is_interrupted_is_deleted_before_the_interrupt_goes_on():
    heat = FakeHeat(PUT=KeyboardInterrupt())

    with pytest.raises(KeyboardInterrupt):
        stack.prove(a_cloud(heat), a_book())

    assert heat.verbs()[-1] == "DELETE"


def test_stack_whose_creation_got_no_answer_is_deleted_by_its_name():
    heat = FakeHeat(POST=ConnectionResetError("gone"))

    stack.prove(a_cloud(heat), a_book())

    verb, last = heat.sent[-2]
    assert verb == "DELETE" and last.startswith(stack.PREFIX)


def test_stack_that_appears_after_its_creation_was_interrupted_is_deleted(monkeypatch):
    monkeypatch.setattr(stack, "POLL_INTERVAL", 0.0)
    heat = FakeHeat(POST=KeyboardInterrupt())
    heat.unknown = 2

    with pytest.raises(KeyboardInterrupt):
        stack.prove(a_cloud(heat), a_book())

    assert heat.verbs() == ["POST", "DELETE", "DELETE", "DELETE"]
    assert heat.status == "DELETE_COMPLETE"


def test_deletion_that_heat_could_not_answer_is_asked_for_again():
    heat, book = FakeHeat(), a_book()
    heat.busy = 2

    stack.prove(a_cloud(heat), book)

    assert heat.verbs().count("DELETE") == 3 and not book.checks[-1].failed


def test_stack_that_cannot_be_deleted_is_named_as_still_there():
    heat, book = FakeHeat(), a_book()
    heat.busy = 99

    stack.prove(a_cloud(heat), book)

    assert book.checks[-1].reason == "it is still there: Heat answered 500"
    assert book.checks[-1].subject.startswith(stack.PREFIX)


def test_stack_that_was_refused_is_not_waited_for():
    heat = FakeHeat(POST=FakeAnswer(403, text="forbidden"))
    heat.unknown = 1

    stack.prove(a_cloud(heat), a_book())

    assert heat.verbs() == ["POST", "DELETE"]


def test_stacks_of_two_proofs_have_different_names():
    heats = FakeHeat(), FakeHeat()
    books = [a_book(), a_book()]
    for heat, book in zip(heats, books, strict=True):
        stack.prove(a_cloud(heat), book)

    assert books[0].checks[0].subject != books[1].checks[0].subject
