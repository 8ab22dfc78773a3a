"""A site that turns to TLS, behind its proxy and before it, and back, with certificates of the lab's authority."""

import contextlib
import http.client
import itertools
import json
import socket
import ssl

import pytest
from test_30_change import requests_all_the_while, wait_until

from lab import authority

# That an old version is refused can only be seen by asking for it.
pytestmark = [
    pytest.mark.lab,
    pytest.mark.on("old"),  # which turns from heat-api to uWSGI for it
    pytest.mark.filterwarnings("ignore:ssl.TLSVersion.TLSv1_1:DeprecationWarning"),
]

FOLDER = f"/{authority.FOLDER}"
HEAT = (
    "heat: {source: hostA,",
    f"heat: {{source: hostA, tls: {{certificate: {FOLDER}/api.pem, key: {FOLDER}/api.key}},",
)
BEHIND = ("proxy: {host: hostA}", f"proxy: {{host: hostA, backend_tls: {{ca: {FOLDER}/ca.pem}}}}")
BEFORE = ("backend_tls:", f"tls: {{certificate: {FOLDER}/proxy.pem}}, backend_tls:")
NEW = {"TLSv1.2": ssl.TLSVersion.TLSv1_2, "TLSv1.3": ssl.TLSVersion.TLSv1_3}
PORTS = (8004, 8000)


@pytest.fixture(scope="module")
def secured(site):
    """The site with TLS to its APIs, deployed while clients ask; `answers` are what those got."""
    text = site.inventory.read_text()
    site.inventory.write_text(site.edited(HEAT, BEHIND).read_text())
    with requests_all_the_while(site) as answers:
        site.invoke("deploy", "--yes")
    site.answers = answers
    yield site
    site.inventory.write_text(text)
    with catalogue("https", "http", site):
        site.invoke("deploy", "--yes")


@pytest.fixture(scope="module")
def fronted(secured):
    """The same with TLS for its clients."""
    secured.inventory.write_text(secured.edited(BEFORE).read_text())
    secured.invoke("deploy", "--yes")
    return secured


def test_site_turns_to_tls_behind_the_proxy_and_no_client_sees_an_error(secured):
    assert len(secured.answers) > 20
    assert set(secured.answers) == {200}
    assert secured.json("plan", "--exit-code")["changes"] == 0
    assert {each["proxy"] for each in secured.json("status")["instances"]} == {"UP", ""}


def test_apis_speak_new_tls_alone_and_prove_their_name(secured):
    for name in ("hostB", "hostC"):
        for port in PORTS:
            place = (secured.lab.hosts[name], port)
            assert answered(place, trusting(secured), name) == 200
            assert versions(place) == set(NEW)
            assert not answers_plain_http(place)


def test_server_with_a_certificate_of_another_authority_gets_no_request(secured, tmp_path):
    authority.make(tmp_path)
    before, pids = give(secured, tmp_path, "hostB", "api"), secured.processes()
    restart_by_hand(secured, "hostB")
    with requests_all_the_while(secured) as answers:
        wait_until(lambda: proxy_view(secured, "hostB") == {"DOWN"}, 30)

    refused = secured.invoke("deploy", "--yes", code=5)
    assert "certificate verify failed" in refused.stdout + refused.stderr
    assert proxy_view(secured, "hostC") == {"UP"}
    after = secured.processes()
    assert {key: pid for key, pid in after.items() if key[0] == "hostC"} == {
        key: pid for key, pid in pids.items() if key[0] == "hostC"
    }

    put(secured, "hostB", before)
    restart_by_hand(secured, "hostB")
    wait_until(lambda: proxy_view(secured, "hostB") <= {"UP", "DRAIN"}, 30)
    secured.invoke("deploy", "--yes")
    wait_until(lambda: proxy_view(secured, "hostB") == {"UP"}, 30)
    assert set(answers) == {200}
    assert secured.json("plan")["changes"] == 0


def test_certificate_that_does_not_fit_is_refused_before_any_change(secured, tmp_path):
    key = secured.on("hostC", "cat", f"{FOLDER}/api.key")
    authority.make(tmp_path)
    put(secured, "hostC", {"api.key": authority.sign(tmp_path, "hostC", secured.lab.hosts["hostC"])[1]})
    before = secured.processes()
    try:
        wrong = secured.edited(("backend_tls:", f"tls: {{certificate: {FOLDER}/no.pem}}, backend_tls:"))
        ran = secured.invoke("deploy", "--yes", code=3, inventory=wrong)
    finally:
        put(secured, "hostC", {"api.key": key})

    assert f"hostA: `proxy.tls`: {FOLDER}/no.pem: No such file" in ran.stderr
    assert f"hostC: `heat.tls`: {FOLDER}/api.pem with {FOLDER}/api.key cannot be used" in ran.stderr
    assert secured.processes() == before


def test_clients_get_new_tls_alone_and_links_that_lead_back(fronted):
    for port in PORTS:
        place = (fronted.lab.hosts["hostA"], port)
        assert answered(place, trusting(fronted), "hostA") == 200
        assert versions(place) == set(NEW)
        assert not answers_plain_http(place)
    assert links_of(fronted) == {f"https://{fronted.lab.hosts['hostA']}:8004/v1/"}
    assert fronted.json("plan")["changes"] == 0


