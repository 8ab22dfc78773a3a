"""rewrite on generated files: hosts move, everything else in a value and in the file stays."""

import heat_confs
from hypothesis import given
from hypothesis import strategies as st
from node_addresses import LOOPBACKS, OTHERS, a_place, read

from deployer.heat.conf import conf_editor, grammar, options, references, rewrite

# A value in every form that an option may have, with each host where {} is; passwords as they occur.
passwords = st.text(alphabet="ab1%:$#?/&=+!'\"~^*()[]; ", max_size=8)
plain = st.text(alphabet="ab1%$=+!'\"~^*();", max_size=8)
some_hosts = st.sampled_from(LOOPBACKS + OTHERS)
ports = st.sampled_from(["", ":5672", ":1"])
queries = st.sampled_from(["", "?charset=utf8", "?x=localhost&y=127.0.0.1", "?ssl_ca=/etc/a b.pem"])


def moved(host: str) -> str:
    return "192.0.2.11" if host in LOOPBACKS else host


@heat_confs.examples(60)
@given(passwords, some_hosts, ports, queries)
def test_database_url_keeps_everything_but_a_loopback_host(password, host, port, query):
    value = f"mysql+pymysql://heat:{password}@{{}}{port}/heat{query}"
    text = f"[database]\nconnection = {references.escaped(value.format(host))}\n"

    assert read(text, "database", "connection") == value.format(moved(host))


@heat_confs.examples(60)
@given(st.lists(st.tuples(plain, some_hosts, ports), min_size=1, max_size=3), queries)
def test_transport_url_keeps_everything_but_loopback_hosts(items, query):
    value = "rabbit://" + ",".join(f"u:{password}@{{}}{port}" for password, _, port in items) + f"/vhost{query}"
    names = [host for _, host, _ in items]
    text = f"[DEFAULT]\ntransport_url = {references.escaped(value.format(*names))}\n"

    assert read(text, "DEFAULT", "transport_url") == value.format(*map(moved, names))


@heat_confs.examples(60)
@given(
    st.sampled_from(["rabbit_hosts", "memcached_servers", "memcache_servers"]),
    st.lists(st.tuples(some_hosts, ports), min_size=1, max_size=4),
    st.sampled_from([",", ", ", " ,", ",\n    "]),
)
def test_list_of_hosts_keeps_everything_but_loopback_hosts(key, items, comma):
    text = f"[keystone_authtoken]\n{key} = {comma.join(host + port for host, port in items)}\n"
    meant = comma.join(moved(host) + port for host, port in items)

    assert read(text, "keystone_authtoken", key) == meant.replace("\n    ", "\n")


KEYS = [(section, key) for section in ("DEFAULT", "database", "keystone_authtoken", "heat_api") for key in (
    "sql_connection", "connection", "transport_url", "rabbit_host", "auth_url", "memcached_servers", "bind_host",
    "heat_metadata_server_url", "my_ip")]  # fmt: skip
VALUES = ["localhost", "$my_ip", "${heat_api.bind_host}", "http://$my_ip:1/", "http://$rabbit_host/", "mysql://u:p@/h",
          "mysql://a:b@${my_ip}:3306/x", "10.0.0.9", "127.0.0.1:1,[::1]", "$auth_url", "x$$y", "", "\\$my_ip", "$nope",
          "rabbit://u:p@$my_ip:5,v:q@localhost/", "$connection"]  # fmt: skip
LOCAL = ("", "localhost", "127.0.0.1", "[::1]")
referring_files = st.lists(st.tuples(st.sampled_from(KEYS), st.sampled_from(VALUES)), max_size=7).map(
    lambda items: "".join(f"[{section}]\n{key} = {value}\n" for (section, key), value in items)
)


@heat_confs.examples(80)
@given(referring_files | heat_confs.files())
def test_rewriting_again_changes_nothing(text):
    once = rewrite.for_node(text, a_place())

    again = rewrite.for_node(once.text, a_place())

    assert again.text == once.text
    assert not again.changes


@heat_confs.examples(80)
@given(referring_files)
def test_values_with_references_read_on_the_node_as_they_were_meant(text):
    before, after = conf_editor.parse(text), conf_editor.parse(rewrite.for_node(text, a_place()).text)
    for section, key in KEYS:
        role, raw, meant = options.role_of(section, key), before.value(section, key), before.resolved(section, key)
        if role and raw and meant is not None:
            found = (*options.spots(role, key, raw), *options.spots(role, key, meant))
            moved = any(before.substituted(spot.host, section) in LOCAL for spot in found)
            read_now = after.resolved(section, key)
            assert not any(spot.host in LOCAL for spot in options.spots(role, key, read_now))
            assert moved or meant == read_now


@heat_confs.examples(60)
@given(heat_confs.files() | referring_files)
def test_lines_without_a_change_stay_byte_for_byte(text):
    rewritten = rewrite.for_node(text, a_place())
    written = {change.line for change in rewritten.changes}
    spans = [
        range(each.line, each.line + each.lines) for each in conf_editor.parse(text).settings if each.line in written
    ]
    changed = {number for span in spans for number in span}
    kept = [line.text for line in grammar.lines_of(text) if line.number not in changed]

    now = iter(line.text for line in grammar.lines_of(rewritten.text))

    assert all(text in now for text in kept)  # `in` goes on where the last one was found


@heat_confs.examples(30)
@given(st.text(alphabet="hunter2/#?$%:", min_size=1, max_size=8).map(lambda text: f"S3cret{text}"), some_hosts)
def test_no_secret_is_in_what_is_printed_of_a_file(secret, host):
    text = (
        f"[database]\nconnection = mysql://u:{secret}@{host}/h?password={secret}\nother = mysql://u:{secret}@{host}/\n"
        f"[a]\npassword = 127.0.0.1{secret}\nauth_url = http://u:{secret}@{host}:5000\nadmin_token = localhost\n"
    )
    rewritten = rewrite.for_node(text, a_place())

    said = repr(rewritten) + "".join(map(str, (*rewritten.changes, *rewritten.warnings)))

    assert "S3cret" not in said
    assert "[a] password" not in said
    assert "admin_token" not in said
