"""Whose traces the program for Heat's Python removes: of every dead engine, or of those of one host alone."""

import contextlib
import json
import sys
from types import SimpleNamespace

import pytest

from deployer.heat import scripts

# Dead are those of hostC and one of hostD; the other one reports.
ROWS = [("c1", "hostC-engine-1", False), ("c2", "hostC-engine-2", False), ("d1", "hostD-engine-1", False)]
ALIVE = [("d2", "hostD-engine-2", True)]


class Link:
    """A connection to a database in which no resource has a worker."""

    def execute(self, statement):
        return []


@pytest.fixture
def run(monkeypatch, capsys):
    """Run the program with the names of engines; returns who it printed, the ids it repaired, and what it forgot."""

    def run(engines, clean=True):
        link, repaired, forgotten = Link(), [], []
        database = SimpleNamespace(connect=lambda: contextlib.nullcontext(link))
        database.begin = database.connect
        rows = [{"engine_id": each, "host": host, "up": up} for each, host, up in ROWS + ALIVE]
        parts = {
            "service_table": SimpleNamespace(database=lambda conf: database, rows=lambda _: rows),
            "queues": SimpleNamespace(
                connect=lambda conf: SimpleNamespace(close=lambda: None),
                of_engine=lambda engine_id: [f"queue.{engine_id}"],
                counts=lambda broker, names: dict.fromkeys(names),
            ),
            "engine_work": SimpleNamespace(
                expanding=str,
                held=lambda _, ids: [f"work of {each}" for each in ids],
                repair=lambda _, ids: repaired.append(ids),
                forget=lambda _, conf, ids, others: forgotten.append((ids, others)),
            ),
        }
        monkeypatch.setitem(sys.modules, "sqlalchemy", SimpleNamespace(text=str))
        for name, part in parts.items():
            monkeypatch.setattr(scripts, name, part, raising=False)
        values = {"conf": "/etc/heat/heat.conf", "clean": clean, "engines": engines}
        exec(compile(scripts.program("dead_workers"), "dead_workers.py", "exec"), {"VALUES": values})
        printed = [each["engine_id"] for each in json.loads(capsys.readouterr().out)]
        return printed, repaired, forgotten

    return run


def test_every_dead_engine_is_cleaned_where_none_is_named(run):
    printed, repaired, forgotten = run(None)

    assert printed == ["c1", "c2", "d1"]
    assert (repaired[0], forgotten) == (printed, [(printed, [])])


def test_engines_of_a_host_that_is_gone_are_cleaned_alone_with_the_queues_of_their_names(run):
    printed, repaired, forgotten = run(["hostC-engine-1", "hostC-engine-2"])

    assert printed == ["c1", "c2"]
    assert {"d1", "d2"}.isdisjoint(each for ids in repaired for each in ids)
    assert forgotten == [(["c1", "c2"], ["engine.hostC-engine-1", "engine.hostC-engine-2"])]


def test_named_engine_that_is_alive_is_left_alone(run):
    printed, repaired, forgotten = run(["hostD-engine-2"])

    assert printed == []
    assert not any("d2" in ids for ids in repaired)
    assert forgotten == [([], ["engine.hostD-engine-2"])]


def test_list_cleans_nothing(run):
    assert run(["hostC-engine-1"], clean=False) == (["c1"], [], [])
