"""rewrite moves every loopback host that a node would look for on itself, and nothing else."""

from pathlib import Path

import pytest
from node_addresses import a_place, read

from deployer import errors
from deployer.heat.conf import rewrite
from deployer.heat.conf.rewrite import NodeAddresses
from deployer.model.names import Endpoint

GOLDEN = Path(__file__).parents[2] / "golden" / "heat"


def warnings(text: str) -> list[str]:
    found = rewrite.for_node(text, a_place(), "heat.conf").warnings
    return [str(remark) for remark in found if remark.line]


@pytest.mark.parametrize(("host", "address"), [("hostB", "10.0.0.2"), ("hostC", "10.0.0.3")])
def test_guides_file_on_a_node_equals_the_guides(host, address):
    place = NodeAddresses(address, "10.0.0.1", 8004, 8000, Endpoint("10.0.0.1", 8004), Endpoint("10.0.0.1", 8000))

    rewritten = rewrite.for_node((GOLDEN / "guide-hostA.conf").read_text(), place)

    assert rewritten.text == (GOLDEN / f"guide-{host}.conf").read_text()
    assert [change.line for change in rewritten.changes] == [2, 3, 6, 9]
    assert not rewritten.warnings


def test_a_sites_file_on_a_node_equals_the_golden_one():
    rewritten = rewrite.for_node((GOLDEN / "site-source.conf").read_text(), a_place())

    assert rewritten.text == (GOLDEN / "site-node.conf").read_text()
    assert "".join(f"{remark}\n" for remark in rewritten.warnings) == (GOLDEN / "site-remarks.txt").read_text()


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("connection = mysql://u:p@127.0.0.1/heat", "connection = mysql://u:p@[2001:db8::11]/heat"),
        ("connection = mysql://u:p@[::1]:3306/heat", "connection = mysql://u:p@[2001:db8::11]:3306/heat"),
        ("auth_url = http://localhost:5000/v3", "auth_url = http://[2001:db8::11]:5000/v3"),
        ("rabbit_host = localhost", "rabbit_host = [2001:db8::11]"),
        ("rabbit_hosts = ::1,localhost:1", "rabbit_hosts = [2001:db8::11],[2001:db8::11]:1"),
        ("auth_host = 127.0.0.1", "auth_host = 2001:db8::11"),
        ("memcached_servers = localhost:1", "memcached_servers = inet6:[2001:db8::11]:1"),
        ("memcached_servers = inet6:[::1]:1", "memcached_servers = inet6:[2001:db8::11]:1"),
        ("memcached_servers = [::1]:11211", "memcached_servers = [2001:db8::11]:11211"),
        ("heat_metadata_server_url = http://[::1]:8000/x", "heat_metadata_server_url = http://[2001:db8::10]:8000/x"),
    ],
)  # fmt: skip
def test_an_ipv6_source_is_written_as_each_option_wants_it(before, after):
    place = a_place(source_address="2001:db8::11", address="2001:db8::12", proxy_cfn=Endpoint("2001:db8::10", 8000))

    text = rewrite.for_node(f"[database]\n{before}\n", place).text

    assert text.startswith(f"[database]\n{after}\n")
    assert "bind_host = 2001:db8::12\n" in text


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("rabbit_host = ::1\nrabbit_hosts = $rabbit_host:5", "rabbit_host = 192.0.2.11\nrabbit_hosts = $rabbit_host:5"),
        ("ip = 127.0.0.1\nsql_connection = mysql://u:p@$ip/h", "ip = 127.0.0.1\nsql_connection = mysql://u:p@192.0.2.11/h"),
        ("u = mysql://u:$$@localhost/h\nsql_connection = $u",
         "u = mysql://u:$$@localhost/h\nsql_connection = mysql://u:$$@192.0.2.11/h"),
        ("sql_connection = mysql://u:pa$word@localhost/h", "sql_connection = mysql://u:pa$word@192.0.2.11/h"),
        ("sql_connection = mysql://u:p@/h", "sql_connection = mysql://u:p@192.0.2.11/h"),
        ("sql_connection = mysql://u:p@ss@localhost/h", "sql_connection = mysql://u:p@ss@192.0.2.11/h"),
        ("transport_url = rabbit://", "transport_url = rabbit://192.0.2.11"),
        ("transport_url = rabbit://u:p@:5672/v", "transport_url = rabbit://u:p@192.0.2.11:5672/v"),
        ("transport_url = fake://", "transport_url = fake://"),
        ("auth_url = http://10.0.0.9/?next=http://localhost", "auth_url = http://10.0.0.9/?next=http://192.0.2.11"),
        ("auth_url = http://localhost.", "auth_url = http://192.0.2.11"),
        ("memcached_servers = unix:/localhost/m,127.1:1", "memcached_servers = unix:/localhost/m,192.0.2.11:1"),
    ],
)  # fmt: skip
def test_a_host_is_found_wherever_it_is_written(before, after):
    assert rewrite.for_node(f"[DEFAULT]\n{before}\n", a_place()).text.startswith(f"[DEFAULT]\n{after}\n")


def test_an_option_that_refers_to_the_apis_own_address_keeps_naming_the_source():
    text = "[heat_api]\nbind_host = 192.0.2.11\n[trustee]\nauth_url = http://${heat_api.bind_host}:5000\n"

    assert read(text, "trustee", "auth_url") == "http://192.0.2.11:5000"


