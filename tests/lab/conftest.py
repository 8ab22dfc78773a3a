"""One scaled-out site on the lab's hosts, for each kind of Heat; torn down when the last test of that kind has run.

The files' numbers are their order: what needs fresh hosts comes first.
"""

import json
import os
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path

import published_schema
import pytest

from lab import site as labs

ROOT = Path(__file__).resolve().parents[2]
NEWEST, OLD = "27.0.1", "24.1.2"
KINDS = {NEWEST: "newest", OLD: "old"}
ORIGINAL = "# what an operator had on this host before\n[DEFAULT]\ndebug = true\n"


@dataclass
class Site:
    """A lab and the inventory that scales its Heat out; `first` is the JSON of the first deploy."""

    lab: labs.Lab
    inventory: Path
    first: dict = field(default_factory=dict)

    def invoke(self, *arguments: str, code: int = 0, inventory: Path | None = None) -> subprocess.CompletedProcess:
        """Run a command as an operator would; fail unless it ends with `code`."""
        command = [sys.executable, "-m", "invoke", *arguments, "--inventory", str(inventory or self.inventory)]
        ran = subprocess.run(command, cwd=ROOT, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=600)
        assert ran.returncode == code, f"{arguments} ended with {ran.returncode}\n{ran.stdout}\n{ran.stderr}"
        assert "Traceback" not in ran.stderr
        return ran

    def json(self, *arguments: str) -> dict:
        """What a command prints as JSON, which is as published."""
        data = json.loads(self.invoke(*arguments, "--format", "json").stdout)
        published_schema.check_result(arguments[0], data)
        return data

    def on(self, host: str, *argv: str) -> str:
        """Run a program on a host over plain ssh, as root; fail unless it ends well."""
        ran = labs.run(self.lab, host, ["sudo", "-n", *argv], timeout=180)
        assert ran.returncode == 0, f"{host}: {argv} ended with {ran.returncode}\n{ran.stdout}\n{ran.stderr}"
        return ran.stdout

    def processes(self) -> dict[tuple[str, str], int]:
        """(host, unit) -> PID, for every process of ours that runs."""
        return {
            (each["host"], each["unit"]): each["pid"]
            for each in self.json("status")["instances"]
            if each["unit"].startswith("heat-scaleout-") and each["state"] == "running"
        }

    def unread_queues(self) -> list[str]:
        """The queues of engines that nobody reads, as the broker itself says."""
        shown = self.on("hostA", "sh", "-c", "rabbitmqctl --quiet list_queues name consumers </dev/null")
        queues = dict(line.split() for line in shown.splitlines()[1:])
        return [
            name
            for name, consumers in queues.items()
            if consumers == "0" and name.startswith(("heat-engine-listener.", "engine_worker.", "engine.host"))
        ]

    def edited(self, *changes: tuple[str, str], name: str = "edited.yaml") -> Path:
        """A copy of the inventory with pieces of its text replaced."""
        text = self.inventory.read_text()
        for old, new in changes:
            assert old in text, old
            text = text.replace(old, new, 1)
        path = self.inventory.with_name(name)
        path.write_text(text)
        return path


@pytest.hookimpl(tryfirst=True)  # before xdist reads the groups
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Have all tests of a kind of Heat run one after the other by one process, which has its lab.

    Those for which one kind is enough run on that alone, unless --long is said.
    """
    for item in items:
        item.add_marker(pytest.mark.xdist_group(kind_of(item)))
    left_out = [] if config.getoption("--long") else [item for item in items if is_enough_elsewhere(item)]
    config.hook.pytest_deselected(items=left_out)
    items[:] = [item for item in items if item not in left_out]


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> None:
    """Fail rather than have each process put up a lab of each kind: groups were lost without a word before."""
    if item.config.getoption("loadgroup", False) and not item.nodeid.endswith(f"@{kind_of(item)}"):
        pytest.fail("pytest-xdist does not keep this test's group: see setup.cfg for the versions that do")


def kind_of(item: pytest.Item) -> str:
    """`newest` or `old`, as the kinds are called in the names of tests; `any` for a test without hosts."""
    params = item.callspec.params if hasattr(item, "callspec") else {}
    return KINDS[params["fresh"]] if "fresh" in params else "any"


def is_enough_elsewhere(item: pytest.Item) -> bool:
    marker = item.get_closest_marker("on")
    return marker is not None and kind_of(item) not in ("any", *marker.args)


@pytest.fixture(scope="session", autouse=True)
def state_folder(tmp_path_factory) -> Path:
    """Where commands keep their logs: no test writes into the home of whoever runs it."""
    folder = tmp_path_factory.mktemp("state")
    os.environ["XDG_STATE_HOME"] = str(folder)
    return folder


@pytest.fixture(scope="session", params=KINDS, ids=KINDS.values())
def fresh(request, tmp_path_factory) -> Site:
    """A lab whose hostA runs a single Heat, with nothing of ours on any host."""
    name = f"test-{os.getpid()}"
    path = tmp_path_factory.mktemp("site") / "site.yaml"
    try:
        lab = labs.up(name, 3, request.param)
        path.write_text(inventory_text(lab))
        yield Site(lab, path)
    finally:  # also of a lab that did not come up: its hosts would go on taking the machine's time
        labs.down(name)


@pytest.fixture
def restored(site: Site) -> Site:
    """The site for a test that changes it: afterwards inventory and hosts are again as the first deploy left them."""
    text = site.inventory.read_text()
    yield site
    site.inventory.write_text(text)
    site.invoke("deploy", "--yes")


@pytest.fixture(scope="session")
def site(fresh: Site) -> Site:
    """The same after its first deploy, with an original heat.conf that was on hostC before."""
    labs.run(fresh.lab, "hostC", ["sudo", "-n", "mkdir", "-m", "755", "/etc/heat"])
    fresh.on("hostC", "python3", "-c", f"open('/etc/heat/heat.conf', 'w').write({ORIGINAL!r})")
    fresh.first = fresh.json("deploy", "--yes")
    return fresh


def inventory_text(lab: labs.Lab) -> str:
    """The lab as an inventory, with comments that every edit must keep."""
    node = "  {}:  # a node\n    address: {}\n    api: 1\n    cfn: 1\n    engines: 1  # grows"
    nodes = "\n".join(node.format(*each) for each in lab.hosts.items() if each[0] != "hostA")
    return f"""# the lab {lab.name}
version: 1
ssh: {{ssh_config: none, user: operator, key: {lab.directory}/id_ed25519, known_hosts: {lab.directory}/known_hosts}}
heat: {{source: hostA, prefix: /opt/heat}}
proxy: {{host: hostA}}
verify: {{cloud: heat-lab, clouds_file: {lab.directory}/clouds.yaml}}
hosts:
  hostA: {{address: {lab.hosts["hostA"]}}}
{nodes}
"""
