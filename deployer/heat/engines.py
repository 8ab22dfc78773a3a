"""Heat's own view of its engines: the rows of its service table and the queues of its broker.

Both are asked by Heat's own Python on the source host.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from deployer import errors
from deployer.heat import script_outputs, scripts, service_units
from deployer.inventory.schema import Inventory
from deployer.model import names
from deployer.model.events import Level
from deployer.model.steps import Plan, StartUnit, StopUnit
from deployer.model.wire import Json, Reply, Request
from deployer.remote.fleet import Fleet

ENGINES_TIMEOUT = 30.0  # seconds
STATUS_TIMEOUT = 8.0  # seconds for the program of `status`
LOGIN_TIMEOUT = 3  # seconds for the database, or one host of the broker, to answer
QUESTION, SCRIPT = "engines", "engine_view"


@dataclass(frozen=True)
class EngineRow:
    """One worker process of an engine. `host` is the engine's name, `age` the seconds since it last reported."""

    engine_id: str
    host: str
    hostname: str
    up: bool
    age: float


@dataclass(frozen=True)
class Queue:
    """The queue of one worker process: messages that wait in it, and who reads it."""

    messages: int
    consumers: int


NOT_ASKED = Queue(0, 0)


@dataclass(frozen=True)
class EngineView:
    """What Heat knows of its engines. `known`: its table could be read; `queues`: id of an engine -> its queue.

    An id whose queue does not exist has None; without an answer of the broker no id is there. `problems`: why an answer
    is missing.
    """

    rows: tuple[EngineRow, ...] = ()
    queues: Mapping[str, Queue | None] = field(default_factory=dict)
    known: bool = True
    problems: tuple[str, ...] = ()

    def is_alive(self, row: EngineRow) -> bool:
        """Whether a process stands behind a row: one reads its queue or, if nobody knows, it has reported in time."""
        if row.engine_id not in self.queues:
            return row.up
        queue = self.queues[row.engine_id]
        return queue is not None and queue.consumers > 0

    def has_no_queue(self, row: EngineRow) -> bool:
        """Whether one that has reported in time has no queue at the broker that was asked.

        It was killed a moment ago, or reads another broker or virtual host, as an engine of another release does.
        """
        return row.up and self.queues.get(row.engine_id, NOT_ASKED) is None

    def queue(self, rows: Iterable[EngineRow]) -> Queue | None:
        """The queues of some rows together; None when the broker was not asked."""
        asked = [self.queues[row.engine_id] for row in rows if row.engine_id in self.queues]
        there = [each for each in asked if each]
        return Queue(sum(each.messages for each in there), sum(each.consumers for each in there)) if asked else None


UNKNOWN_VIEW = EngineView(known=False)


def question(inventory: Inventory, seconds: float = STATUS_TIMEOUT) -> dict[str, Request]:
    """The program that the source host runs while it is observed, for so long at most; `view` reads its output."""
    heat = inventory.heat_of(inventory.heat.source)
    text = scripts.text(SCRIPT, conf=f"{heat.config_dir}/heat.conf", seconds=LOGIN_TIMEOUT)
    return {QUESTION: {"argv": [service_units.python_of(heat.prefix), "-"], "stdin": text, "timeout": seconds}}


def view(answers: Mapping[str, Mapping[str, Json]]) -> EngineView:
    """Given the outputs of the programs on the source host, return what Heat knows."""
    answer = answers.get(QUESTION, {"why": "it was not asked"})
    if answer["why"]:
        return EngineView(known=False, problems=(f"Heat's Python: {answer['why']}",))
    try:
        return _view(script_outputs.read(SCRIPT, answer["printed"]))
    except ValueError as error:
        return EngineView(known=False, problems=(f"Heat's Python: {error}",))


def _view(found: Reply) -> EngineView:
    queues = {each: Queue(*observed) if observed else None for each, observed in found["queues"].items()}
    return EngineView(
        tuple(_row(each) for each in found["rows"] or ()),
        queues,
        found["rows"] is not None,
        tuple(f"Heat's {each}" for each in found["problems"]),
    )


def stopping(todo: Plan) -> frozenset[str]:
    """The names in Heat of the engines that a plan stops."""
    return _engines(step for step in todo if isinstance(step, StopUnit))


def starting(todo: Plan) -> frozenset[str]:
    """The names in Heat of the engines that a plan starts."""
    return _engines(step for step in todo if isinstance(step, StartUnit))


def _engines(steps: Iterable[StopUnit | StartUnit]) -> frozenset[str]:
    found = (names.engine_of_unit(step.host, step.unit) for step in steps)
    return frozenset(name for name in found if name)


def resources_held(inventory: Inventory, fleet: Fleet) -> dict[str, int]:
    """Ask the source host how many resources each engine works on, by its name.

    Raise HostFailed when its database does not answer.
    """
    return _asked(inventory, fleet, "resources_held")


def ask_view(inventory: Inventory, fleet: Fleet) -> EngineView:
    """Ask the source host what Heat knows of its engines; raise HostFailed when database or broker do not answer."""
    found = _view(_asked(inventory, fleet, SCRIPT, seconds=LOGIN_TIMEOUT))
    if found.problems:
        raise errors.HostFailed(inventory.heat.source, "; ".join(found.problems))
    return found


def _asked(inventory: Inventory, fleet: Fleet, name: str, **values: Json) -> Json:
    source = inventory.heat.source
    heat = inventory.heat_of(source)
    script = scripts.text(name, conf=f"{heat.config_dir}/heat.conf", **values)
    programs = {source: (service_units.python_of(heat.prefix), script)}
    found = answers(fleet, "ask Heat", name, programs, ENGINES_TIMEOUT, Level.VERBOSE)[source]
    if isinstance(found, errors.DeployerError):
        raise found
    return found


def _row(each: Reply) -> EngineRow:
    return EngineRow(each["engine_id"], each["host"], each["hostname"], each["up"], each["age"])


def answers(
    fleet: Fleet,
    title: str,
    name: str,
    programs: Mapping[str, tuple[str, str]],
    limit: float,
    level: Level = Level.INFO,
) -> dict[str, Json | errors.DeployerError]:
    """Run a script on each host, given its interpreter and its text; host -> its output as data, or its error."""
    requests = {
        host: {"ledger": "", "steps": [{"do": "run", "argv": [python, "-"], "stdin": text, "timeout": limit}]}
        for host, (python, text) in programs.items()
    }
    replies = fleet.ask(title, "perform", requests, limit + 10, level)
    return {host: _answer(host, name, reply) for host, reply in replies.items()}


def _answer(host: str, name: str, reply: Reply | errors.DeployerError) -> Json | errors.DeployerError:
    if isinstance(reply, errors.DeployerError):
        return reply
    if reply["failed"]:
        return errors.HostFailed(host, reply["failed"]["why"])
    try:
        return script_outputs.read(name, reply["done"][0])
    except ValueError as error:
        return errors.HostFailed(host, str(error))
