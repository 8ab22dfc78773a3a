"""What was promised, and whether the measured figures keep it. Pure."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from statistics import median
from typing import Any

US, SSH, PYINFRA, ANSIBLE = "invoke deploy", "plain ssh", "pyinfra", "Ansible"
TIMES_FASTER = {3: {ANSIBLE: 8.0, PYINFRA: 2.5}, 30: {ANSIBLE: 30.0, PYINFRA: 2.5}}
TIMES_SSH = {3: 2.5, 30: 1.3, 100: 1.5}
MOST_MEMORY_MIB = {30: 120.0, 100: 120.0}
MOST_EXTRA = 1.0  # seconds that add-engine may take more than by hand
MOST_LISTING = 0.5  # seconds
ONCE = {"connections": 1, "requests": 1}
WITH_LOCK = {"connections": 2, "requests": 2}  # at most, on the proxy's host, which has the lock


@dataclass(frozen=True)
class Verdict:
    """One promise: what, how much of it is promised, what was measured, and whether that is enough."""

    what: str
    promised: str
    measured: str
    kept: bool


def verdicts(parts: Mapping[str, Any]) -> Iterator[Verdict]:
    """Judge every part that was run."""
    for part in parts.values():
        if "hosts" in part:
            yield from _of_deploys(part)
        elif "walls" in part:
            taken = median(part["walls"])
            yield Verdict("`invoke --list`", f"under {MOST_LISTING} s", f"{taken:.2f} s", taken < MOST_LISTING)
        else:
            by_hand, added = (median(each[way] for each in part["rounds"]) for way in ("by_hand", "add_engine"))
            extra = added - by_hand
            yield Verdict(
                "`add-engine` beyond starting it by hand",
                f"at most {MOST_EXTRA} s",
                f"{extra:.2f} s",
                extra <= MOST_EXTRA,
            )


def _of_deploys(part: Mapping[str, Any]) -> Iterator[Verdict]:
    hosts, ours = part["hosts"], wall(part, US)
    for other, least in TIMES_FASTER.get(hosts, {}).items():
        times = wall(part, other) / ours
        yield Verdict(f"{hosts} hosts: faster than {other}", f"{least:g} times", f"{times:.1f} times", times >= least)
    if hosts in TIMES_SSH:
        times = ours / wall(part, SSH)
        yield Verdict(
            f"{hosts} hosts: of the time of {SSH}",
            f"at most {TIMES_SSH[hosts]:g} times",
            f"{times:.1f} times",
            times <= TIMES_SSH[hosts],
        )
    if hosts in MOST_MEMORY_MIB:
        most = max(each[US]["memory_mib"] for each in part["rounds"])
        yield Verdict(
            f"{hosts} hosts: memory of {US}",
            f"under {MOST_MEMORY_MIB[hosts]:g} MiB",
            f"{most:.0f} MiB",
            most < MOST_MEMORY_MIB[hosts],
        )
    once = sum(is_once(part["trips"][US]).values())
    yield Verdict(
        f"{hosts} hosts: one connection and one request each, and the lock",
        f"{hosts} hosts",
        f"{once} hosts",
        once == hosts,
    )


def is_once(trips: Mapping[str, Mapping[str, int]]) -> dict[str, bool]:
    """Whether each host was reached and asked once, or the first, which has the proxy, once more for the lock."""
    front, *_ = trips
    most = {host: WITH_LOCK if host == front else ONCE for host in trips}
    return {host: all(0 < counts[what] <= most[host][what] for what in ONCE) for host, counts in trips.items()}


def wall(part: Mapping[str, Any], contestant: str) -> float:
    """A contestant's median."""
    return median(each[contestant]["wall"] for each in part["rounds"])
