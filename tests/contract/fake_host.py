"""One host in memory: the agent's own modules on a temporary root, with a small systemd, HAProxy and journal around.

What the agent decides is nowhere here: these are the programs that it runs and the system that it asks.
"""

import dataclasses
import fnmatch
import hashlib
import io
import itertools
import json
import re
import shutil
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from contract import fake_systemd
from contract.agent_on_host import Agent
from contract.fake_haproxy import Haproxy
from contract.fake_heat import FakeHeat
from contract.fake_proc import Proc
from contract.fake_programs import Clock, Failed, NotYet, Ran
from contract.fake_root import Files, Root
from contract.fake_systemd import Behaviour, FakeUnit, Systemd

PIDS = fake_systemd.PIDS
RECORDS = "/var/lib/heat-scaleout"
PROXY = "heat-scaleout-proxy.service"
INODES = itertools.count(70000)
FORKED = 10**6  # between the PIDs of a process and of its workers


@dataclass
class FakeListener:
    """A socket that a process listens on, or has a connection by; a process without one has port 0."""

    address: str
    port: int
    pid: int
    program: str = ""
    unit: str = ""
    argv: list[str] = field(default_factory=list)
    shared: bool = False
    is_deaf: bool = False  # it does not answer yet
    is_idle: bool = False  # a connection whose last request is answered
    filter: list[tuple[int, int, int, int]] = field(default_factory=list)
    inode: int = field(default_factory=lambda: next(INODES))


@dataclass(frozen=True)
class FakeProcess:
    pid: int
    program: str
    unit: str
    argv: tuple[str, ...]
    parent: int = 1

    def worker(self, number: int) -> "FakeProcess":
        """A process that this one has forked."""
        return dataclasses.replace(self, pid=self.pid + number * FORKED, parent=self.pid)


