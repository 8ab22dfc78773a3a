"""Everything an inventory may get wrong is refused, at its place and in words that help."""

from pathlib import Path

import pytest
from inventory_texts import HOSTS, ROOT, a_text, problems, read

from deployer import errors
from deployer.inventory import reader

MAXIMUM = 1024 * 1024


def a_host(fields: str) -> str:
    return a_text(hosts=f"{HOSTS}  hostD: {{{fields}}}\n")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (a_host("address: 10.0.0.4, enignes: 2"), '8:30: hosts.hostD: unknown key "enignes", did you mean "engines"?'),
        (a_text(proxy="host: hostA, timeouts: {conect: 1s}"), '3:33: proxy.timeouts: unknown key "conect", did you'),
        (a_text(more="host: {}\n"), '2:1: unknown key "host", did you mean "hosts"?'),
        (a_text(more="ssh: {host_key: x}\n"), '2:7: ssh: unknown key "host_key"; it belongs in hosts.<name>.ssh'),
        (a_host("address: 10.0.0.4, api: 1, api: 2"), "8:38: hosts.hostD.api: this key is already given at line 8"),
        (a_text(hosts=HOSTS + "  hostB: {address: 10.0.0.9}\n"), "8:3: hosts.hostB: this key is already given at line"),
        (a_text(heat="source: hostX"), '2:16: heat.source: there is no host "hostX" under `hosts`'),
        (a_text(heat="source: hosta"), 'did you mean "hostA"?'),
        (a_text(proxy="host: other"), '3:15: proxy.host: there is no host "other"'),
        (a_text(hosts="  hostA: {address: 10.0.0.1, api: 1, drained: true}\n"), "5:47: hosts.hostA.drained: every"),
        (a_host("address: 10.0.0.2"), "8:20: hosts.hostD.address: 10.0.0.2 is the address of hostB already"),
        (a_host("address: 10.0.0.4, api: [8004, 8004]"), "10.0.0.4:8004 is taken already by hosts.hostD.api[0]"),
        (a_host("address: 10.0.0.4, api: [8004], cfn: [8004]"), "8:49: hosts.hostD.cfn[0]: 10.0.0.4:8004 is taken"),
        (a_host("address: 10.0.0.4, api: 2, cfn: [8005]"), "hosts.hostD.cfn[0]: 10.0.0.4:8005 is taken already by"),
        (a_host("address: 10.0.0.4, api: 5, heat: {api_port: 65533}"), "would need ports above 65535"),
        (a_host("address: 10.0.0.4, api: [0]"), "8:36: hosts.hostD.api[0]: 0: should be 1024 or more"),
        (a_host("address: 10.0.0.4, api: [65536]"), "65536: should be 65535 or less"),
        (a_host("address: 10.0.0.4, ssh: {port: 70000}"), "hosts.hostD.ssh.port: 70000: should be 65535 or less"),
        (a_host("address: 10.0.0.4, ssh: {port: 0}"), "hosts.hostD.ssh.port: 0: should be 1 or more"),
        (a_host("address: 10.0.0.4, engines: 65"), "hosts.hostD.engines: 65: should be 64 or less"),
        (a_host("address: 10.0.0.4, api: 65"), "hosts.hostD.api: 65: should be 64 or less"),
        (
            a_host(f"address: 10.0.0.4, cfn: {list(range(9000, 9065))}"),
            "hosts.hostD.cfn: should have at most 64 entries",
        ),
        (a_host("address: 10.0.0.4, engines: -1"), "hosts.hostD.engines: -1: should be 0 or more"),
        (a_host("address: 10.0.0.4, api: yes"), 'hosts.hostD.api: "yes": should be a whole number'),
        (a_host("address: 10.0.0.4, api: true"), "hosts.hostD.api: should be a whole number, not true"),
        (a_host("address: 10.0.0.4, api: 1.0"), "hosts.hostD.api: 1.0: should be a whole number"),
        (a_host("address: 10.0.0.4, api: '1'"), "should be a whole number"),
        (a_host("address: 10.0.0.4, api: 010"), "should be a whole number"),
        (a_host("address: 10.0.0.4, api: 0x1"), "should be a whole number"),
        (a_host("address: 10.0.0.4, api: 1_0"), "should be a whole number"),
        (a_host("address: 10.0.0.4, api: [yes]"), "hosts.hostD.api[0]"),
        (a_host("address: 10.0.0.4, engines: {a: 1}"), "hosts.hostD.engines: should be a whole number"),
        (a_host("address: 10.0.0.4, ssh: {sudo: yes}"), 'hosts.hostD.ssh.sudo: "yes": should be true or false'),
        (a_host("address: 10.0.0.4, ssh: {connect_timeout: .inf}"), "should be a number"),
        (a_host("address: 10.0.0.4, ssh: "), "hosts.hostD.ssh: should be a mapping of keys to values; it has no value"),
        (a_host("api: 1"), "8:3: hosts.hostD.address: is missing"),
        (a_text(hosts="  hostA:\n"), "5:3: hosts.hostA: should be a mapping of keys to values; it has no value"),
        (a_text(hosts="  {}\n"), "hosts: should have at least 1 entry"),
        (a_text(heat=""), "2:1: heat.source: is missing"),
        ("version: 1\n", "1:1: hosts: is missing"),
        (a_text().replace("version: 1", "version: 2"), "1:10: version: 2: should be 1"),
        (a_text().replace("version: 1", "version: '1'"), "1:10: version"),
        (a_text().replace("version: 1", "version: true"), "1:10: version: should be 1"),
        (a_text().replace("version: 1", "version: 1.0"), "1:10: version: 1.0: should be 1"),
        (a_text().replace("version: 1\n", ""), "1:1: version: is missing"),
        (a_text(heat="source: hostA, launcher: heatapi"), 'did you mean "heat-api"?'),
        (a_text(proxy="host: hostA, balance: roundrobbin"), 'did you mean "roundrobin"?'),
        (a_text(heat="source: hostA, config_dir: /etc"), "should be an absolute path at least two folders deep"),
        (a_text(heat="source: hostA, prefix: /opt/../x"), "should be an absolute path"),
        (a_text(heat="source: hostA, prefix: opt/heat"), "should be an absolute path"),
        (a_text(heat="source: hostA, prefix: /opt/heat/"), "without a final slash"),
        (a_text(heat="source: hostA, user: Root"), 'heat.user: "Root": should be a system account'),
        (a_text(heat="source: hostA, user: 12"), "heat.user: 12: should be a text; write it in quotes"),
    ],
)
def test_wrong_inventory_is_refused_at_its_place_with_a_hint(text, expected):
    found = problems(text)

    assert any(expected in problem for problem in found), found
    assert all(problem.split(":", 2)[0].isdigit() and problem.split(":", 2)[1].isdigit() for problem in found)


