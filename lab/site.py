"""The lab as others use it: up, down, its hosts' addresses, and a way in that is independent of the product."""

import shlex
import subprocess
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from lab import access, addressing, hosts, lab_state, lifecycle, network, packages
from lab.lab_errors import BadInput
from lab.lab_state import Record
from lab.progress import say, timed

DEFAULT_HOSTS = 3
DEFAULT_HEAT = "27.0.1"
CHECKOUT = Path(__file__).resolve().parents[1]


@dataclass(frozen=True)
class Lab:
    """A lab: `directory` has its clouds.yaml, ssh_config, known_hosts and key; `hosts` is name -> address."""

    name: str
    directory: Path
    hosts: Mapping[str, str]
    heat: str


def up(name: str = addressing.DEMO, count: int | None = None, heat: str | None = None) -> Lab:
    """Bring a lab up, or what is missing of it, and return it when every host and hostA's Heat answer.

    A new lab has 3 hosts and the newest Heat unless told otherwise; a lab that is up stays as it is, or grows.
    Raise BadInput for what cannot be, LabTaken for another checkout's lab, HostFailed for a host that does not come up.
    """
    addressing.checked(name)
    addressing.host_names(DEFAULT_HOSTS if count is None else count)
    packages.ensure()
    with lab_state.locked(name):
        record = grown(name, count, heat)
        if record is None:
            record = lifecycle.begin(name, count or DEFAULT_HOSTS, heat or DEFAULT_HEAT, CHECKOUT)
        network.up(record.subnet)
        record = lifecycle.boot_missing(record)
        lifecycle.write_access(record)
        lifecycle.wait_ready(record)
    return described(record)


def grown(name: str, count: int | None, heat: str | None) -> Record | None:
    """Return the record of a lab that there is, with as many hosts as wanted now; None if there is no such lab."""
    record = lab_state.read(name)
    if record is None:
        return None
    lab_state.require_owner(record, CHECKOUT)
    return lifecycle.grow(record, count or record.hosts, heat or record.heat)


def down(name: str = addressing.DEMO) -> None:
    """Take a lab away with everything it made on this machine, except the cache."""
    packages.ensure()
    with lab_state.locked(addressing.checked(name)):
        record = lab_state.read(name)
        if record is None:
            say(f"there is no lab {name}")
            return
        lab_state.require_owner(record, CHECKOUT)
        with timed(f"taking lab {name} down"):
            lifecycle.take_down(record)
        access.remove(access.folder(Path(record.owner), name), name)


def find(name: str = addressing.DEMO) -> Lab:
    """Return a lab of this checkout that was brought up; raise BadInput if there is none."""
    return described(require(name))


def run(lab: Lab, host: str, argv: Sequence[str], timeout: float = 60) -> subprocess.CompletedProcess[str]:
    """Run a program on a host over plain ssh and return what it said; arguments arrive as they are."""
    require_host(lab, host)
    ssh = ["ssh", "-F", str(lab.directory / "ssh_config"), "-o", "BatchMode=yes", host, shlex.join(argv)]
    return subprocess.run(ssh, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=timeout, check=False)


def kill(lab: Lab, host: str) -> None:
    """End a host at once, as a power cut would."""
    require_host(lab, host)
    hosts.kill(require(lab.name), host)


def power_off(lab: Lab, host: str) -> None:
    """Shut a host down in order."""
    require_host(lab, host)
    hosts.power_off(require(lab.name), host)


def start(lab: Lab, host: str) -> None:
    """Boot a host that is off and wait until it lets us in."""
    require_host(lab, host)
    with lab_state.locked(lab.name):
        record = require(lab.name)
        if not hosts.is_alive(record, host):
            record = lifecycle.boot(record, host, access.make_key(lab.directory))
        lifecycle.wait_admitted(record, [host], time.monotonic() + lifecycle.BOOT_DEADLINE)


def described(record: Record) -> Lab:
    """Return what others may know of a lab."""
    directory = access.folder(Path(record.owner), record.name)
    return Lab(record.name, directory, addressing.addresses(record.subnet, record.hosts), record.heat)


def require(name: str) -> Record:
    """Return the record of a lab of this checkout; raise BadInput if there is none."""
    packages.require_root()
    record = lab_state.read(addressing.checked(name))
    if record is None:
        others = ", ".join(other.name for other in lab_state.every()) or "none"
        raise BadInput(f"lab {name} is not up", hint=f"Try: invoke lab.up --name {name}; up now: {others}")
    lab_state.require_owner(record, CHECKOUT)
    return record


def require_host(lab: Lab, host: str) -> None:
    """Raise BadInput for a host the lab does not have."""
    if host not in lab.hosts:
        raise BadInput(f"lab {lab.name} has no host {host}", hint=f"It has {', '.join(lab.hosts)}.")
