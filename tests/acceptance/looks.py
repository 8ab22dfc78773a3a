"""One look at each host, all at once: what systemd, the kernel and Heat's own Python say there. Judges nothing."""

import re
import secrets
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import partial
from json import dumps, loads
from pathlib import Path

from expected import OURS, PROXY_UNIT, Node, Site
from hosts import Host, Unreachable

AT_ONCE = 8
KEYS = "Id,LoadState,ActiveState,SubState,UnitFileState,Slice,TimeoutStopUSec"
EXPOSURE = re.compile(r"Overall exposure level for (\S+): ([0-9.]+)")
UNIT = re.compile(r"/([^/]+\.(?:service|scope))(?:/|$)")
HOLDER = re.compile(r"pid=([0-9]+)")
APART = (".before-heat-scaleout", ".heat-scaleout-new")  # kept originals and files being written
SCRIPT = Path(__file__).with_name("heat_reads.py").read_text()
SPEAKS = Path(__file__).with_name("speaks.py").read_text()
LOOPBACKS = {"0.0.0.0": "127.0.0.1", "*": "127.0.0.1", "::": "::1"}
PROXY_CONFIG = "/etc/heat-scaleout/apis-proxy.conf"
SOCKET = "/run/heat-scaleout-proxy/stats.sock"
LEDGER = "/var/lib/heat-scaleout/ledger.json"


@dataclass(frozen=True)
class File:
    """Who owns a file, who may read it, and its sha256 ("" for what is no plain file)."""

    owner: str
    group: str
    mode: str
    digest: str = ""


@dataclass(frozen=True)
class Look:
    """What one host has.

    `units`: unit -> what `systemctl show` says; `exposure`: unit -> systemd's own mark, 0 (good) to 10; `users`: unit
    -> the users of its processes; `listeners`: (address, port) -> the units that hold it; `files`: path -> File;
    `heat`: what heat_reads.py printed; `proxy_complaint`: what HAProxy says against its configuration; `put_by_us`:
    the paths that the host's ledger names; `spoken`: (address, port) -> what speaks.py says of it on the proxy's host.
    """

    units: Mapping[str, Mapping[str, str]]
    exposure: Mapping[str, float]
    users: Mapping[str, set[str]]
    listeners: Mapping[tuple[str, int], set[str]]
    files: Mapping[str, File]
    heat: Mapping
    proxy_complaint: str = ""
    put_by_us: frozenset[str] = frozenset()
    spoken: Mapping[tuple[str, int], Mapping] = field(default_factory=dict)


def all_at_once(site: Site, hosts: Mapping[str, Host]) -> dict[str, Look | str]:
    """Look at every host; the answer of one that cannot be looked at is the reason."""
    key = secrets.token_hex(16)
    with ThreadPoolExecutor(AT_ONCE) as pool:
        return dict(zip(hosts, pool.map(partial(_look_or_reason, site, hosts, key), hosts), strict=True))


def _look_or_reason(site: Site, hosts: Mapping[str, Host], key: str, name: str) -> Look | str:
    try:
        return _look(site, site.nodes[name], hosts[name], key)
    except (Unreachable, AssertionError) as error:
        return str(error)


def _look(site: Site, node: Node, host: Host, key: str) -> Look:
    units = _units(host, node)
    processes = _processes(host)
    users: dict[str, set[str]] = {}
    for unit, user in processes.values():
        users.setdefault(unit, set()).add(user)
    proxy = any(each.kind == "proxy" for each in node.processes)
    listeners = _listeners(host, processes)
    return Look(
        units,
        _exposure(host, units),
        users,
        listeners,
        _files(host, node, proxy),
        _heat(site, node, host, key),
        _proxy_complaint(site, host) if proxy else "",
        _put_by_us(host),
        _spoken(site, host, listeners) if proxy else {},
    )


def _units(host: Host, node: Node) -> dict[str, dict[str, str]]:
    """Every unit of ours that the host knows, and every one it should have."""
    wanted = [each.unit for each in node.processes]
    shown = host.output("systemctl", "show", f"--property={KEYS}", *wanted, f"{OURS}*.service")
    blocks = [dict(line.split("=", 1) for line in block.splitlines()) for block in shown.split("\n\n") if block.strip()]
    return {block["Id"]: block for block in blocks}


