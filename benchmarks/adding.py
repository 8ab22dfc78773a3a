"""One engine more: by `invoke add-engine`, and by hand on a host that has everything already."""

import time
from typing import Any

from benchmarks import heat_api, measured_command, round_trips, testbed
from benchmarks.heat_api import HeatApi
from benchmarks.measured_command import Command
from benchmarks.testbed import CHECKOUT, Testbed

NUMBER = 3  # the full nodes have engines 1 and 2
LOOK = 0.1  # seconds between two looks at Heat's list
DEADLINE = 90.0  # seconds for Heat to report an engine up


def run(bed: Testbed, rounds: int) -> dict[str, Any]:
    """Measure both ways in turns; each begins with the engine stopped and the inventory as it was."""
    host = bed.hosts[1]
    api = heat_api.opened(bed.lab.directory / "clouds.yaml")
    _take_away(bed, host)
    taken = [_round(bed, api, host, number) for number in range(1, rounds + 1)]
    before = bed.inventory.read_text()
    trips = round_trips.counted(bed, bed.hosts, lambda: measured_command.run(_add_engine(bed, host)))
    bed.inventory.write_text(before)
    _take_away(bed, host)
    return {"host": host, "rounds": taken, "trips": trips}


def _round(bed: Testbed, api: HeatApi, host: str, number: int) -> dict[str, Any]:
    busy = measured_command.settle()
    by_hand = _by_hand(bed, api, host)
    _take_away(bed, host)
    before = bed.inventory.read_text()
    busy = max(busy, measured_command.settle())
    added = measured_command.run(_add_engine(bed, host))
    bed.inventory.write_text(before)
    _take_away(bed, host)
    testbed.say(f"round {number}: by hand {by_hand:.2f} s, add-engine {added.wall:.2f} s (busy before: {busy:.0%})")
    return {"by_hand": by_hand, "add_engine": added.wall, "busy": busy}


def _by_hand(bed: Testbed, api: HeatApi, host: str) -> float:
    """Seconds from the ssh that starts the engine until Heat lists a worker of it that it did not list before."""
    engine = f"{host}-engine-{NUMBER}"
    known = api.up(engine)
    began = time.perf_counter()
    testbed.call(bed.ssh(host, f"sudo -n systemctl start {_unit()}"))
    while not api.up(engine) - known:
        if time.perf_counter() - began > DEADLINE:
            raise measured_command.CommandFailed(f"Heat did not report {engine} up in {DEADLINE:.0f} s")
        time.sleep(LOOK)
    return time.perf_counter() - began


def _add_engine(bed: Testbed, host: str) -> Command:
    return Command([[*bed.invoke("add-engine", host), "--yes"]], {"NO_COLOR": "1"}, CHECKOUT)


def _take_away(bed: Testbed, host: str) -> None:
    """Stop the engine at once: it does no work, so that its grace would only take time."""
    unit = _unit()
    testbed.call(
        bed.ssh(
            host,
            f"sudo -n systemctl --quiet disable {unit}; sudo -n systemctl kill -s KILL {unit}; "
            f"sudo -n systemctl stop {unit}; sudo -n systemctl reset-failed {unit}; true",
        )
    )


def _unit() -> str:
    return f"heat-scaleout-engine@{NUMBER}.service"
