"""The values of apis-proxy.conf and of its unit."""

import re

import pytest
import sites

from deployer.model.names import Endpoint
from deployer.model.probe import AnswersSocket
from deployer.model.service import Service
from deployer.model.tls import Trust
from deployer.proxy import config, server_options

BINDS = {Service.API: Endpoint("10.0.0.1", 8004), Service.CFN: Endpoint("10.0.0.1", 8000)}
CHECKS = {Service.API: "/healthcheck", Service.CFN: "/"}


def a_state(inventory=None, binds=BINDS, **proxy):
    inventory = inventory or sites.an_inventory(**proxy)
    return config.state(config.ProxySpec(inventory.proxy, binds, CHECKS), inventory.instances())


def a_text(*args, **how):
    return a_state(*args, **how).files[config.CONFIG].content.decode()


def section(text, name):
    """The lines of a section, without their indent."""
    body = re.search(rf"(?m)^{name}\n((?:[ ].*\n)*)", text)[1]
    return [" ".join(line.split()) for line in body.splitlines()]


def servers(text, name):
    return [line for line in section(text, f"listen {name}") if line.startswith("server ")]


def test_every_api_is_a_checked_server_of_its_section_in_the_inventorys_order():
    text = a_text(sites.an_inventory(hostB="{address: 10.0.0.2, api: [8104, 8004]}"))

    assert servers(text, "rest_api_proxy") == [
        "server hostB-8104 10.0.0.2:8104 check",
        "server hostB-8004 10.0.0.2:8004 check",
        "server hostC-8004 10.0.0.3:8004 check",
    ]
    assert servers(text, "cfn_api_proxy") == ["server hostC-8000 10.0.0.3:8000 check"]


def test_servers_are_numbered_through_all_hosts_when_the_inventory_says_so():
    text = a_text(proxy="server_names: numbered")

    assert [line.split()[1] for line in servers(text, "rest_api_proxy")] == ["rest-server-1", "rest-server-2"]
    assert [line.split()[1] for line in servers(text, "cfn_api_proxy")] == ["cfn-server-1", "cfn-server-2"]


def test_health_is_asked_where_each_api_has_it():
    text = a_text()

    assert "http-check send meth GET uri /healthcheck" in section(text, "listen rest_api_proxy")
    assert "http-check send meth GET uri /" in section(text, "listen cfn_api_proxy")


def test_health_is_asked_where_and_as_often_as_the_inventory_says():
    rest = section(a_text(proxy="check: {path: /up, interval: 5s, rise: 4, fall: 6}"), "listen rest_api_proxy")

    assert "http-check send meth GET uri /up" in rest
    assert "default-server inter 5s fastinter 500ms rise 4 fall 6" in rest


def test_settings_of_the_inventory_are_the_directives():
    text = a_text(proxy="balance: source, maxconn: 11, listen_maxconn: 12, retries: 7, timeouts: {server: 3m}")

    assert "maxconn 11" in section(text, "global")
    assert {"maxconn 12", "retries 7", "timeout server 3m", "timeout client 90s"} <= set(section(text, "defaults"))
    assert "balance source" in section(text, "listen cfn_api_proxy")


@pytest.mark.parametrize(
    ("bind", "shown", "needs"),
    [
        (Endpoint("10.0.0.1", 8004), "10.0.0.1:8004", ("10.0.0.1", 8004)),
        (Endpoint("*", 8004), "*:8004", ("0.0.0.0", 8004)),
        (Endpoint("0.0.0.0", 8004), "0.0.0.0:8004", ("0.0.0.0", 8004)),
        (Endpoint("2001:db8::1", 8004), "[2001:db8::1]:8004", ("2001:db8::1", 8004)),
    ],
)
def test_bind_is_written_for_haproxy_and_needed_as_the_kernel_shows_it(bind, shown, needs):
    state = a_state(binds=BINDS | {Service.API: bind})

    text = state.files[config.CONFIG].content.decode()
    assert f"bind {shown}" in section(text, "listen rest_api_proxy")
    assert state.units[config.UNIT].needs[0] == needs


def test_tls_ends_at_the_proxy_and_the_apis_are_reported():
    text = a_text(proxy="tls: {certificate: /etc/haproxy/site.pem}")

    rest = section(text, "listen rest_api_proxy")
    assert "bind 10.0.0.1:8004 ssl crt /etc/haproxy/site.pem alpn http/1.1" in rest
    assert "http-request set-header X-Forwarded-Proto https" in rest
    assert "ssl-default-bind-options ssl-min-ver TLSv1.2" in section(text, "global")


def test_plain_http_has_no_word_of_tls():
    text = a_text()

    assert "ssl" not in text
    assert "http-request set-header X-Forwarded-Proto http" in section(text, "listen cfn_api_proxy")


TRUSTS = {"hostB": Trust("hostB", "/etc/ssl/ca.pem"), "hostC": Trust("api-2.example.org", "/etc/ssl/ca.pem")}
LINK = "ssl ssl-min-ver TLSv1.2 verify required ca-file /etc/ssl/ca.pem verifyhost"


