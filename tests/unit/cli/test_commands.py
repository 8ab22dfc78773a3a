"""The commands at the terminal: exit codes, clean streams, and no traceback for what an operator can cause."""

import io
import json
import os
import socket
import subprocess
import sys

import pytest
import sites
from command_runs import COMMENTED

from deployer import errors
from deployer.apply import lock
from deployer.model.run import Writer


def of_process(*argv, **environment):
    """Run `invoke` itself, as an operator would."""
    return subprocess.run(
        [sys.executable, "-m", "invoke", *argv],
        capture_output=True,
        text=True,
        timeout=30,
        cwd=sites.ROOT,
        env={**os.environ, "NO_COLOR": "1", **environment},
    )


def test_list_shows_every_command_of_the_contract_and_loads_no_library_for_hosts():
    ran = of_process("--list")

    names = {line.split()[0] for line in ran.stdout.splitlines() if line.startswith("  ") and line.split()}
    assert ran.returncode == 0
    assert names >= {
        "deploy",
        "plan",
        "render",
        "add-engine",
        "add-api",
        "add-cfn",
        "status",
        "preflight",
        "verify",
        "lab.up",
        "lab.down",
        "lab.status",
        "lab.ssh",
    }


def test_loading_the_commands_imports_no_library_that_takes_long():
    heavy = ["fabric", "paramiko", "pydantic", "ruamel", "jinja2", "rich", "openstack", "oslo_config"]
    code = f"import sys, tasks; sys.exit([name for name in {heavy} if name in sys.modules] != [])"

    assert subprocess.run([sys.executable, "-c", code], cwd=sites.ROOT, timeout=30).returncode == 0


def test_bad_inventory_of_a_real_process_ends_with_3_and_no_traceback(tmp_path):
    path = tmp_path / "bad.yaml"
    path.write_text(COMMENTED.replace("engines: 2", "enignes: 2", 1))

    ran = of_process("plan", HEAT_SCALEOUT_INVENTORY=str(path))

    error, hint = ran.stderr.splitlines()
    assert (ran.returncode, ran.stdout) == (3, "")
    assert error.startswith(f"error: {path}:") and 'did you mean "engines"?' in error
    assert hint.startswith("hint: ")


@pytest.mark.parametrize(
    "argv",
    [
        ("plan",),
        ("deploy", "--yes"),
        ("status",),
        ("preflight",),
        ("render", "--out", "x"),
        ("add-engine", "hostB"),
        ("scale", "--engines", "6"),
        ("verify",),
    ],
)
def test_bad_inventory_ends_every_command_with_3_and_all_errors(invoke, tmp_path, argv):
    path = tmp_path / "bad.yaml"
    path.write_text(COMMENTED.replace("engines: 2", "enignes: 2").replace("version: 1", "version: 9"))

    code, out, err = invoke(*argv, "--inventory", path)

    assert (code, out) == (3, "")
    assert err.count(str(path)) == 3
    assert "Traceback" not in err


def test_missing_inventory_ends_with_3_and_names_it(invoke, tmp_path):
    code, out, err = invoke("plan", "--inventory", tmp_path / "nothing.yaml")

    assert (code, out) == (3, "")
    assert "nothing.yaml: there is no such file" in err


@pytest.mark.parametrize(
    ("argv", "words"),
    [
        (("deploy", "--limit", "hostB,hostX"), "there is no host 'hostX'"),
        (("plan", "--limit", "hostX"), "there is no host 'hostX'"),
        (("deploy", "--limit", ","), "there is no host in ','"),
        (("plan", "--format", "yaml"), "--format takes table, json or jsonl, not 'yaml'"),
        (("status", "--format", "yaml"), "--format takes table, json or jsonl"),
        (("add-engine", "hostX"), "has no host hostX"),
        (("add-engine", "hostB", "--count", "many"), "--count takes a number, not 'many'"),
        (("add-engine", "hostB", "--count", "0"), "a change by 0 is no change"),
        (("add-api", "hostB", "--count", "99"), "at most 64"),
        (("scale",), "scale needs a number to scale to"),
        (("scale", "--engines", "many"), "--engines takes a number, not 'many'"),
        (("scale", "--engines", "0"), "this would take the site's last engine away"),
        (("scale", "--api", "0"), "this would take the site's last api away"),
        (("scale", "--cfn", "-1"), "-1 is no number of processes"),
        (("scale", "--workers", "65"), "--workers takes a number from 1 to 64, not 65"),
        (("restart", "--wait", "-1"), "--wait takes a number of seconds from 0 on, not '-1'"),
        (("deploy", "--lock-wait", "-0.5"), "--lock-wait takes a number of seconds from 0 on, not '-0.5'"),
        (("rollback", "--to", "0"), "--to takes a number from 1 on, not '0'"),
        (("status", "--interval", "nan"), "--interval takes a number of seconds, not 'nan'"),
    ],
)
def test_bad_argument_ends_with_3_changes_nothing_and_contacts_nobody(invoke, inventory, fleet, argv, words):
    code, out, err = invoke(*argv, "--inventory", inventory)

    assert (code, out) == (3, "")
    assert words in err and "Traceback" not in err
    assert (fleet.asked, fleet.holds_asked, inventory.read_text()) == ([], [], COMMENTED)


@pytest.mark.parametrize(
    ("argv", "flag"),
    [
        (("deploy", "--limit", ""), "limit"),
        (("deploy", "--limit="), "limit"),
        (("plan", "--out", ""), "out"),
        (("deploy", "--plan", ""), "plan"),
        (("rollback", "--to", ""), "to"),
        (("restart", "--wait", ""), "wait"),
        (("scale", "--engines", ""), "engines"),
        (("render", "--out", ""), "out"),
        (("verify", "--cloud", ""), "cloud"),
        (("add-engine", ""), "host"),
        (("drain", "--host", ""), "host"),
        (("unlock", ""), "id"),
        (("logs", ""), "host"),
        (("logs", "--since", ""), "since"),
        (("logs", "--grep", ""), "grep"),
        (("logs", "--service", ""), "service"),
    ],
)
def test_empty_value_ends_with_3_names_its_flag_and_contacts_nobody(invoke, inventory, fleet, argv, flag):
    code, out, err = invoke(*argv, "--inventory", inventory)

    error, hint = err.splitlines()[:2]
    assert (code, out, error) == (3, "", f"error: --{flag}: the value is empty")
    assert hint.startswith("hint: ") and "variable of the shell" in hint
    assert (fleet.asked, fleet.holds_asked, inventory.read_text()) == ([], [], COMMENTED)


@pytest.mark.parametrize("argv", [("drain", "--limit"), ("add-engine", "-n"), ("logs", "--yes"), ("unlock", "--force")])
def test_flag_that_a_command_does_not_have_is_not_taken_for_a_host_or_an_id(invoke, inventory, fleet, argv):
    code, out, err = invoke(*argv, "--inventory", inventory)

    assert (code, out, fleet.holds_asked, fleet.asked) == (3, "", [], [])
    assert err == f"error: {argv[0]} has no flag {argv[1]}\nhint: `invoke --help {argv[0]}` shows what it takes.\n"


@pytest.mark.parametrize("flag", ["-i", "--inventory"])
def test_empty_inventory_is_not_the_default_one(invoke, inventory, fleet, monkeypatch, flag):
    monkeypatch.setenv("HEAT_SCALEOUT_INVENTORY", str(inventory))

    code, _, err = invoke("plan", flag, "")

    assert (code, "error: --inventory: the value is empty" in err, fleet.asked) == (3, True, [])


