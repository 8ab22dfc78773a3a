"""Heat's engines, their rows, work and queues, in memory; the programs that wait for engines are the real ones.

These are loaded as a host would load them; only what asks Heat's database and broker is small and of the tests' own.
"""

import _strptime
import builtins
import contextlib
import datetime
import functools
from collections.abc import Callable
from types import ModuleType, SimpleNamespace
from typing import Any

from contract import fake_programs
from contract.fake_programs import Failed, NotYet

from deployer.heat import scripts

PACKAGE = "deployer.heat.scripts"
NOT_YET = 75


class NoBroker(Exception):
    """No broker answers."""


class Exit(Exception):
    """A program that ends."""

    def __init__(self, status: Any = 0) -> None:
        super().__init__(status)
        self.status = status


class FakeHeat:
    """Rows by the id of a worker: one for each process of an engine of ours, also where that has ended."""

    def __init__(self) -> None:
        self.reading: Callable[[], set[str]] = set  # the workers that read their queues
        self.rows: dict[str, dict[str, Any]] = {}
        self.work: dict[str, list[str]] = {}  # id of a worker -> what it works on
        self.failed: list[str] = []  # work that was marked as failed
        self.unlisted: set[str] = set()  # engines of which Heat has no row yet, whatever runs

    def engine_began(self, host: Any, unit: str, pid: int) -> None:
        name = f"{host.name}-engine-{unit.split('@')[1].removesuffix('.service')}"
        self.rows[f"id-{pid}"] = {"host": name, "hostname": host.name, "created": host.clock.wall() + host.skew}

    def engine_ended(self, pid: int, is_killed: bool) -> None:
        """One that nobody has killed has ended its work."""
        if not is_killed:
            self.work.pop(f"id-{pid}", None)

    def ids_of(self, engine: str) -> list[str]:
        return [each for each, row in self.rows.items() if row["host"] == engine]

    def held(self, ids: list[str]) -> list[str]:
        return [work for each in ids for work in self.work.get(each, [])]

    def mark_failed(self, ids: list[str]) -> None:
        self.failed += self.held(ids)
        for each in ids:
            self.work.pop(each, None)

    def forget(self, ids: list[str], reading: set[str]) -> list[str]:
        """Delete the rows of workers; the queues of those that are alive are left alone."""
        for each in ids:
            if each not in reading:
                self.rows.pop(each, None)
        return [f"engine_worker.{each}" for each in ids if each in reading]

    def run(self, host: Any, name: str, values: dict[str, Any], arguments: list[str]) -> str:
        """Run one of the programs on a host, given its arguments; what it prints."""
        printed: list[str] = []
        own = {"VALUES": values, "__builtins__": self._builtins(host, arguments, printed)}
        try:
            exec(_code(name), own)
        except Exit as end:
            text = "\n".join(printed).strip()
            if end.status == NOT_YET:
                raise NotYet(text) from None
            if end.status:
                raise Failed(str(end.status)) from None
        return "\n".join(printed).strip()

    def _builtins(self, host: Any, arguments: list[str], printed: list[str]) -> dict[str, Any]:
        modules = fake_programs.modules(host)
        substitutes = {
            **{name: modules[name] for name in ("subprocess", "time")},
            "sys": SimpleNamespace(argv=arguments, exit=_exit),
            "contextlib": contextlib,
            "datetime": datetime,
            "_strptime": _strptime,  # which datetime loads by the importing module's own means
            "os": SimpleNamespace(environ={}),
            "glob": SimpleNamespace(glob=lambda pattern: []),  # an engine here has no worker beside itself
            "sqlalchemy": SimpleNamespace(),
            "deployer.remote.agent": SimpleNamespace(priority=SimpleNamespace(take_share=lambda: None)),
        }
        parts: dict[str, Any] = {"queues": SimpleNamespace(NoBroker=NoBroker), "service_table": self._table()}

        def imported(name: str, _globals: Any = None, _locals: Any = None, names: Any = (), _level: int = 0) -> Any:
            return SimpleNamespace(**{each: parts[each] for each in names}) if name == PACKAGE else substitutes[name]

        own = {**vars(builtins), "__import__": imported, "print": lambda text: printed.append(str(text))}
        for name in ("units", "engine_work"):
            parts[name] = module = ModuleType(name)
            module.__dict__["__builtins__"] = own
            exec(_code(name), module.__dict__)
        self._have_database(parts["engine_work"])
        return own

    def _table(self) -> SimpleNamespace:
        def rows(_: Any) -> list[dict[str, Any]]:
            listed = {each: row for each, row in self.rows.items() if row["host"] not in self.unlisted}
            return [{"engine_id": each, "up": each in self.reading(), **row} for each, row in listed.items()]

        return SimpleNamespace(database=lambda conf: None, rows=rows)

    def _have_database(self, engine_work: ModuleType) -> None:
        """Ask this Heat where the real one asks its database."""
        replaced = {
            "ids_of": lambda _, engine: self.ids_of(engine),
            "held": lambda _, ids: self.held(ids),
            "repair": lambda _, ids: self.mark_failed(ids),
            "forget": lambda _, conf, ids, others=(): self.forget(ids, self.reading()),
        }
        vars(engine_work).update(replaced)


def _exit(status: Any = 0) -> None:
    raise Exit(status)


@functools.cache
def _code(name: str) -> Any:
    return compile(scripts.program(name), f"scripts/{name}.py", "exec")