@pytest.mark.parametrize(
    ("address", "expected"),
    [
        ("localhost", "Heat's bind_host takes no names"),
        ("hostd.example.org", "Heat's bind_host takes no names"),
        ("10.0.0.300", "this is no IP address"),
        ("10.0.0.04", "this is no IP address"),
        ("0.0.0.0", "stands for no single host"),
        ("'::'", "stands for no single host"),
        ("224.0.0.1", "stands for no single host"),
        ("127.0.0.1", "a loopback address cannot be reached"),
        ("'::1'", "a loopback address cannot be reached"),
        ("fe80::1", "a link-local address needs an interface"),
        ("'fe80::1%eth0'", "Heat's bind_host takes no names"),
        ("'2001:db8::1%$(x)'", "Heat's bind_host takes no names"),
        ("'::ffff:10.0.0.9'", "write this IPv4 address as 10.0.0.9"),
        ("10.0.0.4/24", "Heat's bind_host takes no names"),
        ("10", "should be a text"),
    ],
)
def test_address_that_others_cannot_use_is_refused(address, expected):
    assert any(expected in problem for problem in problems(a_host(f"address: {address}")))


@pytest.mark.parametrize(
    ("proxy", "hosts"),
    [
        ('bind: {api: "10.0.0.1:8004"}', "  hostA: {address: 10.0.0.1, api: 1, engines: 1}\n"),
        ('bind: {api: "*:8004"}', "  hostA: {address: 10.0.0.1, api: 1, engines: 1}\n"),
        ('bind: {api: "0.0.0.0:8004"}', "  hostA: {address: 10.0.0.1, cfn: [8004], engines: 1}\n"),
        ('bind: {cfn: "[::]:8000"}', "  hostA: {address: 10.0.0.1, cfn: 1, engines: 1}\n"),
        ('bind: {api: "[2001:DB8:0::1]:8004"}', '  hostA: {address: "2001:db8::1", api: 1, engines: 1}\n'),
        ('bind: {api: "10.0.0.9:80", cfn: "10.0.0.9:80"}', "  hostA: {address: 10.0.0.1, engines: 1}\n"),
        ('bind: {api: "*:1936"}, stats: {user: x, password: y}', "  hostA: {address: 10.0.0.1, engines: 1}\n"),
        ('stats: {user: x, password: y}, bind: {cfn: "*:1936"}', "  hostA: {address: 10.0.0.1, engines: 1}\n"),
    ],
)
def test_address_of_the_proxy_used_twice_is_refused(proxy, hosts):
    found = problems(a_text(hosts=hosts, proxy=f"host: hostA, {proxy}"))

    assert len(found) == 1
    assert "is taken already by proxy." in found[0]


