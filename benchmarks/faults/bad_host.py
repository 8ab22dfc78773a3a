"""A host that cannot take what it would get, and a configuration that does not work: stopped after at most one host."""

import contextlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from random import Random

from benchmarks.faults import commands, fault_testbed, file_states
from benchmarks.faults.commands import Ran, Stepped
from benchmarks.faults.fault_testbed import CANARY, FRONT, OTHER
from benchmarks.faults.trial import Promises, Trial
from benchmarks.testbed import Testbed

REFUSED, STOPPED = "refused before the first change", "stopped after the first host"
NOTES, HEAT, SUDOERS = "/var/lib/heat-scaleout", "/etc/heat", "/etc/sudoers.d/zz-refused"
KEPT, CONF = "/var/tmp/heat.conf.kept", "/etc/heat/heat.conf"
STRANGER_PORT = 8005  # which a second API would get
SICK = "\n[healthcheck]\nbackends = disable_by_file\ndisable_by_file_path = /etc/hostname\n"
SHORT_KEY = "s/^auth_encryption_key.*/auth_encryption_key = fifteen-letters/"


@dataclass(frozen=True)
class Case:
    """A host or a configuration to be broken for the length of a `with`, when that is done, and how the deploy ends.

    `wave`: broken as this wave is about to begin, "" before the command. `codes`: the exit codes that fit.
    """

    name: str
    broken: Callable[[Testbed], contextlib.AbstractContextManager]
    codes: tuple[int, ...]
    wave: str = ""
    argv: tuple[str, ...] = ("deploy", "--yes", "--format", "json")
    needs_change: bool = True
    goes_back: bool = True


def refused(bed: Testbed, random: Random, rounds: int) -> Iterator[Trial]:
    """Each of the faults that are found before the first change."""
    yield from _every(bed, REFUSED, BEFORE, rounds)


def stopped(bed: Testbed, random: Random, rounds: int) -> Iterator[Trial]:
    """Each of the faults that show on the first host."""
    yield from _every(bed, STOPPED, IN_A_WAVE, rounds)


def _every(bed: Testbed, fault: str, cases: tuple[Case, ...], rounds: int) -> Iterator[Trial]:
    fault_testbed.reset(bed)
    for _ in range(rounds):
        for case in cases:
            yield attempt(bed, fault, case)


def attempt(bed: Testbed, fault: str, case: Case) -> Trial:
    """Break, deploy, judge what every host has, mend, and converge."""
    if case.needs_change:
        fault_testbed.debug(bed)
    promises, before, text = Promises(), file_states.now(bed), bed.inventory.read_text()
    with contextlib.ExitStack() as stack:
        if not case.wave:
            stack.enter_context(case.broken(bed))
        ran = _deployed(bed, case, stack)
    promises.keep(ran.code in case.codes, f"the exit code is not {case.codes}: {ran}")
    promises.keep(ran.code not in (3, 4) or bed.inventory.read_text() == text, "the inventory was changed")
    _untouched(promises, before, file_states.now(bed), case, ran)
    again = fault_testbed.converge(bed, promises)
    return promises.trial(fault, case.name, ran.seconds, code=ran.code, rerun=round(again.seconds, 1))


def _deployed(bed: Testbed, case: Case, stack: contextlib.ExitStack) -> Ran:
    if not case.wave:
        return commands.ran(bed, *case.argv)
    command, broken = Stepped(bed, *case.argv), False
    for at in command.stops():
        if not broken and at.title.startswith(case.wave):
            stack.enter_context(case.broken(bed))
            broken = True
    return command.ended()


def _untouched(promises: Promises, before: file_states.States, after: file_states.States, case: Case, ran: Ran) -> None:
    """Nothing of ours differs from before, on no host, unless the first one could not be put back, which is told."""
    hosts = (*fault_testbed.HOSTS,) if case.goes_back else (FRONT, OTHER)
    changed = [host for host in hosts if after.get(host) != before.get(host)]
    promises.keep(not changed, f"{changed} changed: {ran}")
    if case.wave and case.goes_back:
        back = ran.json().get("put_back") or {}
        promises.keep(back.get("hosts") == [CANARY] and not back.get("failed"), f"not put back: {back}, {ran}")


