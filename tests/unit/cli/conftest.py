"""Commands run in this process, on hosts in memory; their JSON is held against the published schema."""

import socket
import sys

import published_schema
import pytest
import sites
from command_runs import COMMENTED
from invoke import Program
from invoke.loader import FilesystemLoader

from deployer.remote import fleet as fleets


@pytest.fixture(scope="session")
def tasks():
    """The commands as Invoke finds them in the checkout."""
    sys.path.insert(0, str(sites.ROOT))
    module, _ = FilesystemLoader(start=str(sites.ROOT)).load("tasks")
    sys.path.remove(str(sites.ROOT))
    return module.namespace


@pytest.fixture
def invoke(tasks, capsys):
    """Run a command in this process: its exit code, stdout and stderr."""

    def run(*argv):
        capsys.readouterr()
        try:
            Program(namespace=tasks).run(["invoke", *map(str, argv)], exit=False)
            code = 0
        except SystemExit as ending:
            code = ending.code or 0
        out, err = capsys.readouterr()
        if "--format" in argv and "--watch" not in argv:
            published_schema.check_output(argv[0], argv[argv.index("--format") + 1], out)
        return code, out, err

    return run


@pytest.fixture
def inventory(tmp_path):
    """An inventory file of the guide's three hosts."""
    path = tmp_path / "site.yaml"
    path.write_text(COMMENTED)
    return path


@pytest.fixture
def fleet(monkeypatch):
    """The hosts that the commands reach instead of real ones."""
    observed = sites.a_fleet(sites.an_inventory())

    def over_ssh(hosts, handle):
        observed.handle = handle
        return observed

    monkeypatch.setattr(fleets, "over_ssh", over_ssh)
    return observed


@pytest.fixture
def nobody(tmp_path):
    """An inventory whose hosts' sshd would be on a port of this machine where nobody listens."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    path = tmp_path / "nobody.yaml"
    path.write_text(
        sites.an_inventory_text(
            more=f"ssh: {{port: {port}, known_hosts: none, connect_timeout: 2}}",
            **{
                name: f"{{address: 10.0.0.{number}, engines: 1, ssh: {{address: 127.0.0.1}}}}"
                for number, name in enumerate(("hostA", "hostB", "hostC"), 1)
            },
        )
    )
    return path