@pytest.mark.parametrize("bind", ['{api: "10.0.0.99:8004"}', '{api: "10.0.0.1:80", cfn: "10.0.0.1:81"}'])
def test_proxy_beside_an_api_on_another_address_or_port_is_accepted(bind):
    text = a_text(hosts="  hostA: {address: 10.0.0.1, api: 1, engines: 1}\n", proxy=f"host: hostA, bind: {bind}")

    assert problems(text) == []


def test_wildcard_of_the_proxy_leaves_ports_of_other_hosts_free():
    assert problems(a_text(proxy='host: hostA, bind: {api: "*:8004"}')) == []


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (a_host("address: &a 10.0.0.4"), "hosts.hostD.address: YAML anchors (&) are not read"),
        (a_host("address: *a"), "hosts.hostD.address: YAML aliases (*) are not read"),
        (a_host("address: !!str 10.0.0.4"), "hosts.hostD.address: YAML tags (!) are not read"),
        (a_host("address: !python/object:os.system 10.0.0.4"), "YAML tags (!) are not read"),
        (a_host("address: ! 10.0.0.4"), "YAML tags (!) are not read"),
        (a_host("!a address: 10.0.0.4"), "YAML tags (!) are not read"),
        (a_host("address: 10.0.0.4, <<: {api: 1}"), "YAML merge keys (<<) are not read"),
        (a_host("[a]: 1"), "a key should be a single word"),
        (a_text() + "---\nversion: 1\n", "a second document begins here"),
        (a_text() + "...\n", ""),
        ("%YAML 1.1\n---\n" + a_text(), "YAML directives (%) are not read"),
        ("%TAG ! tag:x,2000:\n---\n" + a_text(), "YAML directives (%) are not read"),
        ("[" * 4000, "nested more than 10 levels deep"),
        ("a: {" * 1000, "nested more than 10 levels deep"),
        ("a:\n" + "- " * 2000, "nested more than 10 levels deep"),
        ("just a text", "should be a mapping of keys to values"),
        ("- 1\n- 2\n", "should be a mapping of keys to values"),
        ("", "1:1: the file is empty"),
        (" \n\t\n", "1:1: the file is empty"),
        ("# nothing\n", "the file is empty"),
        ("a: b: c", "this is no YAML"),
        ("a: [1, 2", "this is no YAML"),
        ('"\\U00110000": 1', "1:2: this is no YAML: no such character"),
        ("\ta: 1", "1:1: this is no YAML: a tab stands where only blanks may"),
    ],
)
def test_yaml_beyond_plain_settings_is_refused(text, expected):
    found = problems(text)

    assert any(expected in problem for problem in found) or (not expected and not found), found


def test_alias_bomb_is_refused_before_it_grows():
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]" for n in range(1, 30)]

    assert any("YAML aliases (*) are not read" in problem for problem in problems("\n".join(lines)))


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (b"\x00\x01\x02ELF", "1:1: this is a binary file"),
        ("version: 1".encode("utf-16"), "this is a binary file"),
        ("version: 1\nsite: ä".encode("latin-1"), "2:7: this is no UTF-8 text"),
        (b"a" * (MAXIMUM + 1), "the file is larger than 1024 KiB"),
        (b"#" * 5001, "1:1: this line is longer than 5000 characters"),
        (b"\xef\xbb\xbf", "1:1: the file is empty"),
    ],
)
def test_file_that_is_no_inventory_text_is_refused(content, expected):
    assert any(expected in problem for problem in problems(content))