def _exposure(host: Host, units: Mapping[str, Mapping[str, str]]) -> dict[str, float]:
    loaded = [name for name, unit in units.items() if unit["LoadState"] == "loaded"]
    if not loaded:
        return {}
    shown = host.output("systemd-analyze", "security", "--no-pager", *loaded)
    return {unit: float(mark) for unit, mark in EXPOSURE.findall(shown)}


def _processes(host: Host) -> dict[str, tuple[str, str]]:
    """Process id -> its unit ("" for none) and its user."""
    rows = [line.split(None, 2) for line in host.output("ps", "-eo", "pid=,user:64=,cgroup=").splitlines()]
    return {pid: (_unit_of(group), user) for pid, user, group in rows}


def _unit_of(group: str) -> str:
    found = UNIT.findall(group)
    return found[-1] if found else ""


def _listeners(host: Host, processes: Mapping[str, tuple[str, str]]) -> dict[tuple[str, int], set[str]]:
    """Every listening TCP address, without brackets and interface, and the units that hold it."""
    found: dict[tuple[str, int], set[str]] = {}
    for line in host.output("ss", "-H", "-l", "-t", "-n", "-p").splitlines():
        address, _, port = line.split()[3].rpartition(":")
        place = (address.strip("[]").partition("%")[0], int(port))
        holders = {processes.get(pid, ("", ""))[0] for pid in HOLDER.findall(line)}
        found.setdefault(place, set()).update(holders)
    return found


def _files(host: Host, node: Node, proxy: bool) -> dict[str, File]:
    """The files of the configuration folder, and those of the proxy where it is."""
    others = [PROXY_CONFIG, SOCKET] if proxy else []
    either = ["(", "-type", "f", "-o", "-type", "s", ")"]
    printed = host.answer("find", node.heat["config_dir"], *others, *either, "-printf", r"%u\t%g\t%m\t%y\t%p\n")[1]
    rows = [line.split("\t", 4) for line in printed.splitlines()]
    rows = [row for row in rows if not row[4].endswith(APART)]
    plain = [path for *_, kind, path in rows if kind == "f"]
    digests = _digests(host, plain) if plain else {}
    return {path: File(owner, group, mode, digests.get(path, "")) for owner, group, mode, _, path in rows}


def _digests(host: Host, paths: list[str]) -> dict[str, str]:
    lines = [line.split(None, 1) for line in host.output("sha256sum", *paths).splitlines()]
    return {path: digest for digest, path in lines}


def _heat(site: Site, node: Node, host: Host, key: str) -> Mapping:
    """What Heat's own Python reads there; nothing where the host has no Heat to speak of."""
    if not node.runs_heat and node.host != site.source:
        return {}
    overlays = [f"/etc/heat-scaleout/{each.kind}-{each.port}.conf" for each in node.processes if each.port]
    there = host.answer("ls", *overlays)[1].split() if overlays else []
    python = f"{node.heat['prefix']}/bin/python3"
    return loads(host.output(python, "-c", SCRIPT, key, node.heat_conf, *there))


def _proxy_complaint(site: Site, host: Host) -> str:
    program = site.proxy.get("program", "/usr/sbin/haproxy")
    status, _, complaint = host.answer(program, "-c", "-f", PROXY_CONFIG)
    return complaint.strip() or f"it ended with {status}" if status else ""


def _put_by_us(host: Host) -> frozenset[str]:
    """The paths that the host's ledger says were put there."""
    status, printed, _ = host.answer("cat", LEDGER)
    return frozenset(loads(printed)["files"]) if status == 0 else frozenset()


def _spoken(site: Site, host: Host, listeners: Mapping[tuple[str, int], set[str]]) -> dict[tuple[str, int], Mapping]:
    """How every address that should speak TLS does, as the proxy's host finds it."""
    ca = (site.proxy.get("backend_tls") or {}).get("ca")
    asked = [[each.address, each.port, each.name, ca] for each in site.processes if each.name]
    if site.proxy.get("tls"):
        own = [place for place, units in listeners.items() if PROXY_UNIT in units]
        asked += [[LOOPBACKS.get(address, address), port, None, None] for address, port in own]
    if not asked:
        return {}
    printed = loads(host.output("python3", "-c", SPEAKS, dumps(asked)))
    return {(each["place"][0], each["place"][1]): each for each in printed}
