"""One line a process the inventory asks for, with every view of it and what differs from the inventory."""

import pytest
import sites
from observed_sites import API, CFN, ENGINE, FINE, PROXY, STAT, a_row, a_site, a_view, line, lines, with_unit

from deployer.desired import desired_state
from deployer.heat.engines import UNKNOWN_VIEW
from deployer.model.facts import Observation
from deployer.model.state import HostState, Unit, UnitState
from deployer.model.steps import Plan
from deployer.observed.observe import SiteObservation
from deployer.proxy import runtime_api
from deployer.status import site
from deployer.status.site_view import SiteView


def test_site_as_desired_has_a_line_for_each_process_and_no_drift():
    observed = lines()

    assert [(each.host, each.service, each.port) for each in observed] == [
        ("hostA", "proxy", None),
        ("hostB", "api", 8004),
        ("hostB", "cfn", 8000),
        ("hostB", "engine", None),
        ("hostB", "engine", None),
    ]
    assert {(each.state, each.drift) for each in observed} == {("running", "")}


def test_process_that_does_not_run_is_reported():
    stopped = Unit(ENGINE, state=UnitState.INACTIVE)

    assert (line(ENGINE, hostB=with_unit(stopped)).state, line(ENGINE, hostB=with_unit(stopped)).drift) == (
        "stopped",
        "not running",
    )


@pytest.mark.parametrize(
    ("state", "shown", "drift"),
    [
        (UnitState.ACTIVATING, "starting", "not running"),
        (UnitState.DEACTIVATING, "stopping", "still stopping"),
        (UnitState.FAILED, "failed", "not running"),
        (UnitState.AUTO_RESTART, "restarting", "keeps failing"),
    ],
)
def test_process_on_its_way_is_shown_as_systemd_has_it(state, shown, drift):
    observed = line(ENGINE, hostB=with_unit(Unit(ENGINE, state=state)))

    assert (observed.state, observed.drift.split(", ")[0]) == (shown, drift)


def test_process_that_was_never_there_is_stopped():
    assert line(ENGINE, hostB=Observation(HostState(), sites.facts())).state == "stopped"


def test_process_that_would_not_survive_a_reboot_is_reported():
    assert line(ENGINE, hostB=with_unit(Unit(ENGINE, enabled=False))).drift == "not enabled"


def test_process_with_an_old_configuration_is_reported_with_its_digest():
    observed = line(ENGINE, hostB=with_unit(Unit(ENGINE, config="0123456789")))

    assert (observed.drift, observed.config, observed.config_is_desired) == ("old configuration", "0123456", False)


def test_process_with_the_desired_configuration_shows_its_digest():
    observed = line(ENGINE)

    assert (len(observed.config), observed.config_is_desired) == (7, True)


def test_process_that_does_not_run_has_read_no_configuration():
    observed = line(ENGINE, hostB=with_unit(Unit(ENGINE, state=UnitState.INACTIVE, config="0123456789")))

    assert (observed.config, observed.config_is_desired) == (None, None)


def test_process_carries_its_pid():
    assert line(ENGINE, hostB=with_unit(Unit(ENGINE, pid=42))).pid == 42


def test_process_of_a_host_that_is_gone_is_unreachable_and_has_no_drift():
    observed = line(ENGINE, gone=("hostB",))

    assert (observed.state, observed.pid, observed.drift, observed.listening) == ("unreachable", None, "", None)


def test_api_and_proxy_hold_their_sockets_and_an_engine_needs_none():
    assert (line(API).listening, line(API).listens_on) == (True, ("10.0.0.2:8004",))
    assert line(PROXY, "hostA").listening is True
    assert line(PROXY, "hostA").listens_on == ("10.0.0.1:8004", "10.0.0.1:8000")
    assert (line(ENGINE).listening, line(ENGINE).listens_on) == (None, ())


def test_api_that_runs_and_does_not_hold_its_socket_is_reported():
    deaf = Observation(a_site()[2]["hostB"].state, sites.facts(listeners=()))

    assert (line(API, hostB=deaf).listening, line(API, hostB=deaf).drift) == (False, "not listening")


def test_engine_shows_heats_own_view_of_it():
    for rows, view in (
        ((a_row(),), "up"),
        ((a_row(up=False),), "down"),
        ((), "unknown"),
        ((a_row(up=False), a_row()), "up"),
        ((a_row("hostB-engine-2"),), "unknown"),
    ):
        assert line(ENGINE, view=a_view(*rows)).heat == view


def test_engine_counts_its_workers_and_who_reads_their_queues():
    rows = (a_row(engine_id="one"), a_row(engine_id="two"), a_row("hostB-engine-2", engine_id="three"))

    observed = line(ENGINE, view=a_view(*rows, one=1, two=1, three=1))

    assert (observed.workers, observed.queue, observed.drift) == (
        {"up": 2, "down": 0},
        {"messages": 4, "consumers": 2},
        "",
    )


def test_killed_worker_is_reported_before_heat_notices_as_nobody_reads_its_queue():
    rows = (a_row(engine_id="killed"), a_row(engine_id="gone"), a_row(engine_id="new"))

    assert line(ENGINE, view=a_view(*rows, killed=0, gone=None, new=1)).drift == "2 rows without process"
    assert line(ENGINE, view=a_view(*rows[1:], gone=0, new=1)).drift == "row without process"


