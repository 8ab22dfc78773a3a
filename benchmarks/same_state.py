"""The state that a deploy left, as data for the other tools: files as `invoke render` writes them, with the owners and
modes they have on the hosts, and the units that run there."""

import json
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import groupby
from pathlib import Path
from typing import Any

from benchmarks import testbed
from benchmarks.testbed import Testbed

FOLDERS = ("/etc/heat", "/etc/heat-scaleout", "/etc/systemd/system")
ACCESS = ("owner", "group", "mode")
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
    files = [
        {"path": path, "source": str(source), **dict(zip(ACCESS, line.split(), strict=True))}
        for (path, source), line in zip(sources.items(), stats.splitlines(), strict=True)
    ]
    running = "systemctl list-units --plain --no-legend --state=running 'heat-scaleout-*.service'"
    shown = testbed.call(bed.ssh(host, running))
    return {"files": files, "units": sorted(line.split()[0] for line in shown.splitlines())}


def folders(files: Sequence[Mapping[str, str]]) -> Iterator[dict[str, str]]:
    """Whole folders in the place of files, for tools that copy them faster so: one for each owner and mode in it."""
    for (top, *access), inside in groupby(sorted(files, key=_top_and_access), _top_and_access):
        file = next(inside)
        yield {"path": top, "source": _source_by_access(file) + top, **dict(zip(ACCESS, access, strict=True))}


def link(files: Sequence[Mapping[str, str]]) -> None:
    """Put every file where `folders` says that it is."""
    for file in files:
        place = Path(_source_by_access(file) + file["path"])
        place.parent.mkdir(parents=True, exist_ok=True)
        place.unlink(missing_ok=True)
        place.hardlink_to(file["source"])


def _top_and_access(file: Mapping[str, str]) -> tuple[str, ...]:
    top = next(top for top in FOLDERS if file["path"].startswith(top + "/"))
    return (top, *(file[key] for key in ACCESS))


def _source_by_access(file: Mapping[str, str]) -> str:
    """A tree beside the host's own, with the files of one owner, group and mode."""
    tree = file["source"].removesuffix(file["path"])
    return f"{tree}-{'-'.join(file[key] for key in ACCESS)}"


def for_ansible(bed: Testbed, state: State) -> dict[str, Any]:
    """An Ansible inventory with what each host should have as its variables."""
    known = f"-o UserKnownHostsFile={bed.lab.directory}/known_hosts -o GlobalKnownHostsFile=/dev/null"
    common = {
        "ansible_user": "operator",
        "ansible_ssh_private_key_file": f"{bed.lab.directory}/id_ed25519",
        "ansible_ssh_common_args": f"{known} -o StrictHostKeyChecking=yes",
    }
    for has in state.values():
        link(has["files"])
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
