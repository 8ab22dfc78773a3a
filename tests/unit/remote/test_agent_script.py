"""What is streamed to a host runs there by itself, with nothing but an old Python."""

import ast
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from steps_here import write

from deployer.model import state
from deployer.remote import agent_script
from deployer.remote.agent import (
    exclusive,
    files,
    ledger,
    logs,
    measure,
    observe,
    perform,
    programs,
    site_lock,
    sockets,
)

MODULES = (perform, files, site_lock, ledger, logs, observe, measure, programs, exclusive, sockets)


def run_as_on_a_host(verb, request):
    """Stream the script to a Python that has none of our libraries, as SSH would."""
    ran = subprocess.run(
        [sys.executable, *agent_script.ARGV[1:]],
        input=agent_script.of(verb, request),
        capture_output=True,
        timeout=20,
        cwd="/",
        env={"PATH": os.environ["PATH"]},
    )
    assert ran.returncode == 0, ran.stderr.decode()
    return json.loads(agent_script.reply_in(ran.stdout))


def test_observe_script_answers_in_json(tmp_path):
    (tmp_path / "heat.conf").write_text("x")

    reply = run_as_on_a_host("observe", {"trees": [str(tmp_path)], "processes": ["heat-engine"]})

    assert reply["files"][f"{tmp_path}/heat.conf"]["digest"] == state.digest_of(b"x")
    assert reply["python"] == list(sys.version_info[:3])


def test_perform_script_does_its_steps(tmp_path):
    request = {
        "ledger": str(tmp_path / "state" / "ledger"),
        "steps": [write(tmp_path / "file", 'it\'s "nasty" {braces} \\ %s ünï'), {"do": "run", "argv": ["false"]}],
    }

    reply = run_as_on_a_host("perform", request)

    assert (tmp_path / "file").read_text() == 'it\'s "nasty" {braces} \\ %s ünï'
    assert reply["failed"]["index"] == 1


def test_measure_script_answers_in_json():
    assert run_as_on_a_host("measure", {"units": ["heat-scaleout-*"]})["available"] > 0


def test_program_whose_request_does_not_come_ends_without_a_word():
    ran = subprocess.run(
        [sys.executable, *agent_script.ARGV[1:]], input=agent_script.program("observe"), capture_output=True, timeout=20
    )

    assert (ran.returncode, ran.stdout.decode(), ran.stderr) == (0, f"{agent_script.BEGIN}\n", b"")


def test_nothing_is_loaded_from_the_folder_in_which_it_is_started(tmp_path):
    for name in ("json", "os", "types", "subprocess"):
        (tmp_path / f"{name}.py").write_text("raise SystemExit(7)")

    ran = subprocess.run(
        [sys.executable, *agent_script.ARGV[1:]],
        input=agent_script.of("observe", {}),
        capture_output=True,
        timeout=20,
        cwd=tmp_path,
    )

    assert ran.returncode == 0


def test_script_of_an_observation_is_small():
    assert len(agent_script.program("observe")) < 36_000


@pytest.mark.parametrize("verb", sorted(agent_script.VERBS))
def test_script_is_python_3_8(verb):
    ast.parse(agent_script.source_of(verb), feature_version=(3, 8))


@pytest.mark.parametrize("module", MODULES, ids=lambda module: module.__name__.rpartition(".")[2])
def test_module_of_the_agent_is_python_3_8(module):
    ast.parse(Path(module.__file__).read_text(), feature_version=(3, 8))


def test_logs_script_answers_in_json(tmp_path, monkeypatch):
    program = tmp_path / "journalctl"
    program.write_text("#!/bin/sh\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    configuration = {"folders": [], "endings": [], "ledger": f"{tmp_path}/ledger.json"}
    limits = {"lines": 1, "size": 1000, "seconds": 10.0}

    reply = run_as_on_a_host("logs", {"units": ["x"], **limits, "configuration": configuration})

    assert (reply["entries"], reply["failed"]) == ([], None)
