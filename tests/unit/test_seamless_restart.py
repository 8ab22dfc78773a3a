"""Whatever changes about the proxy, no request in progress is cut: on hosts in memory, where a hard end cuts them."""

import pytest
import sites
from contract.fake_host import FakeListener

from deployer.model.names import unit_name
from deployer.model.service import Service
from deployer.model.state import digest_of
from deployer.proxy import config

PROXY = unit_name(Service.PROXY)
ADDRESS = "10.0.0.1"
OLD_UNIT = "# by an older version of this tool\n"


@pytest.fixture
def deployed(inventory, fleet):
    """The fleet after a first deploy; a client has a request in progress, which takes 90 s."""
    assert sites.deploy(inventory, fleet).exit_code == 0
    host = fleet.hosts["hostA"]
    pid = host.units[PROXY].pid
    host.connections.append(FakeListener(ADDRESS, 8004, pid, "haproxy", PROXY))
    host.request_seconds = 90.0
    return fleet


def with_older_unit(fleet):
    """Have the proxy run with the unit of an older version."""
    host = fleet.hosts["hostA"]
    unit = host.files[config.UNIT_FILE]
    unit.content = OLD_UNIT.encode() + unit.content
    host.systemd.systemctl(["daemon-reload"])
    host.root.put(config.STARTED_WITH, f"{digest_of(unit.content)}  -\n".encode())
    return host


def of_proxy(fleet, inventory):
    """What a deploy would do to the proxy."""
    return [str(step).partition(" (")[0] for step in sites.planned(inventory, fleet).plan.changes()]


def test_other_number_of_connections_is_a_reload_up_and_down(deployed):
    pid = deployed.hosts["hostA"].units[PROXY].pid
    for number in (400_000, 100):
        other = sites.an_inventory(proxy=f"maxconn: {number}")
        assert of_proxy(deployed, other) == [f"write {config.CONFIG}", f"reload {PROXY}"]
        assert sites.deploy(other, deployed).exit_code == 0

    assert (deployed.hosts["hostA"].cut, deployed.hosts["hostA"].units[PROXY].pid) == ([], pid)


@pytest.mark.parametrize("copies_sockets", [True, False], ids=["sockets are copied", "the kernel forbids to copy them"])
def test_another_unit_has_another_process_and_cuts_no_request(inventory, deployed, copies_sockets):
    host = with_older_unit(deployed)
    host.copies_sockets = copies_sockets
    pid, began = host.units[PROXY].pid, host.clock.now

    assert sites.deploy(inventory, deployed).exit_code == 0

    assert host.cut == [] and host.connections == []
    assert host.units[PROXY].pid != pid and {each.pid for each in host.listeners} == {host.units[PROXY].pid}
    assert host.clock.now - began >= host.request_seconds
    assert sites.planned(inventory, deployed).plan.changes() == ()


def test_another_unit_leaves_no_other_settings_behind(inventory, deployed):
    host = with_older_unit(deployed)

    sites.deploy(inventory, deployed)

    assert not [path for path in host.files if path.startswith("/run/systemd")]
    shown = host.systemd.systemctl(["show", "--property=NeedDaemonReload", PROXY]).printed
    assert shown == "NeedDaemonReload=no\n"


def test_another_program_of_the_proxy_takes_over_without_a_cut(deployed):
    deployed.hosts["hostA"].paths |= {"/opt/haproxy/haproxy"}
    other = sites.an_inventory(proxy="program: /opt/haproxy/haproxy")

    assert sites.deploy(other, deployed).exit_code == 0

    assert deployed.hosts["hostA"].cut == []
    assert deployed.hosts["hostA"].units[PROXY].argv[0] == "/opt/haproxy/haproxy"


def test_run_that_ended_between_the_unit_and_its_process_is_finished_by_the_next(inventory, deployed):
    host = with_older_unit(deployed)
    deployed.breaks("hostA", '"seamless_restart"', "killed")
    assert sites.deploy(inventory, deployed).exit_code == 5
    deployed.mends()

    assert of_proxy(deployed, inventory) == [f"restart {PROXY}"]
    assert sites.deploy(inventory, deployed).exit_code == 0
    assert (host.cut, sites.planned(inventory, deployed).plan.changes()) == ([], ())


def test_successor_that_does_not_start_leaves_the_earlier_process_at_work_for_the_next_run(inventory, deployed):
    host = with_older_unit(deployed)
    pid, starts = host.units[PROXY].pid, host.process_started
    host.process_started = lambda *how: "it does not start"

    report = sites.deploy(inventory, deployed)

    host.process_started = starts
    assert (report.exit_code, host.cut, {each.pid for each in host.listeners if each.port == 8004}) == (5, [], {pid})
    assert of_proxy(deployed, inventory) == [f"start {PROXY}"]
    assert sites.deploy(inventory, deployed).exit_code == 0
    assert (host.cut, {each.pid for each in host.listeners}) == ([], {host.units[PROXY].pid})
    assert sites.planned(inventory, deployed).plan.changes() == ()
