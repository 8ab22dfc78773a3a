"""The long run: a fresh lab, clients at work from before its first deploy, and one operation after another."""

import contextlib
import json
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from benchmarks import testbed
from benchmarks.load import arrivals, client_process, operations, slow, stacks
from benchmarks.load.arrivals import Book
from benchmarks.load.client_process import Bounds, Load
from benchmarks.load.operations import Act, Operation
from benchmarks.load.stacks import Fates, Stacks
from benchmarks.testbed import Testbed
from lab import site

BEFORE, QUIET = "before (the single server)", "quiet"
QUIET_SECONDS = 8.0
SETTLE_SECONDS = 2.0
ACT_LIMIT = 300.0  # seconds for one command
UNDER_WAY = 3.0  # seconds that slow stacks are in progress before an operation begins


class Run:
    """One run: its site, its clients, and what its operations came to."""

    def __init__(self, bed: Testbed, load: Load) -> None:
        self._bed, self._load = bed, load
        self._book = Book(load.run)
        self.operations: list[dict[str, Any]] = []

    def all(self, todo: list[Operation], least: int) -> None:
        """Every operation with a quiet while after each, then quiet until so many requests were sent."""
        with self._load.window(BEFORE):
            time.sleep(QUIET_SECONDS)
        for operation in todo:
            testbed.say(operation.name)
            with self._slow_stacks(operation) as seen:
                errors = self._operate(operation)
            self.operations.append({"name": operation.name, "errors": errors, **seen})
            self._rest()
        while self._load.sent() < least:
            self._rest()

    def _operate(self, operation: Operation) -> list[str]:
        """Do the acts of an operation in a window of its name; return what failed, and go on."""
        with self._load.window(operation.name):
            return [error for act in operation.acts for error in _done(self._bed, act)]

    @contextlib.contextmanager
    def _slow_stacks(self, operation: Operation) -> Iterator[dict[str, Any]]:
        """Have the operation's stacks in progress for the `with`; afterwards say what became of them."""
        seen: dict[str, Any] = {}
        if not operation.stacks:
            yield seen
            return
        heat = stacks.opened(self._bed.lab.directory / "clouds.yaml")
        slow = Stacks(heat, f"load-{self._load.run}-{len(self.operations)}")
        slow.begin(operation.stacks, stacks.nested(stacks.SECONDS))
        time.sleep(UNDER_WAY)
        seen["in_progress"] = slow.in_progress()
        yield seen
        fates: Fates = slow.awaited()
        seen |= {"stacks": fates.json(), "not_deleted": slow.delete()}
        testbed.say(
            f"{operation.stacks} stacks: {fates.complete} complete, {len(fates.failed)} failed, "
            f"{len(fates.stuck)} stuck"
        )

    def _rest(self) -> None:
        """Read what arrived, let the hosts come to rest, then be quiet for a while."""
        arrivals.collect(self._bed.lab, self._book)
        time.sleep(SETTLE_SECONDS)
        with self._load.window(QUIET):
            time.sleep(QUIET_SECONDS)

    def results(self) -> dict[str, Any]:
        """Everything that is known; only after the clients have ended."""
        arrivals.collect(self._bed.lab, self._book)
        result = self._load.result()
        arrived = arrivals.judged(self._book, self._load.samples)
        medians = {each.name: each.p50 for each in result.windows}
        found = slow.slow(self._book, self._load.samples, self._load.windows, medians)
        return {
            "schema_version": 1,
            "rate": self._load.bounds.rate,
            **result.json(),
            "operations": self.operations,
            "arrived": arrived.json(),
            "journal_suppressed": self._book.suppressed,
            "proxy_said": arrivals.proxy_lines(self._book, result.failures),
            "slow": [each.json() for each in slow.slowest(found)],
            "slow_counts": slow.counts(found),
        }


def run(bed: Testbed, bounds: Bounds, least: int) -> dict[str, Any]:
    """Do everything that the product can do while clients ask the front host; return the results as JSON has them."""
    todo, missing = operations.possible(commands())
    with client_process.clients(bed.lab.hosts[operations.FRONT], bounds) as load:
        whole = Run(bed, load)
        whole.all(todo, least)
    return {**whole.results(), "not_there_yet": missing}


def fresh(name: str, heat: str, folder: Path) -> Testbed:
    """A lab with a single Heat server, and the inventory that is to be: one process of each kind on two hosts."""
    lab = site.up(name, 3, heat)
    bed = Testbed(lab, folder / "load.yaml", folder)
    nodes = [
        f"  {host}: {{address: {address}{'' if host == operations.FRONT else ', api: 1, cfn: 1, engines: 1'}}}"
        for host, address in lab.hosts.items()
    ]
    bed.inventory.write_text(testbed.HEAD.format(lab=lab.directory, front=operations.FRONT) + "\n".join(nodes) + "\n")
    return bed


def commands() -> set[str]:
    """The product's commands."""
    listed = json.loads(testbed.call([str(testbed.INVOKE), "--list", "--list-format=json"]))
    return {task["name"] for task in listed["tasks"]}


def _done(bed: Testbed, act: Act) -> Iterator[str]:
    """Do an act as often as it says; yield what went wrong."""
    argv = bed.ssh(act.host, "sudo", "-n", *(f"'{word}'" for word in act.argv)) if act.host else bed.invoke(*act.argv)
    for turn in range(act.times):
        if turn:
            time.sleep(act.pause)
        if error := _failure(argv):
            yield f"{' '.join(act.argv)}: {error}"


def _failure(argv: Sequence[str]) -> str:
    """Run a command, and say how it failed; the run goes on, for what clients saw meanwhile is what counts."""
    try:
        ran = subprocess.run(
            argv,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=ACT_LIMIT,
            cwd=testbed.CHECKOUT,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return f"did not end in {ACT_LIMIT:.0f} s"
    if ran.returncode:
        print((ran.stdout + ran.stderr)[-2000:], file=sys.stderr)
        return f"ended with {ran.returncode}: {(ran.stderr or ran.stdout)[-500:]}"
    return ""
