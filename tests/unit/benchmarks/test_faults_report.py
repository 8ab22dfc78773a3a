"""What is counted of faults: verdicts by what was promised, tables by what was counted, mixtures by what was seen."""

from benchmarks.faults import fault_report, fault_runner, file_states
from benchmarks.faults.catalogue import FAULTS
from benchmarks.faults.trial import Promises, Trial
from benchmarks.load.samples import Figures, Result

OLD, NEW, OTHER = ("old",), ("new",), ("other",)


def a_result(window, why):
    """Clients' requests: ten in each of two windows, and one that failed in one of them."""
    windows = tuple(Figures(name, 1.0, 10, int(name == window), 1, 1, 1, 1) for name in ("0", "1"))
    return Result("run", 20, 10, 1, 2.0, windows, ({"window": window, "kind": "rest get", "why": why},))


def a_trial(case="case", broken=(), fault="two deploys at once", **found):
    return {
        "date": "2026-11-21",
        "heat": "27.0.1",
        "seed": 1,
        "fault": fault,
        "case": case,
        "broken": list(broken),
        "seconds": 2.0,
        "found": found,
        "requests": 40,
        "failed": len(broken),
    }


def test_promise_that_does_not_hold_is_told_in_its_words():
    promises = Promises()

    assert promises.keep(True, "never said")
    assert not promises.keep(False, "it is so instead")

    assert promises.trial("fault", "case", 1.24) == Trial("fault", "case", ("it is so instead",), 1.2)


def test_file_that_was_old_then_new_is_no_mixture():
    seen = {"hostB": {"/etc/a": ("old", "new"), "/etc/b": ("absent", "new")}}

    assert file_states.mixtures(seen, {"hostB": {"/etc/a": OLD}}, {"hostB": {"/etc/a": NEW, "/etc/b": NEW}}) == ()


def test_file_that_was_ever_something_else_or_not_there_is_a_mixture():
    seen = {"hostB": {"/etc/a": ("old", "half", "new"), "/etc/b": ("old", "absent", "new")}}
    before, after = {"hostB": {"/etc/a": OLD, "/etc/b": OLD}}, {"hostB": {"/etc/a": NEW, "/etc/b": NEW}}

    assert file_states.mixtures(seen, before, after) == (
        "hostB: /etc/a was neither old nor new",
        "hostB: /etc/b was neither old nor new",
    )


def test_failed_request_breaks_a_fault_that_must_serve_and_no_other():
    serving, losing, result = FAULTS["together"], FAULTS["lost"], a_result("0", "status 503")

    hit, other = (fault_runner.with_requests(serving, Trial(serving.name, "case"), result, number) for number in (0, 1))
    tolerated = fault_runner.with_requests(losing, Trial(losing.name, "case"), result, 0)

    assert (hit.failed, hit.broken) == (1, ("1 of 10 requests failed: rest get: status 503",))
    assert (other.failed, other.broken) == (0, ())
    assert (tolerated.failed, tolerated.broken) == (1, ())


def test_tables_count_what_was_made_and_what_held():
    text = fault_report.text([a_trial("drain"), a_trial("undrain"), a_trial("drain", ["both | ran"])])

    assert "3 faults, in 2 of which" in text
    assert "| two deploys at once | 27.0.1 | 3 | **2** | 120 | 1 | 2, 2 |" in text
    assert "| two deploys at once | drain | 2 | **1** | 2 |" in text
    assert "| two deploys at once: drain | 27.0.1 | both / ran |" in text


def test_document_keeps_what_is_outside_of_the_marks(tmp_path):
    document = tmp_path / "page.md"
    document.write_text(f"before\n{fault_report.BEGIN}\nold\n{fault_report.END}\nafter\n")

    fault_report.put([a_trial()], document)

    assert document.read_text().startswith(f"before\n{fault_report.BEGIN}\n\nMade 2026-11-21: 1 faults")
    assert document.read_text().endswith(f"{fault_report.END}\nafter\n")
    assert "old" not in document.read_text()