def test_every_flag_that_takes_a_value_tells_an_empty_one_from_none(tasks):
    contexts = [each for each in tasks.to_contexts() if not each.name.startswith("lab.")]

    assert [f"{each.name} --{flag}" for each in contexts for flag, has in each.args.items() if has.default == ""] == []
    assert len(contexts) > 20


@pytest.mark.parametrize(
    "argv", [("plan",), ("deploy", "--yes"), ("add-engine", "hostB", "--yes"), ("scale", "--engines", "5", "--yes")]
)
def test_unreachable_hosts_end_with_4_and_are_all_named(invoke, nobody, argv):
    text = nobody.read_text()

    code, out, err = invoke(*argv, "--inventory", nobody)

    assert (code, out, nobody.read_text()) == (4, "", text)
    assert "\nerror: hostA, hostB, hostC: root@127.0.0.1 port " in err
    assert "Is sshd up? Try: ssh -p" in err and "Traceback" not in err


@pytest.mark.parametrize(
    "argv", [("plan", "--inventory", "\x1b[31mx"), ("deploy", "--plan", "\x1b[31mx"), ("drain", "\x1b[31mx", "--yes")]
)
def test_control_characters_of_the_command_line_never_reach_the_terminal(invoke, inventory, fleet, monkeypatch, argv):
    monkeypatch.setenv("HEAT_SCALEOUT_INVENTORY", str(inventory))

    code, out, err = invoke(*argv)

    assert (code, out) == (3, "")
    assert "\x1b" not in err
    assert "1b[31mx" in err


def test_ssh_configuration_that_cannot_be_used_is_told_once(invoke, nobody, tmp_path):
    (tmp_path / "config").write_text("Prot 22\n")
    nobody.write_text(nobody.read_text().replace("ssh: {port", f"ssh: {{ssh_config: {tmp_path}/config, port"))

    code, _, err = invoke("plan", "--inventory", nobody)

    assert code == 4
    assert f"\nerror: hostA, hostB, hostC: the SSH configuration cannot be used: {tmp_path}/config: line 1: " in err
    assert (err.count("error:"), err.count("hint:")) == (1, 1)


def test_status_of_unreachable_hosts_shows_them_as_such(invoke, nobody):
    code, out, err = invoke("status", "--inventory", nobody, "--format", "json")

    assert code == 4
    assert err.count("error: host") == 3 and "Traceback" not in err
    assert {each["state"] for each in json.loads(out)["instances"]} == {"unreachable"}


def test_preflight_of_unreachable_hosts_ends_with_3_and_lists_them(invoke, nobody):
    code, out, _ = invoke("preflight", "--inventory", nobody)

    assert (code, len(out.splitlines())) == (3, 3)


def test_plan_ends_with_0_and_shows_the_steps_on_stdout_alone(invoke, inventory, fleet):
    code, out, err = invoke("plan", "--inventory", inventory)

    assert (code, err) == (0, "")
    assert "hostB  write /etc/heat/heat.conf (new)" in out
    assert out.splitlines()[-1].endswith("nothing applied (plan)")


def test_plan_with_exit_code_ends_with_2_while_something_is_to_be_done(invoke, inventory, fleet):
    assert invoke("plan", "--inventory", inventory, "--exit-code")[0] == 2

    assert invoke("deploy", "--inventory", inventory, "--yes")[0] == 0

    assert invoke("plan", "--inventory", inventory, "--exit-code")[0] == 0


def test_plan_as_json_is_the_contract_and_alone_on_stdout(invoke, inventory, fleet):
    _, out, _ = invoke("plan", "--inventory", inventory, "--format", "json")

    data = json.loads(out)
    assert (data["schema_version"], list(data["hosts"])) == (1, ["hostA", "hostB", "hostC"])
    assert data["changes"] == sum(map(len, data["hosts"].values())) > 20
    assert set(data["hosts"]["hostB"][0]) == {"step", "because"}


def test_plan_with_diff_shows_what_changes_in_each_file_and_no_secret(invoke, inventory, fleet):
    code, out, err = invoke("plan", "--inventory", inventory, "--diff")

    assert code == 0
    assert "+++ hostB:/etc/heat/heat.conf" in out
    assert "root:admin@" not in out + err


def test_plan_with_diff_as_json_has_the_diffs(invoke, inventory, fleet):
    _, out, _ = invoke("plan", "--inventory", inventory, "--diff", "--format", "json")

    assert "hostB:/etc/heat/heat.conf" in json.loads(out)["diffs"]


def test_deploy_shows_its_plan_on_stderr_and_its_result_on_stdout(invoke, inventory, fleet):
    code, out, err = invoke("deploy", "--inventory", inventory, "--yes")

    assert code == 0
    assert "about to be applied" in err
    assert out.endswith("steps done. This is generation 1.\n")


def test_second_deploy_says_that_there_is_nothing_to_do(invoke, inventory, fleet):
    invoke("deploy", "--inventory", inventory, "--yes")

    code, out, err = invoke("deploy", "--inventory", inventory)

    assert (code, out) == (0, "Nothing to do: every host is as wanted.\n")
    assert err.startswith("log: /") and len(err.splitlines()) == 1


def test_deploy_as_json_is_alone_on_stdout(invoke, inventory, fleet):
    code, out, _ = invoke("deploy", "--inventory", inventory, "--yes", "--format", "json")

    data = json.loads(out)
    assert (code, data["failed"], data["left"]) == (0, {}, [])
    assert len(data["done"]) == data["changes"] > 20


def test_deploy_that_fails_on_a_host_ends_with_5_and_says_what_is_left_once(invoke, inventory, fleet):
    fleet.breaks("hostC", '"start"', "Job failed")

    code, out, err = invoke("deploy", "--inventory", inventory, "--yes")

    assert code == 5
    assert "hostC  FAILED  could not start heat-scaleout-engine@1.service" in out
    left = [line for line in out.splitlines() if "  left  " in line]
    assert left and sorted(left) == sorted(set(left))
    assert "run `invoke deploy`" in out
    assert "Traceback" not in out + err


def test_deploy_that_preflight_refuses_ends_with_3(invoke, inventory, fleet):
    fleet.hosts["hostB"].paths = set()

    code, out, err = invoke("deploy", "--inventory", inventory, "--yes")

    assert (code, out) == (3, "")
    assert "Heat is not installed below /opt/heat" in err


def test_limit_shows_the_named_hosts_alone(invoke, inventory, fleet):
    _, out, _ = invoke("plan", "--inventory", inventory, "--limit", "hostB", "--format", "json")

    assert list(json.loads(out)["hosts"]) == ["hostB"]


def test_add_engine_edits_the_number_alone_and_starts_it(invoke, inventory, fleet):
    invoke("deploy", "--inventory", inventory, "--yes")
    before = fleet.hosts["hostB"].running()

    code, _, _ = invoke("add-engine", "hostB", "--inventory", inventory, "--yes")

    assert code == 0
    assert inventory.read_text() == COMMENTED.replace("engines: 2", "engines: 3", 1)
    assert fleet.hosts["hostB"].running() == before | {
        "heat-scaleout-engine@3.service": fleet.hosts["hostB"].running()["heat-scaleout-engine@3.service"]
    }


@pytest.mark.parametrize(
    ("command", "old", "new"),
    [("add-api", "api: 1", "api: 3"), ("add-cfn", "cfn: 1", "cfn: 3"), ("add-engine", "engines: 2", "engines: 4")],
)
def test_add_with_a_count_adds_that_many(invoke, inventory, fleet, command, old, new):
    code, _, _ = invoke(command, "hostB", "--count", "2", "--inventory", inventory, "--yes")

    assert (code, inventory.read_text()) == (0, COMMENTED.replace(old, new, 1))


