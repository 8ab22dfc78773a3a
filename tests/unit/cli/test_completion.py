"""What a shell offers at each place of a command line, and that it is silent and quick about it."""

import os
import subprocess
import sys

import pytest
import sites
from invoke import Program

from deployer.cli import command_line, completion, program
from deployer.cli.tasks import namespace

SITE = sites.an_inventory_text()
OTHER = sites.an_inventory_text(hostD="{address: 10.0.0.4, engines: 1}")


HEAVY = ["fabric", "paramiko", "pydantic", "jinja2", "rich", "openstack", "deployer.inventory.reader"]
# Ends with 1 when a library was loaded that takes long, or that could reach a host.
CODE = f"""
import sys
from deployer.cli import program
sys.argv = ["heat-scaleout", "--complete", "--", *sys.argv[1:]]
program.main()
sys.exit(any(name in sys.modules for name in {HEAVY}))
"""


def in_a_process(*words, folder):
    """Complete a command line in a process of its own, which has loaded nothing of the tests."""
    environment = {**os.environ, "PYTHONPATH": str(sites.ROOT)}
    argv = [sys.executable, "-c", CODE, *words]
    return subprocess.run(argv, cwd=folder, capture_output=True, text=True, timeout=30, env=environment)


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A folder with the guide's three hosts as its default inventory, and a site with one more."""
    (tmp_path / "inventories").mkdir()
    (tmp_path / "inventories/lab.yaml").write_text(SITE)
    (tmp_path / "inventories/big.yaml").write_text(OTHER)
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("HEAT_SCALEOUT_INVENTORY", raising=False)
    return tmp_path


@pytest.fixture
def offered(folder, capsys):
    """What is printed for the words of a command line, the last of which is not complete."""

    def of(*words):
        core = program.shown(program.HeatScaleout(namespace=namespace).initial_context)
        capsys.readouterr()
        completion.print_candidates(words, core, namespace)
        out, err = capsys.readouterr()
        assert err == ""
        return [line.partition("\t")[0] for line in out.splitlines()]

    return of


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (["add-e"], ["add-engine"]),
        (["add-engine", ""], ["hostA", "hostB", "hostC"]),
        (["add-engine", "hostB"], ["hostB"]),
        (["drain", "--yes", "hostC"], ["hostC"]),
        (["deploy", "--limit", ""], ["hostA", "hostB", "hostC"]),
        (["deploy", "--limit", "hostB,"], ["hostB,hostA", "hostB,hostC"]),
        (["deploy", "--limit=hostB,hostC,"], ["--limit=hostB,hostC,hostA"]),
        (["status", "--format", ""], ["table", "json", "jsonl"]),
        (["status", "--format=j"], ["--format=json", "--format=jsonl"]),
        (["deploy", "--on-error", "re"], ["revert"]),
        (["deploy", "--inventory", ""], ["big", "lab", "@files"]),
        (["deploy", "--inventory=b"], ["--inventory=big", "@files"]),
        (["deploy", "--plan", ""], ["@files"]),
        (["deploy", "--wait", ""], []),
        (["deploy", "--lim"], ["--limit"]),
        (["add-engine", "hostB", "--c"], ["--count", "--color"]),
        (["--help", "unl"], ["unlock"]),
        (["--print-completion-script", "z"], ["zsh"]),
        (["--vers"], ["--version"]),
        (["unknown-command", "und"], ["undrain"]),
    ],
)
def test_word_at_the_cursor_is_completed_by_what_may_stand_there(offered, words, expected):
    assert offered("heat-scaleout", *words) == expected


@pytest.mark.parametrize(
    ("words", "expected"),
    [(["--inventory", "=", "b"], ["big", "@files"]), (["--format", "="], ["table", "json", "jsonl"])],
)
def test_flag_and_value_that_bash_has_split_at_the_sign_are_completed(offered, words, expected):
    assert offered("heat-scaleout", "deploy", *words) == expected


@pytest.mark.parametrize("words", [["--inventory", "big"], ["-i", "big"], ["--inventory=inventories/big.yaml"]])
def test_inventory_on_the_command_line_tells_the_hosts(offered, words):
    assert "hostD" in offered("heat-scaleout", "add-engine", *words, "")


def test_inventory_of_the_environment_tells_the_hosts(offered, monkeypatch):
    monkeypatch.setenv("HEAT_SCALEOUT_INVENTORY", "big")

    assert "hostD" in offered("heat-scaleout", "add-engine", "")


def test_inventory_of_the_settings_file_tells_the_hosts(offered, folder):
    (folder / "invoke.yaml").write_text("inventory: big")

    assert "hostD" in offered("heat-scaleout", "add-engine", "")


@pytest.mark.parametrize("text", ["", "hosts: [", "hosts: 3", "\0", "a: 1\na: 2", "- hosts"])
def test_inventory_that_is_broken_completes_nothing_and_says_nothing(offered, folder, text):
    (folder / "inventories/lab.yaml").write_text(text)

    assert offered("heat-scaleout", "add-engine", "") == []


@pytest.mark.parametrize("settings", ["inventory: [", "inventory: 3", "inventory: nowhere.yaml", "- a list"])
def test_settings_that_lead_nowhere_complete_no_host_and_say_nothing(offered, folder, settings):
    (folder / "invoke.yaml").write_text(settings)

    assert offered("heat-scaleout", "add-engine", "") == []


def test_device_in_place_of_an_inventory_is_not_read(offered):
    assert offered("heat-scaleout", "add-engine", "--inventory", "/dev/zero", "") == []


@pytest.mark.parametrize(("name", "expected"), [("invoke", "lab.down\tTake a lab away"), ("heat-scaleout", "")])
def test_commands_of_the_lab_are_offered_to_invoke_in_a_checkout_alone(name, expected):
    ran = in_a_process(name, "lab.d", folder=sites.ROOT)

    assert ran.stdout.startswith(expected) and (ran.returncode, ran.stderr) == (0, "")
    assert bool(ran.stdout) is bool(expected)


def test_every_choice_that_is_offered_belongs_to_a_flag_of_a_command(offered):
    known = {
        command_line.name_of(argument) for context in namespace.to_contexts() for argument in context.args.values()
    }
    core = {argument.name for argument in Program().core_args()}
    planned = {"service", "color"}

    assert {*completion.VALUES, *completion.FILES_OF} - planned <= known | core


def test_completing_hosts_loads_no_library_that_takes_long_or_reaches_a_host(folder):
    ran = in_a_process("heat-scaleout", "add-engine", "", folder=folder)

    assert (ran.returncode, ran.stdout.split()[::2]) == (0, ["hostA", "hostB", "hostC"])