@pytest.mark.parametrize("sign", ["\x01", "\x1b", "\x7f", "\x85", "\x9b", "\u2028", "\u2029", "\u202e", "\ufeff", "\r"])
@pytest.mark.parametrize("template", ["site: a{}b\n", "# a{}b\n", "a{}b: 1\n", 'site: "{}"\n'])
def test_control_character_anywhere_is_refused_at_its_place(sign, template):
    found = problems(a_text(more=template.format(sign)))

    column = template.index("{") + 1
    assert f"2:{column}: the character U+{ord(sign):04X} is not allowed in an inventory" in found


@pytest.mark.parametrize("escape", ["\\n", "\\r", "\\0", "\\t", "\\e", "\\x07", "\\u2028", "\\N", "\\L", "\\uFEFF"])
@pytest.mark.parametrize("template", ['site: "a{}b"\n', '"a{}b": 1\n'])
def test_escaped_control_character_is_refused(escape, template):
    found = problems(a_text(more=template.format(escape)))

    assert any(problem.startswith("2:") and "is not allowed in an inventory" in problem for problem in found)


def test_several_errors_are_reported_at_once_in_the_order_of_the_file():
    text = a_text(
        heat="source: hostX, prefix: heat",
        hosts="  hostA: {address: 10.0.0.1, enignes: 2}\n  hostB: {address: 10.0.0.1, api: [80], engines: 99}\n",
    )

    starts = [problem.split(":")[0] for problem in problems(text)]

    assert starts == ["2", "2", "5", "6", "6", "6"]


def test_more_than_a_hundred_errors_are_cut_with_their_number():
    found = problems("".join(f"k{number}: 1\n" for number in range(200)))

    assert len(found) == 101
    assert found[-1].endswith("and 104 more")


def test_refusal_ends_with_the_exit_code_of_bad_input():
    with pytest.raises(errors.BadInventory) as caught:
        read("version: 2")

    assert caught.value.exit_code == 3
    assert caught.value.hint == "Nothing was contacted or changed."


@pytest.mark.parametrize(
    "password",
    [
        "hunter two",
        "hunter$two",
        '"hunter\\ntwo"',
        "!hunter",
        "*hunter",
        "&hunter x",
        "[hunter]",
        "{hunter: 1}",
        "1234567",
    ],
)
def test_wrong_password_is_refused_without_showing_it(password):
    found = problems(a_text(proxy=f"host: hostA, stats: {{user: x, password: {password}}}"))

    assert found
    assert not any("hunter" in problem.replace("unknown key", "") or "1234567" in problem for problem in found)


def test_password_where_its_section_belongs_is_refused_without_showing_it():
    found = problems(a_text(proxy="host: hostA, stats: hunter2"))

    assert [problem.partition(": ")[2] for problem in found] == ["proxy.stats: should be a mapping of keys to values"]


@pytest.mark.parametrize(
    "value", ["'hunter2", '"hunter2', "hunter2: x: y", "%hunter2", "@hunter2", "`hunter2", "!hunter2!x y"]
)
def test_broken_yaml_around_a_password_does_not_show_it(value):
    text = a_text().replace("proxy: {host: hostA}", f"proxy:\n  host: hostA\n  stats:\n    password: {value}")

    assert not any("hunter2" in problem for problem in problems(text))


@pytest.mark.parametrize(
    ("stats", "is_accepted"),
    [
        ("{}", False),
        ("{user: x, password: y}", True),
        ("{user: x}", False),
        ("{password: y}", False),
        ('{bind: "10.0.0.1:1936"}', False),
        ('{bind: "*:1936"}', False),
        ('{bind: "*:1936", user: x, password: y}', False),
        ('{bind: "10.0.0.1:1936", user: x, password: y}', False),
        ('{bind: "[::1]:1936", user: x, password: y}', True),
    ],
)
def test_statistics_are_on_loopback_with_a_login(stats, is_accepted):
    assert (not problems(a_text(proxy=f"host: hostA, stats: {stats}"))) is is_accepted


