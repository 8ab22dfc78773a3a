"""Makes faults one after another on one lab, with clients at work beside them, and keeps what became of each."""

import json
import sys
import time
import traceback
from collections.abc import Iterable, Iterator
from dataclasses import asdict, replace
from pathlib import Path
from random import Random
from typing import Any

from benchmarks.faults import fault_testbed
from benchmarks.faults.catalogue import FAULTS
from benchmarks.faults.trial import Fault, Trial
from benchmarks.load import client_process
from benchmarks.load.client_process import Bounds, Load
from benchmarks.load.samples import Result, Window
from benchmarks.testbed import Testbed

BOUNDS = Bounds(rate=20, most=200_000, seconds=3 * 3600)
SHOWN = 3  # failed requests that a trial tells of


def make(bed: Testbed, name: str, seed: int, rounds: int | None, until: float) -> list[Trial]:
    """Make a fault so often, while clients ask; no new trial begins after `until` (of the monotonic clock)."""
    fault, trials = FAULTS[name], []
    with client_process.clients(bed.lab.hosts[fault_testbed.FRONT], BOUNDS) as load:
        try:
            for trial in _timed(fault.run(bed, Random(f"{name} {seed}"), rounds or fault.rounds), load, until):
                trials.append(trial)
                _say(trial)
        except Exception as error:  # a bug of ours must not hide what was measured before it
            traceback.print_exc()
            trials.append(Trial(fault.name, "the run itself", (f"broke off: {error}",)))
    result = load.result()
    return [with_requests(fault, trial, result, number) for number, trial in enumerate(trials)]


def _timed(trials: Iterator[Trial], load: Load, until: float) -> Iterator[Trial]:
    """Each trial, with the time that it took as a window of the clients'."""
    for number in range(sys.maxsize):
        begin = time.monotonic()
        if begin > until or (trial := next(trials, None)) is None:
            return
        load.windows.append(Window(str(number), begin, time.monotonic()))
        yield trial


def with_requests(fault: Fault, trial: Trial, result: Result, number: int) -> Trial:
    """A trial with what became of the requests meanwhile."""
    figures = next((each for each in result.windows if each.name == str(number)), None)
    if figures is None:
        return trial
    trial = replace(trial, requests=figures.requests, failed=figures.failed)
    why = [
        f"{each['kind']}: {each['why']}"[:200] for each in result.failures if str(number) in each["window"].split(", ")
    ]
    if fault.serves and why:
        trial = trial.but(f"{len(why)} of {trial.requests} requests failed: {'; '.join(why[:SHOWN])}")
    return trial


def _say(trial: Trial) -> None:
    verdict = "held" if trial.held else f"BROKEN {' | '.join(trial.broken)}"
    print(
        f"faults: {time.strftime('%H:%M:%S')} {trial.fault}: {trial.case}: {verdict} ({trial.seconds:.0f} s)",
        file=sys.stderr,
        flush=True,
    )


def keep(path: Path, setting: dict[str, Any], trials: Iterable[Trial]) -> None:
    """Append trials to a file, one JSON object a line."""
    with path.open("a") as stream:
        for trial in trials:
            stream.write(json.dumps({**setting, **asdict(trial)}) + "\n")


def read(paths: Iterable[Path]) -> list[dict[str, Any]]:
    """All trials of some files."""
    return [json.loads(line) for path in paths for line in path.read_text().splitlines()]
