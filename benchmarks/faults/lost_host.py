"""One host of three is lost while a command is at work, comes back, and one rerun converges."""

import os
import signal
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from random import Random

import urllib3

from benchmarks.faults import commands, fault_testbed
from benchmarks.faults.commands import At, Ran, Stepped
from benchmarks.faults.fault_testbed import CANARY, FRONT, OTHER
from benchmarks.faults.killed_deployer import CHANGED, Operation
from benchmarks.faults.trial import Promises, Trial
from benchmarks.testbed import Testbed
from deployer.apply import stage as staging
from deployer.observed.observe import OBSERVE_TIMEOUT
from lab import addressing, cgroups, command, network, site

FAULT = "host lost"
NOTICED = 75.0  # seconds to give up a host that acknowledges nothing: its request, and to connect again
MARGIN = 15.0  # seconds beyond a request's own limit
UNDER_WAY = 1.0  # seconds that a wave is at work before its host is lost
ASKS = 30
WAVE = 600.0  # seconds: what its steps may take, each by itself, and the looks after it


@dataclass(frozen=True)
class Loss:
    """A way in which a host is lost, and how it comes back; `silent`: its kernel still acknowledges what it is sent."""

    name: str
    take: Callable[[Testbed, str], None]
    give: Callable[[Testbed, str], None]
    silent: bool = False


@dataclass(frozen=True)
class Stage:
    """When the host is lost: before a request of a verb, or while a wave of a name is under way.

    `limit`: seconds after which that request is given up when all else fails; `codes`: how the command may end then.
    """

    name: str
    verb: str
    limit: float
    wave: str = ""
    codes: tuple[int, ...] = (4,)

    def is_at(self, at: At) -> bool:
        return at.verb == self.verb and at.title.startswith(self.wave)


def every(bed: Testbed, random: Random, rounds: int) -> Iterator[Trial]:
    """Each way at each stage, so often."""
    for _ in range(rounds):
        for loss in LOSSES:
            for host, stage in STAGES:
                yield lose(bed, loss, host, stage, CHANGED)


def lose(bed: Testbed, loss: Loss, host: str, stage: Stage, operation: Operation) -> Trial:
    """Lose a host during an operation; judge how that ends, its report, the status and the way back."""
    operation.prepare(bed)
    promises = Promises()
    try:
        ran, waited = _done(bed, loss, (host, stage), operation)
        most = stage.limit + MARGIN if loss.silent else NOTICED
        promises.keep(waited <= most, f"it took {waited:.0f} s to give the host up")
        promises.keep(ran.code in stage.codes, f"the exit code is not {' or '.join(map(str, stage.codes))}: {ran}")
        _reported(promises, ran, host, stage)
        shown = commands.ran(bed, "status", "--format", "json")
        _true_status(promises, shown, host)
        # With the proxy's host goes what clients ask, unless it is sshd alone.
        promises.keep(host == FRONT and loss is not LOSSES[0] or _served(bed), "the others do not serve")
    finally:
        loss.give(bed, host)
    fault_testbed.converge(bed, promises)
    return promises.trial(FAULT, f"{loss.name}, {stage.name} ({host})", waited, status=round(shown.seconds, 1))


def _done(bed: Testbed, loss: Loss, where: tuple[str, Stage], operation: Operation) -> tuple[Ran, float]:
    """How an operation ended during which the host was lost, and the seconds from that on."""
    host, stage = where
    command, lost = Stepped(bed, *operation.argv, "--format", "json"), 0.0
    for at in command.stops():
        if not lost and stage.is_at(at):
            if stage.wave:
                command.go()
                time.sleep(UNDER_WAY)
            loss.take(bed, host)
            lost = time.monotonic()
    ran = command.ended()
    return ran, time.monotonic() - lost if lost else float("inf")


def _reported(promises: Promises, ran: Ran, host: str, stage: Stage) -> None:
    """The host is named; after the first change each host has a line of what it has, and those to mend what to run."""
    promises.keep(host in ran.err + ran.out, f"the host is not named: {ran}")
    if not stage.wave:
        is_told = any(words in ran.err for words in ("othing was changed", "`invoke deploy` goes on", "Try: ssh"))
        promises.keep(is_told, f"what to do next is not told: {ran}")
        return
    now = ran.json().get("now", {})
    promises.keep(set(now) == set(fault_testbed.HOSTS), f"what some host has is not told: {sorted(now)}")
    promises.keep(bool(now.get(host, {}).get("next")), f"what to run next is not told: {now.get(host)}")


