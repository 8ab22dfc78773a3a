"""A step is data and a sentence; a plan is ordered waves of them."""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from deployer.model import names
from deployer.model.facts import Listener
from deployer.model.probe import Probe, Program
from deployer.model.state import File
from deployer.model.wire import Json


@dataclass(frozen=True)
class Step:
    """One thing to do on one host, and why."""

    host: str
    because: str = field(kw_only=True, default="")

    changes = True  # a wait changes nothing and is not counted


@dataclass(frozen=True)
class WriteFile(Step):
    file: File

    def __str__(self) -> str:
        return f"write {self.file.path} ({self.because})"


@dataclass(frozen=True)
class RemoveFile(Step):
    path: str

    def __str__(self) -> str:
        return f"remove {self.path} ({self.because})"


@dataclass(frozen=True)
class ReloadSystemd(Step):
    def __str__(self) -> str:
        return f"let systemd read its units again ({self.because})"


@dataclass(frozen=True)
class EnableUnit(Step):
    unit: str

    def __str__(self) -> str:
        return f"enable {self.unit} ({self.because})"


@dataclass(frozen=True)
class StartUnit(Step):
    unit: str

    def __str__(self) -> str:
        return f"start {self.unit} ({self.because})"


@dataclass(frozen=True)
class RestartUnit(Step):
    unit: str

    def __str__(self) -> str:
        return f"restart {self.unit} ({self.because})"


@dataclass(frozen=True)
class ReloadUnit(Step):
    unit: str

    def __str__(self) -> str:
        return f"reload {self.unit} ({self.because})"


@dataclass(frozen=True)
class StopUnit(Step):
    """Stop a unit and disable it; an engine stays enabled until it is proven to have ended, which DisableUnit does."""

    unit: str

    def __str__(self) -> str:
        return f"stop {self.unit} ({self.because})"


@dataclass(frozen=True)
class DisableUnit(Step):
    """The end of a stop: from now on nothing is left of it that a later run would have to prove."""

    unit: str

    changes = False  # the stop has named it

    def __str__(self) -> str:
        return f"disable {self.unit} ({self.because})"


@dataclass(frozen=True)
class SharePort(Step):
    """Let a unit of ours listen beside whoever holds an address that it needs."""

    address: str
    port: int
    holder: Listener

    changes = False  # whoever listens there goes on as before

    def __str__(self) -> str:
        return f"share {self.address}:{self.port} ({self.because})"


@dataclass(frozen=True)
class ReleasePort(Step):
    """Stop and disable whoever holds an address that a unit of ours serves, once its last request is answered."""

    address: str
    port: int
    holder: Listener

    def __str__(self) -> str:
        unit = self.holder.unit if names.starts_processes(self.holder.unit) else ""
        who = unit or f"{self.holder.program} (pid {self.holder.pid})"
        return f"stop {who} ({self.because})"


DRAIN_TIMEOUT = 150.0  # seconds that requests in progress may take; an old worker of the proxy ends after 120


class OnError(StrEnum):
    """When a host fails: leave the others as they are, go on with them, or revert all of them."""

    STOP = "stop"
    CONTINUE = "continue"
    REVERT = "revert"


@dataclass(frozen=True)
class RolloutOptions:
    """How a plan is executed.

    `restart`: hosts whose processes are restarted although nothing about them changed. `last`: hosts that are changed
    after the others. `wait`: seconds that requests and work in progress may take (None: DRAIN_TIMEOUT for requests, an
    engine's own grace for its work); `force`: go on without them after that.
    """

    restart: Collection[str] = ()
    last: Collection[str] = ()
    wait: float | None = None
    force: bool = False
    on_error: OnError = OnError.STOP

    @property
    def drain_wait(self) -> float:
        return DRAIN_TIMEOUT if self.wait is None else self.wait


DEFAULT_ROLLOUT = RolloutOptions()


