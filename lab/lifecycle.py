"""How a lab begins and ends on this machine: its record, its hosts' boots, and taking all of it away."""

import shutil
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

from lab import access, addressing, authority, hosts, inotify, lab_state, machine, mounts, network, ready
from lab.image import cache, controller
from lab.lab_errors import BadInput, HostFailed
from lab.lab_state import Record
from lab.progress import say, timed

BOOT_DEADLINE = 240
KILL_DEADLINE = 20


def grow(record: Record, count: int, heat: str) -> Record:
    """Return the record of a lab with `count` hosts; raise BadInput if it would lose some or change its Heat."""
    if record.heat != heat or record.hosts > count:
        raise BadInput(
            f"lab {record.name} is up with Heat {record.heat} on {record.hosts} hosts",
            hint=f"Leave those flags out to use it as it is, or first: invoke lab.down --name {record.name}",
        )
    if record.hosts < count:
        record = replace(record, hosts=count)
        lab_state.write(record)
    return record


def begin(name: str, count: int, heat: str, checkout: Path) -> Record:
    """Build what layers are missing, take a free subnet, and record the new lab."""
    nodes, controllers = controller.of_nodes(heat), controller.of_controller(heat)
    prepare(controllers)
    with lab_state.locked(lab_state.MACHINE):
        record = Record(
            name=name,
            heat=heat,
            subnet=free_subnet(name),
            owner=str(checkout),
            hosts=count,
            node_layers=tuple(str(layer.path) for layer in nodes),
            controller_layers=tuple(str(layer.path) for layer in controllers),
            processes={},
        )
        lab_state.write(record)
    return record


def prepare(layers: list[cache.Layer]) -> None:
    """Build layers that are not in the cache: those beneath side by side, the topmost after them."""
    if all(layer.path.is_dir() for layer in layers):
        return
    with timed("building the hosts' image (once; kept in the cache)"):
        with ThreadPoolExecutor(len(layers)) as pool:
            for building in [pool.submit(cache.ensure, layer) for layer in layers[1:]]:
                building.result()
        cache.ensure(layers[0])
    used = {Path(path) for record in lab_state.every() for path in (*record.node_layers, *record.controller_layers)}
    cache.prune(used)


def free_subnet(name: str) -> int:
    """Return 0 for the demo and the lowest free number for any other; raise BadInput if there is none."""
    if name == addressing.DEMO:
        network.require_free(0)
        return 0
    taken = {record.subnet for record in lab_state.every()}
    for number in range(1, len(addressing.SUBNETS)):
        if number not in taken and network.is_free(number):
            return number
    raise BadInput("no subnet of 198.18.0.0/16 is free", hint="Take a lab down that is not needed any more.")


def boot_missing(record: Record) -> Record:
    """Boot every host that is not alive, the controller first."""
    addresses = addressing.addresses(record.subnet, record.hosts)
    missing = [host for host in addresses if not hosts.is_alive(record, host)]
    if not missing:
        return record
    say(f"booting {', '.join(missing)}")
    inotify.make_room()
    public_key = access.make_key(access.folder(Path(record.owner), record.name))
    for host in missing:
        record = boot(record, host, public_key)
    return record


def boot(record: Record, host: str, public_key: str) -> Record:
    """Boot one host, furnished first if it never ran, and record its process."""
    if not hosts.is_furnished(record, host):
        hosts.make(record, host, addressing.addresses(record.subnet, addressing.MOST_HOSTS), public_key)
    hosts.mount(record, host)
    record = record.with_process(host, hosts.start(record, host))
    lab_state.write(record)
    return record


def write_access(record: Record) -> None:
    """Write the files that lead to the lab's hosts."""
    addresses = addressing.addresses(record.subnet, record.hosts)
    keys = {host: hosts.host_key(record, host) for host in addresses}
    passwords = controller.passwords_in(Path(record.controller_layers[0]))
    target = access.folder(Path(record.owner), record.name)
    clouds = access.clouds_yaml(addresses[hosts.CONTROLLER], passwords, target / authority.CERTIFICATE)
    access.write(target, addresses, keys, clouds)


def wait_ready(record: Record) -> None:
    """Wait until every host lets us in and the controller's Heat answers; raise HostFailed for what does not."""
    addresses = addressing.addresses(record.subnet, record.hosts)
    deadline = time.monotonic() + BOOT_DEADLINE
    wait_admitted(record, list(addresses), deadline)
    password = controller.passwords_in(Path(record.controller_layers[0]))["admin"]
    since = machine.started_at(record.processes[hosts.CONTROLLER])
    address = addresses[hosts.CONTROLLER]
    ready.heat_works(address, password, since, deadline, lambda: cause_of_death(record, hosts.CONTROLLER))


def wait_admitted(record: Record, wanted: list[str], deadline: float) -> None:
    """Wait until these hosts let us in over SSH."""
    addresses = addressing.addresses(record.subnet, record.hosts)
    config = access.folder(Path(record.owner), record.name) / "ssh_config"
    reached = {host: addresses[host] for host in wanted}
    ready.all_admit(config, reached, deadline, lambda host: cause_of_death(record, host))


def cause_of_death(record: Record, host: str) -> str | None:
    """Say why a host's machine ended, or nothing while it runs."""
    if hosts.is_alive(record, host):
        return None
    return f"its machine ended; read {hosts.console(record, host)}"


def take_down(record: Record) -> None:
    """Stop a lab's hosts and remove their files, links, routes and the record; each step may already be done."""
    for host in record.processes:
        hosts.kill(record, host)
    network.down(record.subnet)
    unmount_patiently(record.folder)
    with lab_state.locked(lab_state.MACHINE):
        shutil.rmtree(record.folder)
        inotify.give_back()
        for empty in (record.folder.parent, lab_state.HOME):
            if not any(empty.iterdir()):
                empty.rmdir()


def unmount_patiently(folder: Path) -> None:
    """Unmount all below a folder; the last processes of a killed host may hold it for a moment."""
    deadline = time.monotonic() + KILL_DEADLINE
    while True:
        try:
            return mounts.detach_below(folder)
        except HostFailed:
            if time.monotonic() > deadline:
                raise
        time.sleep(0.1)
