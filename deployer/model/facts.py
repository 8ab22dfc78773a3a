"""What one observation of a host has: its state, who listens where, and further facts."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from deployer.model.state import HostState
from deployer.model.tls import Certificate
from deployer.model.wire import Json


@dataclass(frozen=True)
class Listener:
    """A listening TCP socket of a host and who holds it. `unit` is its systemd unit, `argv` its command line."""

    address: str
    port: int
    pid: int = 0
    program: str = ""
    unit: str = ""
    argv: tuple[str, ...] = field(default=(), repr=False)


@dataclass(frozen=True)
class Server:
    """One server as HAProxy sees it: `status` is UP, DOWN, MAINT, DRAIN ...; `check` the last check's result.

    `address` is address:port, with brackets around IPv6; `sessions` are those in progress, `requests` all so far.
    `configured`: it is drained by the configuration, not by a command at run time.
    """

    section: str
    name: str
    address: str
    status: str
    check: str = ""
    sessions: int = 0
    requests: int = 0
    configured: bool = False

    @property
    def path(self) -> str:
        return f"{self.section}/{self.name}"

    @property
    def serves(self) -> bool:
        return self.status.startswith(("UP", "no check"))

    @property
    def drained(self) -> bool:
        """Whether it was told to take no new requests, by a drain or by somebody who put it into maintenance."""
        return self.status.startswith(("DRAIN", "MAINT"))

    @property
    def in_maintenance(self) -> bool:
        return self.status.startswith("MAINT")

    @property
    def down(self) -> bool:
        return self.status.startswith("DOWN")


@dataclass(frozen=True)
class UnitCounters:
    """What a unit has used so far: seconds of CPU since it started; and the bytes of memory that it holds now."""

    cpu: float
    memory: int


@dataclass(frozen=True)
class UnitUsage:
    """How many processes a unit has, and the memory that they hold in all, in bytes."""

    processes: int
    memory: int


@dataclass(frozen=True)
class HostResources:
    """`available`: bytes of memory; `most_files`: how many a unit may open. None: not known.

    `answers`: what programs printed that ran meanwhile, and why one failed.
    """

    available: int | None = None
    most_files: int | None = None
    units: Mapping[str, UnitUsage] = field(default_factory=dict)
    answers: Mapping[str, Mapping[str, Json]] = field(default_factory=dict, repr=False)


@dataclass(frozen=True)
class Facts:
    """Further facts of a host. `skew`: seconds its clock is ahead of ours; `free`: path -> bytes.

    `paths`: name of a search -> the paths it found; `engines`: engine processes that are not ours, as listeners
    without an address; `servers`: those of the proxy that runs here; `stopped`: what we stopped, by the ledger;
    `answers`: name of a program that ran meanwhile -> what it printed, or why it failed; `last_run`: the last run
    that began here, with what it is doing; `at_work`: who is at work here now, perhaps without a name (None: nobody);
    `certificates`: what TLS takes there, by purpose; `masked`: the units of ours that nothing can start; `drop_ins`:
    unit -> the files that change it beside ours, by somebody's hand; `package_units`: services of Heat's packages that
    run, or will with the host; `counters`: unit -> what it has used, by
    `counted_at`, in seconds of the host's own clock that is never set; `resources`: what it has to spare (None: not
    measured).
    """

    python: tuple[int, ...] = ()
    systemd: bool = True
    cpus: int = 1
    skew: float = 0.0
    free: Mapping[str, int] = field(default_factory=dict)
    accounts: Mapping[str, int | None] = field(default_factory=dict)
    paths: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    listeners: tuple[Listener, ...] = ()
    engines: tuple[Listener, ...] = ()
    servers: tuple[Server, ...] = ()
    stopped: tuple[Mapping[str, Json], ...] = ()
    hostname: str = ""
    answers: Mapping[str, Mapping[str, Json]] = field(default_factory=dict, repr=False)
    last_run: Mapping[str, Json] = field(default_factory=dict, repr=False)
    at_work: str | None = None
    certificates: Mapping[str, Certificate] = field(default_factory=dict)
    masked: tuple[str, ...] = ()
    drop_ins: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    package_units: tuple[str, ...] = ()
    counters: Mapping[str, UnitCounters] = field(default_factory=dict)
    counted_at: float = 0.0
    resources: HostResources | None = None


@dataclass(frozen=True)
class Observation:
    """The observed state of a host and its facts."""

    state: HostState
    facts: Facts = Facts()


@dataclass(frozen=True)
class DeadWorker:
    """What one worker process of an engine left: `host` is the engine's name ("": Heat has forgotten it).

    `held`: what it worked on; `queues`: those that nobody reads any more.
    """

    engine_id: str
    host: str
    held: tuple[str, ...]
    queues: tuple[str, ...]