class FakeHost:
    """A host that keeps what it is sent. Public attributes may be changed by a test before or between requests."""

    def __init__(self, name: str, address: str) -> None:
        self.name, self.address = name, address
        self.root, self.proc, self.clock = Root(), Proc(self), Clock(5000.0)
        self.accounts = {"root": 0, "heat": 64055, "haproxy": 102}
        self.files = Files(self.root, self.accounts)
        self.systemd, self.haproxy = Systemd(self), Haproxy(self)
        self.listeners: list[FakeListener] = []
        self.connections: list[FakeListener] = []
        self.cut: list[FakeListener] = []  # connections that ended with their process, whatever was in progress
        self.request_seconds = 0.0  # that requests in progress take, where a process ends softly
        self.engines: list[FakeListener] = []
        self.free = 10 * 2**30
        self.read_only = False
        self.skew = 0.0
        self.cpus = 4
        self.available, self.most_files = 8 * 2**30, 2**20
        self.held = {"processes": 3, "memory": 200 * 2**20}  # by every unit that runs
        self.cpu_seconds = 12.5  # of every unit that runs
        self.requests = 7  # that each server of its proxy has had
        self.busy_servers: dict[str, int] = {}  # section/server -> its requests in progress
        self.python = [3, 11, 2]
        self.uid, self.agent_pid = 0, 2
        self.copies_sockets = True  # whether its kernel lets root copy another process's socket
        self.done: list[str] = []
        self.locks: dict[str, dict[str, Any]] = {}  # path -> who holds it
        self.flocks: set[str] = set()  # files that another request has locked
        self.run_program: Callable[[Any, list[str], str], str] = _simple_program
        self.moment: Callable[[str, dict[str, Any]], None] = _nothing  # "before" and "after" each step; may raise
        self.heat = FakeHeat()  # of the site
        self.reached: Callable[[], list[FakeListener]] = lambda: self.listeners  # on the hosts that this one reaches
        self.certificates: dict[str, dict[str, Any]] = {}  # path -> what differs from a good one
        self.journal: list[dict[str, Any]] = []  # entries in the order they came
        self.stderr = io.BytesIO()  # of the agent
        self.handles: dict[int | None, Any] = {}  # files of the agent that stand for processes and sockets
        self.ports = itertools.count(40000)
        self.agent = Agent(self)
        self.paths = {"/usr/sbin/haproxy"}

    # What tests prepare.

    def has_file(self, path: str, content: str | bytes, owner: str = "root", group: str = "root", **mode: int) -> None:
        content = content.encode() if isinstance(content, str) else content
        self.root.put(path, content, (self.accounts[owner], self.accounts[group]), **mode)

    @property
    def paths(self) -> set[str]:
        """The programs that are installed, and what else has a path of the system's."""
        return set(self._paths)

    @paths.setter
    def paths(self, paths: set[str]) -> None:
        for gone in getattr(self, "_paths", set()) - paths:
            Path(self.root.at(gone)).unlink(missing_ok=True)
        for path in paths:
            self.root.put(path, b"", mode=0o755)
        self._paths = set(paths)

    def runs(self, program: str, port: int, unit: str = "", address: str = "") -> int:
        """A process that is not ours listens here; return its PID."""
        listener = FakeListener(address or self.address, port, next(PIDS), program, unit, [f"/usr/bin/{program}"])
        if unit:
            started = self.systemd.has_unit(unit, listener.argv[0], f"{listener.address}:{port}")
            listener.pid = started.pid
        self.listeners.append(listener)
        return listener.pid

    def reboot(self) -> None:
        """Everything that runs is gone; enabled units come back, those of others first."""
        self.listeners, self.connections, self.locks = [], [], {}
        self.haproxy = Haproxy(self)
        shutil.rmtree(self.root.at("/run"))
        Path(self.root.at("/run/systemd/system")).mkdir(parents=True)
        self.systemd.boot()

    def dies(self, unit: str, again: bool) -> None:
        """A process of ours is killed; systemd starts it `again`, or has given up doing so."""
        self.systemd.dies(unit, again)

    def logs_line(self, unit: str, message: str, time: int | None = None) -> None:
        """A unit writes a line to the journal; `time` is in microseconds, else a second after the line before."""
        last = self.journal[-1]["time"] if self.journal else 0
        pid = self.units[unit].pid if unit in self.units else 1
        when = last + 1_000_000 if time is None else time
        self.journal.append({"time": when, "unit": unit, "pid": pid, "priority": 6, "message": message})

    def is_at_work(self, path: str, who: dict[str, Any]) -> None:
        """Another request changes this host, and does not end."""
        self.root.put(path, json.dumps(who).encode(), mode=0o600)
        self.flocks.add(path)

    def loses_last_record(self) -> None:
        """The line on which the journal of our runs ends was never written."""
        path = Path(self.root.at(f"{RECORDS}/journal"))
        path.write_text("".join(path.read_text().splitlines(keepends=True)[:-1]))

    def loses_generations(self) -> None:
        """All that is kept of earlier runs is gone, but for the ledger."""
        for name in ("generations", "objects"):
            shutil.rmtree(self.root.at(f"{RECORDS}/{name}"))
        Path(self.root.at(f"{RECORDS}/journal")).unlink()

    # What tests read.

    @property
    def units(self) -> dict[str, FakeUnit]:
        return self.systemd.units

    def running(self) -> dict[str, int]:
        """Unit -> PID of every running unit of ours."""
        return {name: unit.pid for name, unit in sorted(self.units.items()) if unit.active and _is_ours(name)}

    @property
    def last_run(self) -> dict[str, Any]:
        """The last run, as the journal has it."""
        return self.agent.part("observe", "journal").last_run(RECORDS)

    @property
    def generations(self) -> dict[int, dict[str, Any]]:
        """Number -> {run, state} of the generations that are kept."""
        kept = Path(self.root.at(f"{RECORDS}/generations")).glob("*.json")
        return {int(path.stem): json.loads(path.read_text()) for path in kept}

    def book(self, path: str = f"{RECORDS}/ledger.json") -> dict[str, Any]:
        """What we did to this host."""
        return self.agent.part("observe", "ledger").read(path)

    @property
    def drained(self) -> set[str]:
        """Servers of the proxy, as section/server."""
        return self.haproxy.drained

    @drained.setter
    def drained(self, servers: set[str]) -> None:
        self.haproxy.drained = servers

    def servers(self) -> dict[str, str]:
        """The servers of the proxy that runs here: section/name -> its row of the statistics."""
        return self.haproxy.rows()

    @property
    def uptime(self) -> float:
        """The host's own clock."""
        return self.clock.now

    @uptime.setter
    def uptime(self, seconds: float) -> None:
        self.clock.advance(seconds - self.clock.now)

    # The verbs of the agent, and the lock, which lasts as long as a connection.

    def ask(self, verb: str, request: dict[str, Any]) -> dict[str, Any]:
        """The agent's answer, and what it said of its steps on stderr meanwhile."""
        if verb in ("holder", "release"):
            return getattr(self, verb)(request)
        self.stderr = io.BytesIO()
        sent = self.clock.wall()
        reply = self.agent.call(verb, request)
        return {**reply, "sent": sent, "received": self.clock.wall()} if "clock" in reply else reply

    def holder(self, request: dict[str, Any]) -> dict[str, Any]:
        return {"held_by": self.locks.get(request["path"], {})}

    def release(self, request: dict[str, Any]) -> dict[str, Any]:
        found = self.locks.get(request["path"], {})
        if not found or found["id"] != request["id"]:
            return {"ended": {}, "held_by": found}
        return {"ended": self.locks.pop(request["path"]), "held_by": {}}

    # What the system around the agent does.

    def processes(self) -> dict[int, FakeProcess]:
        """PID -> process, of all that run."""
        found = {
            each.pid: FakeProcess(each.pid, each.program, each.unit, tuple(each.argv or [f"/usr/bin/{each.program}"]))
            for each in self.listeners + self.engines
        }
        for name, unit in self.units.items():
            if unit.pid and unit.pid not in found:
                program = Path(unit.argv[0]).name if unit.argv else name
                found[unit.pid] = FakeProcess(unit.pid, program, name, tuple(unit.argv))
        workers = [each.worker(number) for each in found.values() for number in range(1, self._processes_of(each))]
        return {each.pid: each for each in sorted([*found.values(), *workers], key=lambda each: each.pid)}

    def _processes_of(self, process: FakeProcess) -> int:
        return self.held["processes"] if process.unit else 1

    def stray_unit(self, name: str) -> tuple[str, int]:
        """State and PID of a unit that systemd knows and no test has set up: a process of the host's own."""
        pids = [each.pid for each in self.listeners + self.engines if each.unit == name and name]
        return ("active", pids[0]) if pids else ("inactive", 0)

    def programs(self, argv: list[str], given: str) -> Ran:
        """Run a program."""
        name = Path(argv[0]).name
        if name == "systemctl":
            return self.systemd.systemctl(list(argv[1:]))
        if name == "journalctl":
            return self._journalctl(argv[1:])
        try:
            return Ran(self.run_program(self, list(argv), given))
        except NotYet as waiting:
            return Ran(str(waiting), 75)
        except Failed as error:
            return Ran("", 1, str(error))

    def process_started(self, name: str, unit: FakeUnit, settings: str) -> str:
        """The process of a unit begins to listen; why it does not."""
        if name == PROXY and not self._proxy_text():
            return f"there is no {_config_of(unit)}"
        needs = self.haproxy.binds(self._proxy_text()) if name == PROXY else self._listens(unit.argv, settings)
        taken = [each for each in needs if self._is_taken(*each, name, "UWSGI_REUSE_PORT=true" in settings)]
        if taken:
            return f"{taken[0][0]}:{taken[0][1]}: address already in use"
        self._listen(name, unit, needs, settings)
        if "-engine@" in name:
            self.heat.engine_began(self, name, unit.pid)
        if name == PROXY:
            self.haproxy.read(self._proxy_text())
            self._end_softly(unit.argv)
        return ""

    def _end_softly(self, argv: list[str]) -> None:
        """Processes that a HAProxy is told to have ended (-sf) listen no more, and end when their requests have."""
        told = {int(each) for each in argv[argv.index("-sf") + 1 :]} if "-sf" in argv else set()
        for each in (each for each in self.listeners if each.pid in told):
            each.port = 0
        for pid in told:
            busy = any(each.pid == pid for each in self.connections)
            self.clock.after(self.request_seconds if busy else 0.0, lambda each=pid: self._ended_softly(each))
        self.clock.advance(0.0)

    def _ended_softly(self, pid: int) -> None:
        self.ends_requests(pid)
        self.listeners = [each for each in self.listeners if each.pid != pid]

    def ends_requests(self, pid: int) -> None:
        """A process answers the requests that it has."""
        self.connections = [each for each in self.connections if each.pid != pid]

    def process_reloads(self, name: str, unit: FakeUnit) -> str:
        """The proxy reads its configuration again; why it does not."""
        needs = self.haproxy.binds(self._proxy_text())
        if taken := [each for each in needs if self._is_taken(*each, name)]:
            return f"{taken[0][0]}:{taken[0][1]}: address already in use"
        kept = [each for each in self.listeners if each.unit == name and (each.address, each.port) in needs]
        self.listeners = [each for each in self.listeners if each.unit != name] + kept
        self._listen(name, unit, [each for each in needs if each not in {(k.address, k.port) for k in kept}], "")
        self.haproxy.read(self._proxy_text())
        return ""

    def process_ended(self, name: str, pid: int, is_killed: bool = False) -> None:
        self.heat.engine_ended(pid, is_killed)
        self.listeners = [each for each in self.listeners if not pid or each.pid != pid]
        self.cut += [each for each in self.connections if pid and each.pid == pid]
        self.connections = [each for each in self.connections if not pid or each.pid != pid]
        if name == PROXY:
            self.haproxy = Haproxy(self)

    def kill(self, pid: int) -> None:
        """SIGTERM for a process of nobody's unit."""
        self.listeners = [each for each in self.listeners if each.pid != pid]

    def unix_listener(self, path: str) -> Callable[[str], str]:
        unit = self.units.get(PROXY, FakeUnit())
        if not unit.active or not any(each.startswith(f"{path},") for each in unit.argv):
            raise FileNotFoundError(2, "No such file or directory")
        return lambda question: self.haproxy.answer(question)

    def answer_over_http(self, listener: FakeListener) -> str:
        serves = listener.unit != PROXY or self.haproxy.serves(listener.port)
        return f"HTTP/1.0 {'200 OK' if serves else '503 Service Unavailable'}\r\n\r\n"

    def inspect_certificate(self, asked: dict[str, str]) -> dict[str, Any]:
        path = asked.get("certificate") or asked["ca"]
        digest = hashlib.sha256(path.encode()).hexdigest()
        fine = {"why": None, "names": [self.name], "left": 300 * 86400.0, "digest": digest}
        return fine | self.certificates.get(path, {})

    def _proxy_text(self) -> str:
        path = Path(self.root.at("/etc/heat-scaleout/apis-proxy.conf"))
        return path.read_text() if path.exists() else ""

    def _is_taken(self, address: str, port: int, unit: str, shares: bool = False) -> bool:
        there = [each for each in self.listeners if (each.address, each.port) == (address, port) and each.unit != unit]
        return not all(each.shared and (shares or unit == PROXY) for each in there)

    def _listen(self, name: str, unit: FakeUnit, addresses: list[tuple[str, int]], settings: str) -> None:
        behaviour = self.systemd.behaviours.get(name, Behaviour())
        shared = name == PROXY or "UWSGI_REUSE_PORT=true" in settings
        new = [FakeListener(*each, unit.pid, Path(unit.argv[0]).name, name, unit.argv, shared) for each in addresses]
        self.listeners += new
        for each in new if behaviour.start != 0.0 else []:
            each.is_deaf = True
            if behaviour.start is not None:
                self.clock.after(behaviour.start, lambda listener=each: setattr(listener, "is_deaf", False))

    def _listens(self, argv: list[str], settings: str) -> list[tuple[str, int]]:
        """Where a process listens: uWSGI as it is told, heat-api by its last file, others by their environment."""
        text = " ".join(argv) + "\n" + settings
        if Path(argv[0]).name.startswith("heat-api"):
            file = Path(self.root.at(argv[-1]))
            own = dict(re.findall(r"(?m)^(bind_host|bind_port) = (.*)$", file.read_text() if file.is_file() else ""))
            text += "LISTEN={bind_host}:{bind_port}".format_map(own) if len(own) == 2 else ""
        found = re.findall(r"(?:--https?-socket |LISTEN=)([\d.]+):(\d+)", text)
        return [(address, int(port)) for address, port in dict.fromkeys(found)]

    def _journalctl(self, arguments: list[str]) -> Ran:
        options = [each.partition("=")[::2] for each in arguments]
        values = dict(options)
        if "--unit" in arguments:  # journalctl --unit NAME --lines=N --output=cat
            unit = arguments[arguments.index("--unit") + 1]
            return Ran("".join(f"{each['message']}\n" for each in self.journal if each["unit"] == unit))
        patterns = [value for name, value in options if name == "--unit"]
        after = int(values.get("--after-cursor") or 0)
        since = int(values.get("--since", "@0").removeprefix("@")) * 1_000_000
        chosen = [
            json.dumps(_journal_entry(number, each))
            for number, each in enumerate(self.journal[after:], after + 1)
            if any(fnmatch.fnmatch(each["unit"], like) for like in patterns) and each["time"] >= since
        ]
        return Ran("".join(f"{each}\n" for each in (chosen[::-1] if "--reverse" in values else chosen)))


def _journal_entry(number: int, entry: dict[str, Any]) -> dict[str, str]:
    return {
        "__CURSOR": str(number),
        "__REALTIME_TIMESTAMP": str(entry["time"]),
        "_SYSTEMD_UNIT": entry["unit"],
        "_PID": str(entry["pid"]),
        "PRIORITY": str(entry["priority"]),
        "MESSAGE": entry["message"],
    }


def _config_of(unit: FakeUnit) -> str:
    return unit.argv[unit.argv.index("-f") + 1]


def _nothing(when: str, step: dict[str, Any]) -> None:
    pass


def _simple_program(host: FakeHost, argv: list[str], stdin: str) -> str:
    """The few programs that every host has."""
    name = argv[0].rpartition("/")[2]
    if name == "false":
        raise Failed("it ended")
    return stdin if name == "cat" else ""


def _is_ours(unit: str) -> bool:
    return unit.startswith("heat-scaleout-")
