"""One host in memory: files, units, listening sockets and a ledger, behind the agent's verbs."""

import base64
import contextlib
import fnmatch
import hashlib
import itertools
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

UNIT_FILES = "/etc/systemd/system/"
OWN = "/etc/heat-scaleout/"
PROXY = "heat-scaleout-proxy.service"
STEP_SECONDS = 0.25  # what every step takes
PIDS = itertools.count(1000)
MOST = 20  # generations that are kept


class Failed(Exception):
    """A step that could not be done; its text is the `why` of the reply."""


class NotYet(Failed):
    """A program that still waits for something."""


@dataclass
class FakeFile:
    content: bytes
    owner: str = "root"
    group: str = "root"
    mode: int = 0o644


@dataclass
class FakeUnit:
    active: bool = False
    enabled: bool = False
    pid: int = 0


@dataclass
class FakeListener:
    address: str
    port: int
    pid: int
    program: str = ""
    unit: str = ""
    argv: list[str] = field(default_factory=list)
    shared: bool = False


class FakeHost:
    """A host that keeps what it is sent. Public attributes may be changed by a test before or between requests."""

    def __init__(self, name: str, address: str) -> None:
        self.name, self.address = name, address
        self.files: dict[str, FakeFile] = {}
        self.units: dict[str, FakeUnit] = {}
        self.listeners: list[FakeListener] = []
        self.engines: list[FakeListener] = []
        self.notes: dict[str, str] = {}
        self.paths = {"/usr/sbin/haproxy"}
        self.accounts = {"root": 0, "heat": 64055, "haproxy": 102}
        self.free = 10 * 2**30
        self.skew = 0.0
        self.drained: set[str] = set()  # servers of the proxy
        self.cpus = 4
        self.available, self.most_files = 8 * 2**30, 2**20
        self.held = {"processes": 3, "memory": 200 * 2**20}  # by every unit that runs
        self.uptime, self.cpu_seconds = 5000.0, 12.5  # its own clock; what every unit that runs has used
        self.requests = 7  # that each server of its proxy has had
        self.python = [3, 11, 2]
        self.uid, self.systemd = 0, True
        self.done: list[str] = []
        self.locks: dict[str, dict[str, Any]] = {}  # path -> who holds it
        self.run_program = _simple_program
        self.moment: Callable[[str, dict[str, Any]], None] = _nothing  # "before" and "after" each step; may raise
        self.reached = lambda: self.listeners  # what listens on the hosts that this one reaches
        self.last_run: dict[str, Any] = {}  # the last run, as the journal has it
        self.at_work: str | None = None  # whose request changes it now
        self.generations: dict[int, dict[str, Any]] = {}
        self._objects: dict[str, bytes] = {}
        self.read_only = False
        self.certificates: dict[str, dict[str, Any]] = {}  # path -> what differs from a good one
        self.journal: list[dict[str, Any]] = []  # entries as the agent returns them, in the order they came
        self._books: dict[str, dict[str, Any]] = {}
        self._loaded: dict[str, bytes] = {}

    # What tests prepare and read.

    def has_file(self, path: str, content: str | bytes, **access: Any) -> None:
        self.files[path] = FakeFile(content.encode() if isinstance(content, str) else content, **access)

    def runs(self, program: str, port: int, unit: str = "", address: str = "") -> int:
        """A process that is not ours listens here; return its PID."""
        pid = next(PIDS)
        self.listeners.append(FakeListener(address or self.address, port, pid, program, unit, [f"/usr/bin/{program}"]))
        if unit:
            self.units[unit] = FakeUnit(active=True, enabled=True, pid=pid)
        return pid

    def running(self) -> dict[str, int]:
        """Unit -> PID of every running unit of ours."""
        return {
            name: unit.pid
            for name, unit in sorted(self.units.items())
            if unit.active and name.startswith("heat-scaleout-")
        }

    def reboot(self) -> None:
        """Everything that runs is gone; enabled units come back, those of others first."""
        enabled = [name for name, unit in self.units.items() if unit.enabled]
        theirs = [each for each in self.listeners if each.unit in enabled and not _is_ours(each.unit)]
        self.listeners, self.notes, self.drained, self.locks = [], {}, set(), {}
        self._loaded = self._unit_files()
        for unit in self.units.values():
            unit.active, unit.pid = False, 0
        for each in theirs:
            self._listens(each.unit, each.port, each.address, each.argv)
        for name in filter(_is_ours, enabled):
            with contextlib.suppress(Failed):
                self._start(name)

    def dies(self, unit: str, again: bool) -> None:
        """A process of ours is killed; systemd starts it `again`, or has given up doing so."""
        (self._restart if again else self._stop)(unit)

    def logs_line(self, unit: str, message: str, time: int | None = None) -> None:
        """A unit writes a line to the journal; `time` is in microseconds, else a second after the line before."""
        last = self.journal[-1]["time"] if self.journal else 0
        self.journal.append(
            {
                "time": last + 1_000_000 if time is None else time,
                "unit": unit,
                "pid": self.units[unit].pid if unit in self.units else 1,
                "priority": 6,
                "message": message,
            }
        )

    # The verbs of the agent.

    def observe(self, request: dict[str, Any]) -> dict[str, Any]:
        patterns = [pattern for patterns in request.get("globs", {}).values() for pattern in patterns]
        found = {pattern: sorted(fnmatch.filter(self.paths, pattern)) for pattern in patterns}
        return {
            "python": self.python,
            "hostname": self.name,
            "clock": self.skew,
            "cpus": self.cpus,
            "uid": self.uid,
            "systemd": self.systemd,
            "sent": 0.0,
            "received": 0.0,
            "files": {
                path: self._shown(path, tuple(request.get("carry", ())))
                for path in sorted(self.files)
                if _is_below(path, request.get("trees", ()))
            },
            "globs": {
                name: sum((found[each] for each in asked), []) for name, asked in request.get("globs", {}).items()
            },
            "texts": {
                path: text
                for path, text in self.notes.items()
                if any(fnmatch.fnmatch(path, each) for each in request.get("texts", ()))
            },
            "units": {
                name: self._unit(name)
                for name in sorted(self.units)
                if any(fnmatch.fnmatch(name, each) for each in request.get("units", ()))
            },
            "listeners": [vars(each) for each in self.listeners],
            "processes": [vars(each) for each in self.engines if each.program in request.get("processes", ())],
            "replies": {path: self._answer(path) for path in request.get("ask", {})},
            "free": dict.fromkeys(request.get("disk", ()), self.free),
            "accounts": {name: self.accounts.get(name) for name in request.get("accounts", ())},
            "ledger": self.book(request.get("ledger", "")),
            "newest": dict(self.last_run),
            "at_work": self.at_work,
            "certificates": {name: self._certificate(each) for name, each in request.get("certificates", {}).items()},
            "answers": {name: self._program(each) for name, each in request.get("programs", {}).items()},
        }

    def watch(self, request: dict[str, Any]) -> dict[str, Any]:
        units = {*self.running(), *(each.unit for each in self.engines)}
        used = {"cpu": self.cpu_seconds, "memory": self.held["memory"]}
        return self.observe(request) | {"usage": {"at": self.uptime, "units": dict.fromkeys(sorted(units), used)}}

    def measure(self, request: dict[str, Any]) -> dict[str, Any]:
        units = {*self.running(), *(each.unit for each in self.engines)}
        chosen = sorted(name for name in units if any(fnmatch.fnmatch(name, each) for each in request.get("units", ())))
        return {"available": self.available, "most_files": self.most_files, "units": dict.fromkeys(chosen, self.held)}

    def logs(self, request: dict[str, Any]) -> dict[str, Any]:
        own = [each.unit for each in self.engines if each.program in request.get("programs", ())]
        patterns = [*request["units"], *own]
        after, since = int(request.get("after") or 0), request.get("since") or ""
        earliest = int(since[1:]) * 1_000_000 if since.startswith("@") else 0
        ours = [
            (number, each)
            for number, each in enumerate(self.journal[after:], after + 1)
            if any(fnmatch.fnmatch(each["unit"], pattern) for pattern in patterns) and each["time"] >= earliest
        ]
        found = [each for each in ours if request.get("grep", "").casefold() in each[1]["message"].casefold()]
        is_cut = len(found) > request["lines"]
        shown = found[: request["lines"]] if after else found[-request["lines"] :]
        last = shown if after and is_cut else ours
        asked = request["configuration"]
        secret = [
            path for path in self.files if _is_below(path, asked["folders"]) and path.endswith(tuple(asked["endings"]))
        ]
        return {
            "entries": [each for _, each in shown],
            "cursor": str(last[-1][0]) if last else None,
            "cut": "lines" if is_cut else None,
            "failed": None,
            "units": own,
            "clock": self.skew,
            "sent": 0.0,
            "received": 0.0,
            "files": {path: self._shown(path, tuple(self.files)) for path in secret} if shown else {},
        }

    def stage(self, request: dict[str, Any]) -> dict[str, Any]:
        problems = self._refused(request["run"])
        problems += [
            f"{file['path']} has changed meanwhile"
            for file in request["files"]
            if not file["comes"] and self._digest(file["path"]) != file["digest"]
        ]
        problems += [
            f"nobody can listen on {address} here: Cannot assign requested address"
            for address in request.get("binds", ())
            if address.startswith("203.0.113.")
        ]
        problems += [problem for file in request["files"] if file["comes"] for problem in self._faults(file)]
        if problems:
            return {"problems": problems}
        for file in request["files"]:
            content = self.files[file["path"]].content if file["content"] is None else base64.b64decode(file["content"])
            self._objects[file["digest"]] = content
        self.generations[request["run"]["number"]] = {"run": request["run"], "state": request["state"]}
        self.last_run = request["run"] | {"doing": None, "result": None}
        self._prune()
        return {"problems": []}

    def _prune(self) -> None:
        for number in sorted(self.generations)[:-MOST]:
            del self.generations[number]
        states = [each["state"] for each in self.generations.values() if each["state"]]
        needed = {file["digest"] for state in states for file in state["files"].values()}
        self._objects = {digest: content for digest, content in self._objects.items() if digest in needed}

    def _digest(self, path: str) -> str | None:
        return hashlib.sha256(self.files[path].content).hexdigest() if path in self.files else None

    def _refused(self, run: dict[str, Any]) -> list[str]:
        if self.last_run and self.last_run["number"] >= run["number"]:
            return ["generation {number} was begun meanwhile: {command} by {who}".format(**self.last_run)]
        return []

    def _faults(self, file: dict[str, Any]) -> Iterator[str]:
        if self.read_only:
            yield "/etc cannot be written to: its file system is read-only"
        elif self.free < 2**20:
            yield f"/etc has no room: {self.free} bytes are free, {2**20} are needed"
        elif file["check"]:
            try:
                self.run_program(self, list(file["check"]), "")
            except Failed as error:
                yield f"{file['path']}: {error}"

    def close(self, request: dict[str, Any]) -> dict[str, Any]:
        run = request["run"]
        if run["result"] == "refused":
            self.generations.pop(run["number"], None)
        if run["number"] in self.generations:
            self.generations[run["number"]]["run"] = run
        if self.last_run.get("number") == run["number"]:
            self.last_run |= {"result": run["result"], "doing": None}
        return {}

    def recall(self, request: dict[str, Any]) -> dict[str, Any]:
        upto = [
            each
            for number, each in sorted(self.generations.items(), reverse=True)
            if number <= request.get("number", -1)
        ]
        state = next(
            (
                each["state"]
                for each in upto
                if each["state"] is not None
                and (each["run"]["result"] == "done" or each["run"]["number"] == request["number"])
            ),
            None,
        )
        files = {
            path: each | {"content": base64.b64encode(self._objects[each["digest"]]).decode()}
            for path, each in (state or {"files": {}})["files"].items()
        }
        return {
            "runs": [self.generations[number]["run"] for number in sorted(self.generations)],
            "state": state and state | {"files": files},
        }

    def holder(self, request: dict[str, Any]) -> dict[str, Any]:
        return {"held_by": self.locks.get(request["path"], {})}

    def release(self, request: dict[str, Any]) -> dict[str, Any]:
        found = self.locks.get(request["path"], {})
        if not found or found["id"] != request["id"]:
            return {"ended": {}, "held_by": found}
        return {"ended": self.locks.pop(request["path"]), "held_by": {}}

    def perform(self, request: dict[str, Any]) -> dict[str, Any]:
        done: list[str] = []
        for index, step in enumerate(request["steps"]):
            try:
                self._doing(request, step.get("description"))
                self.moment("before", step)
                output = getattr(self, f"_do_{step['do']}")(step, self.book(request["ledger"])) or ""
                self.moment("after", step)
                self._doing(request, None)
                done.append(output)
            except Failed as error:
                again = {"again": True} if isinstance(error, NotYet) else {}
                failed = {"index": index, "why": str(error), **again}
                return {"done": done, "failed": failed, "seconds": [STEP_SECONDS] * len(done)}
            self.done.append(_sentence(step))
        return {"done": done, "failed": None, "seconds": [STEP_SECONDS] * len(done)}

    def _doing(self, request: dict[str, Any], sentence: str | None) -> None:
        if self.last_run.get("number") == request.get("run", -1):
            self.last_run["doing"] = sentence

    def book(self, path: str) -> dict[str, Any]:
        return self._books.setdefault(path, {"files": {}, "folders": [], "stopped": []})

    # Steps.

    def _do_write(self, step: dict[str, Any], book: dict[str, Any]) -> None:
        path = step["path"]
        if path not in book["files"]:
            kept = path + step["kept"] if path in self.files else None
            if kept:
                self.files[kept] = self.files[path]
            book["files"][path] = {"original": kept}
        for account in (step["owner"], step["group"]):
            if account not in self.accounts:
                raise Failed(f"name not found: {account!r}")
        content = base64.b64decode(step["content"])
        self.files[path] = FakeFile(content, step["owner"], step["group"], step["mode"])

    def _do_remove(self, step: dict[str, Any], book: dict[str, Any]) -> None:
        path = step["path"]
        original = book["files"].pop(path, {}).get("original")
        if original in self.files:
            self.files[path] = self.files.pop(original)
        elif not original:
            self.files.pop(path, None)

    def _do_systemctl(self, step: dict[str, Any], _: dict[str, Any]) -> None:
        verb, *arguments = step["arguments"]
        if verb == "daemon-reload":
            self._loaded = self._unit_files()
            return
        now = "--now" in arguments
        for name in (each for each in arguments if not each.startswith("--")):
            self._need_unit_file(name)
            {
                "enable": lambda name: self._enable(name, now),
                "disable": lambda name: self._disable(name, now),
                "start": self._start,
                "restart": self._restart,
                "reload": self._reload,
                "kill": self._stop,
            }[verb](name)

    def _do_reload(self, step: dict[str, Any], book: dict[str, Any]) -> None:
        self.drained = set()  # the configuration says who is; by another's reload what was told stays
        self._do_systemctl(step, book)

    def _unit_files(self) -> dict[str, bytes]:
        return {path: file.content for path, file in self.files.items() if path.startswith(UNIT_FILES)}

    def _do_run(self, step: dict[str, Any], _: dict[str, Any]) -> str:
        return self.run_program(self, step["argv"], step.get("stdin", ""))

    def _do_share_port(self, step: dict[str, Any], _: dict[str, Any]) -> None:
        for holder, _ in self._holders(step):
            holder.shared = True

    def _do_release_port(self, step: dict[str, Any], book: dict[str, Any]) -> None:
        for holder, expected in self._holders(step):
            unit = expected["unit"]
            enabled = bool(unit) and self.units[unit].enabled
            others = [each for each in book["stopped"] if each["port"] != expected["port"]]
            book["stopped"] = [
                *others,
                {
                    "unit": unit,
                    "enabled": enabled,
                    "address": expected["address"],
                    "port": expected["port"],
                    "argv": holder.argv,
                },
            ]
            self.listeners = [each for each in self.listeners if each.pid != holder.pid]
            self.units.pop(unit, None)

    def _do_start_predecessor(self, step: dict[str, Any], book: dict[str, Any]) -> None:
        for each in step["stopped"]:
            if not any((other.unit, other.port) == (each["unit"], each["port"]) for other in self.listeners):
                self._listens(each["unit"], each["port"], each["address"], each["argv"])
            self.units[each["unit"]].enabled = each["enabled"]

    def _listens(self, unit: str, port: int, address: str, argv: list[str]) -> None:
        """A unit that is not ours starts, and listens."""
        pid = self.runs(argv[0].rpartition("/")[2], port, unit, address)
        self.listeners[-1].argv = argv
        self.units[unit] = FakeUnit(active=True, enabled=True, pid=pid)

    def _do_soft_stop(self, step: dict[str, Any], _: dict[str, Any]) -> None:
        self._disable(step["unit"], now=True)

    def _do_remove_records(self, step: dict[str, Any], book: dict[str, Any]) -> None:
        if not book["files"] and all(each["unit"] for each in book["stopped"]):
            self._books.clear()
            self.last_run, self.generations, self._objects = {}, {}, {}

    def _holders(self, step: dict[str, Any]) -> list[tuple[FakeListener, dict[str, Any]]]:
        found = []
        for expected in step["holders"]:
            there = [
                each
                for each in self.listeners
                if each.port == expected["port"]
                and each.unit != step["beside"]
                and each.address in (expected["address"], "0.0.0.0", "::")
            ]
            if there and expected["pid"] not in [each.pid for each in there]:
                raise Failed(f"{expected['address']}:{expected['port']} is now held by another process than planned")
            found += [(each, expected) for each in there if each.pid == expected["pid"]]
        return found

    def _do_await_http(self, step: dict[str, Any], _: dict[str, Any]) -> None:
        if not any((each.address, each.port) == (step["address"], step["port"]) for each in self.reached()):
            raise Failed(f"no good answer from {step['address']}:{step['port']}{step['path']} (connection refused)")

    def _do_set_server(self, step: dict[str, Any], _: dict[str, Any]) -> None:
        server, state = step["send"].split()[3], step["send"].split()[5]
        if self.notes.get(_noted_in(PROXY)) is None:
            raise Failed("[Errno 2] No such file or directory")
        if server not in self.servers():
            raise Failed(f"{step['send'].strip()} answered: No such server.")
        self.drained = self.drained | {server} if state == "drain" else self.drained - {server}
        if state == "ready" and ",DOWN," in self.servers()[server]:
            raise Failed(f"after {step['timeout']} s it does not serve (status: DOWN)")

    def _do_await_reply(self, step: dict[str, Any], _: dict[str, Any]) -> None:
        if step["contains"] not in (self._answer(step["socket"]) or ""):
            raise Failed(f"{step['socket']} never answered with {step['contains']}")

    # Units.

    def _need_unit_file(self, name: str) -> None:
        if _unit_file(name) not in self.files and name not in self.units:
            raise Failed(f"systemctl ended with 5: Unit {name} not found.")

    def _enable(self, name: str, now: bool) -> None:
        self.units.setdefault(name, FakeUnit()).enabled = True
        if now:
            self._start(name)

    def _disable(self, name: str, now: bool) -> None:
        if now:
            self._stop(name)
        self.units.setdefault(name, FakeUnit()).enabled = False

    def _start(self, name: str) -> None:
        unit = self.units.setdefault(name, FakeUnit())
        if unit.active:
            return
        if _unit_file(name) not in self.files:
            raise Failed(f"systemctl ended with 5: Unit {name} not found.")
        needs = self._free_addresses(name)
        unit.active, unit.pid = True, next(PIDS)
        self.logs_line(name, f"Started {name}.")
        self._loaded.setdefault(_unit_file(name), self.files[_unit_file(name)].content)
        self.listeners += [FakeListener(address, port, unit.pid, name, name) for address, port in needs]
        self._note(name)

    def _free_addresses(self, name: str) -> list[tuple[str, int]]:
        needs = self._needs(name)
        taken = [
            each
            for each in self.listeners
            if (each.address, each.port) in needs and not each.shared and each.unit != name
        ]
        if taken:
            raise Failed(f"systemctl ended with 1: {name}: {taken[0].address}:{taken[0].port}: address already in use")
        return needs

    def _stop(self, name: str) -> None:
        unit = self.units.setdefault(name, FakeUnit())
        self.listeners = [each for each in self.listeners if each.pid != unit.pid or not unit.pid]
        self.notes.pop(_noted_in(name), None)
        unit.active, unit.pid = False, 0
        if name == PROXY:
            self.drained = set()

    def _restart(self, name: str) -> None:
        drained = self.drained
        self._stop(name)
        self.drained = drained
        self._start(name)

    def _reload(self, name: str) -> None:
        if not self.units[name].active:
            raise Failed(f"systemctl ended with 1: {name} is not active, cannot reload.")
        needs, pid = self._free_addresses(name), self.units[name].pid
        self.listeners = [each for each in self.listeners if each.unit != name]
        self.listeners += [FakeListener(address, port, pid, name, name) for address, port in needs]
        self._note(name)

    def _note(self, name: str) -> None:
        """What a process keeps of the configuration it started with."""
        file = self.files.get(OWN + ("apis-proxy.conf" if name == PROXY else f"{_service(name)}.config"))
        self.notes[_noted_in(name)] = file.content.decode() if file else ""

    def _needs(self, name: str) -> list[tuple[str, int]]:
        if name == PROXY:
            file = self.files.get(OWN + "apis-proxy.conf")
            if file is None:
                raise Failed(f"systemctl ended with 1: Job for {name} failed: there is no {OWN}apis-proxy.conf")
            text = file.content.decode()
            return [(address, int(port)) for address, port in re.findall(r"(?m)^    bind ([\d.]+):(\d+)", text)]
        return [(self.address, int(name.split("@")[1][: -len(".service")]))] if _service(name) in ("api", "cfn") else []

    # What an observation shows.

    def _program(self, program: dict[str, Any]) -> dict[str, Any]:
        try:
            return {"printed": self.run_program(self, program["argv"], program["stdin"]), "why": None}
        except Failed as error:
            return {"printed": "", "why": str(error)}

    def _certificate(self, asked: dict[str, str]) -> dict[str, Any]:
        path = asked.get("certificate") or asked["ca"]
        digest = hashlib.sha256(path.encode()).hexdigest()
        fine = {"why": None, "names": [self.name], "left": 300 * 86400.0, "digest": digest}
        return fine | self.certificates.get(path, {})

    def _shown(self, path: str, carry: tuple[str, ...]) -> dict[str, Any]:
        file = self.files[path]
        shown = {
            "digest": hashlib.sha256(file.content).hexdigest(),
            "owner": file.owner,
            "group": file.group,
            "mode": file.mode,
        }
        return shown | ({"content": base64.b64encode(file.content).decode()} if path.startswith(carry) else {})

    def _unit(self, name: str) -> dict[str, Any]:
        unit, path = self.units[name], _unit_file(name)
        file = self.files.get(path)
        stale = path in self._loaded and (file is None or file.content != self._loaded[path])
        return {
            "active": "active" if unit.active else "inactive",
            "sub": "",
            "enabled": unit.enabled,
            "pid": unit.pid,
            "stale": stale,
            "restarts": 0,
        }

    def _answer(self, socket: str) -> str | None:
        conf = self.notes.get(_noted_in(PROXY))
        if socket != "/run/heat-scaleout-proxy/master.sock" or conf is None:
            return None
        description = re.search(r"description (.*)", conf)[1]
        titles = "# pxname,svname,scur,stot,status,weight,check_status,addr"
        return "\n".join(["Name: HAProxy", f"description: {description}", "", titles, *self.servers().values(), ""])

    def servers(self) -> dict[str, str]:
        """The servers of the proxy that runs here: section/name -> its row of the statistics."""
        rows, section, there = {}, "", {f"{each.address}:{each.port}" for each in self.reached()}
        for line in self.notes.get(_noted_in(PROXY), "").splitlines():
            section = line.split()[1] if line.startswith("listen ") else section
            if line.startswith("    server "):
                _, server, address, *options = line.split()
                is_drained = f"{section}/{server}" in self.drained
                status = "DOWN" if address not in there else "DRAIN" if is_drained else "UP"
                weight = 0 if options[-2:] == ["weight", "0"] else 1
                rows[f"{section}/{server}"] = f"{section},{server},0,{self.requests},{status},{weight},L7OK,{address}"
        return rows


def _nothing(when: str, step: dict[str, Any]) -> None:
    pass


def _simple_program(host: FakeHost, argv: list[str], stdin: str) -> str:
    """The few programs that every host has."""
    name = argv[0].rpartition("/")[2]
    if name == "false":
        raise Failed("false ended with 1: ")
    return stdin if name == "cat" else ""


def _is_ours(unit: str) -> bool:
    return unit.startswith("heat-scaleout-")


def _is_below(path: str, trees: list[str]) -> bool:
    return any(path == tree or path.startswith(f"{tree}/") for tree in trees)


def _unit_file(name: str) -> str:
    return UNIT_FILES + re.sub("@.*", "@.service", name)


def _service(name: str) -> str:
    return name.removeprefix("heat-scaleout-").partition("@")[0]


def _noted_in(name: str) -> str:
    return f"/run/{name.removesuffix('.service').replace('@', '-')}/config"


def _sentence(step: dict[str, Any]) -> str:
    if step["do"] in ("systemctl", "reload"):
        return " ".join(each for each in step["arguments"] if not each.startswith("--"))
    if step["do"] == "set_server":
        return step["send"].strip()
    return f"{step['do']} {step.get('path') or step.get('unit') or step.get('port') or ''}".strip()
