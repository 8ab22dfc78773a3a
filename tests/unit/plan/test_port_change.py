"""Ports that change their kind, from end to end on hosts in memory: who has one leaves before who gets it comes."""

import copy
import functools

import pytest
import sites
from fault_injection import KILLED, FaultInjector, Killed, alone

from deployer.model.names import unit_name
from deployer.model.service import Service
from deployer.plan import drain
from deployer.proxy import config, server_options

REST, CFN = config.SECTIONS[Service.API], config.SECTIONS[Service.CFN]
SWAPPED = "api: [8000], cfn: [8004], engines: 2"
OLD = {name: [unit_name(Service.API, 8004), unit_name(Service.CFN, 8000)] for name in ("hostB", "hostC")}
NEW = {name: [unit_name(Service.API, 8000), unit_name(Service.CFN, 8004)] for name in ("hostB", "hostC")}


def swapped(*hosts, ports=SWAPPED):
    numbers = {"hostB": 2, "hostC": 3}
    return sites.an_inventory(**{host: f"{{address: 10.0.0.{numbers[host]}, {ports}}}" for host in hosts})


@pytest.fixture
def deployed(inventory, fleet):
    assert sites.deploy(inventory, fleet).exit_code == 0
    fleet.wrong = wrong = []
    fleet.moment = lambda name, when, step: wrong.extend(misled(fleet))
    return fleet


def misled(fleet):
    """Servers of the proxy that get requests of another kind than what listens there answers, or that nobody serves."""
    host = fleet.hosts["hostA"]
    listeners = {f"{each.address}:{each.port}": each.unit for name in OLD for each in fleet.hosts[name].listeners}
    rows = [row.split(",") for row in host.servers().values()]
    for section, name, *_, status, weight, _, address in rows:
        kind = "api@" if section == REST else "cfn@"
        if status == "UP" and weight == "1" and kind not in listeners.get(address, kind):
            yield f"{section}/{name} leads to {listeners[address]}"
    for section in (REST, CFN):
        if not any(row[0] == section and row[4] == "UP" for row in rows):
            yield f"nobody serves {section}"


def steps(fleet, inventory):
    return [
        f"{step.host} {step}".partition(" (")[0]
        for step in sites.planned(inventory, fleet).plan
        if not str(step).startswith(("write", "enable", "let")) and "engine" not in str(step)
    ]


def apis(fleet, host):
    return sorted(unit for unit in fleet.hosts[host].running() if "engine" not in unit)


def test_port_is_left_before_it_is_taken_and_the_proxy_follows_in_between(deployed):
    api, cfn = NEW["hostB"]
    assert steps(deployed, swapped("hostB"))[:14] == [
        "hostA drain rest_api_proxy/hostB-8004",
        "hostA drain cfn_api_proxy/hostB-8000",
        "hostB stop heat-scaleout-api@8004.service",
        "hostB stop heat-scaleout-cfn@8000.service",
        f"hostB start {api}",
        f"hostB start {cfn}",
        f"hostB wait until {api} is ready",
        f"hostB wait until {cfn} is ready",
        f"hostB wait until {api} answers a client",
        f"hostB wait until {cfn} answers a client",
        "hostA wait until 10.0.0.2:8000 is ready",
        "hostA wait until 10.0.0.2:8004 is ready",
        "hostA reload heat-scaleout-proxy.service",
        "hostA wait until heat-scaleout-proxy.service is ready",
    ]


@pytest.mark.parametrize(
    "ports", [SWAPPED, "api: [8010], cfn: [8004], engines: 2", "api: [8005, 8000], cfn: [8004], engines: 2"]
)
@pytest.mark.parametrize("hosts", [("hostB",), ("hostB", "hostC")], ids=["one host", "both hosts"])
def test_every_kind_is_served_and_no_request_misled_at_any_moment(deployed, hosts, ports):
    inventory = swapped(*hosts, ports=ports)

    assert sites.deploy(inventory, deployed).exit_code == 0

    assert deployed.wrong == []
    assert sites.planned(inventory, deployed).plan.changes() == ()


def test_change_can_be_taken_back(inventory, deployed):
    sites.deploy(swapped("hostB", "hostC"), deployed)

    assert sites.deploy(inventory, deployed).exit_code == 0
    assert (deployed.wrong, {host: apis(deployed, host) for host in OLD}) == ([], OLD)


def test_change_of_one_host_alone_reaches_the_proxy_too(deployed):
    inventory = swapped("hostB", "hostC")

    assert sites.deploy(inventory, deployed, limit=("hostB",)).exit_code == 0

    assert (deployed.wrong, apis(deployed, "hostB"), apis(deployed, "hostC")) == ([], NEW["hostB"], OLD["hostC"])
    servers = deployed.hosts["hostA"].servers()
    assert {each for each in servers if each.startswith(REST)} == {f"{REST}/hostB-8000", f"{REST}/hostC-8004"}


