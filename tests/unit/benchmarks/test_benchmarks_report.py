"""Verdicts and tables follow from the figures alone."""

import pytest

from benchmarks import comparison_report, targets

ONCE_EACH = "3 hosts: one connection and one request each, and the lock"


def a_sample(wall, memory=60.0):
    return {"wall": wall, "cpu": 0.5, "memory_mib": memory, "busy": 0.1}


def a_part(hosts=3, ours=1.0, ssh=0.4, pyinfra=3.0, ansible=9.0, requests=1, **others):
    walls = {targets.US: ours, targets.SSH: ssh, targets.PYINFRA: pyinfra, targets.ANSIBLE: ansible}
    trips = {name: {"hostB": {"connections": 1, "requests": requests}} for name in walls}
    return {
        "hosts": hosts,
        "files": 33,
        "units": 9,
        "rounds": [{name: a_sample(wall) for name, wall in walls.items()}],
        "trips": trips,
        "trips_of_a_change": {"hostB": {"connections": 1, "requests": 3}},
        **others,
    }


def kept(parts):
    return {verdict.what: verdict.kept for verdict in targets.verdicts(parts)}


def test_figures_within_the_promises_are_kept():
    promises = kept({"deploy3": a_part()})

    assert promises.pop(ONCE_EACH) is False  # one of three hosts was counted
    assert all(promises.values()) and len(promises) == 3


@pytest.mark.parametrize(
    ("requests", "is_kept"), [((1, 1, 1), True), ((2, 1, 1), True), ((1, 2, 1), False), ((3, 1, 1), False)]
)
def test_one_request_each_and_one_for_the_lock_on_the_first_host(requests, is_kept):
    part = a_part()
    part["trips"][targets.US] = {
        host: {"connections": 1, "requests": number}
        for host, number in zip(("hostA", "hostB", "hostC"), requests, strict=True)
    }

    assert kept({"deploy3": part})[ONCE_EACH] is is_kept


def test_each_figure_beyond_its_promise_is_told():
    promises = kept({"deploy3": a_part(ansible=7.9, pyinfra=2.4, ssh=0.3)})

    assert not any(promises.values())


def test_memory_is_judged_with_many_hosts():
    part = a_part(hosts=30, ansible=31.0)
    part["rounds"][0][targets.US]["memory_mib"] = 121.0

    assert kept({"deploy30": part})["30 hosts: memory of invoke deploy"] is False


def test_adding_is_judged_by_what_it_takes_beyond_by_hand():
    rounds = [{"by_hand": 2.0, "add_engine": each, "busy": 0.1} for each in (2.9, 3.0, 9.0)]

    assert kept({"add-engine": {"host": "hostB", "rounds": rounds, "trips": {}}}) == {
        "`add-engine` beyond starting it by hand": True
    }


def test_tables_go_between_the_marks_and_nowhere_else(tmp_path):
    document = tmp_path / "benchmarks.md"
    document.write_text(f"before\n{comparison_report.BEGIN}\nold\n{comparison_report.END}\nafter\n")
    results = {
        "date": "2026-11-21",
        "machine": {"cores": 2, "memory_gib": 24.0},
        "versions": ["Heat 27.0.1"],
        "parts": {"deploy3": a_part(), "list": {"walls": [0.3, 0.2, 0.4]}},
    }

    comparison_report.put(results, document)

    text = document.read_text()
    assert text.startswith("before\n") and text.endswith("\nafter\n") and "old" not in text
    assert "| 3 hosts: faster than Ansible | 8 times | 9.0 times | yes |" in text
    assert "| invoke deploy | 1.00 s | 1.00 s | 1.00 s | 1.00 | 0.50 s | 60 MiB | 1 | 1 |" in text
    assert "| 3 | 0.30 s | 0.20 s | 0.40 s |" in text