def test_remove_api_drains_it_and_edits_the_number_alone(invoke, inventory, fleet):
    invoke("add-api", "hostB", "--inventory", inventory, "--yes")

    code, _, err = invoke("remove-api", "hostB", "--inventory", inventory, "--yes")

    assert (code, inventory.read_text()) == (0, COMMENTED)
    assert "drain rest_api_proxy/hostB-8005 (not in the inventory)" in err
    assert "heat-scaleout-api@8005.service" not in fleet.hosts["hostB"].running()


def test_remove_engine_waits_for_its_work_and_edits_the_number_alone(invoke, inventory, fleet):
    invoke("deploy", "--inventory", inventory, "--yes")
    fleet.holds("hostB", times=1)

    code, _, err = invoke("remove-engine", "hostB", "--inventory", inventory, "--yes")

    assert (code, inventory.read_text()) == (0, COMMENTED.replace("engines: 2", "engines: 1", 1))
    assert "stop heat-scaleout-engine@2.service (not in the inventory)" in err


def test_remove_engine_that_still_works_ends_with_5_names_the_work_and_kills_nothing(invoke, inventory, fleet):
    invoke("deploy", "--inventory", inventory, "--yes")
    fleet.holds("hostB", times=9)

    code, out, _ = invoke("remove-engine", "hostB", "--wait", "0", "--inventory", inventory, "--yes")

    assert code == 5
    assert "hostB  FAILED  hostB-engine-2 still works on web/server (CREATE)" in out
    assert "`invoke logs hostB --service engine` shows what it does. --wait gives it more seconds" in out


def test_remove_host_takes_the_host_out_of_the_site_and_then_out_of_the_file(invoke, inventory, fleet):
    invoke("deploy", "--inventory", inventory, "--yes")

    code, out, err = invoke("remove-host", "hostC", "--inventory", inventory, "--yes")

    assert (code, inventory.read_text()) == (
        0,
        sites.an_inventory_text(hostC="").replace("  hostB", "  # grows first\n  hostB"),
    )
    assert "hostC  stop heat-scaleout-engine@1.service (not in the inventory)" in err
    assert "This is generation 2." in out
    assert fleet.hosts["hostC"].running() == {}


def test_host_deleted_from_the_file_ends_every_deploy_with_3_and_is_removed_by_name(invoke, inventory, fleet):
    invoke("deploy", "--inventory", inventory, "--yes")
    inventory.write_text(sites.an_inventory_text(hostC=""))

    for command in ("plan", "deploy", "restart", "preflight"):
        code, out, err = invoke(command, "--inventory", inventory)
        assert (code, "hostC is no longer in the inventory, but runs api@8004" in out + err) == (3, True)
    assert invoke("status", "--exit-code", "--inventory", inventory)[0] == 8
    assert invoke("remove-host", "hostC", "--inventory", inventory, "--yes")[0] == 0
    assert invoke("plan", "--exit-code", "--inventory", inventory)[0] == 0


def test_remove_host_that_is_gone_connects_to_the_others_alone(invoke, inventory, fleet):
    invoke("deploy", "--inventory", inventory, "--yes")
    for unit in fleet.hosts["hostC"].units.values():
        unit.state = "inactive"
    fleet.loses("hostC")

    code, _, err = invoke("remove-host", "hostC", "--gone", "--inventory", inventory, "--yes")

    assert (code, fleet.opened) == (0, {"hostA", "hostB"})
    assert "delete rows and queues of the engines of hostC (their host is gone)" in err


def test_drain_and_undrain_edit_one_word_and_reload_the_proxy(invoke, inventory, fleet):
    invoke("deploy", "--inventory", inventory, "--yes")

    code, _, err = invoke("drain", "hostB", "--inventory", inventory, "--yes")

    assert (code, "drained: true" in inventory.read_text()) == (0, True)
    assert "reload heat-scaleout-proxy.service" in err
    assert invoke("drain", "hostB", "--inventory", inventory, "--yes")[:2] == (
        0,
        "Nothing to do: every host is as wanted.\n",
    )
    assert invoke("undrain", "hostB", "--inventory", inventory, "--yes")[0] == 0
    assert inventory.read_text() == COMMENTED.replace("engines: 2}", "engines: 2, drained: false}", 1)


@pytest.mark.parametrize(
    "argv", [("restart",), ("restart", "--limit", "hostB"), ("drain", "hostB"), ("undrain", "hostB")]
)
def test_command_about_a_running_site_is_no_first_deploy(invoke, inventory, fleet, argv):
    text = inventory.read_text()

    code, out, err = invoke(*argv, "--inventory", inventory, "--yes", "--force")

    assert (code, out, inventory.read_text()) == (3, "", text)
    assert "error: nothing of site is deployed yet\nhint: Nothing was changed." in err
    assert all("perform" not in verb for _, verb, _ in fleet.asked)


@pytest.mark.parametrize("command", ["drain", "undrain"])
def test_change_of_traffic_that_would_lose_requests_is_refused_unless_forced(invoke, inventory, fleet, command):
    invoke("deploy", "--inventory", inventory, "--yes")
    invoke("drain", "hostB", "--inventory", inventory, "--yes")
    text, running = inventory.read_text(), fleet.hosts["hostC"].running()
    has_new_heat_conf(fleet)

    code, out, err = invoke(command, "hostB", "--inventory", inventory, "--yes")

    assert (code, out, inventory.read_text(), fleet.hosts["hostC"].running()) == (3, "", text, running)
    assert "error: hostC: rest_api_proxy has no other server while hostC-8004 restarts: requests fail" in err
    assert "run `invoke deploy` first, or use --force" in err
    code, _, err = invoke(command, "hostB", "--inventory", inventory, "--yes", "--force")
    assert (code, "note: hostC: rest_api_proxy has no other server" in err) == (0, True)


def test_drain_with_other_changes_that_lose_no_request_applies_them_too(invoke, inventory, fleet):
    invoke("deploy", "--inventory", inventory, "--yes")
    has_new_heat_conf(fleet)

    code, _, err = invoke("drain", "hostB", "--inventory", inventory, "--yes")

    assert (code, "hostC  restart heat-scaleout-api@8004.service (its configuration changed)" in err) == (0, True)


@pytest.mark.parametrize("quiet", [(), ("--quiet",)])
@pytest.mark.parametrize("command", ["deploy", "restart"])
def test_site_of_a_single_host_restarts_with_a_note(invoke, inventory, fleet, command, quiet):
    inventory.write_text(sites.an_inventory_text(hostC=""))
    invoke("deploy", "--inventory", inventory, "--yes")
    has_new_heat_conf(fleet)

    code, _, err = invoke(command, "--inventory", inventory, "--yes", *quiet)

    assert (code, "note: hostB: rest_api_proxy has no other server while hostB-8004 restarts" in err) == (0, True)
    assert ("about to be applied" in err) == (not quiet)


def test_plan_tells_of_the_requests_that_it_would_lose_also_when_it_is_quiet(invoke, inventory, fleet):
    inventory.write_text(sites.an_inventory_text(hostC=""))
    invoke("deploy", "--inventory", inventory, "--yes")
    has_new_heat_conf(fleet)

    for flags in ((), ("-q",)):
        _, _, err = invoke("plan", "--inventory", inventory, *flags)
        assert err.count("note: hostB: rest_api_proxy has no other server while hostB-8004 restarts") == 1


def test_quiet_json_lines_have_the_requests_that_are_lost_as_a_warning(invoke, inventory, fleet):
    inventory.write_text(sites.an_inventory_text(hostC=""))
    invoke("deploy", "--inventory", inventory, "--yes")

    _, out, _ = invoke("restart", "--inventory", inventory, "--yes", "-q", "--format", "jsonl")

    assert [json.loads(line)["event"] for line in out.splitlines()] == ["warning", "warning", "result"]


