"""What a site is refused for, each with what to do, all of it at once, and nothing changed by it."""

import json
from contextlib import contextmanager

import pytest

from lab import site as labs

pytestmark = pytest.mark.lab


def test_unknown_host_key_stops_before_anything_is_sent(site, tmp_path):
    empty = tmp_path / "known_hosts"
    empty.write_text("")
    inventory = site.edited((f"known_hosts: {site.lab.directory}/known_hosts", f"known_hosts: {empty}"))

    ran = site.invoke("deploy", "--yes", code=4, inventory=inventory)

    assert ran.stderr.count("host key") >= 3
    assert "nothing was sent" in ran.stderr
    assert empty.read_text() == ""


def test_unreachable_host_is_named_beside_what_else_is_wrong(site):
    nowhere = site.lab.hosts["hostC"].rsplit(".", 1)[0] + ".200"
    inventory = site.edited(
        (site.lab.hosts["hostC"], nowhere),
        ("known_hosts:", "connect_timeout: 3, known_hosts:"),
        ("prefix: /opt/heat", "prefix: /opt/nowhere"),
    )

    ran = site.invoke("preflight", "--format", "json", code=3, inventory=inventory)

    problems = json.loads(ran.stdout)["problems"]
    assert any(each.startswith("hostC: ") and nowhere in each for each in problems)
    assert any(each.startswith("hostB: Heat is not installed below /opt/nowhere") for each in problems)


def test_login_without_sudo_is_told_how_to_mend_it(site):
    site.on("hostB", "useradd", "--create-home", "plain")
    site.on("hostB", "cp", "-r", "/home/operator/.ssh", "/home/plain/.ssh")
    site.on("hostB", "chown", "-R", "plain:plain", "/home/plain/.ssh")
    text = f"address: {site.lab.hosts['hostB']}"

    inventory = site.edited((text, f"{text}\n    ssh: {{user: plain}}"))
    for command in (["plan"], ["preflight"], ["status"], ["history"], ["deploy", "--yes"]):
        ran = site.invoke(*command, code=3, inventory=inventory)

        assert "hostB: the agent did not run" in ran.stdout + ran.stderr
        assert "NOPASSWD" in ran.stdout + ran.stderr or command == ["status"]  # it has a line a host


def test_heat_of_another_release_and_a_stranger_on_a_port_are_found_together(site):
    metadata = "/opt/heat/lib/python3.11/site-packages/openstack_heat-99.0.0.dist-info"
    inventory = site.edited(("    api: 1", "    api: [8004, 8010]"))

    with stranger_on(site, "hostB", 8010):
        site.on("hostC", "mkdir", metadata)
        ran = site.invoke("deploy", "--yes", code=3, inventory=inventory)
        site.on("hostC", "rmdir", metadata)

    assert "hostC: Heat is 99.0.0, but hostA has" in ran.stderr
    assert f"hostB: {site.lab.hosts['hostB']}:8010 is in use by python3 (pid " in ran.stderr
    assert "stranger.service" in ran.stderr
    assert "Nothing was changed" in ran.stderr


def test_stranger_on_the_address_of_the_proxy_is_refused_by_name(site):
    bind = f"proxy: {{host: hostA, bind: {{api: '{site.lab.hosts['hostA']}:8010'}}}}"

    with stranger_on(site, "hostA", 8010):
        ran = site.invoke("deploy", "--yes", code=3, inventory=site.edited(("proxy: {host: hostA}", bind)))

        assert "That is not" in ran.stderr and "stranger.service" in ran.stderr
        assert "stranger.service" in ran.stderr
        assert site.on("hostA", "systemctl", "is-active", "stranger.service").strip() == "active"


def test_last_api_of_the_site_is_not_removed(site):
    inventory = site.edited(("    cfn: 1\n", ""))

    ran = site.invoke("remove-cfn", "hostC", "--yes", code=3, inventory=inventory)

    assert "this would take the site's last cfn away" in ran.stderr
    assert "heat-scaleout-cfn@8000.service" in {unit for host, unit in site.processes() if host == "hostC"}