@pytest.mark.parametrize("section", ["heat_api", "heat_api_cfn"])
def test_apis_listen_at_the_nodes_own_address_whatever_the_file_had(section):
    port = {"heat_api": "8005", "heat_api_cfn": "8001"}[section]
    for text in ("", f"[{section}]\n", f"[{section}]\nbind_host = 0.0.0.0\nbind_host = $my_ip\nbind_port: '1'\n"):
        assert read(text, section, "bind_host") == "192.0.2.12"
        assert read(text, section, "bind_port") == port


@pytest.mark.parametrize(
    ("text", "remark"),
    [
        ("[DEFAULT]\nmy_ip = 127.0.0.1\n", "heat.conf:2: [DEFAULT] my_ip: still names loopback host 127.0.0.1"),
        ("[a]\n\nx = http://[::1]:1/\n", "heat.conf:3: [a] x: still names loopback host [::1]"),
        ("[a]\nx = 1.2.3.4,\n  localhost:8\n", "heat.conf:2: [a] x: still names loopback host localhost"),
        ("[a]\nx = $y\n[DEFAULT]\ny = ::1\n", "heat.conf:2: [a] x: still names loopback host ::1"),
        ("[database]\nconnection = sqlite:////var/lib/heat.db\n",
         "heat.conf:2: [database] connection: is a file or socket of the host itself, which other hosts do not share"),
        ("[heat_api]\nbind_host = 192.0.2.11\n[a]\nx = http://${heat_api.bind_host}/\n",
         "heat.conf:4: [a] x: reads differently on the node, because it refers to an option that changes"),
    ],
)  # fmt: skip
def test_what_still_means_the_node_itself_is_warned_of_with_its_line(text, remark):
    assert remark in warnings(text)


ON_LOOPBACK = {"proxy_api": Endpoint("127.0.0.1", 8004), "proxy_cfn": Endpoint("::1", 8000)}
CALLED_BY_INSTANCES = [
    ("DEFAULT", "heat_metadata_server_url", "the CFN API"),
    ("DEFAULT", "heat_waitcondition_server_url", "the CFN API"),
    ("clients_heat", "url", "the REST API"),
]


@pytest.mark.parametrize(("section", "key", "api"), CALLED_BY_INSTANCES)
@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "[::1]", "0.0.0.0", "[::]"])
def test_what_instances_call_is_warned_of_and_stays_where_the_proxy_listens_on_loopback(section, key, api, host):
    """A load balancer of the host is before it, whose address nothing here tells."""
    text = f"[{section}]\n{key} = http://{host}:8000/v1\n"

    rewritten = rewrite.for_node(text, a_place(secure=True, **ON_LOOPBACK), "heat.conf")

    assert rewritten.text.startswith(text)
    assert [str(each) for each in rewritten.warnings if each.line] == [
        f"heat.conf:2: [{section}] {key}: still names {host}, as the proxy listens on loopback: instances would call "
        f"themselves. Set it on the source host to the address where instances reach {api}"
    ]


@pytest.mark.parametrize(("section", "key", "_"), CALLED_BY_INSTANCES)
def test_what_instances_call_at_a_name_stays_without_a_warning(section, key, _):
    text = f"[{section}]\n{key} = https://heat.example.org/127.0.0.1\n"

    rewritten = rewrite.for_node(text, a_place(**ON_LOOPBACK))

    assert rewritten.text.startswith(text)
    assert not [each for each in rewritten.warnings if each.line]


@pytest.mark.parametrize("host", ["127.0.0.1", "0.0.0.0", "[::]"])
def test_instances_send_their_signals_to_the_proxy(host):
    text = f"[clients_heat]\nurl = http://{host}:8004/v1/%(tenant_id)s\n"

    assert read(text, "clients_heat", "url") == "http://192.0.2.10:8004/v1/%(tenant_id)s"
    assert read(text, "clients_heat", "url", a_place(secure=True)) == "https://192.0.2.10:8004/v1/%(tenant_id)s"


def test_an_address_that_stands_for_all_is_the_source_as_well():
    assert read("[trustee]\nauth_url = http://0.0.0.0:5000\n", "trustee", "auth_url") == "http://192.0.2.11:5000"


@pytest.mark.parametrize(
    "value", ["/srv/localhost/x", "mylocalhost", "localhost.example.org", "2001:db8::1", "1127.0.0.1"]
)
def test_what_only_looks_like_loopback_is_not_warned_of(value):
    assert not warnings(f"[a]\nx = {value}\n")


def test_a_missing_broker_or_database_is_warned_of():
    found = [str(remark) for remark in rewrite.for_node("", a_place(), "heat.conf").warnings]

    assert [line.split(": ")[1] for line in found] == ["[DEFAULT] transport_url", "[database] connection"]


def test_a_broken_file_is_refused_with_its_path_and_line():
    with pytest.raises(errors.BadConfig, match="^/etc/heat/heat.conf:1: "):
        rewrite.for_node("hunter2", a_place())


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("http://127.0.0.1:8000/v1/waitcondition", "https://192.0.2.10:8000/v1/waitcondition"),
        ("http://192.0.2.10:8000", "https://192.0.2.10:8000"),
        ("https://192.0.2.10:8000", "https://192.0.2.10:8000"),
        ("http://192.0.2.10:80001", "http://192.0.2.10:80001"),
        ("http://heat.example.org:8000", "http://heat.example.org:8000"),
    ],
)
def test_instances_reach_a_proxy_that_speaks_tls_over_tls(before, after):
    text = f"[DEFAULT]\nheat_waitcondition_server_url = {before}\nmine = http://127.0.0.1:8000\n"

    assert read(text, "DEFAULT", "heat_waitcondition_server_url", a_place(secure=True)) == after
    assert read(text, "DEFAULT", "mine", a_place(secure=True)) == "http://127.0.0.1:8000"
