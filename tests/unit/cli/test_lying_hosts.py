"""A host that lies ends no command in a traceback, steers no terminal, and has no file of ours written elsewhere."""

import contextlib
import io
import os

import pytest
import sites
from command_runs import COMMENTED
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from invoke import Program
from lies import mutations

from deployer.model import printable
from deployer.remote import fleet as fleets

CONTRACT = {0, 2, 3, 4, 5, 6, 7, 8}
COMMANDS = [
    ("status",),
    ("status", "--format", "json"),
    ("plan", "--diff"),
    ("preflight",),
    ("history",),
    ("history", "--format", "json"),
    ("logs",),
    ("logs", "--format", "json"),
    ("lock",),
    ("deploy", "--yes"),
    ("remove-engine", "hostB", "--yes"),
    ("recover", "--yes"),
    ("rollback", "--yes"),
    ("restore", "--yes"),
    ("render", "--out", "OUT"),
]


def written_below(folder):
    return {f"{place}/{name}" for place, _, names in os.walk(folder) for name in names}


def run(tasks, argv):
    """Run a command in this process: its exit code, and all that it prints."""
    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        try:
            Program(namespace=tasks).run(["invoke", *argv], exit=False)
            code = 0
        except SystemExit as ending:
            code = ending.code or 0
    return code, out.getvalue() + err.getvalue()


@pytest.fixture
def site(tmp_path, monkeypatch):
    """Builds a site of three hosts on which everything was deployed twice, and its inventory's file."""
    path = tmp_path / "site.yaml"
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "home"))

    def build():
        path.write_text(COMMENTED)
        fleet = sites.a_fleet(sites.an_inventory(hostB="{address: 10.0.0.2, engines: 1}"))
        sites.deploy(sites.an_inventory(hostB="{address: 10.0.0.2, engines: 1}"), fleet)
        sites.deploy(sites.an_inventory(), fleet)

        def over_ssh(hosts, handle):
            fleet.handle = handle
            return fleet

        monkeypatch.setattr(fleets, "over_ssh", over_ssh)
        return fleet, path

    return build


@pytest.mark.parametrize("argv", COMMANDS, ids=" ".join)
@given(lie=mutations(), host=st.sampled_from(["hostA", "hostB"]), skipped=st.integers(0, 3))
@settings(max_examples=12, deadline=None, suppress_health_check=list(HealthCheck), database=None, derandomize=True)
def test_lie_of_a_host_ends_a_command_as_the_contract_says(tasks, site, tmp_path, argv, lie, host, skipped):
    fleet, path = site()
    replies = iter(range(10**6))
    fleet.tamper = lambda name, verb, reply: lie(reply) if name == host and next(replies) >= skipped else reply
    allowed = {str(tmp_path / "site.yaml")}
    filled = [str(tmp_path / "out") if each == "OUT" else each for each in argv]

    code, printed = run(tasks, [*filled, "--inventory", str(path)])

    assert code in CONTRACT
    assert "Traceback" not in printed
    assert printed == printable.escape_controls(printed)
    others = {each for each in written_below(tmp_path) - allowed if not each.startswith(str(tmp_path / "home"))}
    assert all(each.startswith(str(tmp_path / "out" / "host")) for each in others)
