"""The log of commands that change something: where it is, who may read it, how many stay, and what is not in it."""

import json
import re

import pytest

from deployer.cli.output import run_log

HEADER = re.compile(r"[0-9-]{10}T[0-9:]{8}\.[0-9]{3}Z (debug|verbose|info|warning|error|result) +")


@pytest.fixture
def logs(state_folder):
    """The folder of logs."""
    return state_folder / "heat-scaleout" / "logs"


def deploy(invoke, inventory, *flags):
    return invoke("deploy", "--yes", *flags, "--inventory", inventory)


def only(logs):
    (log,) = logs.iterdir()
    return log


def test_log_is_named_by_time_and_command_and_its_path_stated_last(invoke, inventory, fleet, logs):
    code, _, err = invoke("add-engine", "hostB", "--yes", "--inventory", inventory)

    log = only(logs)
    assert re.fullmatch(r"[0-9]{8}T[0-9]{6}Z-add-engine\.log", log.name)
    assert (code, err.splitlines()[-1]) == (0, f"log: {log}")


def test_log_is_for_its_owner_alone(invoke, inventory, fleet, logs):
    logs.mkdir(parents=True, mode=0o755)

    deploy(invoke, inventory)

    assert (logs.stat().st_mode & 0o777, only(logs).stat().st_mode & 0o777) == (0o700, 0o600)


def test_log_has_the_command_every_stage_step_request_reply_and_result_whatever_was_shown(
    invoke, inventory, fleet, logs
):
    deploy(invoke, inventory, "-q")

    lines = only(logs).read_text().splitlines()
    text = "\n".join(HEADER.sub("", line) for line in lines)
    assert [line for line in lines if not HEADER.match(line)] == []
    assert lines[0].endswith(" (0.1.0)")
    for part in (
        "hostB  -> perform (write files",
        "hostB  <- perform (write files",
        "hostB  done  write /etc/heat/heat.conf (new) (0.2 s)",
        "3 hosts, 52 steps, about to be applied",
        "52 steps done. This is generation 1.",
    ):
        assert f"\n{part}" in text
    assert re.search(r"\nwrite files: hostA, hostB, hostC \(\d\.\d s\)\n", text)
    assert text.endswith("\nended with 0")


def test_json_of_a_command_has_the_path_of_its_log(invoke, inventory, fleet, logs):
    data = json.loads(deploy(invoke, inventory, "--format", "json")[1])

    assert data["log"] == str(only(logs))


def test_command_that_contacts_nobody_leaves_no_log(invoke, inventory, fleet, logs):
    assert deploy(invoke, inventory, "--wait", "soon")[0] == 3
    assert invoke("add-engine", "hostX", "--inventory", inventory)[0] == 3

    assert not logs.exists()


@pytest.mark.parametrize("argv", [("plan",), ("status",), ("history",), ("preflight",), ("lock",)], ids=" ".join)
def test_command_that_changes_nothing_leaves_no_log(invoke, inventory, fleet, logs, argv):
    err = invoke(*argv, "--inventory", inventory)[2]

    assert (logs.exists(), "log:" in err) == (False, False)


def test_last_thirty_logs_are_kept_and_other_files_stay(invoke, inventory, fleet, logs):
    logs.mkdir(parents=True)
    for number in range(35):
        (logs / f"20200101T0000{number:02}Z-deploy.log").write_text("old")
    (logs / "notes.log").write_text("mine")

    deploy(invoke, inventory)

    names = sorted(path.name for path in logs.iterdir())
    ours = [name for name in names if name != "notes.log"]
    assert len(ours) == 30 and len(names) == 31
    assert ours[0] == "20200101T000006Z-deploy.log"


def test_logs_of_one_second_have_names_of_their_own(tmp_path):
    for _ in range(3):
        log = run_log.RunLog("deploy", tmp_path, lambda: "2026-11-21T18:01:02.123Z", pytest.fail)
        log.handle(a_stage())
        log.close()

    assert sorted(path.name for path in tmp_path.iterdir()) == [
        "20261121T180102Z-deploy-2.log",
        "20261121T180102Z-deploy-3.log",
        "20261121T180102Z-deploy.log",
    ]


def a_stage():
    return run_log.StageStarted("observe", ("hostB",))


