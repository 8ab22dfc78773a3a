"""The long run's operations are data, and what became of them is judged by figures alone."""

from benchmarks.load import load_report, operations, stacks

WINDOW = {"seconds": 8.0, "requests": 30_000, "failed": 0, "p50": 2.0, "p99": 10.0, "most": 20.0, "late_p99": 0.5}
FATES = stacks.Fates(20, 20, {}, ()).json()


def some_results(**changed):
    return {
        "requests": 60_001,
        "failed": 0,
        "seconds": 300.0,
        "failures": [],
        "not_there_yet": ["drain"],
        "windows": [{"name": "quiet", **WINDOW}, {"name": "add-api", **WINDOW, "p99": 19.0}],
        "operations": [{"name": "add-api", "errors": []}, {"name": "restart", "errors": [], "stacks": FATES}],
        "slow_counts": [],
        "arrived": {"posts": 30_000, "once": 30_000},
        "setting": {"date": "2026-11-21", "heat": "27.0.1", "cores": 2},
        **changed,
    }


def broken(**changed):
    return [each.what for each in load_report.verdicts(some_results(**changed)) if not each.kept]


def test_operation_without_its_command_is_left_out_and_told():
    can, missing = operations.possible({"deploy", "add-api"})

    assert [each.name for each in can][:2] == ["takeover (first deploy)", "deploy, nothing to change"]
    assert "drain" in missing and "50 proxy reloads" not in missing


def test_takeover_is_first_and_no_operation_asks_anybody():
    assert operations.OPERATIONS[0].acts == (operations.invoke("deploy"),)
    assert all(act.host or act.argv[-1] == "--yes" for each in operations.OPERATIONS for act in each.acts)


def test_run_within_its_promises_keeps_all():
    assert broken() == []


def test_each_figure_beyond_its_promise_is_named():
    assert broken(failed=1) == ["failed requests"]
    assert broken(requests=59_999) == ["requests"]
    assert broken(arrived={"posts": 30_000, "once": 29_999}) == ["every POST arrived once"]
    assert broken(windows=[{"name": "quiet", **WINDOW}, {"name": "add-api", **WINDOW, "p99": 21.0}]) == [
        "p99 during operations"
    ]
    stuck = {**FATES, "complete": 19, "stuck": ["one"]}
    assert broken(operations=[{"name": "add-api", "errors": []}, {"name": "r", "errors": ["e"], "stacks": stuck}]) == [
        "slow stacks complete",
        "operations that failed",
    ]


def test_tables_show_windows_stacks_and_what_is_left_out():
    text = load_report.text(some_results())

    assert "| add-api | 8.0 s | 30000 | 0 | 2.0 ms | 19 ms | 1.9 | 20 ms |" in text
    assert "| restart | 20 | 20 | 0 | 0 |" in text
    assert text.endswith("there is no such command yet: drain.")


def test_slow_requests_are_told_with_what_they_waited_for():
    count = {"window": "add-api", "cause": "the server's answer (Tr)", "slow": 7, "first": 5, "most": 96.4}

    text = load_report.text(some_results(slow_counts=[count]))

    assert "| add-api | the server's answer (Tr) | 7 | 5 | 96 ms |" in text


def test_failures_for_one_reason_are_one_line():
    one = {"window": "takeover", "kept": True, "why": "NewConnectionError: <object at 0x1>: refused"}
    other = {**one, "why": "NewConnectionError: <object at 0x2>: refused"}

    text = load_report.text(some_results(failures=[one, other]))

    assert text.count("| takeover | 2 |") == 1


def test_slow_stack_takes_its_time_in_one_resource_or_half_in_each_of_two_steps():
    only = stacks.single(20)["resources"]["only"]
    first, group = stacks.nested(20)["resources"].values()

    assert only["properties"] == {"action_wait_secs": {"create": 20}}
    assert (
        first["properties"] == group["properties"]["resource_def"]["properties"] == {"action_wait_secs": {"create": 10}}
    )


def test_stacks_are_counted_by_how_they_ended():
    seen = {"a": ("CREATE_COMPLETE", ""), "b": ("CREATE_FAILED", "no engine"), "c": ("CREATE_IN_PROGRESS", "")}

    fates = stacks.fates(seen, ["d: 503"])

    assert (fates.begun, fates.complete, fates.failed, fates.stuck) == (3, 1, {"b": "no engine"}, ("c",))
    assert not fates.good