def test_without_the_broker_a_row_is_without_process_when_heat_calls_it_down():
    observed = line(ENGINE, view=a_view(a_row(up=False), a_row()))

    assert (observed.drift, observed.workers, observed.queue) == ("row without process", {"up": 1, "down": 1}, None)


def test_engine_that_runs_and_does_nothing_for_heat_is_reported():
    assert line(ENGINE, view=a_view()).drift == "not listed by Heat"
    assert line(ENGINE, view=a_view(a_row(up=False))).drift == "down for Heat"
    assert line(ENGINE, view=a_view(a_row(), id=0)).drift == "queue without consumer"
    assert line(ENGINE, view=a_view(a_row(), id=None)).drift == "no queue at the broker"
    assert line(ENGINE, view=a_view(a_row(up=False), id=None)).drift == "down for Heat"


def test_stopped_engine_with_a_row_left_is_reported_both():
    stopped = with_unit(Unit(ENGINE, state=UnitState.INACTIVE))

    assert line(ENGINE, view=a_view(a_row(), id=0), hostB=stopped).drift == "not running, row without process"


def test_without_heats_table_nothing_is_shown_of_it():
    observed = line(ENGINE)

    assert (observed.heat, observed.workers, observed.queue, observed.drift) == ("unknown", None, None, "")


def test_api_shows_the_proxys_view_of_it():
    observed = line(API)

    assert (observed.proxy, observed.check, observed.sessions, observed.requests) == ("UP", "L7OK", 3, 5)


def test_api_that_the_proxy_does_not_serve_is_reported():
    assert (line(CFN, stat=STAT).proxy, line(CFN, stat=STAT).drift) == ("DOWN", "not served")
    assert line(CFN, stat=STAT.replace("DOWN", "DRAIN")).drift == "drained"
    assert line(CFN, stat=STAT.replace("DOWN", "MAINT")).drift == "in maintenance"


def test_api_that_the_proxy_does_not_know_is_missing_there():
    observed = line(API, stat=FINE.replace("hostB-8004", "hostQ-8004"))

    assert (observed.proxy, observed.drift, observed.check) == ("missing", "missing at the proxy", None)


def test_server_whose_unit_is_stopped_is_reported():
    stopped = with_unit(Unit(API, state=UnitState.INACTIVE))

    assert line(API, hostB=stopped).drift == "not running, server without unit"


def test_api_of_a_site_whose_proxy_says_nothing_is_unknown_there():
    proxy_host = Observation(HostState(), sites.facts(servers=runtime_api.servers(None)))

    assert (line(API, hostA=proxy_host).proxy, line(API, hostA=proxy_host).drift) == ("unknown", "")


def test_engine_and_proxy_have_no_view_of_the_proxy():
    assert {each.proxy for each in lines() if each.service in ("engine", "proxy")} == {""}


def test_numbered_server_names_are_found_at_the_proxy():
    inventory = sites.an_inventory(proxy="server_names: numbered", hostC="")
    desired = desired_state.desired_states(inventory, sites.bare(inventory)).states
    observed = sites.as_wanted(desired)
    answer = STAT.replace("hostB-8004", "rest-server-1")
    observed["hostA"] = Observation(observed["hostA"].state, sites.facts(servers=runtime_api.servers(answer)))

    view = SiteView(inventory, SiteObservation(observed, {}), desired, UNKNOWN_VIEW)
    shown = site.status_of(view, Plan()).lines

    assert [each.proxy for each in shown if each.service == "api"] == ["UP"]


def test_status_without_drift_ends_with_0_and_one_with_drift_with_8_when_it_counts():
    fine, drifted = site.SiteStatus(lines()), site.SiteStatus(lines(stat=STAT))

    assert (fine.exit_code(True), drifted.exit_code(True), drifted.exit_code(False)) == (0, 8, 0)
    assert site.SiteStatus(lines(), pending=("hostB: start it",)).exit_code(True) == 8


def test_status_without_a_host_ends_with_4_and_one_without_heat_with_5_when_it_counts():
    gone = site.SiteStatus(lines(stat=STAT), errors=("hostB: no answer",), errors_code=4)
    silent = site.SiteStatus(lines(), warnings=("Heat's database: OperationalError",))

    assert (gone.exit_code(True), gone.exit_code(False)) == (4, 4)
    assert (silent.exit_code(True), silent.exit_code(False)) == (5, 0)


def test_json_has_the_fields_of_the_contract():
    inventory, _, _ = a_site()

    data = site.as_json(inventory, site.SiteStatus(lines(), ("hostB: start something",)))

    assert (data["schema_version"], data["site"], data["errors"], data["notes"]) == (1, "some", [], [])
    assert (data["pending"], data["drift"]) == (["hostB: start something"], True)
    assert set(data["instances"][0]) >= {
        "host",
        "service",
        "unit",
        "address",
        "port",
        "pid",
        "state",
        "heat",
        "proxy",
        "drift",
        "listens_on",
        "listening",
        "config",
        "config_is_desired",
        "check",
        "sessions",
        "requests",
        "workers",
        "queue",
    }
