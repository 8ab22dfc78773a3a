"""The state that a deploy left, as data for the other tools: files as `invoke render` writes them, with the owners and
modes they have on the hosts, and the units that run there."""

import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import groupby
from pathlib import Path
from typing import Any

from benchmarks import testbed
from benchmarks.testbed import Testbed

FOLDERS = ("/etc/heat", "/etc/heat-scaleout", "/etc/systemd/system")
State = dict[str, dict[str, list]]


def of(bed: Testbed) -> State:
    """Return host -> {files: [{path, source, owner, group, mode}], units: [name]} of every host."""
    out = bed.folder / f"files-{len(bed.hosts)}"
    testbed.call([*bed.invoke("render"), "--out", str(out)])
    with ThreadPoolExecutor(8) as pool:
        return dict(zip(bed.hosts, pool.map(lambda host: _host(bed, host, out / host), bed.hosts), strict=True))


def _host(bed: Testbed, host: str, tree: Path) -> dict[str, list]:
    sources = {f"/{source.relative_to(tree)}": source for source in sorted(tree.rglob("*")) if source.is_file()}
    stats = testbed.call(bed.ssh(host, "sudo -n stat -c '%U %G 0%a'", *(f"'{path}'" for path in sources)))
    keys = ("owner", "group", "mode")
    files = [
        {"path": path, "source": str(source), **dict(zip(keys, line.split(), strict=True))}
        for (path, source), line in zip(sources.items(), stats.splitlines(), strict=True)
    ]
    running = "systemctl list-units --plain --no-legend --state=running 'heat-scaleout-*.service'"
    shown = testbed.call(bed.ssh(host, running))
    return {"files": files, "units": sorted(line.split()[0] for line in shown.splitlines())}


def folders(files: list[dict[str, str]]) -> Iterator[dict[str, str]]:
    """Whole folders in the place of files, for tools that copy them faster so; each has one owner and one mode."""
    for path, inside in groupby(files, lambda file: next(top for top in FOLDERS if file["path"].startswith(top + "/"))):
        listed = list(inside)
        access = {(file["owner"], file["group"], file["mode"]) for file in listed}
        if len(access) > 1:
            raise ValueError(f"{path} has files of several owners or modes: {access}")
        owner, group, mode = access.pop()
        source = listed[0]["source"].removesuffix(listed[0]["path"]) + path
        yield {"path": path, "source": source, "owner": owner, "group": group, "mode": mode}


def for_ansible(bed: Testbed, state: State) -> dict[str, Any]:
    """An Ansible inventory with what each host should have as its variables."""
    known = f"-o UserKnownHostsFile={bed.lab.directory}/known_hosts -o GlobalKnownHostsFile=/dev/null"
    common = {
        "ansible_user": "operator",
        "ansible_ssh_private_key_file": f"{bed.lab.directory}/id_ed25519",
        "ansible_ssh_common_args": f"{known} -o StrictHostKeyChecking=yes",
    }
    hosts = {
        host: {"ansible_host": bed.lab.hosts[host], "folders": list(folders(has["files"])), "units": has["units"]}
        for host, has in state.items()
    }
    return {"all": {"vars": common, "hosts": hosts}}


def for_pyinfra(bed: Testbed, state: State) -> dict[str, Any]:
    """The data of pyinfra's hosts."""
    common = {
        "ssh_user": "operator",
        "ssh_key": f"{bed.lab.directory}/id_ed25519",
        "ssh_look_for_keys": False,
        "ssh_allow_agent": False,
        "ssh_known_hosts_file": f"{bed.lab.directory}/known_hosts",
        "ssh_strict_host_key_checking": "yes",
        "_sudo": True,
    }
    return {host: {**common, "ssh_hostname": bed.lab.hosts[host], **has} for host, has in state.items()}


def written(data: dict[str, Any], path: Path) -> Path:
    """Write data as JSON and return where."""
    path.write_text(json.dumps(data, indent=1))
    return path
