"""The truth table as text: what an operator reads, and what is left out of it."""

from observed_sites import ENGINE, STAT, a_row, a_view, lines, with_unit

from deployer.cli.views import status_table
from deployer.model.state import Unit
from deployer.status import site
from deployer.status.instances import InstanceStatus

WIDE = 120


def shown(pending=(), errors=(), **how):
    return status_table.text(site.SiteStatus(lines(**how), pending, errors)).splitlines()


def row(unit, **how):
    """The cells of a line by their titles."""
    title, *rest = shown(**how)
    starts = [title.index(word) for word in title.split()]
    line = next(each for each in rest if f"  {unit.removesuffix('.service')} " in each)
    cells = [line[start:end].strip() for start, end in zip(starts, [*starts[1:], None], strict=True)]
    return dict(zip(title.split(), cells, strict=True))


def test_table_is_aligned_and_has_no_column_that_says_nothing():
    title, *_ = shown()

    assert title.split() == ["HOST", "UNIT", "ADDRESS", "STATE", "HEAT", "PROXY"]


def test_process_of_each_kind_shows_what_there_is_to_say_of_it():
    view = a_view(a_row(engine_id="a"), a_row(engine_id="b"), a=1, b=1)

    api, engine = row("heat-scaleout-api@8004", view=view), row("heat-scaleout-engine@1", view=view)

    assert (api["ADDRESS"], api["PROXY"], api["HEAT"]) == ("10.0.0.2:8004", "UP, 3 open", "")
    assert (engine["ADDRESS"], engine["HEAT"], engine["QUEUE"]) == ("", "2 up", "2, 4 wait")
    assert row("heat-scaleout-proxy")["ADDRESS"] == "10.0.0.1:8004,8000"


def test_workers_that_are_not_up_are_counted():
    view = a_view(a_row(), a_row(up=False))

    assert row(ENGINE, view=view)["HEAT"] == "1/2 up"
    assert row(ENGINE, view=a_view(a_row(up=False)))["HEAT"] == "down"


def test_check_is_shown_where_the_proxy_does_not_serve():
    assert row("heat-scaleout-cfn@8000", stat=STAT)["PROXY"] == "DOWN L4CON, 0 open"


def test_configuration_is_shown_when_one_is_old():
    observed = row(ENGINE, hostB=with_unit(Unit(ENGINE, config="0123456789")))

    assert observed["CONFIG"] == "0123456 old"


def test_site_with_usual_names_and_an_engine_that_drifts_fits_into_a_terminal():
    line = InstanceStatus(
        "hostB",
        "engine",
        ENGINE,
        "198.18.2.12",
        None,
        12345,
        "running",
        "up",
        drift="row without process",
        workers={"up": 2, "down": 1},
        queue={"messages": 0, "consumers": 2},
    )
    proxy = InstanceStatus(
        "hostA",
        "proxy",
        "heat-scaleout-proxy.service",
        state="running",
        proxy="UP",
        sessions=1,
        listens_on=("198.18.2.11:8004", "198.18.2.11:8000"),
    )

    assert max(map(len, status_table.text(site.SiteStatus((line, proxy))).splitlines())) <= WIDE


def test_address_of_ipv6_keeps_its_brackets():
    proxy = InstanceStatus("hostA", "proxy", "p", listens_on=("[fd00::1]:8004", "[fd00::1]:8000", "10.0.0.1:1"))

    assert "[fd00::1]:8004,8000, 10.0.0.1:1" in status_table.text(site.SiteStatus((proxy,)))


def test_last_lines_say_what_a_deploy_would_do():
    assert shown()[-1] == "No drift: every host is as wanted."
    assert shown(errors=("hostC: gone",))[-1] == "No drift on the hosts that answered."
    assert shown(pending=("hostB: start it",))[-2:] == ["A deploy would take 1 step:", "  hostB: start it"]
    assert shown(stat=STAT)[-1] == "A deploy would change nothing: what drifts is not the inventory's."
