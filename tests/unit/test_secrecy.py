"""No secret is printed: not by a plan, a diff, an error, a traceback, nor by the repr of anything on the way."""

import json
import traceback

import pytest
import sites
from secret_site import CANARY, CONF, PROXY

from deployer import errors, pipeline
from deployer.apply import waves
from deployer.cli.views import console, plan_view, run_report
from deployer.model.hosts import Secret
from deployer.model.steps import WriteFile
from deployer.plan import textdiff
from deployer.status import site


@pytest.fixture
def inventory():
    return sites.an_inventory(proxy=PROXY)


@pytest.fixture
def fleet(inventory):
    return sites.a_fleet(inventory, conf=CONF)


@pytest.fixture
def todo(inventory, fleet):
    """A plan that writes every secret somewhere, decided from hosts whose contents were read."""
    return sites.planned(inventory, fleet, contents=True)


def test_canary_is_in_the_files_that_the_plan_writes(todo):
    """Without this, no test here could fail."""
    written = [step.file.content.decode() for step in todo.plan if isinstance(step, WriteFile)]

    assert len([text for text in written if CANARY in text]) == 3


def test_plan_shows_no_secret_as_text_json_or_repr(todo):
    shown = [plan_view.text(todo.plan), console.as_json(console.plan_json(todo.plan)), repr(todo), str(todo)]

    assert [text for text in shown if CANARY in text] == []


def test_diffs_show_no_secret_when_files_come_change_and_go(inventory, fleet, todo):
    coming = textdiff.diffs_of(todo.plan, todo.observed, "hostA")
    sites.deploy(inventory, fleet, sites.yes)
    changed = CONF.replace("-database", "-other").replace("-keystone", "-others")
    fleet.hosts["hostA"].has_file("/etc/heat/heat.conf", changed, group="heat", mode=0o640)
    later = sites.planned(
        sites.an_inventory(proxy=PROXY.replace("-stats", "-new"), hostC="{address: 10.0.0.3}"), fleet, contents=True
    )
    changing = textdiff.diffs_of(later.plan, later.observed, "hostA")

    assert len(coming) > 20
    assert {
        "hostB:/etc/heat/heat.conf",
        "hostC:/etc/heat/heat.conf",
        "hostA:/etc/heat-scaleout/apis-proxy.conf",
    } <= set(changing)
    assert [name for name, text in (coming | changing).items() if CANARY in text] == []


def test_report_shows_no_secret_when_everything_fails(inventory, fleet):
    for name in fleet.hosts:
        fleet.breaks(name, '"do": "write"')

    report = sites.deploy(inventory, fleet, sites.yes)

    applied = report.applied
    shown = [repr(report), run_report.text(report), json.dumps(run_report.json(report))]
    assert applied.failed
    assert [text for text in shown if CANARY in text] == []


def test_status_shows_no_secret(inventory, fleet):
    sites.deploy(inventory, fleet, sites.yes)

    site_status = pipeline.status(inventory, fleet)

    assert CANARY not in json.dumps(site.as_json(inventory, site_status)) + repr(site_status)


@pytest.mark.parametrize(
    "conf",
    [
        CONF + f"{CANARY}-line without a sign\n",
        f"password = {CANARY}\n" + CONF,
        CONF.replace("bind_port = 8004", "bind_port = ${keystone_authtoken.password}"),
    ],
)
def test_traceback_of_a_heat_conf_that_cannot_be_used_shows_no_secret(inventory, fleet, conf):
    fleet.hosts["hostA"].has_file("/etc/heat/heat.conf", conf)

    with pytest.raises(errors.DeployerError) as raised:
        sites.planned(inventory, fleet)

    shown = "".join(traceback.format_exception(raised.value)) + console.error_text(raised.value)
    assert CANARY not in shown


def test_traceback_of_a_bug_of_ours_shows_no_secret(todo, fleet):
    fleet.ask = lambda *_: 1 / 0

    with pytest.raises(ZeroDivisionError) as raised:
        waves.run(todo.plan, fleet)

    assert CANARY not in "".join(traceback.format_exception(raised.value))


def test_refused_inventory_shows_no_password():
    with pytest.raises(errors.BadInventory) as raised:
        sites.an_inventory(proxy=PROXY.replace(f"{CANARY}-stats", f'"{CANARY} with a blank"'))

    assert CANARY not in str(raised.value) + console.error_text(raised.value)


def test_remarks_on_heat_conf_show_no_secret(inventory):
    fleet = sites.a_fleet(inventory, conf=CONF + f"\n[clients_x]\nurl = http://admin:{CANARY}@127.0.0.1/x\n")

    warnings = sites.planned(inventory, fleet).desired.warnings

    assert len(warnings) >= 1
    assert CANARY not in "\n".join(warnings)


def test_secret_prints_as_stars_everywhere_and_is_never_serialised():
    secret = Secret(CANARY)

    assert {str(secret), repr(secret), f"{secret}", f"{secret!r:>3}"} == {"***"}
    assert (secret.reveal(), secret == Secret(CANARY), secret == CANARY) == (CANARY, True, False)
    for serialise in (json.dumps, __import__("pickle").dumps, __import__("copy").deepcopy):
        with pytest.raises(TypeError):
            serialise(secret)
