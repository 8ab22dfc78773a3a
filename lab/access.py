"""The files by which people and tools reach a lab: key, known hosts, ssh_config, clouds.yaml."""

import json
import shutil
from collections.abc import Mapping
from pathlib import Path

from lab import addressing, authority, command

FILES = (
    "clouds.yaml",
    "ssh_config",
    "known_hosts",
    "id_ed25519",
    "id_ed25519.pub",
    authority.CERTIFICATE,
    authority.KEY,
)
USER = "operator"

SSH_CONFIG = """\
# Written by lab.up: ssh -F {folder}/ssh_config {first}
Host {hosts}
    User {user}
    IdentityFile {folder}/id_ed25519
    IdentitiesOnly yes
    UserKnownHostsFile {folder}/known_hosts
    GlobalKnownHostsFile /dev/null
    StrictHostKeyChecking yes
    PasswordAuthentication no
    ConnectTimeout 10
"""


def folder(checkout: Path, name: str) -> Path:
    """Return where a lab's files are in a checkout: .lab for the demo, .lab/NAME for any other."""
    return checkout / ".lab" if name == addressing.DEMO else checkout / ".lab" / name


def make_key(target: Path) -> str:
    """Make the lab's key and its authority unless they are there, and return the key's public half."""
    target.mkdir(parents=True, exist_ok=True)
    target.chmod(0o700)
    key = target / "id_ed25519"
    if not key.exists():
        command.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "heat-lab", "-f", str(key)])
    authority.make(target)
    return (target / "id_ed25519.pub").read_text()


def write(target: Path, hosts: Mapping[str, str], host_keys: Mapping[str, str], clouds: str) -> None:
    """Write what leads to the hosts: `hosts` is name -> address, `host_keys` name -> public key."""
    private_file(target / "ssh_config", ssh_config(target, hosts))
    private_file(target / "known_hosts", known_hosts(hosts, host_keys))
    private_file(target / "clouds.yaml", clouds)


def ssh_config(target: Path, hosts: Mapping[str, str]) -> str:
    """Return an ssh_config for the lab's hosts, usable from anywhere."""
    general = SSH_CONFIG.format(folder=target, first=next(iter(hosts)), hosts=" ".join(hosts), user=USER)
    each = [f"\nHost {name}\n    HostName {address}\n" for name, address in hosts.items()]
    return general + "".join(each)


def known_hosts(hosts: Mapping[str, str], host_keys: Mapping[str, str]) -> str:
    """Return every host's key under its address and its name."""
    return "".join(f"{address},{name} {' '.join(host_keys[name].split()[:2])}\n" for name, address in hosts.items())


def clouds_yaml(address: str, passwords: Mapping[str, str], ca: Path) -> str:
    """Return a clouds.yaml with the administrator's cloud and an ordinary user's; both trust the lab's authority."""
    lines = ["# Written by lab.up.", "clouds:"]
    for cloud, person in (("heat-lab", "admin"), ("heat-lab-demo", "demo")):
        lines += [
            f"  {cloud}:",
            "    auth:",
            f"      auth_url: http://{address}:5000/v3",
            f"      username: {person}",
            f"      password: {json.dumps(passwords[person])}",
            f"      project_name: {person}",
            "      user_domain_name: Default",
            "      project_domain_name: Default",
            "    region_name: RegionOne",
            "    identity_api_version: 3",
            f"    cacert: {json.dumps(str(ca))}",
        ]
    return "\n".join(lines) + "\n"


def private_file(path: Path, text: str) -> None:
    """Replace a file by one that its owner alone may read."""
    aside = path.with_name(f"{path.name}.new")
    aside.touch(mode=0o600)
    aside.write_text(text)
    aside.rename(path)


def remove(target: Path, name: str) -> None:
    """Remove a lab's files from the checkout, and its folder if nothing else is in it."""
    if name != addressing.DEMO:
        shutil.rmtree(target, ignore_errors=True)
    for file in FILES:
        (target / file).unlink(missing_ok=True)
    for empty in (target, target.parent):
        if empty.name == ".lab" and empty.is_dir() and not any(empty.iterdir()):
            empty.rmdir()
