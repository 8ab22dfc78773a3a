"""What the programs for Heat's Python say of an engine that does not end."""

import importlib
import sys
from types import ModuleType

import pytest


@pytest.fixture
def engine_work(monkeypatch):
    """The module as Heat's Python has it; ours has no SQLAlchemy, which these tests do not need."""
    monkeypatch.setitem(sys.modules, "sqlalchemy", ModuleType("sqlalchemy"))
    monkeypatch.delitem(sys.modules, "deployer.heat.scripts.engine_work", raising=False)
    yield importlib.import_module("deployer.heat.scripts.engine_work")
    sys.modules.pop("deployer.heat.scripts.engine_work")


@pytest.mark.parametrize(
    ("work", "said"),
    [
        (["web/server (CREATE)"], "e1 still works on web/server (CREATE)"),
        ([f"stack/r{number} (CREATE)" for number in range(7)], "and 2 more"),
        ([], "e1 has not ended yet, and Heat's database does not say what it works on"),
    ],
)
def test_engine_that_does_not_end_is_named_with_its_work(engine_work, work, said):
    assert said in engine_work.unfinished("e1", work)