@pytest.mark.parametrize("duration", ["10", "10.5s", "0s", "25d", "1w", "-1s", "'10 s'", "1m30s"])
def test_duration_haproxy_cannot_take_is_refused(duration):
    assert problems(a_text(proxy=f"host: hostA, timeouts: {{client: {duration}}}"))


@pytest.mark.parametrize("key", ["ssh-ed25519", "ssh-ed25519 AAAA", "ssh-dss AAAAB3NzaC1kc3M=", "ssh-ed25519 AAA_A a"])
def test_damaged_host_key_is_refused(key):
    assert problems(a_host(f"address: 10.0.0.4, ssh: {{host_key: {key}}}"))


def test_everything_wrong_in_one_file_is_reported_in_one_run():
    golden = ROOT / "tests/golden/inventory"

    with pytest.raises(errors.BadInventory) as caught:
        reader.parse((golden / "wrong.yaml").read_bytes(), Path("wrong.yaml"))

    assert "\n".join(caught.value.problems) + "\n" == (golden / "wrong.txt").read_text()


TLS = "tls: {certificate: /etc/ssl/api.pem, key: /etc/ssl/api.key}"
CA = "backend_tls: {ca: /etc/ssl/ca.pem}"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (a_text(heat=f"source: hostA, {TLS}"), "heat.tls: needs `proxy.backend_tls`"),
        (a_text(proxy=f"host: hostA, {CA}"), "hosts.hostB: has APIs, so that `proxy.backend_tls` needs its `heat.tls`"),
        (a_host(f"address: 10.0.0.4, api: 1, heat: {{{TLS}}}"), "hosts.hostD.heat.tls: needs `proxy.backend_tls`"),
        (
            a_text(heat=f"source: hostA, launcher: heat-api, {TLS}", proxy=f"host: hostA, {CA}"),
            "heat.tls: heat-api cannot serve TLS",
        ),
        (
            a_text(heat="source: hostA, tls: {certificate: /etc/ssl/api.pem}", proxy=f"host: hostA, {CA}"),
            "heat.tls.key: is missing",
        ),
        (
            a_text(proxy="host: hostA, tls: {certificate: /root/site.pem}"),
            "proxy.tls.certificate: our units see no home and no temporary folder",
        ),
        (
            a_text(heat=f"source: hostA, {TLS}", proxy="host: hostA, backend_tls: {ca: /tmp/ca.pem}"),
            "proxy.backend_tls.ca: our units see no home and no temporary folder",
        ),
    ],
)
def test_half_of_tls_is_refused_at_its_place(text, expected):
    assert [each for each in problems(text) if expected in each] != []


def test_whole_tls_is_read_with_the_hosts_own_over_the_sites():
    text = a_text(
        heat=f"source: hostA, {TLS}",
        proxy=f"host: hostA, {CA}",
        hosts=HOSTS + "  hostD: {address: 10.0.0.4, api: 1, heat: {tls: {certificate: /etc/ssl/d.pem, "
        "key: /etc/ssl/d.key, name: d.example.org}}}\n",
    )

    shared, own = (read(text).heat_of(name).tls for name in ("hostB", "hostD"))
    assert (shared.certificate, shared.name) == ("/etc/ssl/api.pem", None)
    assert (own.certificate, own.name) == ("/etc/ssl/d.pem", "d.example.org")


@pytest.mark.parametrize(
    "stats",
    [
        "{user: ops, password:Zq7SecretPw9}",  # no blank after the colon: all of it is a key
        "{user: ops, password=Zq7SecretPw9}",
        "{user: ops, password: x, Zq7SecretPw9}",
        "{user: ops:Zq7SecretPw9, password: x}",
    ],
)
def test_password_that_a_typing_error_has_made_a_key_or_a_user_is_not_shown(stats):
    found = problems(a_text(proxy=f"host: hostA, stats: {stats}"))

    assert found and "Zq7SecretPw9" not in "".join(map(str, found))


def test_line_of_another_kind_of_file_is_not_repeated():
    found = problems("root:$6$abcTopSecretPw4:\n  - 19000\n")

    assert found and "TopSecret" not in "".join(map(str, found))