def has_new_heat_conf(fleet):
    """Change the source's heat.conf, which every process reads."""
    text = sites.CONF + "[cache]\nenabled = true\n"
    fleet.hosts["hostA"].has_file("/etc/heat/heat.conf", text, group="heat", mode=0o640)


def test_restart_of_a_host_restarts_its_processes_and_no_other(invoke, inventory, fleet):
    invoke("deploy", "--inventory", inventory, "--yes")
    before = {name: host.running() for name, host in fleet.hosts.items()}

    code, out, _ = invoke("restart", "--limit", "hostC", "--inventory", inventory, "--yes")

    after = {name: host.running() for name, host in fleet.hosts.items()}
    assert (code, after["hostB"]) == (0, before["hostB"])
    assert set(after["hostC"].values()).isdisjoint(before["hostC"].values())
    assert "steps done" in out


@pytest.mark.parametrize("flags", [("--wait", "soon"), ("--wait", "1", "--limit", "hostX")])
def test_restart_with_a_wrong_flag_ends_with_3_and_contacts_nobody(invoke, inventory, fleet, flags):
    assert invoke("restart", *flags, "--inventory", inventory, "--yes")[0] == 3
    assert fleet.asked == []


def test_recover_lists_what_dead_engines_left_and_takes_it_away(invoke, inventory, fleet):
    fleet.dead_workers = [
        {
            "engine_id": "id-1",
            "host": "hostC-engine-1",
            "held": ["web/server (CREATE)"],
            "queues": ["engine_worker.id-1"],
        }
    ]

    code, out, err = invoke("recover", "--inventory", inventory, "--yes")

    assert code == 0
    assert "hostC-engine-1  id-1  web/server (CREATE); 1 queues" in err
    assert "1 dead workers: cleaned; 1 marked as failed" in out
    assert invoke("recover", "--inventory", inventory)[1] == ("Nothing to recover: no dead engine has left anything.\n")


def test_restore_asks_for_the_sites_name_on_a_terminal(invoke, inventory, fleet, monkeypatch):
    invoke("deploy", "--inventory", inventory, "--yes")
    monkeypatch.setattr(sys.stdin, "isatty", lambda: True, raising=False)
    monkeypatch.setattr(sys.stdin, "readline", lambda: "y\n", raising=False)

    code, _, err = invoke("restore", "--inventory", inventory)
    assert (code, "To go on, type its name (site): " in err, "Nothing was changed." in err) == (0, True, True)
    assert fleet.hosts["hostB"].running()

    monkeypatch.setattr(sys.stdin, "readline", lambda: "site\n", raising=False)
    assert invoke("restore", "--inventory", inventory)[0] == 0
    assert fleet.hosts["hostB"].running() == {}


@pytest.mark.parametrize("stdin", [io.StringIO("site\n"), None], ids=["pipe", "closed"])
def test_restore_without_a_terminal_is_refused_before_any_host_is_asked(invoke, inventory, fleet, monkeypatch, stdin):
    invoke("deploy", "--inventory", inventory, "--yes")
    asked = len(fleet.asked)
    monkeypatch.setattr(sys, "stdin", stdin)

    code, _, err = invoke("restore", "--inventory", inventory)

    assert (code, len(fleet.asked)) == (3, asked)
    assert "no terminal to ask on" in err and "--yes" in err
    assert invoke("restore", "--inventory", inventory, "--yes")[0] == 0
    assert fleet.hosts["hostB"].running() == {}


def test_last_of_a_kind_is_not_removed(invoke, inventory, fleet):
    text = COMMENTED.replace("cfn: 1", "cfn: 0", 1)
    inventory.write_text(text)

    code, out, err = invoke("remove-cfn", "hostC", "--inventory", inventory, "--yes")

    assert (code, out, inventory.read_text()) == (3, "", text)
    assert "this would take the site's last cfn away" in err
    assert fleet.asked == []


def test_scale_spreads_totals_over_the_hosts_and_edits_the_numbers_alone(invoke, inventory, fleet):
    invoke("deploy", "--inventory", inventory, "--yes")
    fleet.hosts["hostB"].cpus = 8
    before = fleet.performed()

    code, _, err = invoke("scale", "--engines", "7", "--api", "3", "--inventory", inventory, "--yes")

    assert code == 0, err
    assert inventory.read_text() == COMMENTED.replace("engines: 2", "engines: 5", 1).replace("api: 1", "api: 2", 1)
    assert fleet.performed()["hostC"] == before["hostC"]
    assert "start heat-scaleout-engine@5.service (not running)" in err


def test_scale_down_stops_what_leaves_and_touches_nothing_else(invoke, inventory, fleet):
    invoke("deploy", "--inventory", inventory, "--yes")
    before = {name: host.running() for name, host in fleet.hosts.items()}

    code, _, err = invoke("scale", "--engines", "3", "--inventory", inventory, "--yes")

    left = {name: set(before[name]) - set(host.running()) for name, host in fleet.hosts.items()}
    assert (code, left) == (0, {"hostA": set(), "hostB": set(), "hostC": {"heat-scaleout-engine@2.service"}})
    assert "hostC: {address: 10.0.0.3, api: 1, cfn: 1, engines: 1}" in inventory.read_text()


def test_scale_down_takes_the_engine_that_works_on_the_least(invoke, inventory, fleet):
    invoke("deploy", "--inventory", inventory, "--yes")
    fleet.held = {"hostC-engine-2": 7, "hostB-engine-2": 1, "hostB-engine-1": 9}

    code, _, err = invoke("scale", "--engines", "3", "--inventory", inventory, "--yes")

    assert (code, "hostB  stop heat-scaleout-engine@2.service" in err, "hostC  stop" in err) == (0, True, False)


def test_scale_leaves_a_drained_host_what_it_has_and_counts_it(invoke, inventory, fleet):
    invoke("deploy", "--inventory", inventory, "--yes")
    invoke("drain", "hostB", "--inventory", inventory, "--yes")

    code, _, err = invoke("scale", "--engines", "5", "--inventory", inventory, "--yes")

    assert code == 0
    assert "hostC  start heat-scaleout-engine@3.service" in err
    assert "engines: 3" in inventory.read_text()


def test_scale_to_what_is_there_changes_nothing(invoke, inventory, fleet):
    invoke("deploy", "--inventory", inventory, "--yes")

    code, out, _ = invoke("scale", "--engines", "4", "--api", "2", "--cfn", "2", "--inventory", inventory)

    assert (code, out, inventory.read_text()) == (0, "Nothing to do: every host is as wanted.\n", COMMENTED)


def test_scale_of_workers_restarts_engines_host_by_host_and_nothing_else(invoke, inventory, fleet):
    invoke("deploy", "--inventory", inventory, "--yes")
    before = {name: host.running() for name, host in fleet.hosts.items()}

    code, out, _ = invoke("scale", "--workers", "6", "--inventory", inventory, "--yes", "--format", "json")

    restarts = [each["host"] for each in json.loads(out)["done"] if each["step"].startswith("restart ")]
    assert (code, restarts) == (0, ["hostB", "hostB", "hostC", "hostC"])
    assert inventory.read_text() == COMMENTED.replace("prefix: /opt/heat, ", "prefix: /opt/heat, engine_workers: 6, ")
    changed = {
        unit for name, host in fleet.hosts.items() for unit, pid in host.running().items() if pid != before[name][unit]
    }
    assert changed == {"heat-scaleout-engine@1.service", "heat-scaleout-engine@2.service"}


