"""What a host has to spare and what its units hold, read from /proc."""

import os

from deployer.remote.agent import measure, sockets


def test_measure_returns_memory_and_files_of_this_machine():
    found = measure.measure({})

    assert 0 < found["available"] < 2**50
    assert found["most_files"] >= 1024
    assert found["units"] == {}


def test_processes_of_a_unit_are_counted_with_what_they_hold(monkeypatch):
    mine = {os.getpid(): "heat-scaleout-engine@1.service", os.getppid(): "heat-scaleout-engine@1.service"}
    monkeypatch.setattr(sockets, "unit_of", lambda pid: mine.get(pid, "other.service"))

    found = measure.held_by(["heat-scaleout-*"])

    assert list(found) == ["heat-scaleout-engine@1.service"]
    assert found["heat-scaleout-engine@1.service"]["processes"] == 2
    assert 2**20 < found["heat-scaleout-engine@1.service"]["memory"] < 2**36


def test_process_of_which_no_share_is_known_counts_whole(monkeypatch):
    whole = measure.memory_of(os.getpid())
    real = measure.field_of
    monkeypatch.setattr(measure, "field_of", lambda path, name: None if "smaps" in path else real(path, name))

    assert measure.memory_of(os.getpid()) >= whole * 0.9


def test_what_is_not_there_is_none_and_a_process_that_is_gone_holds_nothing():
    assert measure.field_of("/proc/nothing", "Pss:") is None
    assert measure.field_of("/proc/self/status", "Nothing:") is None
    assert measure.number_in("/proc/nothing") is None
    assert measure.number_in("/proc/self/status") is None
    assert measure.memory_of("0") == 0


def test_most_files_are_the_kernels_where_limits_may_be_raised_else_those_of_process_1(monkeypatch):
    raised = []
    monkeypatch.setattr(measure.resource, "setrlimit", lambda what, limits: raised.append(limits[1]))
    assert measure.most_files() == raised[0] == measure.number_in("/proc/sys/fs/nr_open")

    def refused(*_):
        raise ValueError("not allowed to raise maximum limit")

    monkeypatch.setattr(measure.resource, "setrlimit", refused)
    assert measure.most_files() == measure.hard_limit_of(1)
    assert measure.hard_limit_of(0) is None