def _true_status(promises: Promises, shown: Ran, host: str) -> None:
    """`status` names the host that does not answer, and claims for none of its processes that it runs."""
    told = shown.json()
    is_told = any(each.startswith(f"{host}:") for each in told.get("errors", ()))
    promises.keep(is_told, f"status hides the loss: {shown}")
    running = [
        each["unit"] for each in told.get("instances", ()) if each["host"] == host and each["state"] == "running"
    ]
    promises.keep(not running, f"status says that {running} run on {host}")


def _served(bed: Testbed) -> bool:
    """Whether the proxy answers one request after another from those that are left."""
    with urllib3.PoolManager(retries=False, timeout=10.0) as pool:
        url = f"http://{bed.lab.hosts[FRONT]}:8004/healthcheck"
        return all(pool.request("GET", url).status == 200 for _ in range(ASKS))


def _without_sshd(bed: Testbed, host: str) -> None:
    """End sshd with all its sessions, and see to it that nothing starts it."""
    fault_testbed.inside(bed, host, "systemctl", "mask", "--runtime", "--quiet", "ssh.service", "ssh.socket")
    fault_testbed.inside(bed, host, "systemctl", "kill", "--signal=KILL", "ssh.service")
    fault_testbed.inside(bed, host, "systemctl", "stop", "ssh.service")


def _with_sshd(bed: Testbed, host: str) -> None:
    fault_testbed.inside(bed, host, "systemctl", "unmask", "--runtime", "--quiet", "ssh.service", "ssh.socket")
    fault_testbed.inside(bed, host, "systemctl", "reset-failed", "ssh.service")
    fault_testbed.inside(bed, host, "systemctl", "start", "ssh.service")


def _link(bed: Testbed, host: str) -> str:
    """The link of a host on the machine that the lab runs on."""
    record = site.require(bed.lab.name)
    wanted = f"vb-{addressing.machine(record.name, host)}"
    return next(
        each["ifname"]
        for each in network.links_on(addressing.bridge(record.subnet))
        if wanted in (each["ifname"], *each.get("altnames", []))
    )


def _signal(bed: Testbed, host: str, number: signal.Signals) -> None:
    """Send a signal to every process of a host's machine, by its control groups."""
    groups = cgroups.folders(addressing.machine(bed.lab.name, host))[:1]
    pids = {
        int(pid) for group in groups for listed in group.rglob("cgroup.procs") for pid in listed.read_text().split()
    }
    for pid in pids:
        os.kill(pid, number)


def _power_on(bed: Testbed, host: str) -> None:
    site.start(bed.lab, host)
    if host == FRONT:  # with it went the broker and the database, without which a rerun is refused, as it should be
        fault_testbed.on(bed, host, "systemctl", "start", "rabbitmq-server", "mariadb")


LOSSES = (
    Loss("sshd killed", _without_sshd, _with_sshd),
    Loss("network dropped", lambda bed, host: _set(bed, host, "down"), lambda bed, host: _set(bed, host, "up")),
    Loss(
        "frozen",
        lambda bed, host: _signal(bed, host, signal.SIGSTOP),
        lambda bed, host: _signal(bed, host, signal.SIGCONT),
        silent=True,
    ),
    Loss("powered off", lambda bed, host: site.kill(bed.lab, host), _power_on),
)
STAGES = (
    (OTHER, Stage("before the look", "observe", OBSERVE_TIMEOUT)),
    (OTHER, Stage("before the staging", "stage", staging.STAGE_TIMEOUT)),
    (CANARY, Stage("in its own wave, the first", "perform", WAVE, f"change {CANARY}", (5,))),
    (OTHER, Stage("in its own wave, the second", "perform", WAVE, f"change {OTHER}", (5,))),
    (FRONT, Stage("before the staging", "stage", staging.STAGE_TIMEOUT)),
    # The lock is on this host: who finds it lost ends with 6.
    (FRONT, Stage("in another's wave", "perform", WAVE, f"change {CANARY}", (5, 6))),
)


def _set(bed: Testbed, host: str, state: str) -> None:
    command.run(["ip", "link", "set", "dev", _link(bed, host), state])