def test_scale_of_workers_tells_of_hosts_that_keep_their_own(invoke, inventory, fleet):
    inventory.write_text(COMMENTED.replace("10.0.0.3, ", "10.0.0.3, heat: {engine_workers: 8}, "))

    code, _, err = invoke("scale", "--workers", "6", "--inventory", inventory, "--yes")

    assert code == 0
    assert "note: hostC keeps engines of 8 workers: hosts.hostC.heat.engine_workers" in err


def test_scale_that_is_not_accepted_leaves_the_file_as_it_was(invoke, inventory, fleet, monkeypatch):
    monkeypatch.setattr(sys.stdin, "isatty", lambda: True, raising=False)
    monkeypatch.setattr(sys.stdin, "readline", lambda: "n\n", raising=False)

    code, out, err = invoke("scale", "--engines", "9", "--inventory", inventory)

    assert (code, out, inventory.read_text()) == (0, "", COMMENTED)
    assert "Apply this plan? [y/N]" in err and "Nothing was changed." in err


def test_add_that_preflight_refuses_leaves_the_file_as_it_was(invoke, inventory, fleet):
    fleet.hosts["hostB"].skew = 99.0

    code, _, _ = invoke("add-engine", "hostB", "--inventory", inventory, "--yes")

    assert (code, inventory.read_text()) == (3, COMMENTED)


def test_add_that_is_not_accepted_leaves_the_file_as_it_was(invoke, inventory, fleet, monkeypatch):
    monkeypatch.setattr(sys.stdin, "isatty", lambda: True, raising=False)
    monkeypatch.setattr(sys.stdin, "readline", lambda: "n\n", raising=False)

    code, out, err = invoke("add-engine", "hostB", "--inventory", inventory)

    assert (code, out, inventory.read_text()) == (0, "", COMMENTED)
    assert "Apply this plan? [y/N]" in err and "Nothing was changed." in err


def test_deploy_asks_on_a_terminal_and_goes_on_with_yes(invoke, inventory, fleet, monkeypatch):
    monkeypatch.setattr(sys.stdin, "isatty", lambda: True, raising=False)
    monkeypatch.setattr(sys.stdin, "readline", lambda: "y\n", raising=False)

    code, out, err = invoke("deploy", "--inventory", inventory)

    assert code == 0
    assert "Apply this plan? [y/N]" in err
    assert out.endswith("steps done. This is generation 1.\n")


def test_deploy_with_yes_asks_nobody_on_a_terminal(invoke, inventory, fleet, monkeypatch):
    monkeypatch.setattr(sys.stdin, "isatty", lambda: True, raising=False)
    monkeypatch.setattr(sys.stdin, "readline", lambda: "n\n", raising=False)

    code, out, err = invoke("deploy", "--inventory", inventory, "--yes")

    assert (code, "[y/N]" in err) == (0, False)
    assert out.endswith("steps done. This is generation 1.\n")


def test_deploy_with_closed_standard_input_asks_nobody(invoke, inventory, fleet, monkeypatch):
    monkeypatch.setattr(sys, "stdin", None)

    code, out, err = invoke("deploy", "--inventory", inventory)

    assert (code, "steps done" in out, "[y/N]" in err) == (0, True, False)


def test_interruption_ends_with_130_and_says_how_to_go_on(invoke, inventory, fleet):
    def interrupted(*_):
        raise KeyboardInterrupt

    fleet.ask = interrupted

    code, out, err = invoke("deploy", "--inventory", inventory, "--yes")

    assert (code, out) == (130, "")
    assert "interrupted: run the same command again, or `invoke deploy`" in err


def test_inventory_that_a_host_refuses_when_it_is_staged_is_not_written(invoke, inventory, fleet):
    invoke("deploy", "--inventory", inventory, "--yes")
    before = inventory.read_text()
    fleet.hosts["hostA"].read_only = True

    refused, _, err = invoke("add-api", "hostB", "--inventory", inventory, "--yes")
    text = inventory.read_text()
    fleet.hosts["hostA"].read_only = False
    again, _, _ = invoke("add-api", "hostB", "--inventory", inventory, "--yes")

    assert (refused, text, again) == (3, before, 0)
    assert "hostA: /etc/heat-scaleout cannot be written to: its file system is read-only" in err
    assert len(fleet.hosts["hostB"].listeners) == 3


def test_our_own_bug_keeps_its_traceback(invoke, inventory, fleet):
    fleet.ask = lambda *_: 1 / 0

    with pytest.raises(ZeroDivisionError):
        invoke("plan", "--inventory", inventory)


def test_status_as_table_and_as_json_show_the_same_processes(invoke, inventory, fleet):
    invoke("deploy", "--inventory", inventory, "--yes")

    code, table, _ = invoke("status", "--inventory", inventory)
    _, text, _ = invoke("status", "--inventory", inventory, "--format", "json")

    units = [each["unit"] for each in json.loads(text)["instances"]]
    assert code == 0
    assert len(units) == 10
    assert [unit for unit in units if unit.removesuffix(".service") not in table] == []


def test_status_ends_with_8_on_drift_when_it_is_asked_to(invoke, inventory, fleet):
    invoke("deploy", "--inventory", inventory, "--yes")
    assert invoke("status", "--inventory", inventory, "--exit-code")[0] == 0
    fleet.hosts["hostC"].dies("heat-scaleout-engine@1.service", again=False)

    assert invoke("status", "--inventory", inventory)[0] == 0
    code, out, _ = invoke("status", "--inventory", inventory, "--exit-code", "--format", "json")

    assert (code, json.loads(out)["drift"]) == (8, True)


def test_status_without_a_host_ends_with_4_whatever_drifts(invoke, inventory, fleet):
    fleet.loses("hostC")

    code, out, err = invoke("status", "--inventory", inventory, "--exit-code")

    assert (code, "unreachable" in out, err.splitlines()[-1]) == (4, True, "error: hostC: connection refused")


def test_watch_that_counts_drift_ends_at_the_first_of_it(invoke, inventory, fleet):
    code, out, err = invoke("status", "--inventory", inventory, "--watch", "--exit-code")

    assert (code, err) == (8, "")
    assert out.count("HOST") == 1


def test_plan_is_not_written_to_a_fifo_that_nobody_reads(invoke, inventory, fleet, tmp_path):
    os.mkfifo(tmp_path / "fifo")

    code, _, err = invoke("plan", "--out", tmp_path / "fifo", "--inventory", inventory)

    assert (code, str(tmp_path / "fifo") in err) == (3, True)


def test_interval_that_is_no_number_ends_with_3(invoke, inventory, fleet):
    code, _, err = invoke("status", "--inventory", inventory, "--watch", "--interval", "often")

    assert (code, "--interval takes a number of seconds" in err) == (3, True)


def test_preflight_of_ready_hosts_says_so(invoke, inventory, fleet):
    assert invoke("preflight", "--inventory", inventory)[:2] == (0, "3 hosts are ready.\n")


def test_preflight_as_json_lists_the_problems(invoke, inventory, fleet):
    fleet.hosts["hostB"].skew = 99.0

    code, out, _ = invoke("preflight", "--inventory", inventory, "--format", "json")

    assert (code, json.loads(out)["schema_version"], len(json.loads(out)["problems"])) == (3, 1, 1)


def test_what_to_know_of_stacks_is_noted_before_the_first_change_and_by_preflight(invoke, inventory, fleet):
    fleet.stacks_bound_to_loopback = 7

    code, out, err = invoke("preflight", "--inventory", inventory)
    _, _, deployed = invoke("deploy", "--inventory", inventory, "--yes")

    assert (code, out) == (0, "3 hosts are ready.\n")
    assert "note: 7 stacks were created" in err
    assert deployed.index("note: 7 stacks were created") < deployed.index("about to be applied")


