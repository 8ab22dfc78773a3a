"""The proxy: a new worker that dies at its start, and a reload by a stranger while a server is drained."""

from collections.abc import Iterator
from random import Random

from benchmarks.faults import commands, fault_testbed
from benchmarks.faults.commands import Stepped
from benchmarks.faults.fault_testbed import CANARY, FRONT, OTHER
from benchmarks.faults.trial import Promises, Trial, within
from benchmarks.testbed import Testbed
from deployer.proxy import runtime_api

FAULT = "the proxy's worker or reload"
UNIT, CONFIG = "heat-scaleout-proxy.service", "/etc/heat-scaleout/apis-proxy.conf"
MASTER = "/run/heat-scaleout-proxy/master.sock"
NOWHERE = "203.0.113.9"  # an address for documentation, which no host has
ASK = (
    "import socket,sys; s = socket.socket(socket.AF_UNIX); s.connect(sys.argv[1]); "
    "s.sendall(sys.argv[2].encode()); s.shutdown(socket.SHUT_WR); "
    "print(b''.join(iter(lambda: s.recv(65536), b'')).decode())"
)


def every(bed: Testbed, random: Random, rounds: int) -> Iterator[Trial]:
    """Each of them, so often."""
    for _ in range(rounds):
        for trial in (edited_by_hand, bound_nowhere, reloaded_while_drained, reloaded_in_a_roll):
            fault_testbed.reset(bed)
            yield trial(bed)


def edited_by_hand(bed: Testbed) -> Trial:
    """A stranger writes a bind that cannot be had, and reloads: the old worker serves on, a deploy puts it right."""
    promises, before = Promises(), _worker(bed)
    fault_testbed.on(bed, FRONT, "sed", "-i", f"/^listen rest/a\\    bind {NOWHERE}:8004", CONFIG)
    fault_testbed.on(bed, FRONT, "systemctl", "reload", UNIT, least=1)
    promises.keep(within(10, lambda: _worker(bed) == before) is not None, "the old worker serves no more")
    again = fault_testbed.converge(bed, promises)
    return promises.trial(FAULT, "a stranger's bad bind and reload", again.seconds)


def bound_nowhere(bed: Testbed) -> Trial:
    """The inventory has such a bind: it is refused before the first change, the old worker serves on."""
    promises, before, text = Promises(), _worker(bed), bed.inventory.read_text()
    bed.inventory.write_text(
        text.replace("proxy: {host: hostA}", f"proxy: {{host: hostA, bind: {{api: '{NOWHERE}:8004'}}}}")
    )
    ran = commands.ran(bed, "deploy", "--yes")
    promises.keep(ran.code == 3, ran)
    promises.keep(_worker(bed) == before, "the old worker serves no more")
    bed.inventory.write_text(text)
    fault_testbed.converge(bed, promises)
    return promises.trial(FAULT, "an inventory's bad bind", ran.seconds, code=ran.code)


def reloaded_while_drained(bed: Testbed) -> Trial:
    """A host is drained by the inventory; a reload keeps that."""
    promises = Promises()
    drained = commands.ran(bed, "drain", OTHER, "--yes")
    promises.keep(drained.code == 0, drained)
    fault_testbed.on(bed, FRONT, "systemctl", "reload", UNIT)
    promises.keep(_idle(bed, OTHER), "it gets requests")
    back = commands.ran(bed, "undrain", OTHER, "--yes")
    promises.keep(back.code == 0, back)
    fault_testbed.converge(bed, promises)
    return promises.trial(FAULT, "a reload while a host is drained", drained.seconds)


def reloaded_in_a_roll(bed: Testbed) -> Trial:
    """A reload between the drain of a roll and its restart."""
    promises = Promises()
    fault_testbed.debug(bed)
    command = Stepped(bed, "deploy", "--yes")
    for at in command.stops():
        if at.title.startswith(f"restart APIs on {CANARY}"):
            fault_testbed.on(bed, FRONT, "systemctl", "reload", UNIT)
            promises.keep(_idle(bed, CANARY), "the drain was forgotten")
    ran = command.ended()
    promises.keep(ran.code == 0, ran)
    fault_testbed.converge(bed, promises)
    return promises.trial(FAULT, "a reload between drain and restart", ran.seconds)


def _asked(bed: Testbed, question: str) -> str:
    return fault_testbed.on(bed, FRONT, "python3", "-c", ASK, MASTER, question)


def _worker(bed: Testbed) -> str:
    """The PID of the worker that serves, as the kernel shows who listens at Heat's address."""
    shown = fault_testbed.on(bed, FRONT, "ss", "-Hltnp", "sport", "=", ":8004")
    return ",".join(sorted(part for part in shown.split() if "pid=" in part))


def _idle(bed: Testbed, host: str) -> bool:
    """Whether the newest worker gives a host's servers no new requests."""
    found = [each for each in runtime_api.servers(_asked(bed, "@1 show stat\n")) if each.name.startswith(f"{host}-")]
    return bool(found) and all(each.status.startswith("DRAIN") for each in found)
