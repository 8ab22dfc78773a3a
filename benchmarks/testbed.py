"""The hosts that all contestants work on: a lab of their own, an inventory for it, and plain ssh to its hosts."""

import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from lab import site

CHECKOUT = Path(__file__).resolve().parents[1]
INVOKE = CHECKOUT / ".venv" / "bin" / "invoke"
FULL_NODES = 2  # hosts after the first that run everything; those after them run one API
LIGHT_AT_ONCE = 6  # light nodes whose APIs start at the same time: each takes seconds of a core to load Heat
DEPLOY_LIMIT = 900  # seconds

HEAD = """\
version: 1
site: benchmark
ssh: {{ssh_config: none, user: operator, key: {lab}/id_ed25519, known_hosts: {lab}/known_hosts}}
heat: {{source: {front}, prefix: /opt/heat}}
proxy: {{host: {front}}}
hosts:
"""


@dataclass(frozen=True)
class Testbed:
    """A lab that is up, the inventory of what runs on it, and a private folder for everything else."""

    lab: site.Lab
    inventory: Path
    folder: Path

    __test__ = False  # pytest takes every class whose name begins like this one's for tests

    @property
    def hosts(self) -> list[str]:
        return list(self.lab.hosts)

    def ssh(self, host: str, *command: str) -> list[str]:
        """The command line of one plain ssh session."""
        return ["ssh", "-F", str(self.lab.directory / "ssh_config"), "-o", "BatchMode=yes", host, *command]

    def invoke(self, *arguments: str) -> list[str]:
        """The command line of one of the product's commands on this inventory."""
        return [str(INVOKE), *arguments, "--inventory", str(self.inventory)]


def up(name: str, count: int, folder: Path) -> Testbed:
    """Bring the lab up with so many hosts and deploy to all of them, a few at a time."""
    lab = site.up(name, count)
    testbed = Testbed(lab, folder / f"bench-{count}.yaml", folder)
    testbed.inventory.write_text(inventory_of(lab))
    full, light = testbed.hosts[: FULL_NODES + 1], testbed.hosts[FULL_NODES + 1 :]
    for batch in [full, *(light[start : start + LIGHT_AT_ONCE] for start in range(0, len(light), LIGHT_AT_ONCE))]:
        say(f"deploying to {', '.join(batch)}")
        call([*testbed.invoke("deploy"), "--yes", "--limit", ",".join(batch)], DEPLOY_LIMIT)
    call([*testbed.invoke("deploy"), "--yes"], DEPLOY_LIMIT)
    return testbed


def inventory_of(lab: site.Lab) -> str:
    """The inventory: database, broker and proxy on the first host, two full nodes, then light ones."""
    front, *nodes = lab.hosts
    lines = [f"  {front}: {{address: {lab.hosts[front]}}}"]
    for position, node in enumerate(nodes):
        runs = "api: 1, cfn: 1, engines: 2" if position < FULL_NODES else "api: 1, heat: {api_workers: 1}"
        lines.append(f"  {node}: {{address: {lab.hosts[node]}, {runs}}}")
    return HEAD.format(lab=lab.directory, front=front) + "\n".join(lines) + "\n"


def call(argv: Sequence[str], timeout: float = 60) -> str:
    """Run a command and return what it printed; end the benchmark, showing its last words, if it fails."""
    done = subprocess.run(argv, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=timeout, cwd=CHECKOUT)
    if done.returncode:
        sys.exit(f"bench: {' '.join(argv[:2])} ended with {done.returncode}:\n{(done.stderr or done.stdout)[-3000:]}")
    return done.stdout


def say(line: str) -> None:
    """Show progress."""
    print(f"bench: {line}", file=sys.stderr, flush=True)
