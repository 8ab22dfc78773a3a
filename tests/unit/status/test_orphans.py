"""What is there without being asked for: each with its name, and what is no business of ours left alone."""

import sites
from observed_sites import API, ENGINE, FINE, LISTENING, PROXY, a_row, a_site, a_view, lines, with_unit

from deployer.model.facts import Observation
from deployer.model.names import unit_name
from deployer.model.service import Service
from deployer.model.state import HostState, Unit, UnitState
from deployer.status import site


def leftovers(**how):
    """The lines of what nobody asked for."""
    asked = len(a_site()[0].instances())
    return lines(**how)[asked:]


def with_facts(host="hostB", **facts):
    observed = a_site()[2][host]
    known = {"listeners": LISTENING[host], "servers": observed.facts.servers, "hostname": host}
    return Observation(observed.state, sites.facts(**known | facts))


def own_engine():
    return sites.a_listener(0, "", "heat-engine", unit="heat-engine.service", pid=77)


def test_site_as_desired_has_no_orphans():
    assert leftovers() == ()


def test_unit_of_ours_that_the_inventory_does_not_name_is_shown():
    (extra,) = leftovers(hostB=with_unit(Unit(unit_name(Service.ENGINE, 9), pid=7, config="0123456789")))

    assert (extra.host, extra.service, extra.unit, extra.pid, extra.drift) == (
        "hostB",
        "engine",
        unit_name(Service.ENGINE, 9),
        7,
        "not in the inventory",
    )
    assert (extra.config, extra.config_is_desired) == ("0123456", None)


def test_unit_that_is_neither_running_nor_enabled_is_not_shown():
    gone = Unit(unit_name(Service.ENGINE, 9), state=UnitState.INACTIVE, enabled=False)

    assert leftovers(hostB=with_unit(gone)) == ()


def test_api_that_is_left_over_shows_the_server_that_stands_for_it():
    more = f"{FINE}rest_api_proxy,hostB-8005,1,8,UP,L7OK,10.0.0.2:8005\n"

    (extra,) = leftovers(hostB=with_unit(Unit(unit_name(Service.API, 8005), pid=7)), stat=more)

    assert (extra.unit, extra.port, extra.proxy, extra.sessions) == (unit_name(Service.API, 8005), 8005, "UP", 1)


def test_engine_that_is_left_over_shows_its_rows():
    view = a_view(a_row("hostB-engine-9"), id=1)

    (extra,) = leftovers(hostB=with_unit(Unit(unit_name(Service.ENGINE, 9), pid=7)), view=view)

    assert (extra.heat, extra.workers, extra.queue) == ("up", {"up": 1, "down": 0}, {"messages": 2, "consumers": 1})


def test_foreign_process_on_an_address_of_ours_is_named_with_the_address_it_holds():
    nginx = sites.a_listener(8004, "0.0.0.0", "nginx", unit="nginx.service", pid=66)

    (stranger,) = leftovers(hostB=with_facts(listeners=(nginx, LISTENING["hostB"][1])))

    assert (stranger.host, stranger.unit, stranger.address, stranger.port, stranger.pid) == (
        "hostB",
        "nginx.service",
        "10.0.0.2",
        8004,
        66,
    )
    assert (stranger.drift, stranger.listening) == (f"holds the address of {API}", True)


def test_foreign_process_without_a_unit_is_named_by_its_program():
    (stranger,) = leftovers(
        hostA=with_facts("hostA", listeners=(sites.a_listener(8000, program="python3"), LISTENING["hostA"][0]))
    )

    assert (stranger.unit, stranger.drift) == ("python3", f"holds the address of {PROXY}")