def test_missing_haproxy_is_found(site):
    inventory = site.edited(("{host: hostA}", "{host: hostA, program: /usr/sbin/no-haproxy}"))

    ran = site.invoke("preflight", code=3, inventory=inventory)

    assert "hostA: /usr/sbin/no-haproxy does not exist" in ran.stdout


def test_database_that_listens_on_loopback_only_is_found_from_each_node(site):
    drop_in = "/etc/mysql/mariadb.conf.d/99-loopback.cnf"
    site.on("hostA", "python3", "-c", f"open({drop_in!r}, 'w').write('[mysqld]\\nbind-address = 127.0.0.1\\n')")
    site.on("hostA", "systemctl", "restart", "mariadb")
    try:
        problems = site.invoke("preflight", code=3).stdout.splitlines()
    finally:
        site.on("hostA", "rm", drop_in)
        site.on("hostA", "systemctl", "restart", "mariadb")

    for host in ("hostB", "hostC"):
        assert any(each.startswith(f"{host}: database at {site.lab.hosts['hostA']}:3306 refuses") for each in problems)
    assert all("bind-address" in each for each in problems if ": database at" in each)


def test_endpoint_of_keystone_that_only_its_own_host_reaches_is_found_before_clients_get_503(site):
    """keystonemiddleware validates the token of every request there, whatever heat.conf says."""
    move = "UPDATE keystone.endpoint SET url = REPLACE(url, '//{}:', '//{}:') WHERE interface = 'internal'"
    address = site.lab.hosts["hostA"]
    site.on("hostA", "mariadb", "-e", move.format(address, "127.0.0.1"))
    try:
        problems = site.invoke("preflight", code=3).stdout.splitlines()
    finally:
        site.on("hostA", "mariadb", "-e", move.format("127.0.0.1", address))

    told = "Keystone's endpoint in its own catalogue, at 127.0.0.1:5000 refuses this host"
    assert [each.partition(": ")[0] for each in problems if told in each] == ["hostB", "hostC"]
    assert len(problems) == 2


def test_guest_of_the_broker_is_found_from_each_node_and_deploy_changes_nothing(site):
    site.on("hostA", "cp", "-a", "/etc/heat/heat.conf", "/var/tmp/heat.conf.good")
    site.on(
        "hostA",
        "sed",
        "-i",
        "s#^transport_url = .*#transport_url = rabbit://guest:guest@localhost:5672/#",
        "/etc/heat/heat.conf",
    )
    before = site.on("hostB", "sha256sum", "/etc/heat/heat.conf")
    try:
        ran = site.invoke("deploy", "--yes", code=3)
    finally:
        site.on("hostA", "mv", "/var/tmp/heat.conf.good", "/etc/heat/heat.conf")

    for host in ("hostB", "hostC"):
        assert f"{host}: broker at {site.lab.hosts['hostA']}:5672 refuses this host" in ran.stderr
    assert "give Heat a user of its own" in ran.stderr
    assert site.on("hostB", "sha256sum", "/etc/heat/heat.conf") == before
    assert site.json("plan")["changes"] == 0


@contextmanager
def stranger_on(site, host: str, port: int):
    """A service that is nobody's we know, on a port of a host."""
    site.on(
        host,
        "systemd-run",
        "--unit=stranger",
        "python3",
        "-m",
        "http.server",
        str(port),
        "--bind",
        site.lab.hosts[host],
    )
    try:
        until_listens(site, host, port)
        yield
    finally:
        site.on(host, "systemctl", "stop", "stranger.service")


def until_listens(site, host: str, port: int) -> None:
    waits = "until ss -Hltn sport = :$0 | grep -q LISTEN; do sleep 0.1; done"
    ran = labs.run(site.lab, host, ["timeout", "20", "bash", "-c", waits, str(port)])
    assert ran.returncode == 0
