"""The Debian packages that this machine itself needs to build and run a lab."""

import os
import shutil

from lab import command
from lab.lab_errors import BadInput
from lab.progress import timed

NEEDED = {
    "systemd-nspawn": "systemd-container",
    "mmdebstrap": "mmdebstrap",
    "ip": "iproute2",
    "ssh-keygen": "openssh-client",
    "mount": "mount",
    "openssl": "openssl",
}


def missing() -> list[str]:
    """Return the packages whose program is not on this machine."""
    return [package for program, package in NEEDED.items() if shutil.which(program) is None]


def require_root() -> None:
    """Raise BadInput for a user who may not handle machines and networks."""
    if os.geteuid() != 0:
        raise BadInput("only root may handle the lab's machines and networks", hint="Run it as root, or under sudo.")


def ensure() -> None:
    """Install what is missing; raise BadInput where this user may not."""
    require_root()
    absent = missing()
    if not absent:
        return
    with timed(f"installing {', '.join(absent)}"):
        command.run(["apt-get", "update", "--quiet"], timeout=300)
        command.run(["apt-get", "install", "--yes", "--quiet", "--no-install-recommends", *absent], timeout=600)