def test_server_of_nobody_is_named():
    more = f"{FINE}cfn_api_proxy,hostB-8001,0,8,DOWN,L4CON,10.0.0.2:8001\nother,hostB-1,0,8,UP,,10.0.0.2:1\n"

    (server,) = leftovers(stat=more)

    assert (server.host, server.service, server.unit, server.port, server.proxy, server.check) == (
        "hostB",
        "cfn",
        unit_name(Service.CFN, 8001),
        8001,
        "DOWN",
        "L4CON",
    )
    assert server.drift == "server cfn_api_proxy/hostB-8001 without unit"


def test_server_on_a_host_that_nobody_knows_is_named_by_its_path():
    (server,) = leftovers(stat=f"{FINE}rest_api_proxy,old,0,8,DOWN,L4TOUT,[fd00::9]:8004\n")

    assert (server.host, server.unit, server.address, server.port) == ("old", "rest_api_proxy/old", "fd00::9", 8004)


def test_engine_that_a_host_runs_by_its_own_means_is_shown_as_its_own_and_is_no_drift():
    view = a_view(a_row("hostA", "hostA"), id=1)

    (own,) = observed = leftovers(view=view, hostA=with_facts("hostA", engines=(own_engine(),)))

    assert (own.host, own.service, own.unit, own.pid, own.heat, own.drift) == (
        "hostA",
        "engine",
        "heat-engine.service",
        77,
        "up",
        "host's own",
    )
    assert not site.SiteStatus(observed).drifts


def test_row_left_by_a_host_s_own_engine_is_reported_and_is_drift():
    view = a_view(a_row("hostA", "hostA", engine_id="one"), a_row("hostA", "hostA", engine_id="two"), one=1, two=0)

    (own,) = observed = leftovers(view=view, hostA=with_facts("hostA", engines=(own_engine(),)))

    assert own.drift == "host's own, row without process"
    assert site.SiteStatus(observed).drifts


def test_rows_of_an_engine_that_nobody_runs_are_named():
    view = a_view(
        a_row("hostB-engine-7", "hostB", up=False, engine_id="one"),
        a_row("hostB-engine-7", "hostB", engine_id="two"),
        two=0,
    )

    (row,) = leftovers(view=view)

    assert (row.host, row.unit, row.state, row.heat, row.pid) == ("hostB", "hostB-engine-7", "stopped", "up", None)
    assert (row.drift, row.workers) == ("2 rows without process", {"up": 1, "down": 1})


def test_row_named_as_ours_is_never_a_host_s_own():
    view = a_view(a_row("hostA-engine-3", "hostA"), a_row("hostA", "hostA", engine_id="own"), id=0, own=1)

    observed = leftovers(view=view, hostA=with_facts("hostA", engines=(own_engine(),)))

    assert [(each.unit, each.drift) for each in observed] == [
        ("heat-engine.service", "host's own"),
        ("hostA-engine-3", "row without process"),
    ]


def test_engine_of_a_host_outside_the_inventory_is_left_alone_while_it_is_alive():
    (other,) = observed = leftovers(view=a_view(a_row("controller9", "controller9"), id=1))

    assert (other.host, other.unit, other.state, other.drift) == ("controller9", "controller9", "unknown", "host's own")
    assert not site.SiteStatus(observed).drifts


def test_engine_that_reads_another_virtual_host_is_not_said_to_have_no_process():
    """As one of another release does, with which Heat is upgraded: it shares the database, not the queues."""
    (other,) = observed = leftovers(view=a_view(a_row("controller-r26", "controller9"), id=None))

    assert (other.unit, other.state, other.heat) == ("controller-r26", "unknown", "up")
    assert (other.drift, site.SiteStatus(observed).drifts) == ("no queue at the broker", True)


def test_rows_of_a_unit_that_was_stopped_and_forgotten_are_named():
    stopped = Observation(HostState(units={ENGINE: Unit(ENGINE)}), sites.facts())

    observed = leftovers(view=a_view(a_row("hostB-engine-8"), id=0), hostB=stopped)

    assert [(each.unit, each.drift) for each in observed] == [("hostB-engine-8", "row without process")]
