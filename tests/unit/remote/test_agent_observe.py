"""A look at a host brings what is there, and leaves out what is not."""

import base64
import os
import subprocess
import sys

import pytest

from deployer.model.state import digest_of
from deployer.remote.agent import observe


@pytest.fixture
def tree(tmp_path):
    (tmp_path / "etc" / "sub").mkdir(parents=True)
    (tmp_path / "etc" / "heat.conf").write_bytes(b"conf")
    (tmp_path / "etc" / "sub" / "policy.yaml").write_bytes(b"\xff")
    (tmp_path / "etc" / "heat.conf").chmod(0o640)
    return tmp_path / "etc"


def test_observe_of_a_folder_finds_every_file_in_it(tree):
    found = observe.observe({"trees": [str(tree)]})["files"]

    assert {path: each["digest"] for path, each in found.items()} == {
        f"{tree}/heat.conf": digest_of(b"conf"),
        f"{tree}/sub/policy.yaml": digest_of(b"\xff"),
    }


def test_observe_of_a_single_file_finds_it(tree):
    assert list(observe.observe({"trees": [f"{tree}/heat.conf"]})["files"]) == [f"{tree}/heat.conf"]


def test_observe_returns_mode_and_owner(tree):
    found = observe.observe({"trees": [f"{tree}/heat.conf"]})["files"][f"{tree}/heat.conf"]

    assert (found["mode"], found["owner"]) == (0o640, observe.user_name(os.geteuid()))


def test_observe_carries_content_of_the_folders_asked_for_alone(tree):
    found = observe.observe({"trees": [str(tree)], "carry": [f"{tree}/sub/"]})["files"]

    assert "content" not in found[f"{tree}/heat.conf"]
    assert base64.b64decode(found[f"{tree}/sub/policy.yaml"]["content"]) == b"\xff"


def test_observe_of_what_is_not_there_is_empty(tmp_path):
    reply = observe.observe(
        {
            "trees": [str(tmp_path / "x")],
            "texts": [str(tmp_path / "*")],
            "ask": {"/x.sock": "?"},
            "globs": {"heat": [str(tmp_path / "*.x")]},
        }
    )

    assert (reply["files"], reply["texts"], reply["replies"], reply["globs"]) == (
        {},
        {},
        {"/x.sock": None},
        {"heat": []},
    )


def test_observe_leaves_out_links_that_lead_nowhere_and_sockets(tree):
    (tree / "broken").symlink_to(tree / "nothing")
    os.mkfifo(tree / "pipe")

    assert len(observe.observe({"trees": [str(tree)]})["files"]) == 2


def test_observe_reads_texts_by_pattern(tree):
    assert observe.observe({"texts": [f"{tree}/*.conf"]})["texts"] == {f"{tree}/heat.conf": "conf"}


def test_observe_sorts_the_paths_of_all_patterns_of_a_search(tree):
    globs = observe.observe({"globs": {"all": [f"{tree}/s*", f"{tree}/h*"]}})["globs"]

    assert globs == {"all": [f"{tree}/heat.conf", f"{tree}/sub"]}


def test_observe_returns_accounts_disk_and_interpreter(tmp_path):
    reply = observe.observe({"accounts": ["root", "nobody-at-all"], "disk": [str(tmp_path / "not" / "there")]})

    assert reply["accounts"] == {"root": 0, "nobody-at-all": None}
    assert list(reply["free"].values())[0] > 0
    assert (reply["python"], reply["uid"]) == (list(sys.version_info[:3]), os.geteuid())


def test_file_that_goes_while_its_folder_is_read_is_left_out(tree, monkeypatch):
    monkeypatch.setattr(observe, "files_under", lambda trees: [f"{tree}/heat.conf", f"{tree}/gone"])

    assert list(observe.observe({})["files"]) == [f"{tree}/heat.conf"]


def test_state_of_a_unit_is_what_systemctl_shows():
    keys = {
        "ActiveState": "active",
        "SubState": "running",
        "MainPID": "42",
        "NeedDaemonReload": "yes",
        "NRestarts": "3",
        "LoadState": "masked",
        "DropInPaths": "/etc/x.service.d/by-hand.conf /run/systemd/system/x.service.d/heat-scaleout.conf",
    }

    assert observe.unit_state(keys) == {
        "active": "active",
        "sub": "running",
        "enabled": False,
        "pid": 42,
        "stale": True,
        "restarts": 3,
        "masked": True,
        "drop_ins": ["/etc/x.service.d/by-hand.conf"],
    }


def test_listener_keeps_its_unit_only_as_the_units_own_process(monkeypatch):
    monkeypatch.setattr(observe, "units_like", lambda names: {name: {"pid": os.getpid()} for name in names})
    own, child, stranger = (
        {"port": port, "pid": pid, "unit": "heat-api.service"} for port, pid in ((1, os.getpid()), (2, 0), (3, 1))
    )
    with subprocess.Popen(["cat"], stdin=subprocess.PIPE) as process:
        child["pid"] = process.pid
        found = observe.with_own_units([own, child, stranger, {"port": 4}], None, {})

    assert [each.get("unit") for each in found] == ["heat-api.service", "heat-api.service", "", None]


def test_listener_keeps_its_unit_where_nobody_needs_to_be_sure():
    stranger = {"port": 3, "pid": 1, "unit": "heat-api.service"}

    assert observe.with_own_units([stranger], [4], {}) == [stranger]


def test_ids_without_a_name_are_shown_as_numbers():
    assert (observe.user_name(4_000_000_000), observe.group_name(4_000_000_000)) == ("4000000000", "4000000000")
