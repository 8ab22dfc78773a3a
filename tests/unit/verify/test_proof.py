"""How a proof reads the witness's report and what it makes of all checks: text, JSON and JUnit XML."""

import json
from pathlib import Path
from xml.etree import ElementTree

import published_schema
import pytest
import sites

from deployer import errors
from deployer.cli.views import proof_view
from deployer.heat import redacting_fleet
from deployer.verify import acceptance, preparation, proof
from deployer.verify.smoke import smoke_suite
from deployer.verify.smoke.clouds import Cloud
from deployer.verify.smoke.result import Check, Outcome


def a_case(host, trouble="", time="0"):
    return f"""<testcase classname="test_units" name="test_unit_runs[{host}-x]" time="{time}"><properties>
        <property name="host" value="{host}"/><property name="subject" value="x.service"/>
        <property name="promise" value="it runs"/></properties>{trouble}</testcase>"""


UNREACHED = '<error message="failed on setup with &quot;Failed: hostD cannot be looked at: ssh: no route&quot;"/>'
REPORT = f"""<?xml version="1.0" encoding="utf-8"?><testsuites><testsuite name="pytest" tests="4">
{a_case("hostB", time="2.5")}
{a_case("hostC", '<failure message="AssertionError: systemd says failed">trace</failure>')}
{a_case("hostD", UNREACHED)}
<testcase classname="test_units" name="test_other" time="0"><skipped message="not here"/></testcase>
</testsuite></testsuites>"""


def test_reasons_of_which_nobody_knows_what_is_secret_are_withheld():
    inventory = sites.an_inventory()
    hosts = sites.a_fleet(inventory, conf="[database]\nconnection = mysql://heat:zq81-vault-Xk@db/heat\n")
    fleet = redacting_fleet.RedactingFleet(inventory, hosts)
    checks = (a_check(outcome=Outcome.FAILED, reason="cannot decrypt with zq81-vault-Xk"), a_check())
    cloud = Cloud(None, ())

    hosts.loses("hostA")
    unknown = preparation.redacted(checks, inventory, fleet, cloud)
    hosts.mends()
    known = preparation.redacted(checks, inventory, fleet, cloud)
    hosts.loses("hostA")
    remembered = preparation.redacted(checks, inventory, fleet, cloud)

    assert "withheld" in unknown[0].reason and "zq81" not in unknown[0].reason
    assert unknown[1] == a_check()
    assert known[0].reason == remembered[0].reason == "cannot decrypt with ***"


def a_check(where="hostB", subject="x.service", **more):
    return Check(where, subject, "it runs", **more)


def failed(reason, **more):
    return a_check(outcome=Outcome.FAILED, reason=reason, **more)


def a_proof(*checks):
    return proof.Proof("lab", checks, 12.34)


def test_report_of_the_acceptance_suite_becomes_checks_with_reasons_in_plain_words():
    checks = acceptance.checks_of(REPORT)

    assert [(each.where, each.outcome, each.reason) for each in checks] == [
        ("hostB", "ok", ""),
        ("hostC", "failed", "systemd says failed"),
        ("hostD", "failed", "hostD cannot be looked at: ssh: no route"),
        ("acceptance suite", "skipped", "not here"),
    ]
    assert (checks[0].subject, checks[0].promise, checks[0].seconds) == ("x.service", "it runs", 2.5)


@pytest.mark.parametrize(
    ("message", "reason"),
    [
        ("AssertionError: it is stopped", "it is stopped"),
        ("Failed: gone", "gone"),
        ("KeyError: 'x'", "KeyError: 'x'"),
        ('failed on setup with "Failed: two\nlines"', "two\nlines"),
        ("", ""),
    ],
)
def test_reason_is_the_message_of_the_test(message, reason):
    assert acceptance.reason_in(message) == reason


def test_proof_of_good_checks_is_a_line_a_host():
    shown = a_proof(a_check(), a_check(subject="y.service"), a_check("hostC"))

    assert not shown.failed
    assert proof_view.text(shown).splitlines() == [
        "hostB: 2 checks ok",
        "hostC: 1 check ok",
        "Proven: 3 checks in 12.3 s.",
    ]


