"""A server's line is read back as it was written, and nothing else is taken for one."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deployer.model import names
from deployer.model.tls import Trust
from deployer.proxy import server_options
from deployer.proxy.server_options import ServerLine

WORDS = st.from_regex(r"[A-Za-z0-9][A-Za-z0-9._-]{0,20}", fullmatch=True)
ADDRESSES = st.builds(names.endpoint, st.ip_addresses().map(str), st.integers(1, 65535))
TRUSTS = st.none() | st.builds(Trust, WORDS, WORDS.map(lambda name: f"/etc/ssl/{name}"))
SERVERS = st.builds(ServerLine, WORDS, ADDRESSES, TRUSTS.map(server_options.tls_options), st.booleans())


@given(SERVERS)
def test_server_of_any_kind_is_read_back(server):
    line = server_options.render(server)

    assert server_options.parse(line) == server_options.parse(f"    {line}\n") == server


@pytest.mark.parametrize(
    "line",
    [
        "",
        "# server hostB-8004 10.0.0.2:8004 check",
        "default-server inter 2s fastinter 500ms rise 2 fall 3",
        "timeout  server 90s",
        "server hostB-8004 10.0.0.2:8004",
        "server hostB-8004 10.0.0.2:8004 check backup",
        "server hostB-8004 10.0.0.2:8004 check weight 1",
    ],
)
def test_line_that_is_no_server_of_ours_is_not_read(line):
    assert server_options.parse(line) is None


@given(st.lists(SERVERS, min_size=1, max_size=5, unique_by=lambda server: server.address), TRUSTS)
def test_other_options_for_one_server_leave_every_other_line_as_it_is(servers, trust):
    text = "global\n    description heat-scaleout 0123\n\n" + "".join(
        f"    {server_options.render(each)}\n" for each in servers
    )
    tls = server_options.tls_options(trust)

    changed, digest = server_options.with_options(text, {servers[0].address: tls})

    assert server_options.options_by_address(changed) == {
        each.address: tls if each is servers[0] else each.tls for each in servers
    }
    before, after = (each.splitlines() for each in (text, changed))
    assert after[1] == f"    description heat-scaleout {digest}"
    assert (before[0], before[2], before[4:]) == (after[0], after[2], after[4:])