@dataclass(frozen=True)
class StartPredecessor(Step):
    """Start the units that were stopped for the proxy, beside it, and lead new connections there; see the ledger."""

    stopped: tuple[Mapping[str, Json], ...]

    def __str__(self) -> str:
        return f"start {', '.join(sorted({each['unit'] for each in self.stopped}))} again ({self.because})"


@dataclass(frozen=True)
class RemoveRecords(Step):
    """Remove our records of what we did to a host."""

    changes = False

    def __str__(self) -> str:
        return "remove the records of what was done here"


MOST_NAMED = 5  # things that a sentence names


@dataclass(frozen=True)
class CleanUpEngines(Step):
    """Mark what the engines of a host that is gone worked on (`held`) as failed, and delete what they left in Heat.

    `host` is the source, where `program` runs in Heat's Python.
    """

    gone: str
    program: Program
    held: tuple[str, ...] = ()

    def __str__(self) -> str:
        more = f" and {len(self.held) - MOST_NAMED} more" if len(self.held) > MOST_NAMED else ""
        work = f"mark as failed {', '.join(self.held[:MOST_NAMED])}{more}, " if self.held else ""
        return f"{work}delete rows and queues of the engines of {self.gone} ({self.because})"


@dataclass(frozen=True)
class DrainServer(Step):
    """Give a server of the proxy no new requests and wait until it has none in progress; `host` is the proxy's.

    After `wait` seconds with requests in progress it fails, or with `force` goes on without them.
    """

    server: str
    wait: float = DRAIN_TIMEOUT
    force: bool = False

    def __str__(self) -> str:
        return f"drain {self.server} ({self.because})"


@dataclass(frozen=True)
class ReadyServer(Step):
    """Give a server of the proxy requests again; `host` is the proxy's."""

    server: str

    def __str__(self) -> str:
        return f"undrain {self.server} ({self.because})"


@dataclass(frozen=True)
class AwaitReady(Step):
    """Wait until a started process proves that it is ready; with `force` the one before it is killed in the end."""

    unit: str
    probe: Probe
    force: bool = False

    changes = False

    def __str__(self) -> str:
        return f"wait until {self.unit} is ready"


@dataclass(frozen=True)
class AwaitAnswer(Step):
    """Wait until a started API answers as a client would ask: with a token of Keystone, or a signature."""

    unit: str
    program: Program

    changes = False

    def __str__(self) -> str:
        return f"wait until {self.unit} answers a client"


@dataclass(frozen=True)
class AwaitStopped(Step):
    """Wait until nothing in Heat belongs to a stopping process; with `force` it is killed in the end."""

    unit: str
    probe: Probe
    force: bool = False

    changes = False

    def __str__(self) -> str:
        return f"wait until {self.unit} has ended its work"


@dataclass(frozen=True)
class Wave:
    """Steps that may run on all their hosts at the same time, in order on each; it ends before the next begins.

    `rolls` is the host whose running processes change ("": none), to which the wave's failure belongs.
    """

    name: str
    steps: tuple[Step, ...]
    rolls: str = ""

    def by_host(self) -> Mapping[str, tuple[Step, ...]]:
        hosts = dict.fromkeys(step.host for step in self.steps)
        return {host: tuple(step for step in self.steps if step.host == host) for host in hosts}


@dataclass(frozen=True)
class Plan:
    """Everything to do, in waves. `hosts` are all hosts that were compared, with or without a step."""

    waves: tuple[Wave, ...] = ()
    hosts: tuple[str, ...] = ()

    def __iter__(self) -> Iterator[Step]:
        return (step for wave in self.waves for step in wave.steps)

    def rolled(self) -> tuple[str, ...]:
        """The hosts whose running processes change, in that order."""
        return tuple(dict.fromkeys(wave.rolls for wave in self.waves if wave.rolls))

    def changes(self) -> tuple[Step, ...]:
        """The steps that change something, in the order they run."""
        return tuple(step for step in self if step.changes)
