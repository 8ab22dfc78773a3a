"""A random walk: one step after another of all that an operator does, some killed; and what is so after each."""

from collections.abc import Iterator
from random import Random
from typing import Any

from benchmarks.faults import commands, fault_testbed
from benchmarks.faults.fault_testbed import CANARY, OTHER
from benchmarks.faults.trial import Promises, Trial
from benchmarks.testbed import Testbed

FAULT = "a walk of random steps"
EXPECTED = (0, 3)  # done, or refused with the reason (the last of a kind is not taken away)
LONGEST = 12.0  # seconds after which a step is killed at the latest
NODES, KINDS = (CANARY, OTHER), ("engine", "api", "cfn")
MOST = 5  # processes of a kind: the hosts share a machine


def walk(bed: Testbed, random: Random, rounds: int) -> Iterator[Trial]:
    """So many steps, each judged; the walk goes on from whatever it came to."""
    fault_testbed.reset(bed)
    newest = _newest(bed)
    for _ in range(rounds):
        trial = _step(bed, random, newest)
        newest = max(newest, trial.found["generation"])
        yield trial


def _step(bed: Testbed, random: Random, newest: int) -> Trial:
    """One step, and a deploy after one that was killed."""
    promises, argv, name = Promises(), _chosen(random), ""
    if random.random() < 0.25:
        after = random.uniform(0.3, LONGEST)
        killed = commands.start(bed, *argv).ended_after(after)
        name = f", killed after {after:.1f} s" if killed.code < 0 else ""
    ran = commands.ran(bed, "deploy", "--yes") if name else commands.ran(bed, *argv)
    promises.keep(ran.code in EXPECTED, ran)
    number = _newest(bed)
    promises.keep(number >= newest, f"generation {newest} was followed by {number}")
    if not ran.code:
        _judge(promises, fault_testbed.status(bed))
    return promises.trial(FAULT, f"{' '.join(argv[:-1])}{name}", ran.seconds, code=ran.code, generation=number)


def _chosen(random: Random) -> tuple[str, ...]:
    kind, host = random.choice(KINDS), random.choice(NODES)
    total = random.randint(2, MOST - 1)
    step: tuple[str, ...] = random.choice(
        (
            (f"add-{kind}", host),
            (f"remove-{kind}", host),
            (f"remove-{kind}", host),
            ("scale", f"--{'engines' if kind == 'engine' else kind}", str(total)),
            ("rollback",),
            ("restart", "--limit", host),
            ("drain", host),
            ("undrain", host),
        )
    )
    return (*step, "--yes")


def _newest(bed: Testbed) -> int:
    return max(each["number"] for each in fault_testbed.history(bed))


def _judge(promises: Promises, told: dict[str, Any]) -> None:
    """The proxy's servers are the running APIs, an engine is up, and nothing else is to be done."""
    instances = told.get("instances", [])
    apis = [each for each in instances if each["service"] in ("api", "cfn")]
    odd = [
        f"{each['host']} {each['unit']} {each['state']} {each['proxy']}"
        for each in apis
        if (each["state"] == "running") != bool(each["proxy"])
    ]
    promises.keep(bool(apis) and not odd, f"the proxy's servers are not the running APIs: {odd}")
    engines = [each for each in instances if each["service"] == "engine" and each["state"] == "running"]
    promises.keep(bool(engines), "no engine runs")
