"""A started engine is waited for with as little work as possible, on a host where it needs the processors."""

import sys
from types import SimpleNamespace

import pytest

from deployer.heat import scripts

ENGINE, UNIT = "hostB-engine-1", "heat-scaleout-engine@1.service"
ROW = {"engine_id": "b1", "host": ENGINE, "up": True, "created": 1000.0}
RUNS = {"ActiveState": "active", "Job": "0", "NRestarts": "0", "ExecMainStartTimestamp": ""}


@pytest.fixture
def wait(monkeypatch):
    """Run the program until Heat's table, read so often, has the engine; the looks at its unit, by its clock."""

    def wait(reads, pids=("7",)):
        clock, looks, tables = SimpleNamespace(now=0.0), [], []

        def rows(_):
            tables.append(clock.now)
            return [ROW] if len(tables) >= reads else []

        def state(_):
            looks.append(round(clock.now, 1))
            return {**RUNS, "MainPID": pids[min(len(looks), len(pids)) - 1]}

        time = SimpleNamespace(
            monotonic=lambda: clock.now, sleep=lambda seconds: setattr(clock, "now", round(clock.now + seconds, 3))
        )
        parts = {
            "service_table": SimpleNamespace(database=lambda conf: None, rows=rows),
            "units": SimpleNamespace(
                state=state, is_stopping=lambda _: False, started=lambda _: 1000.0, children=lambda pid: ["8"]
            ),
            "engine_work": SimpleNamespace(await_end=lambda *_: None, ids_of=lambda *_: ["b1"], forget=lambda *_: []),
            "queues": SimpleNamespace(NoBroker=OSError),
        }
        for name, part in parts.items():
            monkeypatch.setattr(scripts, name, part, raising=False)
        monkeypatch.setitem(sys.modules, "time", time)
        monkeypatch.setattr(sys, "argv", ["-", "20"])
        values = {"conf": "/etc/heat/heat.conf", "host": ENGINE, "unit": UNIT, "seconds": 90}
        exec(compile(scripts.program("engine_started"), "engine_started.py", "exec"), {"VALUES": values})
        return looks

    return wait


def test_unit_is_looked_at_once_a_second_while_heats_table_is_read_more_often(wait):
    assert wait(reads=25) == [0.0, 1.0, 2.0, 2.4]


def test_row_of_a_process_that_has_died_meanwhile_is_not_taken_for_its_successors(wait):
    assert wait(reads=5, pids=("7", "9")) == [0.0, 0.4, 0.5]
