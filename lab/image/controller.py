"""The controller's own layer: booted once without a network, set up from inside, powered off, kept."""

import json
import shutil
import time
from pathlib import Path

from lab import command, machine, mounts
from lab.image import cache, debian, lab_secrets, venvs
from lab.image.cache import Layer
from lab.lab_errors import HostFailed

INSIDE = Path(__file__).parents[1] / "inside"
BUILT_FOR = "198.18.0.11"
SECRETS = "etc/heat-lab/secrets.json"
DEADLINE = 600
UNIT = "etc/systemd/system/lab-provision.service"
LEFTOVERS = (UNIT, "etc/heat-lab/provision.py", "etc/machine-id", "run", "tmp", "var/log/journal")


def of_nodes(release: str) -> list[Layer]:
    """Return the layers of a host that has Heat's venv and nothing else, the topmost first."""
    system = debian.system()
    return [venvs.heat(release, debian.tools(system)), system]


def of_controller(release: str) -> list[Layer]:
    """Return the layers of the host that runs everything, the topmost first."""
    system = debian.system()
    tools = debian.tools(system)
    beneath = (venvs.heat(release, tools), venvs.keystone(tools), debian.servers(system), system)
    sources = [path.read_text() for path in (Path(__file__), Path(lab_secrets.__file__))]
    recipe = (release, cache.texts_below(INSIDE), *sources)
    return [Layer(f"controller-{release}", recipe, build, beneath), *beneath]


def build(layer: Layer, aside: Path) -> None:
    """Boot the servers with what they need to set themselves up; fail with the log if they could not."""
    upper, root = aside / "upper", aside / "root"
    lowers = [cache.ensure(need) for need in layer.needs]
    mounts.overlay(root, lowers, upper, aside / "work")
    furnish(layer, root)
    run_to_the_end(layer, root)
    mounts.detach_below(root)
    if not (upper / "etc/heat-lab/provisioned").exists():
        raise HostFailed(f"{layer.name} could not be set up", hint=f"Read {layer.log}")
    for leftover in LEFTOVERS:
        debian.clear(upper / leftover)
    upper.rename(aside / "layer")


def run_to_the_end(layer: Layer, root: Path) -> None:
    """Boot the tree and wait until it has powered itself off; end it if it does not, or if we are interrupted."""
    name = f"heat-build-{layer.key}"
    process = machine.boot(root, name, "hostA", ["--private-network"], layer.log)
    deadline = time.monotonic() + DEADLINE
    try:
        while machine.alive(process) and time.monotonic() < deadline:
            time.sleep(0.1)
    finally:
        machine.kill(process)
        machine.clear_traces(name, root)


def furnish(layer: Layer, root: Path) -> None:
    """Put every file in place that the first boot needs."""
    release = layer.name.removeprefix("controller-")
    kind = "heat-wsgi" if venvs.needs_uwsgi(release) else "heat-programs"
    for tree in ("controller", kind):
        shutil.copytree(INSIDE / tree, root, dirs_exist_ok=True)
    chroot(layer, root, ["groupadd", "--system", "keystone"])
    chroot(
        layer,
        root,
        [
            "useradd",
            "--system",
            "--gid",
            "keystone",
            "--home-dir",
            "/var/lib/keystone",
            "--create-home",
            "--shell",
            "/usr/sbin/nologin",
            "keystone",
        ],
    )
    furnish_heat(root)
    passwords = {**lab_secrets.fresh(), "address": BUILT_FOR}
    write_secret(root / SECRETS, json.dumps(passwords))
    shutil.copy(INSIDE / "provision.py", root / "etc/heat-lab/provision.py")
    values = lab_secrets.placeholders(passwords, BUILT_FOR)
    for template, target, group in (
        (INSIDE / "heat/heat.conf", "heat/heat.conf", "heat"),
        (INSIDE / "controller/etc/keystone/keystone.conf", "keystone/keystone.conf", "keystone"),
    ):
        write_secret(root / "etc" / target, template.read_text().format_map(values))
        chroot(layer, root, ["chgrp", group, f"/etc/{target}"])
        (root / "etc" / target).chmod(0o640)
    chroot(layer, root, ["chown", "keystone:keystone", "/etc/keystone"])
    chroot(layer, root, ["systemctl", "enable", "lab-provision.service"])
    (root / "etc/machine-id").write_text("0" * 31 + "1\n")


def furnish_heat(root: Path) -> None:
    """Give Heat the folder a distribution gives it: its own files from the release, and a policy file."""
    shutil.copytree(root / "opt/heat/etc/heat", root / "etc/heat")
    shutil.copy(INSIDE / "heat/policy.yaml", root / "etc/heat/policy.yaml")


def write_secret(path: Path, text: str) -> None:
    """Write a file that only root reads."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.touch(mode=0o600)
    path.chmod(0o600)
    path.write_text(text)


def chroot(layer: Layer, root: Path, argv: list[str]) -> None:
    """Run one of the host's own programs on its tree."""
    command.run_logged(["chroot", str(root), *argv], layer.log, timeout=60)


def passwords_in(layer: Path) -> dict[str, str]:
    """Return the passwords of a controller's finished layer."""
    return json.loads((layer / SECRETS).read_text())