@pytest.mark.parametrize("name", ["hostA", "hostB"])
@pytest.mark.parametrize("command", ["plan", "preflight", "status", "history", "deploy"])
def test_login_that_is_not_root_ends_every_command_with_3_and_what_to_do(invoke, inventory, fleet, command, name):
    fleet.fails_with(name, errors.NotRoot(name, "operator is not root there (uid 1000)", hint="Set `sudo: true`."))

    code, out, err = invoke(command, "--inventory", inventory)

    assert code == 3
    assert f"{name}: operator is not root there" in out + err


def test_render_with_a_local_source_needs_no_host(invoke, inventory, tmp_path):
    folder = tmp_path / "source"
    folder.mkdir()
    (folder / "heat.conf").write_text(sites.CONF)

    code, out, _ = invoke("render", "--inventory", inventory, "--out", tmp_path / "out", "--source", folder)

    assert (code, out) == (0, f"26 files written below {tmp_path / 'out'}\n")
    assert "bind_host = 10.0.0.3" in (tmp_path / "out" / "hostC" / "etc" / "heat" / "heat.conf").read_text()


def test_render_shows_the_warnings_that_plan_has(invoke, inventory, tmp_path):
    folder = tmp_path / "source"
    folder.mkdir()
    (folder / "heat.conf").write_text(sites.CONF + "[mine]\nurl = http://127.0.0.1:9000\n")
    arguments = ("render", "--inventory", inventory, "--out", tmp_path / "out", "--source", folder)

    _, out, err = invoke(*arguments)
    _, shown, _ = invoke(*arguments, "--format", "json")

    warning = "hostA:/etc/heat/heat.conf:13: [mine] url: still names loopback host 127.0.0.1"
    assert warning in err and warning not in out
    assert json.loads(shown)["notes"] == [warning]


def test_render_of_a_source_that_is_no_folder_ends_with_3(invoke, inventory, tmp_path):
    code, _, err = invoke("render", "--inventory", inventory, "--out", tmp_path, "--source", tmp_path / "nothing")

    assert code == 3
    assert "is not a folder" in err


@pytest.mark.parametrize("place", ["file", "file/below", "/dev/null"])
def test_render_to_what_is_no_folder_ends_with_3(invoke, inventory, fleet, tmp_path, place):
    (tmp_path / "file").write_text("mine")

    code, _, err = invoke("render", "--inventory", inventory, "--out", tmp_path / place)

    assert code == 3
    assert "cannot be written: Not a directory" in err and "--out takes a folder" in err
    assert (tmp_path / "file").read_text() == "mine"


@pytest.mark.parametrize(("stage", "is_edited"), [("stage", False), ("start engines", True)])
def test_interrupted_edit_of_the_inventory_tells_whether_the_same_command_would_make_it_again(
    invoke, inventory, fleet, stage, is_edited
):
    invoke("deploy", "--yes", "--inventory", inventory)
    text, ask = inventory.read_text(), fleet.ask

    def interrupted(title, *args, **kwargs):
        if title == stage:
            raise KeyboardInterrupt
        return ask(title, *args, **kwargs)

    fleet.ask = interrupted
    code, _, err = invoke("add-engine", "hostB", "--yes", "--inventory", inventory)

    assert code == 130
    assert (inventory.read_text() != text) is is_edited
    assert ("interrupted: run the same command again" in err) is not is_edited
    assert (f"interrupted: {inventory} has the change by now: run `invoke deploy`" in err) is is_edited


def test_inventory_is_found_by_its_name_and_by_the_environment(invoke, fleet, inventory, monkeypatch):
    monkeypatch.chdir(sites.ROOT)
    assert invoke("plan", "--inventory", "guide")[0] == 0
    monkeypatch.setenv("HEAT_SCALEOUT_INVENTORY", str(inventory))

    assert "hostC" in invoke("plan")[1]


@pytest.fixture
def alice(fleet):
    """Another command that holds the lock: how to end it is its value."""
    other = type(fleet)(fleet.hosts)
    lock.take(sites.an_inventory(), other, Writer("1f3a", "alice", "desk", 4711, "invoke deploy --yes"))
    yield other
    other.__exit__()


WRITERS = [
    ("deploy",),
    ("restart",),
    ("add-engine", "hostB"),
    ("add-api", "hostB"),
    ("add-cfn", "hostB"),
    ("remove-engine", "hostB"),
    ("remove-api", "hostB"),
    ("remove-cfn", "hostB"),
    ("remove-host", "hostB"),
    ("drain", "hostB"),
    ("undrain", "hostB"),
    ("scale", "--engines", "6"),
    ("restore",),
    ("recover",),
]


@pytest.mark.parametrize("argv", WRITERS, ids=" ".join)
def test_second_writer_ends_with_6_before_it_looks_at_a_host(invoke, inventory, fleet, alice, argv):
    code, out, err = invoke(*argv, "--yes", "--inventory", inventory)

    assert (code, out, fleet.asked, inventory.read_text()) == (6, "", [], COMMENTED)
    assert "error: the site is being changed by alice@desk (pid 4711" in err and "--lock-wait" in err


@pytest.mark.parametrize(
    "argv",
    [("plan",), ("status",), ("preflight",), ("render", "--out", "/dev/null/x", "--source", "/none")],
    ids=" ".join,
)
def test_reader_asks_nobody_for_the_lock(invoke, inventory, fleet, alice, argv):
    code, _, err = invoke(*argv, "--inventory", inventory)

    assert (fleet.holds_asked, "being changed" in err, code == 6) == ([], False, False)


@pytest.mark.parametrize("argv", WRITERS, ids=" ".join)
def test_writer_that_waits_runs_when_the_other_has_ended(invoke, inventory, fleet, argv):
    invoke("deploy", "--yes", "--inventory", inventory)
    other = type(fleet)(fleet.hosts)
    lock.take(sites.an_inventory(), other, Writer("1f3a", "alice", "desk", 4711, "invoke deploy --yes"))
    fleet.waited = lambda: other.__exit__()

    code, _, err = invoke(*argv, "--yes", "--lock-wait", "60", "--inventory", inventory)

    assert (code, other.holds_lease()) == (0, False)
    assert "waiting up to 60 s for alice@desk" in err
    assert all(host.locks == {} for host in fleet.hosts.values())


def test_edit_of_the_command_before_is_not_lost(invoke, inventory, fleet, alice):
    def ends():
        inventory.write_text(COMMENTED.replace("engines: 2", "engines: 3", 1))
        alice.__exit__()

    fleet.waited = ends

    code, _, _ = invoke("add-engine", "hostB", "--yes", "--lock-wait", "60", "--inventory", inventory)

    assert (code, inventory.read_text()) == (0, COMMENTED.replace("engines: 2", "engines: 4", 1))


def test_hosts_that_changed_while_a_command_waited_end_it_with_3(invoke, inventory, fleet, alice):
    def ends():
        inventory.write_text(COMMENTED.replace("10.0.0.3", "10.0.0.4", 1))
        alice.__exit__()

    fleet.waited = ends

    code, _, err = invoke("deploy", "--yes", "--lock-wait", "60", "--inventory", inventory)

    assert (code, fleet.asked) == (3, [])
    assert "its hosts were changed while this command waited" in err


def test_inventory_is_not_written_by_a_command_that_lost_its_lock(invoke, inventory, fleet, monkeypatch):
    class Terminal:
        def isatty(self):
            return True

        def readline(self):
            fleet.hosts["hostA"].locks.clear()
            return "y\n"

    monkeypatch.setattr(sys, "stdin", Terminal())

    code, _, err = invoke("add-engine", "hostB", "--inventory", inventory)

    assert (code, inventory.read_text()) == (6, COMMENTED)
    assert "the lock was lost" in err


