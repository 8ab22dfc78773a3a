"""One line a process, with what differs from the inventory in it."""

import sites

from deployer import desired, errors, status
from deployer.heat.engines import Row
from deployer.model import Found, HostState, Service, Unit, unit_name
from deployer.observed import Seen
from deployer.proxy import runtime

STAT = """\
Name: HAProxy
Description: heat-scaleout 0123

# pxname,svname,scur,stot,status,check_status,addr
rest_api_proxy,FRONTEND,0,9,OPEN,,
rest_api_proxy,hostB-8004,0,5,UP,L7OK,10.0.0.2:8004
cfn_api_proxy,hostB-8000,0,5,DOWN,L4CON,10.0.0.2:8000
"""
API, ENGINE = unit_name(Service.API, 8004), unit_name(Service.ENGINE, 1)


def a_site(**changed):
    """An inventory, its desired states, and hosts that have them but for what is changed, by host."""
    inventory = sites.an_inventory(hostC="")
    wanted = desired.states(inventory, sites.bare(inventory)).states
    found = sites.as_wanted(wanted)
    found["hostA"] = Found(found["hostA"].state, sites.facts(servers=runtime.servers(STAT)))
    return inventory, wanted, found | changed


def lines(rows=(), gone=(), **changed):
    inventory, wanted, found = a_site(**changed)
    errors_of = {name: errors.HostUnreachable(name, "no answer") for name in gone}
    seen = Seen({name: each for name, each in found.items() if name not in gone}, errors_of)
    return status.lines(inventory, seen, wanted, rows)


def line(unit, host="hostB", **how):
    return next(each for each in lines(**how) if (each.host, each.unit) == (host, unit))


def with_unit(unit):
    _, wanted, _ = a_site()
    return Found(HostState(wanted["hostB"].files, {**wanted["hostB"].units, unit.name: unit}), sites.facts())


def a_row(host="hostB-engine-1", hostname="hostB", up=True):
    return Row("id", host, hostname, up, 3.0)


def test_site_as_wanted_has_a_line_for_each_process_and_no_drift():
    found = lines()

    assert [(each.host, each.service, each.port) for each in found] == [
        ("hostA", "proxy", None), ("hostB", "api", 8004), ("hostB", "cfn", 8000), ("hostB", "engine", None),
        ("hostB", "engine", None)]
    assert {(each.state, each.drift) for each in found} == {("running", "")}


def test_process_that_does_not_run_is_told():
    stopped = Unit(ENGINE, running=False)

    assert (line(ENGINE, hostB=with_unit(stopped)).state, line(ENGINE, hostB=with_unit(stopped)).drift) == (
        "stopped", "not running")


def test_process_that_was_never_there_is_stopped():
    assert line(ENGINE, hostB=Found(HostState(), sites.facts())).state == "stopped"


def test_process_that_would_not_survive_a_reboot_is_told():
    assert line(ENGINE, hostB=with_unit(Unit(ENGINE, enabled=False))).drift == "not enabled"


def test_process_with_an_old_configuration_is_told():
    assert line(ENGINE, hostB=with_unit(Unit(ENGINE, config="before"))).drift == "old configuration"


def test_process_carries_its_pid():
    assert line(ENGINE, hostB=with_unit(Unit(ENGINE, pid=42))).pid == 42


def test_process_of_a_host_that_is_gone_is_unreachable_and_has_no_drift():
    found = line(ENGINE, gone=("hostB",))

    assert (found.state, found.pid, found.drift) == ("unreachable", None, "")


def test_engine_shows_heats_own_view_of_it():
    for rows, view in (((a_row(),), "up"), ((a_row(up=False),), "down"), ((), "unknown"),
                       ((a_row(up=False), a_row()), "up"), ((a_row("hostB-engine-2"),), "unknown")):
        assert line(ENGINE, rows=rows).heat == view


def test_api_shows_the_proxys_view_of_it():
    assert line(API).proxy == "UP"
    assert line(unit_name(Service.CFN, 8000)).proxy == "DOWN"


def test_api_that_the_proxy_does_not_know_is_missing_there():
    others = STAT.replace("hostB-8004", "hostQ-8004")
    front = Found(HostState(), sites.facts(servers=runtime.servers(others)))

    assert line(API, hostA=front).proxy == "missing"


def test_api_of_a_site_whose_proxy_says_nothing_is_unknown_there():
    front = Found(HostState(), sites.facts(servers=runtime.servers(None)))

    assert line(API, hostA=front).proxy == "unknown"


def test_engine_and_proxy_have_no_view_of_the_proxy():
    assert {each.proxy for each in lines() if each.service in ("engine", "proxy")} == {""}


def test_numbered_server_names_are_found_at_the_proxy():
    inventory = sites.an_inventory(proxy="server_names: numbered", hostC="")
    wanted = desired.states(inventory, sites.bare(inventory)).states
    found = sites.as_wanted(wanted)
    answer = STAT.replace("hostB-8004", "rest-server-1")
    found["hostA"] = Found(found["hostA"].state, sites.facts(servers=runtime.servers(answer)))

    shown = status.lines(inventory, Seen(found, {}), wanted, ())

    assert [each.proxy for each in shown if each.service == "api"] == ["UP"]


def test_unit_of_ours_that_the_inventory_does_not_name_is_shown_last():
    extra = lines(hostB=with_unit(Unit(unit_name(Service.ENGINE, 9), pid=7)))[-1]

    assert (extra.host, extra.service, extra.unit, extra.pid, extra.drift) == (
        "hostB", "engine", unit_name(Service.ENGINE, 9), 7, "not in the inventory")


def test_unit_that_is_neither_running_nor_enabled_is_not_shown():
    gone = Unit(unit_name(Service.ENGINE, 9), running=False, enabled=False)

    assert len(lines(hostB=with_unit(gone))) == len(lines())


def test_engine_that_a_host_runs_by_its_own_means_is_shown_as_its_own():
    engine = sites.a_listener(0, "", "heat-engine", unit="heat-engine.service", pid=77)
    _, _, found = a_site()
    front = Found(found["hostA"].state, sites.facts(engines=(engine,)))

    own = lines(rows=(a_row("hostA", "hostA"),), hostA=front)[-1]

    assert (own.host, own.service, own.unit, own.pid, own.heat, own.drift) == (
        "hostA", "engine", "heat-engine.service", 77, "up", "host's own")


def test_json_has_the_fields_of_the_contract():
    inventory, _, _ = a_site()

    data = status.as_json(inventory, status.Picture(lines(), ("hostB: start something",)))

    assert (data["schema_version"], data["site"], data["errors"]) == (1, "some", [])
    assert data["pending"] == ["hostB: start something"]
    assert set(data["instances"][0]) >= {
        "host", "service", "unit", "address", "port", "pid", "state", "heat", "proxy", "drift"}