def test_proof_with_a_failure_names_its_subject_and_reason():
    shown = a_proof(a_check(), failed("it is stopped", subject="y.service"))

    assert shown.failed
    assert proof_view.text(shown).splitlines() == [
        "hostB: 1 of 2 checks FAILED",
        "  FAILED   y.service: it runs: it is stopped",
        "NOT proven: 1 of 2 checks failed, in 12.3 s.",
    ]


def test_proof_of_a_host_that_cannot_be_reached_is_reported_once():
    shown = a_proof(failed("ssh: no route"), failed("ssh: no route", subject="y.service"))

    assert proof_view.text(shown).count("ssh: no route") == 1


def test_proof_shows_every_step_through_the_proxy_with_its_time_and_what_it_saw():
    shown = a_proof(a_check(smoke_suite.WHERE, "engines", seconds=1.26, detail="4 of 4 up"))

    assert "  ok       engines: it runs (1.3 s): 4 of 4 up" in proof_view.text(shown)


def test_check_that_was_not_tried_proves_nothing():
    shown = a_proof(a_check(outcome=Outcome.SKIPPED, reason="no token"))

    assert shown.failed and "SKIPPED" in proof_view.text(shown)


def test_json_of_a_proof_is_as_published():
    shown = a_proof(a_check(smoke_suite.WHERE, seconds=1.5, detail="4 of 4 up"), failed("it is stopped"))

    published_schema.check_result("verify", json.loads(json.dumps(shown.json())))


def test_json_of_a_proof_has_every_check_and_its_schema_version():
    shown = a_proof(a_check(), failed("it is stopped"))

    data = json.loads(json.dumps(shown.json()))

    assert (data["schema_version"], data["site"], data["failed"]) == (1, "lab", True)
    assert data["checks"][1] == {
        "where": "hostB",
        "subject": "x.service",
        "promise": "it runs",
        "outcome": "failed",
        "seconds": 0.0,
        "detail": "",
        "reason": "it is stopped",
    }


def test_junit_of_a_proof_is_well_formed_with_a_case_a_check_whatever_the_output():
    output = "control \x00 \x1b[31m <&>\"' ]]> \ud800 end"
    shown = a_proof(
        a_check(seconds=1.5),
        failed(output),
        a_check(smoke_suite.WHERE, detail=output),
        a_check(smoke_suite.WHERE, outcome=Outcome.SKIPPED, reason="no token"),
    )

    root = ElementTree.fromstring(shown.junit().encode())

    suites = {each.get("name"): each for each in root}
    assert {name: (each.get("tests"), each.get("failures"), each.get("skipped")) for name, each in suites.items()} == {
        "hostB": ("2", "1", "0"),
        smoke_suite.WHERE: ("2", "0", "1"),
    }
    assert [case.get("time") for case in suites["hostB"]] == ["1.500", "0.000"]
    assert "<&>" in root.find(".//failure").get("message")


def test_junit_of_a_proof_is_read_back_by_its_own_reader():
    assert [check.outcome for check in acceptance.checks_of(a_proof(a_check(), failed("no")).junit())] == [
        "ok",
        "failed",
    ]


def test_library_that_is_missing_is_bad_input_with_what_to_install(monkeypatch):
    monkeypatch.setattr(preparation, "LIBRARIES", ("no_such_library",))

    with pytest.raises(errors.BadInput, match="no_such_library") as caught:
        preparation.refuse_unprepared(None)

    assert caught.value.hint == "The installation is not complete: make it again."


@pytest.mark.parametrize("place", ["", "missing/report.xml"])
def test_report_that_cannot_be_written_is_refused_before_anything_is_tried(tmp_path, place):
    with pytest.raises(errors.BadInput, match="cannot be written"):
        preparation.refuse_unprepared(tmp_path / place)


def test_acceptance_suite_imports_nothing_of_what_it_judges():
    for path in Path(acceptance.SUITE).glob("*.py"):
        words = path.read_text()
        assert "import deployer" not in words and "from deployer" not in words and "from lab" not in words, path.name