@pytest.mark.parametrize(
    "argv",
    [
        ("plan",),
        ("deploy",),
        ("scale", "--engines", "6"),
        ("drain", "hostB"),
        ("history",),
        ("rollback",),
        ("status",),
        ("logs",),
        ("preflight",),
        ("lock",),
        ("unlock", "--id", "1"),
        ("render", "--out", "out"),
    ],
)
def test_agents_are_started_ahead_for_the_verb_that_the_hosts_are_first_asked(
    invoke, inventory, fleet, argv, tmp_path, monkeypatch
):
    monkeypatch.chdir(tmp_path)

    invoke(*argv, "--inventory", inventory, *(["--yes"] if argv[0] in ("deploy", "scale", "drain", "rollback") else []))

    assert fleet.opened_verb == fleet.asked[0][1]


def test_writer_with_a_limit_connects_to_no_host_that_it_does_not_take(invoke, inventory, fleet):
    invoke("deploy", "--yes", "--inventory", inventory, "--limit", "hostB")
    assert (fleet.opened, fleet.opened_for_lease) == ({"hostA", "hostB"}, "hostA")

    invoke("deploy", "--yes", "--inventory", inventory)
    assert fleet.opened == {"hostA", "hostB", "hostC"}


def test_lock_wait_that_is_no_number_ends_with_3_and_contacts_nobody(invoke, inventory, fleet):
    code, _, err = invoke("deploy", "--lock-wait", "soon", "--inventory", inventory)

    assert (code, fleet.holds_asked) == (3, [])
    assert "--lock-wait takes a number of seconds, not 'soon'" in err


def test_lock_shows_who_holds_it_or_that_nobody_does(invoke, inventory, fleet, alice):
    held = invoke("lock", "--inventory", inventory)
    as_json = json.loads(invoke("lock", "--inventory", inventory, "--format", "json")[1])
    alice.__exit__()

    assert held[0] == 0 and held[1].startswith("alice@desk (pid 4711, since ")
    assert (as_json["schema_version"], as_json["held_by"]["id"], as_json["held_by"]["owner"]) == (1, "1f3a", "alice")
    assert invoke("lock", "--inventory", inventory)[:2] == (0, "Nobody holds the lock.\n")
    assert json.loads(invoke("lock", "--inventory", inventory, "--format", "json")[1])["held_by"] is None


def test_unlock_ends_the_lock_with_that_id_and_refuses_another(invoke, inventory, fleet, alice):
    code, _, err = invoke("unlock", "--id", "2b2b", "--inventory", inventory)
    assert (code, alice.holds_lease()) == (3, True)
    assert "it is held by alice@desk" in err

    code, _, err = invoke("unlock", "--yes", "--inventory", inventory)
    assert (code, alice.holds_lease()) == (3, True)
    assert "error: unlock has no flag --yes\nhint: `invoke --help unlock` shows what it takes." in err

    code, out, _ = invoke("unlock", "--id", "1f3a", "--inventory", inventory)

    assert (code, alice.holds_lease()) == (0, False)
    assert out.startswith("Ended the lock of alice@desk")


def test_commands_name_of_its_owner_is_the_one_who_used_sudo(invoke, inventory, fleet, monkeypatch):
    observation = []
    monkeypatch.setenv("SUDO_USER", "carol")
    monkeypatch.setattr(sys, "argv", ["/usr/bin/invoke", "deploy", "--limit", "host B"])
    monkeypatch.setattr(
        fleet, "acquire_lease", lambda host, request, limit: observation.append(request["who"]) or {"held_by": {}}
    )

    assert invoke("deploy", "--yes", "--inventory", inventory)[0] == 6

    assert (observation[0]["owner"], observation[0]["pid"], observation[0]["host"]) == (
        "carol",
        os.getpid(),
        socket.gethostname(),
    )
    assert observation[0]["command"] == "invoke deploy --limit host B"


@pytest.fixture
def twice(invoke, inventory, fleet):
    """Two generations: the first deploy, and one more engine on hostB."""
    assert invoke("deploy", "--yes", "--inventory", inventory)[0] == 0
    assert invoke("add-engine", "hostB", "--yes", "--inventory", inventory)[0] == 0
    return fleet


def engines_of(fleet, host):
    return len([unit for unit in fleet.hosts[host].running() if "-engine@" in unit])


def test_history_of_a_new_site_says_that_there_is_none(invoke, inventory, fleet):
    assert invoke("history", "--inventory", inventory)[:2] == (0, "Nothing was deployed so far.\n")


def test_history_lists_each_generation_with_its_command_and_result(invoke, inventory, twice):
    code, out, _ = invoke("history", "--inventory", inventory)

    assert code == 0
    assert [line.split()[0] for line in out.splitlines()] == ["NUMBER", "1", "2"]
    assert all(" done " in line and "hostA,hostB,hostC" in line for line in out.splitlines()[1:])


def test_history_as_json_is_alone_on_stdout_and_has_no_inventorys_text(invoke, inventory, twice):
    code, out, err = invoke("history", "--format", "json", "--inventory", inventory)

    told = json.loads(out)
    assert (code, told["schema_version"], [each["number"] for each in told["generations"]]) == (0, 1, [1, 2])
    assert "grows first" not in out + err


def test_rollback_without_a_number_goes_to_the_one_before_and_puts_its_inventory_back(invoke, inventory, twice):
    code, out, err = invoke("rollback", "--yes", "--inventory", inventory)

    assert (code, inventory.read_text(), engines_of(twice, "hostB")) == (0, COMMENTED, 2)
    assert "This is generation 3." in out
    assert "about to be applied" in err
    assert invoke("plan", "--exit-code", "--inventory", inventory)[0] == 0


def test_rollback_keeps_an_edit_that_had_nothing_to_change(invoke, inventory, twice):
    edited = inventory.read_text() + "# said later\n"
    inventory.write_text(edited)
    same = [invoke("deploy", "--yes", "--inventory", inventory)[:2] for _ in range(2)]
    invoke("add-engine", "hostC", "--yes", "--inventory", inventory)

    invoke("rollback", "--yes", "--inventory", inventory)

    assert inventory.read_text() == edited
    said = "Nothing to do: every host is as wanted."
    assert same == [(0, f"{said} This is generation 3.\n"), (0, f"{said}\n")]


def test_rollback_to_a_number_goes_there_and_back(invoke, inventory, twice):
    grown = inventory.read_text()

    assert invoke("rollback", "--to", "1", "--yes", "--inventory", inventory)[0] == 0
    assert invoke("rollback", "--to", "2", "--yes", "--inventory", inventory)[0] == 0

    assert (inventory.read_text(), engines_of(twice, "hostB")) == (grown, 3)


@pytest.mark.parametrize(("number", "words"), [("9", "there is no generation 9"), ("x", "x")])
def test_rollback_to_a_number_that_is_none_ends_with_3_and_changes_nothing(invoke, inventory, twice, number, words):
    before = inventory.read_text()

    code, out, err = invoke("rollback", "--to", number, "--yes", "--inventory", inventory)

    assert (code, out, inventory.read_text(), engines_of(twice, "hostB")) == (3, "", before, 3)
    assert words in err and "Traceback" not in err


def test_rollback_without_an_earlier_generation_ends_with_3(invoke, inventory, fleet):
    invoke("deploy", "--yes", "--inventory", inventory)

    code, out, err = invoke("rollback", "--yes", "--inventory", inventory)

    assert (code, out) == (3, "")
    assert "no earlier generation" in err and "invoke restore" in err


