"""One host of a lab: its overlay, the few files that make it itself, and its process."""

import os
import re
import shutil
import uuid
from collections.abc import Mapping
from pathlib import Path

from lab import access, addressing, authority, command, machine, mounts, network
from lab.image.controller import BUILT_FOR
from lab.lab_state import Record

CONTROLLER = "hostA"
FURNISHED = "furnished"
POWER_OFF_DEADLINE = 60
ADDRESSED = ("etc/heat/heat.conf", "etc/uwsgi/heat-api.ini", "etc/uwsgi/heat-api-cfn.ini")

NETWORK = """\
[Match]
Name=host0

[Network]
Address={address}/24
LinkLocalAddressing=no
IPv6AcceptRA=no
"""

# MariaDB runs these statements at every start, before it lets anyone in.
ENDPOINTS = "UPDATE keystone.endpoint SET url = REPLACE(url, '//{old}:', '//{new}:');\n"
ENDPOINTS_SETTING = "[mysqld]\ninit_file = /etc/mysql/lab-endpoints.sql\n"


def folder(record: Record, host: str) -> Path:
    """Return where a host keeps its overlay and its console's log."""
    return record.folder / host


def root(record: Record, host: str) -> Path:
    """Return a host's own tree."""
    return folder(record, host) / "root"


def mount(record: Record, host: str) -> None:
    """Put a host's overlay up, unless it is."""
    layers = record.controller_layers if host == CONTROLLER else record.node_layers
    place = folder(record, host)
    if not mounts.is_mounted(root(record, host)):
        lowers = [Path(layer) for layer in layers]
        mounts.overlay(root(record, host), lowers, place / "upper", place / "work")


def is_furnished(record: Record, host: str) -> bool:
    """Tell whether a host was made to the end; one whose making was interrupted is made anew."""
    return (folder(record, host) / FURNISHED).exists()


def make(record: Record, host: str, addresses: Mapping[str, str], public_key: str) -> None:
    """Make a fresh host: an empty overlay, mounted, with what makes it itself."""
    place = folder(record, host)
    mounts.detach_below(place)
    shutil.rmtree(place, ignore_errors=True)
    mount(record, host)
    furnish(record, host, addresses, public_key)
    (place / FURNISHED).touch()


def furnish(record: Record, host: str, addresses: Mapping[str, str], public_key: str) -> None:
    """Write what makes a fresh host itself: names, address, keys; on the controller Heat's own address too."""
    tree = root(record, host)
    (tree / "etc/hostname").write_text(f"{host}\n")
    (tree / "etc/machine-id").write_text(f"{uuid.uuid4().hex}\n")
    known = [f"{address} {name}\n" for name, address in addresses.items()]
    (tree / "etc/hosts").write_text("127.0.0.1 localhost\n::1 localhost\n" + "".join(known))
    (tree / "etc/systemd/network/10-host0.network").write_text(NETWORK.format(address=addresses[host]))
    make_host_key(tree)
    admit(tree, public_key)
    authority.equip(tree, access.folder(Path(record.owner), record.name), host, addresses[host])
    if host == CONTROLLER:
        move_controller(tree, addresses[host])


def make_host_key(tree: Path) -> None:
    """Give the host a key of its own."""
    key = tree / "etc/ssh/ssh_host_ed25519_key"
    command.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "", "-f", str(key)])


def host_key(record: Record, host: str) -> str:
    """Return the public half of a host's key."""
    return (root(record, host) / "etc/ssh/ssh_host_ed25519_key.pub").read_text()


def admit(tree: Path, public_key: str) -> None:
    """Let the lab's key in as the operator."""
    entry = re.search(rf"^{access.USER}:[^:]*:(\d+):(\d+):", (tree / "etc/passwd").read_text(), re.MULTILINE)
    assert entry, "the system layer has no operator"
    home = tree / "home" / access.USER / ".ssh"
    home.mkdir(mode=0o700)
    (home / "authorized_keys").write_text(public_key)
    for path in (home, home / "authorized_keys"):
        os.chown(path, int(entry[1]), int(entry[2]))


def move_controller(tree: Path, address: str) -> None:
    """Move the controller from the address it was set up for to this lab's."""
    for name in ADDRESSED:
        path = tree / name
        if path.exists() and address != BUILT_FOR:
            path.write_text(path.read_text().replace(BUILT_FOR, address))
    (tree / "etc/mysql/lab-endpoints.sql").write_text(ENDPOINTS.format(old=BUILT_FOR, new=address))
    (tree / "etc/mysql/mariadb.conf.d/91-lab-endpoints.cnf").write_text(ENDPOINTS_SETTING)


def start(record: Record, host: str) -> machine.Process:
    """Boot a host whose overlay is up, after whatever link its last life left."""
    name = addressing.machine(record.name, host)
    network.forget_host(record.subnet, name)
    bridge = [f"--network-bridge={addressing.bridge(record.subnet)}"]
    return machine.boot(root(record, host), name, host, bridge, console(record, host))


def console(record: Record, host: str) -> Path:
    """Return the file that a host's console goes to."""
    return folder(record, host) / "console.log"


def is_alive(record: Record, host: str) -> bool:
    """Tell whether a host's machine runs."""
    process = record.processes.get(host)
    return process is not None and machine.alive(process)


def kill(record: Record, host: str) -> None:
    """End a host at once, as a power cut would, and return when its last process is gone."""
    machine.kill(record.processes[host])
    machine.clear_traces(addressing.machine(record.name, host), root(record, host))


def power_off(record: Record, host: str) -> None:
    """Shut a host down in order; one that does not end in a minute is killed."""
    machine.power_off(record.processes[host], POWER_OFF_DEADLINE)
    machine.clear_traces(addressing.machine(record.name, host), root(record, host))