def test_log_that_cannot_be_written_is_noted_and_stops_nothing(invoke, inventory, fleet, state_folder):
    (state_folder / "heat-scaleout").write_text("a file where the folder should be")

    code, out, err = deploy(invoke, inventory, "--format", "json")

    assert (code, json.loads(out)["log"]) == (0, None)
    assert f"note: no log is kept of this command: {state_folder}/heat-scaleout/logs: " in err
    assert "log: /" not in err


class FullDisk:
    """A file for which there is no room."""

    def write(self, text):
        raise OSError(28, "No space left on device")


def test_log_that_ends_in_the_middle_is_noted_once_and_stops_nothing(tmp_path):
    warnings = []
    log = run_log.RunLog("deploy", tmp_path, lambda: "2026-11-21T18:01:02.123Z", warnings.append)
    log.handle(a_stage())
    log._file.close()
    log._file = FullDisk()

    log.write("info", "one")
    log.write("info", "two")

    assert warnings == [f"the log {log.path} is not complete: No space left on device"]


@pytest.mark.parametrize(
    ("environment", "folder"),
    [
        ({"HOME": "/home/alice"}, "/home/alice/.local/state/heat-scaleout/logs"),
        ({"HOME": "/home/alice", "XDG_STATE_HOME": "/srv/state"}, "/srv/state/heat-scaleout/logs"),
        ({"HOME": "/home/alice", "XDG_STATE_HOME": "state"}, "/home/alice/.local/state/heat-scaleout/logs"),
        ({"HOME": "/home/alice", "XDG_STATE_HOME": ""}, "/home/alice/.local/state/heat-scaleout/logs"),
    ],
)
def test_folder_of_logs_follows_the_xdg_base_directories(environment, folder):
    assert str(run_log.folder(environment)) == folder


def test_interruption_is_in_the_log_with_what_was_under_way(invoke, inventory, fleet, logs):
    def killed(host, when, step):
        if (host, when) == ("hostC", "before") and "start heat-scaleout-api" in step.get("description", ""):
            raise KeyboardInterrupt

    fleet.moment = killed

    code, _, err = deploy(invoke, inventory)

    text = only(logs).read_text()
    assert (code, err.splitlines()[-1]) == (130, f"log: {only(logs)}")
    assert "error   interrupted: run the same command again" in text
    assert text.endswith("ended with 130\n")


def test_interruption_names_what_has_not_begun(invoke, inventory, fleet, logs):
    assert deploy(invoke, inventory)[0] == 0

    def killed(host, when, step):
        if (host, when) == ("hostC", "before") and "restart heat-scaleout-engine" in step.get("description", ""):
            raise KeyboardInterrupt

    fleet.moment = killed

    code, _, err = invoke("restart", "--yes", "--inventory", inventory)

    lines = err.splitlines()
    assert (code, lines[-2].split(":")[0]) == (130, "interrupted")
    assert [line for line in lines[lines.index("not begun:") + 1 : -2] if "restart" in line] == [
        "  hostA  drain rest_api_proxy/hostC-8004 (it restarts)",
        "  hostA  drain cfn_api_proxy/hostC-8000 (it restarts)",
        "  hostC  restart heat-scaleout-api@8004.service (requested)",
        "  hostC  restart heat-scaleout-cfn@8000.service (requested)",
    ]


def test_our_own_bug_is_in_the_log_by_its_place_without_its_words(invoke, inventory, fleet, logs):
    def broken(host, when, step):
        raise ZeroDivisionError("canary-value")

    fleet.moment = broken

    with pytest.raises(ZeroDivisionError):
        deploy(invoke, inventory)

    text = only(logs).read_text()
    assert "error   ZeroDivisionError" in text and "preflight/gate.py:" in text
    assert "canary" not in text and text.endswith("ended with 1\n")


def test_answer_to_the_question_is_in_the_log(invoke, inventory, fleet, logs, monkeypatch):
    monkeypatch.setattr("sys.stdin.isatty", lambda: True, raising=False)
    monkeypatch.setattr("sys.stdin.readline", lambda: "n\n", raising=False)

    assert invoke("deploy", "--inventory", inventory)[0] == 0

    assert "Apply this plan? [y/N] n\n" in only(logs).read_text()