def test_rollback_to_an_inventory_of_other_hosts_ends_with_3_and_leaves_the_file(invoke, inventory, twice):
    more = inventory.read_text() + "  hostD: {address: 10.0.0.4}\n"
    inventory.write_text(more)
    twice.hosts["hostD"] = type(twice.hosts["hostB"])("hostD", "10.0.0.4")

    code, _, err = invoke("rollback", "--to", "1", "--yes", "--inventory", inventory)

    assert (code, inventory.read_text()) == (3, more)
    assert "hostD was not in it then" in err


def test_rollback_that_is_not_accepted_leaves_hosts_and_file(invoke, inventory, twice, monkeypatch):
    before = inventory.read_text()
    monkeypatch.setattr(sys.stdin, "isatty", lambda: True, raising=False)
    monkeypatch.setattr(sys.stdin, "readline", lambda: "n\n", raising=False)

    code, _, err = invoke("rollback", "--inventory", inventory)

    assert (code, inventory.read_text(), engines_of(twice, "hostB")) == (0, before, 3)
    assert "Nothing was changed." in err


@pytest.fixture
def saved(invoke, inventory, fleet, tmp_path):
    """The plan of a first deploy, in a file."""
    path = tmp_path / "plan.json"
    assert invoke("plan", "--out", path, "--inventory", inventory)[0] == 0
    return path


def test_kept_plan_is_for_its_owner_alone_and_shown_as_ever(invoke, inventory, fleet, tmp_path):
    path = tmp_path / "plan.json"
    path.write_text("old")
    path.chmod(0o644)

    code, out, _ = invoke("plan", "--out", path, "--inventory", inventory)

    assert (code, path.stat().st_mode & 0o777, json.loads(path.read_text())["kind"]) == (0, 0o600, "heat-scaleout plan")
    assert out == invoke("plan", "--inventory", inventory)[1]


def test_plan_notes_a_command_that_is_still_at_work_on_a_host(invoke, inventory, fleet):
    who = {"pid": 7, "at": "20:00:00", "do": "run", "number": 2, "of": 5}
    fleet.hosts["hostB"].is_at_work("/run/heat-scaleout-perform.lock", who)

    code, out, err = invoke("plan", "--inventory", inventory)

    assert (code, err.count("at work")) == (0, 1)
    assert "note: hostB: another command is at work here now (pid 7, since 20:00:00 UTC at step 2 of 5: run);" in err
    assert "at work" not in out


def test_plan_that_cannot_be_kept_ends_with_3(invoke, inventory, fleet, tmp_path):
    code, _, err = invoke("plan", "--out", tmp_path / "none" / "plan.json", "--inventory", inventory)

    assert (code, "No such file or directory" in err) == (3, True)


def test_kept_plan_is_deployed_unasked_with_its_own_inventory(invoke, inventory, fleet, saved):
    code, out, _ = invoke("deploy", "--plan", saved)

    assert (code, "This is generation 1." in out) == (0, True)
    assert invoke("plan", "--exit-code", "--inventory", inventory)[0] == 0


def test_kept_plan_of_some_hosts_is_deployed_to_them_alone(invoke, inventory, fleet, tmp_path):
    path = tmp_path / "plan.json"
    invoke("plan", "--limit", "hostB", "--out", path, "--inventory", inventory)

    assert invoke("deploy", "--plan", path)[0] == 0
    assert [bool(host.running()) for host in fleet.hosts.values()] == [False, True, False]


def moved(invoke, saved):
    """How a deploy of a plan ends that is not what it was."""
    code, out, err = invoke("deploy", "--plan", saved)
    assert (code, out) == (8, "")
    assert "Nothing was changed" in err and "Traceback" not in err
    return err


def test_kept_plan_whose_file_moved_ends_with_8_and_names_it(invoke, fleet, saved):
    fleet.hosts["hostC"].has_file("/etc/heat/heat.conf", "[DEFAULT]\n")

    assert "hostC: /etc/heat/heat.conf is new" in moved(invoke, saved)
    assert [host.running() for host in fleet.hosts.values()] == [{}, {}, {}]


def test_kept_plan_whose_unit_moved_ends_with_8_and_names_it(invoke, inventory, fleet, tmp_path):
    invoke("deploy", "--yes", "--inventory", inventory)
    fleet.hosts["hostA"].files["/etc/heat/heat.conf"].content += b"[cache]\nenabled = true\n"
    path = tmp_path / "plan.json"
    invoke("plan", "--out", path, "--inventory", inventory)
    fleet.hosts["hostB"].dies("heat-scaleout-engine@2.service", again=False)

    assert "hostB: heat-scaleout-engine@2.service has changed" in moved(invoke, path)


def test_kept_plan_whose_inventory_was_edited_ends_with_8(invoke, inventory, fleet, saved):
    inventory.write_text(inventory.read_text().replace("engines: 2", "engines: 3", 1))

    assert f"{inventory}: the inventory has changed" in moved(invoke, saved)


def test_kept_plan_takes_no_other_limit(invoke, fleet, saved):
    code, out, err = invoke("deploy", "--plan", saved, "--limit", "hostB")

    assert (code, out, fleet.holds_asked) == (3, "", [])
    assert "--limit and --plan do not go together" in err


def test_file_that_is_no_plan_ends_with_3(invoke, inventory, fleet):
    code, _, err = invoke("deploy", "--plan", inventory)

    assert (code, "is not a saved plan" in err) == (3, True)


def test_pipe_in_place_of_a_plan_or_an_inventory_is_not_waited_for(invoke, inventory, fleet, tmp_path):
    os.mkfifo(tmp_path / "pipe")

    for flags in (("--plan", tmp_path / "pipe", "--inventory", inventory), ("--inventory", tmp_path / "pipe")):
        code, out, err = invoke("deploy", *flags)
        assert (code, out, err.splitlines()[0]) == (3, "", f"error: {tmp_path}/pipe is not a regular file")
    assert fleet.asked == []


@pytest.mark.parametrize("argv", [("deploy",), ("restart",), ("rollback",)], ids=" ".join)
def test_on_error_with_a_wrong_word_ends_with_3_and_contacts_nobody(invoke, inventory, fleet, argv):
    code, out, err = invoke(*argv, "--on-error", "retry", "--inventory", inventory)

    assert (code, out, fleet.holds_asked, fleet.asked) == (3, "", [], [])
    assert "--on-error takes stop, continue, revert, not 'retry'" in err


def test_deploy_that_reverts_says_what_each_host_has(invoke, inventory, fleet):
    fleet.breaks("hostC", '"start"', "Job failed")

    code, out, _ = invoke("deploy", "--yes", "--on-error", "revert", "--inventory", inventory)

    assert code == 5
    assert [line for line in out.splitlines() if "has " in line] == [
        f"{host}  has     what it had before" for host in ("hostA", "hostB", "hostC")
    ]
    assert [host.running() for host in fleet.hosts.values()] == [{}, {}, {}]


@pytest.mark.parametrize("argv", [("plan",), ("deploy", "--yes"), ("restart", "--yes")], ids=" ".join)
def test_run_that_was_interrupted_is_named_by_the_next_command_on_stderr(invoke, inventory, fleet, argv):
    def killed(host, when, step):
        if (host, when) == ("hostC", "before") and "start heat-scaleout-api" in step.get("description", ""):
            raise KeyboardInterrupt

    fleet.moment = killed
    assert invoke("deploy", "--yes", "--inventory", inventory)[0] == 130
    fleet.moment = lambda host, when, step: None

    code, out, err = invoke(*argv, "--inventory", inventory)

    assert code == 0
    assert "generation 1 (" in err and "has not finished" in err
    assert "was in progress: start heat-scaleout-api@8004.service" in err
    assert "has not finished" not in out