def a_front(trusts=TRUSTS, certificates="", inventory=None):
    inventory = inventory or sites.an_inventory()
    return config.configuration(
        config.ProxySpec(inventory.proxy, BINDS, CHECKS, trusts, certificates), inventory.instances()
    )


def test_server_that_speaks_tls_must_prove_its_name_to_the_proxy():
    inventory = sites.an_inventory(hostC="{address: 10.0.0.3, api: 1, drained: true}")

    assert servers(a_front(inventory=inventory)[0], "rest_api_proxy") == [
        f"server hostB-8004 10.0.0.2:8004 check {LINK} hostB",
        f"server hostC-8004 10.0.0.3:8004 check {LINK} api-2.example.org weight 0",
    ]


def test_headers_that_make_links_are_never_the_clients_where_they_are_believed():
    lines = section(a_front()[0], "listen rest_api_proxy")

    assert [line for line in lines if "-header" in line] == [
        "http-request del-header Forwarded",
        "http-request del-header X-Forwarded-Host",
        "http-request del-header X-Forwarded-Prefix",
        "http-request set-header X-Forwarded-Proto http",
    ]
    assert "del-header" not in a_front({})[0]


def test_new_certificate_is_a_new_configuration():
    assert len({a_front(certificates=each)[1] for each in ("", "one", "other")}) == 3


def test_links_of_a_configuration_are_read_back_and_written_for_some_servers_alone():
    inventory = sites.an_inventory(hostC="{address: 10.0.0.3, api: 1, cfn: 1, drained: true}")
    plain, secure = (a_front(trusts, inventory=inventory)[0] for trusts in ({}, TRUSTS))

    assert server_options.options_by_address(plain) == dict.fromkeys(
        ("10.0.0.2:8004", "10.0.0.2:8000", "10.0.0.3:8004", "10.0.0.3:8000"), ""
    )
    assert server_options.options_by_address(secure)["10.0.0.3:8000"] == f"{LINK} api-2.example.org"

    half, digest = server_options.with_options(
        plain, {"10.0.0.2:8004": server_options.options_by_address(secure)["10.0.0.2:8004"]}
    )
    assert server_options.options_by_address(half) == server_options.options_by_address(plain) | {
        "10.0.0.2:8004": f"{LINK} hostB"
    }
    assert f"description heat-scaleout {digest}" in half
    assert servers(half, "rest_api_proxy")[1] == "server hostC-8004 10.0.0.3:8004 check weight 0"
    back, again = server_options.with_options(half, {"10.0.0.2:8004": ""})
    assert (back, again) == (plain, a_front({}, inventory=inventory)[1])


def test_statistics_are_served_only_where_the_inventory_has_them():
    settings = 'stats: {bind: "127.0.0.1:1936", user: operator, password: canary}'

    assert section(a_text(proxy=settings), "listen statistics") == [
        "bind 127.0.0.1:1936",
        "stats enable",
        "stats uri /",
        "stats auth operator:canary",
    ]
    assert "statistics" not in a_text()


def test_redacted_text_has_no_password_and_is_else_the_same():
    text = a_text(proxy='stats: {bind: "127.0.0.1:1936", user: operator, password: "can:ary"}')

    assert config.redact(text) == text.replace("can:ary", "***")


def test_configuration_is_for_roots_eyes_and_judged_by_haproxy():
    file = a_state().files[config.CONFIG]

    assert (file.owner, file.mode, file.only) == ("root", 0o600, Service.PROXY)
    assert file.check == ("/usr/sbin/haproxy", "-c", "-q", "-f", "{}")


def test_running_configuration_is_known_by_the_digest_it_carries():
    state = a_state()

    unit = state.units[config.UNIT]
    assert f"description heat-scaleout {unit.config}" in section(a_text(), "global")
    assert isinstance(unit.ready, AnswersSocket)
    assert unit.ready.contains == f"heat-scaleout {unit.config}"


def test_digest_changes_with_every_change_of_the_configuration():
    base = a_state().units[config.UNIT].config
    others = [
        {"proxy": "balance: source"},
        {"proxy": 'stats: {bind: "127.0.0.1:1", user: x, password: y}'},
        {"hostC": ""},
        {"hostB": "{address: 10.0.0.2, api: 2}"},
    ]

    assert base not in [a_state(**how).units[config.UNIT].config for how in others]
    assert a_state(hostB="{address: 10.0.0.2, api: 1, cfn: 1, engines: 9}").units[config.UNIT].config == base


def test_unit_reloads_with_a_check_first_and_starts_the_inventorys_program():
    unit = a_state(proxy="program: /opt/haproxy/sbin/haproxy").files[f"/etc/systemd/system/{config.UNIT}"].content

    lines = unit.decode().splitlines()
    reloads = [line for line in lines if line.startswith("ExecReload=")]
    assert reloads == [
        f"ExecReload=/opt/haproxy/sbin/haproxy -c -q -f {config.CONFIG}",
        f"ExecReload=/usr/bin/python3 {config.BINDS} {config.CONFIG}",
        "ExecReload=/bin/kill -USR2 $MAINPID",
    ]
    assert any(line.startswith("ExecStart=/opt/haproxy/sbin/haproxy -Ws ") for line in lines)
