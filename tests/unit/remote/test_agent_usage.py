"""What units use, wherever the kernel counts it: control groups of either version, or their processes."""

import os

import pytest

from deployer.remote.agent import measure, sockets, usage

UNIT = "heat-scaleout-engine@1.service"
GROUP = f"/heat.slice/{UNIT}"


@pytest.fixture
def group(tmp_path, monkeypatch):
    """Put a file into a control group, given its hierarchy."""
    monkeypatch.setattr(usage, "CGROUP", str(tmp_path))

    def put(mount, name, text, group=GROUP):
        folder = tmp_path / mount / group.lstrip("/")
        folder.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)

    return put


def in_groups(monkeypatch, **groups):
    monkeypatch.setattr(usage, "groups_of", lambda pid: {name.replace("v2", ""): each for name, each in groups.items()})


@pytest.mark.parametrize("mount", ["", "unified"])
def test_cpu_and_memory_of_a_unit_come_from_its_group_of_version_2(group, monkeypatch, mount):
    in_groups(monkeypatch, v2=GROUP)
    group(mount, "cpu.stat", "usage_usec 2500000\nuser_usec 1\n")
    group(mount, "memory.current", "1048576\n")

    assert (usage.cpu_of(UNIT, [1]), usage.memory_of(UNIT, [1])) == (2.5, 1048576)


@pytest.mark.parametrize("mount", ["cpuacct", "cpu,cpuacct"])
def test_cpu_and_memory_of_a_unit_come_from_its_groups_of_version_1(group, monkeypatch, mount):
    in_groups(monkeypatch, cpuacct=GROUP, memory=GROUP)
    group(mount, "cpuacct.usage", "2500000000\n")
    group("memory", "memory.usage_in_bytes", "1048576\n")

    assert (usage.cpu_of(UNIT, [1]), usage.memory_of(UNIT, [1])) == (2.5, 1048576)


def test_group_that_is_not_the_units_own_counts_for_nobody(group, monkeypatch):
    """In a container without controllers every process is in the group of the whole container."""
    in_groups(monkeypatch, v2="/", cpuacct="/", memory="/")
    for mount, name in (("", "cpu.stat"), ("cpuacct", "cpuacct.usage"), ("memory", "memory.usage_in_bytes")):
        group(mount, name, "999999999999\n", group="/")
    monkeypatch.setattr(usage, "cpu_of_process", lambda pid: 1.5)
    monkeypatch.setattr(measure, "memory_of", lambda pid: 100)

    assert (usage.cpu_of(UNIT, [1, 2]), usage.memory_of(UNIT, [1, 2])) == (3.0, 200)


def test_controllers_of_one_hierarchy_share_a_group_and_version_2_has_no_name(tmp_path, monkeypatch):
    rows = ["4:memory:/a.slice/b:c.service", "2:cpu,cpuacct:/x.service", "0::/y.service"]
    (tmp_path / "cgroup").write_text("\n".join(rows))
    real = open
    monkeypatch.setattr("builtins.open", lambda path, *rest: real(tmp_path / "cgroup"))

    assert usage.groups_of(1) == {
        "memory": "/a.slice/b:c.service",
        "cpu": "/x.service",
        "cpuacct": "/x.service",
        "": "/y.service",
    }


def test_processes_of_units_are_found_and_those_of_others_left_out(monkeypatch):
    units = {os.getpid(): UNIT, os.getppid(): "other.service"}
    monkeypatch.setattr(sockets, "unit_of", lambda pid: units.get(pid, ""))

    found = usage.used_by(["heat-scaleout-*"])

    assert list(found) == [UNIT]
    assert found[UNIT]["cpu"] > 0
    assert 2**20 < found[UNIT]["memory"] < 2**36


def test_cpu_of_a_process_grows_while_it_works_and_is_none_once_it_is_gone():
    before = usage.cpu_of_process(os.getpid())
    while usage.cpu_of_process(os.getpid()) < before + 0.05:
        sum(range(10_000))

    assert usage.cpu_of_process(0) == 0.0
    assert usage.groups_of(0) == {}


def test_watch_counts_units_of_ours_and_engines_that_are_not(monkeypatch):
    units = {os.getpid(): UNIT, os.getppid(): "heat-engine.service"}
    monkeypatch.setattr(sockets, "unit_of", lambda pid: units.get(pid, ""))
    monkeypatch.setattr(sockets, "processes_like", lambda names: [{"unit": "heat-engine.service"}, {"unit": ""}])

    reply = usage.watch({"units": ["heat-scaleout-engine@*"], "processes": ["heat-engine"]})

    assert set(reply["usage"]["units"]) == {UNIT, "heat-engine.service"}
    assert reply["usage"]["at"] > 0 and reply["hostname"]