@pytest.mark.parametrize("fragment", ['"drain"', '"disable"', '"start"', '"await_http"', '"reload"'])
def test_run_that_ends_anywhere_misleads_nobody_and_is_finished_by_the_next(deployed, fragment):
    inventory = swapped("hostB", "hostC")
    for host in deployed.hosts:
        deployed.breaks(host, fragment)
    sites.deploy(inventory, deployed)
    deployed.mends()

    assert sites.deploy(inventory, deployed).exit_code == 0
    assert (deployed.wrong, {host: apis(deployed, host) for host in NEW}) == ([], NEW)
    assert sites.planned(inventory, deployed).plan.changes() == ()


def test_command_that_is_killed_at_any_step_of_it_misleads_nobody_and_is_finished_by_the_next(deployed):
    inventory = swapped("hostB", "hostC")
    whole = copy.deepcopy(deployed)
    whole.moment = FaultInjector()
    alone(inventory, whole, lambda fleet: sites.deploy(inventory, fleet))
    words = ("drain", "stop", "start heat-scaleout-api", "apis-proxy.conf", "reload")
    named = [number for number, (_, _, step) in enumerate(whole.moment.steps, 1) if any(w in str(step) for w in words)]

    for number in named:
        fleet, wrong = copy.deepcopy(deployed), []
        fleet.moment = FaultInjector(KILLED, number, functools.partial(watched, fleet, wrong))
        with pytest.raises(Killed):
            alone(inventory, fleet, lambda fleet: sites.deploy(inventory, fleet))
        fleet.moment = FaultInjector(watch=functools.partial(watched, fleet, wrong))
        assert alone(inventory, fleet, lambda fleet: sites.deploy(inventory, fleet)).exit_code == 0, number
        assert (wrong, {host: apis(fleet, host) for host in NEW}) == ([], NEW), whole.moment.steps[number - 1]
        assert sites.planned(inventory, fleet).plan.changes() == ()


def watched(fleet, wrong):
    wrong.extend(misled(fleet))


def test_host_whose_new_process_does_not_start_gets_back_what_it_had(inventory, deployed):
    deployed.hosts["hostB"].systemd.behaves(NEW["hostB"][0], start=None)

    report = sites.deploy(swapped("hostB", "hostC"), deployed)

    assert report.exit_code != 0 and not report.reverted.applied.failed
    assert (deployed.wrong, {host: apis(deployed, host) for host in OLD}) == ([], OLD)
    assert sites.planned(inventory, deployed).plan.changes() == ()


def test_only_server_of_a_kind_is_drained_all_the_same_with_a_warning(deployed):
    single = sites.an_inventory(hostC="{address: 10.0.0.3, engines: 2}")
    sites.deploy(single, deployed)
    inventory = sites.an_inventory(
        hostB="{address: 10.0.0.2, api: [8000], cfn: [8004], engines: 2}", hostC="{address: 10.0.0.3, engines: 2}"
    )
    deployed.wrong.clear()

    planned = sites.planned(inventory, deployed)
    warnings = list(drain.warnings_without_drain(planned.observed, planned.plan))
    assert sites.deploy(inventory, deployed).exit_code == 0

    assert [each.split(":")[1].split(" has")[0].strip() for each in warnings] == [REST, CFN]
    assert not [each for each in deployed.wrong if "leads to" in each]


def test_readiness_of_another_process_at_the_port_is_none(inventory, fleet):
    """A process of nobody's has the port, and answers."""
    host = fleet.hosts["hostB"]
    fleet.moment = lambda name, when, step: (
        host.runs("nc", 8004, "other.service")
        if name == "hostB" and when == "before" and "start" in step.get("arguments", ()) and not host.listeners
        else None
    )

    report = sites.deploy(inventory, fleet)

    assert report.exit_code == 5
    assert "comes from nc (pid" in report.applied.failed["hostB"].message
    assert "of other.service), not from heat-scaleout-api@8004.service" in report.applied.failed["hostB"].message


def test_servers_move_between_sections_and_every_other_line_stays():
    sections = {"a": ["x 10.0.0.2:1", "y 10.0.0.3:1"], "b": ["z 10.0.0.2:2"]}
    listed = {name: "".join(f"    server {each} check\n" for each in servers) for name, servers in sections.items()}
    text = f"global\n    description heat-scaleout 01\n\nlisten a\n{listed['a']}\nlisten b\n{listed['b']}"
    now = server_options.by_address(text)

    moved = {address: server_options.PlacedServer("b", now[address].server) for address in ("10.0.0.2:1",)}
    changed, digest = server_options.with_servers(text, moved)

    assert changed.splitlines()[3:] == [
        "listen a",
        "    server y 10.0.0.3:1 check",
        "",
        "listen b",
        "    server z 10.0.0.2:2 check",
        "    server x 10.0.0.2:1 check",
    ]
    assert changed.splitlines()[1] == f"    description heat-scaleout {digest}"