def test_renewed_certificate_of_the_proxy_is_a_reload_and_a_short_one_is_told(fronted):
    give(fronted, fronted.lab.directory, "hostA", "proxy", days=3)
    served = certificate_of((fronted.lab.hosts["hostA"], 8004))

    ran = fronted.invoke("deploy", "--yes", "--format", "json")

    steps = [each["step"] for each in json.loads(ran.stdout)["done"]]
    assert [step.split(" (")[0] for step in steps if not step.startswith("wait")] == [
        "write /etc/heat-scaleout/apis-proxy.conf",
        "reload heat-scaleout-proxy.service",
    ]
    assert "hostA: the certificate of `proxy.tls` expires in 2 days" in ran.stderr
    assert certificate_of((fronted.lab.hosts["hostA"], 8004)) != served


def test_verify_proves_a_site_with_tls_and_finds_what_is_plain(fronted):
    with catalogue("http", "https", fronted):
        proof = fronted.json("verify")
        promises = {(each["where"], each["promise"]) for each in proof["checks"]}

    assert proof["failed"] is False
    assert ("hostB", "it speaks TLS 1.2 or later, and nothing else") in promises
    assert ("hostA", "clients get TLS 1.2 or later there, and nothing else") in promises


def test_site_goes_back_to_plain_http_and_clients_are_answered_until_the_proxy_itself_does(fronted):
    plain = fronted.edited((HEAT[1], HEAT[0]), (BEFORE[1], BEFORE[0]), (BEHIND[1], BEHIND[0]))
    fronted.inventory.write_text(plain.read_text())

    with requests_all_the_while(fronted, trusting(fronted)) as answers:
        fronted.invoke("deploy", "--yes")

    served = list(itertools.takewhile(lambda answer: answer == 200, answers))
    assert len(served) > 100
    assert 200 not in answers[len(served) :]
    assert fronted.json("plan")["changes"] == 0
    for name in fronted.lab.hosts:
        assert answers_plain_http((fronted.lab.hosts[name], 8004))
        assert versions((fronted.lab.hosts[name], 8004)) == set()


@contextlib.contextmanager
def catalogue(old: str, new: str, site):
    """Heat's endpoints in Keystone with another scheme, as an operator would register them; as before afterwards."""
    register(site, old, new)
    try:
        yield
    finally:
        register(site, new, old)


def register(site, old: str, new: str) -> None:
    statement = "UPDATE keystone.endpoint SET url = REPLACE(url, '{}://{}:{}', '{}://{}:{}')"
    where = site.lab.hosts["hostA"]
    for port in PORTS:
        site.on("hostA", "mariadb", "-e", statement.format(old, where, port, new, where, port))


def trusting(site) -> ssl.SSLContext:
    return ssl.create_default_context(cafile=site.lab.directory / authority.CERTIFICATE)


def answered(place: tuple[str, int], context: ssl.SSLContext, name: str) -> int:
    """The status of a request over TLS to a server that proves this name."""
    connection = http.client.HTTPConnection(*place, timeout=20)
    connection.connect()
    connection.sock = context.wrap_socket(connection.sock, server_hostname=name)
    with contextlib.closing(connection):
        connection.request("GET", "/healthcheck")
        return connection.getresponse().status


def versions(place: tuple[str, int]) -> set[str]:
    """The versions of TLS that a server takes from a client who takes any certificate and any cipher."""
    wanted = {"TLSv1.1": ssl.TLSVersion.TLSv1_1, **NEW}
    return {name for name, version in wanted.items() if takes(place, version)}


def takes(place: tuple[str, int], version: ssl.TLSVersion) -> bool:
    context = careless()
    context.set_ciphers("ALL:@SECLEVEL=0")
    context.minimum_version = context.maximum_version = version
    try:
        with socket.create_connection(place, 10) as plain, context.wrap_socket(plain):
            return True
    except OSError:
        return False


def certificate_of(place: tuple[str, int]) -> bytes:
    with socket.create_connection(place, 10) as plain, careless().wrap_socket(plain) as secure:
        return secure.getpeercert(binary_form=True)


def careless() -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    return context


def answers_plain_http(place: tuple[str, int]) -> bool:
    connection = http.client.HTTPConnection(*place, timeout=10)
    with contextlib.closing(connection):
        try:
            connection.request("GET", "/healthcheck")
            return connection.getresponse().status == 200
        except (OSError, http.client.HTTPException):
            return False


def links_of(site) -> set[str]:
    connection = http.client.HTTPSConnection(site.lab.hosts["hostA"], 8004, timeout=20, context=trusting(site))
    with contextlib.closing(connection):
        connection.request("GET", "/", headers={"X-Forwarded-Host": "elsewhere.example.org"})
        found = json.loads(connection.getresponse().read())
    return {link["href"] for version in found["versions"] for link in version["links"]}


def give(site, folder, host: str, purpose: str, days: int = 90) -> dict[str, str]:
    """Give a host a certificate of some authority; what it had before."""
    names = ["api.pem", "api.key"] if purpose == "api" else ["proxy.pem"]
    before = {name: site.on(host, "cat", f"{FOLDER}/{name}") for name in names}
    certificate, key = authority.sign(folder, host, site.lab.hosts[host], days)
    put(site, host, dict(zip(names, [certificate, key] if purpose == "api" else [certificate + key], strict=True)))
    return before


def put(site, host: str, files: dict[str, str]) -> None:
    for name, text in files.items():
        site.on(host, "python3", "-c", f"open({FOLDER + '/' + name!r}, 'w').write({text!r})")


def restart_by_hand(site, host: str) -> None:
    site.on(host, "systemctl", "restart", "heat-scaleout-api@8004", "heat-scaleout-cfn@8000")


def proxy_view(site, host: str) -> set[str]:
    return {
        each["proxy"].split()[0]
        for each in site.json("status")["instances"]
        if each["host"] == host and each["service"] in ("api", "cfn")
    }
