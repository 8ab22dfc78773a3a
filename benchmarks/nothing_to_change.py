"""The same work by every contestant on hosts that are already as wanted, in turns, round after round."""

from collections.abc import Callable
from dataclasses import asdict
from typing import Any

from benchmarks import contestants, measured_command, round_trips, same_state, testbed
from benchmarks.contestants import Contestant
from benchmarks.measured_command import CommandFailed
from benchmarks.same_state import State
from benchmarks.testbed import Testbed

LOST = "/etc/heat/policy.yaml"  # on the last full node: brought back by one wave that restarts nothing


def run(
    bed: Testbed, rounds: int, measured: Callable[[Testbed, State], list[Contestant]] = contestants.all_of
) -> dict[str, Any]:
    """Count what reaches the hosts, in a first run of everyone whose time does not count; then measure in turns."""
    state = same_state.of(bed)
    everyone = measured(bed, state)
    trips = {each.name: _trips(bed, each) for each in everyone}
    return {
        "hosts": len(bed.hosts),
        "files": sum(len(has["files"]) for has in state.values()),
        "units": sum(len(has["units"]) for has in state.values()),
        "trips": trips,
        "rounds": [_round(everyone, len(bed.hosts), number) for number in range(1, rounds + 1)],
        "trips_of_a_change": _trips_of_a_change(bed),
    }


def _trips(bed: Testbed, contestant: Contestant) -> dict[str, dict[str, int]]:
    testbed.say(f"{contestant.name}: a first run, to count what reaches the hosts")
    return round_trips.counted(bed, bed.hosts, lambda: _once(contestant, len(bed.hosts)))


def _round(everyone: list[Contestant], hosts: int, number: int) -> dict[str, Any]:
    """One turn for each; `busy` is how busy the machine was just before it."""
    taken = {}
    for contestant in everyone:
        busy = measured_command.settle()
        sample = _once(contestant, hosts)
        taken[contestant.name] = {**sample, "busy": busy}
        testbed.say(f"round {number}: {contestant.name} {sample['wall']:.2f} s (busy before: {busy:.0%})")
    return taken


def _once(contestant: Contestant, hosts: int) -> dict[str, float]:
    """Run a contestant; raise CommandFailed if it found anything to change, as then it was not the same work."""
    sample = asdict(measured_command.run(contestant.command))
    output = sample.pop("output")
    if not contestant.is_unchanged(output, hosts):
        raise CommandFailed(f"{contestant.name} did not find everything as wanted:\n{output[-3000:]}")
    return sample


def _trips_of_a_change(bed: Testbed) -> dict[str, dict[str, int]]:
    """What reaches each full host when one of them has lost a file."""
    hosts = bed.hosts[: testbed.FULL_NODES + 1]
    testbed.call(bed.ssh(hosts[-1], f"sudo -n rm {LOST}"))
    return round_trips.counted(bed, hosts, lambda: measured_command.run(contestants.scaleout(bed).command))