@contextlib.contextmanager
def small(bed: Testbed, folder: str, host: str = CANARY) -> Iterator[None]:
    """Put a small file system with the same content in the place of a folder, full for the length of a `with`."""
    copy = f"/run/copy-of{folder.replace('/', '-')}"
    fault_testbed.on(bed, host, "cp", "-a", folder, copy)
    fault_testbed.on(bed, host, "mount", "-t", "tmpfs", "-o", "size=4m,mode=0755", "tmpfs", folder)
    try:
        fault_testbed.on(bed, host, "cp", "-a", f"{copy}/.", folder)
        fault_testbed.on(bed, host, "dd", "if=/dev/zero", f"of={folder}/filler", "bs=4k", least=1)
        yield
    finally:
        fault_testbed.on(bed, host, "umount", "--lazy", folder)
        fault_testbed.on(bed, host, "rm", "-r", copy)


@contextlib.contextmanager
def read_only(bed: Testbed, folder: str, host: str = CANARY) -> Iterator[None]:
    """Nobody may write below a folder."""
    fault_testbed.on(bed, host, "mount", "--bind", folder, folder)
    fault_testbed.on(bed, host, "mount", "-o", "remount,ro,bind", folder)
    try:
        yield
    finally:
        fault_testbed.on(bed, host, "umount", "--lazy", folder)


@contextlib.contextmanager
def without_sudo(bed: Testbed) -> Iterator[None]:
    """The login may not become root."""
    fault_testbed.put(bed, OTHER, SUDOERS, "operator ALL=(ALL) !ALL\n")
    try:
        yield
    finally:
        fault_testbed.inside(bed, OTHER, "rm", SUDOERS)


@contextlib.contextmanager
def taken(bed: Testbed) -> Iterator[None]:
    """A stranger listens where a second API would."""
    fault_testbed.on(
        bed,
        CANARY,
        "systemd-run",
        "--unit=stranger",
        "--property=ExecStartPost=/bin/sleep 1",
        "--quiet",
        "python3",
        "-m",
        "http.server",
        f"{STRANGER_PORT}",
        "--bind",
        bed.lab.hosts[CANARY],
    )
    try:
        yield
    finally:
        fault_testbed.on(bed, CANARY, "systemctl", "stop", "stranger.service")


@contextlib.contextmanager
def changed(bed: Testbed, change: Callable[[Testbed], None]) -> Iterator[None]:
    """The source's heat.conf has a change for the length of a `with`."""
    fault_testbed.on(bed, FRONT, "cp", "-a", CONF, KEPT)
    try:
        change(bed)
        yield
    finally:
        fault_testbed.on(bed, FRONT, "mv", KEPT, CONF)


def _sick(bed: Testbed) -> None:
    fault_testbed.put(bed, FRONT, CONF, fault_testbed.on(bed, FRONT, "cat", CONF) + SICK)


BEFORE = (
    Case("/etc/heat is full", lambda bed: small(bed, HEAT), (3,)),
    Case("the folder of our notes is full", lambda bed: small(bed, NOTES), (3,)),
    Case("/etc/heat is read-only", lambda bed: read_only(bed, HEAT), (3,)),
    Case("the login may not use sudo", without_sudo, (3,)),
    Case(
        "the port of a new API is taken",
        taken,
        (3,),
        argv=("add-api", CANARY, "--yes", "--format", "json"),
        needs_change=False,
    ),
)
WAVE = f"change {CANARY}"
IN_A_WAVE = (
    Case("/etc/heat becomes full", lambda bed: small(bed, HEAT), (5,), WAVE),
    Case("/etc/heat becomes read-only", lambda bed: read_only(bed, HEAT), (5,), WAVE),
    Case(
        "the folder of our notes becomes read-only",
        lambda bed: read_only(bed, NOTES),
        (5,),
        f"restart APIs on {CANARY}",
        goes_back=False,
    ),
    Case("APIs answer 503 by the new heat.conf", lambda bed: changed(bed, _sick), (5, 7), needs_change=False),
    Case(
        "engines die over and over by the new heat.conf",
        lambda bed: changed(bed, lambda bed: fault_testbed.setting(bed, SHORT_KEY)),
        (5, 7),
        needs_change=False,
    ),
)
