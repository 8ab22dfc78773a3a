"""The testbed of the faults: a site on its lab's hosts, its usual inventory, and what is so when all is well."""

import json
import re
import shlex
import subprocess
from pathlib import Path
from typing import Any

from benchmarks import testbed
from benchmarks.faults import commands
from benchmarks.faults.commands import Ran
from benchmarks.faults.trial import Promises
from benchmarks.testbed import Testbed
from lab import hosts, lab_state, machine, site

HOSTS = FRONT, CANARY, OTHER = "hostA", "hostB", "hostC"
SMALL = "engine_workers: 1, api_workers: 1, cfn_workers: 1"  # each process takes seconds of a core to load Heat
NODE = "  {host}:\n    address: {address}\n    api: 1\n    cfn: 1\n    engines: {engines}\n"
USUAL = "usual.yaml"  # in the testbed's folder
TEMPORARY = ".heat-scaleout-new"


def fresh(name: str, heat: str, folder: Path) -> Testbed:
    """A lab with one Heat server, or one that an earlier run has kept, scaled out to the usual inventory."""
    lab = site.find(name) if any(each.name == name for each in lab_state.every()) else site.up(name, len(HOSTS), heat)
    bed = Testbed(lab, folder / "faults.yaml", folder)
    (folder / USUAL).write_text(composed(lab))
    bed.inventory.write_text(usual(bed))
    first = commands.ran(bed, "deploy", "--yes")
    if first.code:
        raise SystemExit(f"faults: the first deploy failed: {first}")
    return bed


def usual(bed: Testbed) -> str:
    """The inventory that every fault begins with."""
    return (bed.folder / USUAL).read_text()


def composed(lab: site.Lab) -> str:
    """One process of each kind on two hosts, and one engine more."""
    nodes = "".join(
        NODE.format(host=host, address=lab.hosts[host], engines=2 if host == CANARY else 1) for host in (CANARY, OTHER)
    )
    verify = f"verify: {{cloud: heat-lab, clouds_file: {lab.directory}/clouds.yaml}}\n"
    head = testbed.HEAD.format(lab=lab.directory, front=FRONT).replace("hosts:\n", verify + "hosts:\n")
    head = head.replace("prefix: /opt/heat", f"prefix: /opt/heat, {SMALL}")
    return f"{head}  {FRONT}: {{address: {lab.hosts[FRONT]}}}\n{nodes}"


def reset(bed: Testbed) -> None:
    """Have the usual inventory deployed, as the start of another trial."""
    if bed.inventory.read_text() != usual(bed):
        bed.inventory.write_text(usual(bed))
        ran = commands.ran(bed, "deploy", "--yes")
        if ran.code:
            raise RuntimeError(f"no usual site to begin with: {ran}")


def converge(bed: Testbed, promises: Promises) -> Ran:
    """One rerun must end well, and leave nothing to do and no temporary file."""
    again = commands.ran(bed, "deploy", "--yes", "--format", "json")
    promises.keep(again.code == 0, f"the rerun failed: {again}")
    plan = commands.ran(bed, "plan", "--exit-code")
    promises.keep(plan.code == 0, f"after the rerun: {plan}")
    left = [path for host in bed.hosts for path in on(bed, host, "find", "/etc", "-name", f"*{TEMPORARY}").split()]
    promises.keep(not left, f"left behind: {left}")
    return again


def on(bed: Testbed, host: str, *argv: str, least: int = 0) -> str:
    """What a program on a host prints, run as root; raise RuntimeError when it fails with more than `least`."""
    ran = subprocess.run(
        bed.ssh(host, shlex.join(["sudo", "-n", *argv])),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=180,
        check=False,
    )
    if ran.returncode > least:
        raise RuntimeError(f"{host}: {argv} ended with {ran.returncode}: {ran.stderr[-300:]}")
    return ran.stdout


def inside(bed: Testbed, host: str, *argv: str) -> str:
    """The same without SSH, from the machine that the lab runs on."""
    keeper = site.require(bed.lab.name).processes[host]
    init = machine.family(keeper)[2].pid
    ran = subprocess.run(
        ["nsenter", "--target", str(init), "--all", "--", *argv],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    if ran.returncode:
        raise RuntimeError(f"{host}: {argv} ended with {ran.returncode}: {ran.stderr[-300:]}")
    return ran.stdout


def put(bed: Testbed, host: str, path: str, text: str) -> None:
    """Write a file on a host, as an operator's editor would."""
    on(bed, host, "python3", "-c", f"open({path!r}, 'w').write({text!r})")


def setting(bed: Testbed, change: str) -> None:
    """Change the source's heat.conf by an expression of sed."""
    on(bed, FRONT, "sed", "-i", change, "/etc/heat/heat.conf")


def debug(bed: Testbed) -> None:
    """Give the source's heat.conf another value of `debug`, which every process has to read anew."""
    is_on = bool(re.search(r"(?m)^debug = true", on(bed, FRONT, "cat", "/etc/heat/heat.conf")))
    setting(bed, f"s/^debug = .*/debug = {'false' if is_on else 'true'}/")


def status(bed: Testbed) -> dict[str, Any]:
    """What `status` says of the site."""
    return commands.ran(bed, "status", "--format", "json").json()


def is_alive(bed: Testbed, host: str) -> bool:
    """Whether a host's machine runs."""
    return hosts.is_alive(site.require(bed.lab.name), host)


def history(bed: Testbed) -> list[dict[str, Any]]:
    """Every generation, the newest last."""
    return json.loads(commands.ran(bed, "history", "--format", "json").out)["generations"]
