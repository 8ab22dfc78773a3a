"""Who is measured: one command line each for the same work, and how each says that it had nothing to change."""

import re
import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from benchmarks import same_state, virtualenvs
from benchmarks.measured_command import Command
from benchmarks.same_state import State
from benchmarks.testbed import CHECKOUT, Testbed

HERE = CHECKOUT / "benchmarks"
PLAIN = {"NO_COLOR": "1", "TERM": "dumb"}


@dataclass(frozen=True)
class Contestant:
    """A command and the question whether its output says that nothing was to be changed on so many hosts."""

    name: str
    command: Command
    is_unchanged: Callable[[str, int], bool]


def all_of(bed: Testbed, state: State) -> list[Contestant]:
    """Everyone, for the state that the product's own deploy left on these hosts."""
    return [scaleout(bed), plain_ssh(bed, state), pyinfra(bed, state), ansible(bed, state)]


def fast_ones(bed: Testbed, state: State) -> list[Contestant]:
    """Those of which a run on a hundred hosts takes seconds, not minutes."""
    return [scaleout(bed), plain_ssh(bed, state)]


def scaleout(bed: Testbed) -> Contestant:
    """The product."""
    command = Command([[*bed.invoke("deploy"), "--yes"]], PLAIN, CHECKOUT)
    return Contestant("invoke deploy", command, lambda output, hosts: "Nothing to do" in output)


def plain_ssh(bed: Testbed, state: State) -> Contestant:
    """One ssh session a host, all at once, that read the files: what no tool over ssh can beat by much."""
    argvs = [
        bed.ssh(host, "sudo -n cat", *(f"'{file['path']}'" for file in has["files"])) for host, has in state.items()
    ]
    return Contestant("plain ssh", Command(argvs), lambda output, hosts: True)


def ansible(bed: Testbed, state: State) -> Contestant:
    """A playbook, with the settings of benchmarks/ansible/ansible.cfg."""
    inventory = same_state.written(same_state.for_ansible(bed, state), bed.folder / f"ansible-{len(state)}.json")
    argv = [
        str(virtualenvs.ensure("ansible") / "ansible-playbook"),
        "--inventory",
        str(inventory),
        str(HERE / "ansible" / "playbook.yaml"),
    ]
    settings = {
        **PLAIN,
        "ANSIBLE_CONFIG": str(HERE / "ansible" / "ansible.cfg"),
        "ANSIBLE_NOCOLOR": "1",
        "ANSIBLE_HOME": str(_home(bed.folder)),
        "ANSIBLE_SSH_CONTROL_PATH_DIR": str(_home(bed.folder) / "cp"),
    }
    return Contestant("Ansible", Command([argv], settings, HERE), recap_is_unchanged)


def close_kept(folder: Path) -> None:
    """End the connections that Ansible left open for its next run."""
    for socket in _home(folder).glob("cp/*"):
        subprocess.run(["ssh", "-o", f"ControlPath={socket}", "-O", "exit", "any"], capture_output=True, timeout=10)


def _home(folder: Path) -> Path:
    return folder / "ansible"


def recap_is_unchanged(output: str, hosts: int) -> bool:
    """Whether the last lines of ansible-playbook name that many hosts, each fine and unchanged."""
    fine = re.findall(r"ok=[1-9]\d* +changed=0 +unreachable=0 +failed=0", output)
    return len(fine) == hosts == len(re.findall(r"ok=\d+ +changed=", output))


def pyinfra(bed: Testbed, state: State) -> Contestant:
    """A pyinfra deploy, with hosts not waiting for one another."""
    data = same_state.written(same_state.for_pyinfra(bed, state), bed.folder / f"pyinfra-{len(state)}.json")
    argv = [
        str(virtualenvs.ensure("pyinfra") / "pyinfra"),
        "--yes",
        "--no-wait",
        "--parallel",
        "32",
        str(HERE / "pyinfra" / "inventory.py"),
        str(HERE / "pyinfra" / "deploy.py"),
    ]
    return Contestant("pyinfra", Command([argv], {**PLAIN, "BENCHMARK_STATE": str(data)}, HERE), total_is_unchanged)


def total_is_unchanged(output: str, hosts: int) -> bool:
    """Whether pyinfra's grand total has as many operations without changes as operations, none failed or changed."""
    total = re.search(r"Grand total +(\d+) +- +- +(\d+)", output)
    return bool(total) and int(total[1]) == int(total[2]) >= hosts
