"""One host in memory: files, units, listening sockets and a ledger, behind the agent's verbs."""

import base64
import fnmatch
import hashlib
import itertools
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

UNIT_FILES = "/etc/systemd/system/"
OWN = "/etc/heat-scaleout/"
PROXY = "heat-scaleout-proxy.service"
PIDS = itertools.count(1000)


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
    """A host that keeps what it is told. Public attributes may be changed by a test before or between requests."""

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
        self.python = [3, 11, 2]
        self.uid, self.systemd = 0, True
        self.done: list[str] = []
        self.locks: dict[str, dict[str, Any]] = {}  # path -> who holds it
        self.run_program = _simple_program
        self.reached = lambda: self.listeners  # what listens on the hosts that this one reaches
        self.newest: dict[str, Any] = {}  # the last run, as the journal tells it
        self.generations: dict[int, dict[str, Any]] = {}
        self._objects: dict[str, bytes] = {}
        self.read_only = False
        self._books: dict[str, dict[str, Any]] = {}
        self._loaded: dict[str, bytes] = {}

    # What tests prepare and look at.

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
        return {name: unit.pid for name, unit in sorted(self.units.items())
                if unit.active and name.startswith("heat-scaleout-")}

    def reboot(self) -> None:
        """Everything that runs is gone; enabled units come back."""
        enabled = [name for name, unit in self.units.items() if unit.enabled]
        self.listeners, self.notes = [], {}
        for unit in self.units.values():
            unit.active, unit.pid = False, 0
        for name in enabled:
            self._start(name)

    # The verbs of the agent.

    def observe(self, request: dict[str, Any]) -> dict[str, Any]:
        patterns = [pattern for patterns in request.get("globs", {}).values() for pattern in patterns]
        found = {pattern: sorted(fnmatch.filter(self.paths, pattern)) for pattern in patterns}
        return {
            "python": self.python, "hostname": self.name, "clock": self.skew, "cpus": self.cpus, "uid": self.uid,
            "systemd": self.systemd, "sent": 0.0, "received": 0.0,
            "files": {path: self._shown(path, tuple(request.get("carry", ())))
                      for path in sorted(self.files) if _is_below(path, request.get("trees", ()))},
            "globs": {name: sum((found[each] for each in asked), [])
                      for name, asked in request.get("globs", {}).items()},
            "texts": {path: text for path, text in self.notes.items()
                      if any(fnmatch.fnmatch(path, each) for each in request.get("texts", ()))},
            "units": {name: self._unit(name) for name in sorted(self.units)
                      if any(fnmatch.fnmatch(name, each) for each in request.get("units", ()))},
            "listeners": [vars(each) for each in self.listeners],
            "processes": [vars(each) for each in self.engines if each.program in request.get("processes", ())],
            "replies": {path: self._answer(path) for path in request.get("ask", {})},
            "free": dict.fromkeys(request.get("disk", ()), self.free),
            "accounts": {name: self.accounts.get(name) for name in request.get("accounts", ())},
            "ledger": self.book(request.get("ledger", "")), "newest": dict(self.newest),
            "answers": {name: self._program(each) for name, each in request.get("programs", {}).items()},
        }

    def measure(self, request: dict[str, Any]) -> dict[str, Any]:
        units = {*self.running(), *(each.unit for each in self.engines)}
        chosen = sorted(name for name in units if any(fnmatch.fnmatch(name, each) for each in request.get("units", ())))
        return {"available": self.available, "most_files": self.most_files, "units": dict.fromkeys(chosen, self.held)}

    def stage(self, request: dict[str, Any]) -> dict[str, Any]:
        problems = self._refused(request["run"])
        problems += [f"nobody can listen on {address} here: Cannot assign requested address"
                     for address in request.get("binds", ()) if address.startswith("203.0.113.")]
        problems += [problem for file in request["files"] if file["comes"] for problem in self._faults(file)]
        if problems:
            return {"problems": problems}
        for file in request["files"]:
            content = self.files[file["path"]].content if file["content"] is None else base64.b64decode(file["content"])
            self._objects[file["digest"]] = content
        self.generations[request["run"]["number"]] = {"run": request["run"], "state": request["state"]}
        self.newest = request["run"] | {"doing": None, "result": None}
        return {"problems": []}

    def _refused(self, run: dict[str, Any]) -> list[str]:
        if self.newest and self.newest["number"] >= run["number"]:
            return ["generation {number} was begun meanwhile: {command} by {who}".format(**self.newest)]
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
        if self.newest.get("number") == run["number"]:
            self.newest |= {"result": run["result"], "doing": None}
        return {}

    def recall(self, request: dict[str, Any]) -> dict[str, Any]:
        upto = [number for number in sorted(self.generations, reverse=True) if number <= request.get("number", -1)]
        state = next((self.generations[each]["state"] for each in upto if self.generations[each]["state"]), None)
        files = {path: each | {"content": base64.b64encode(self._objects[each["digest"]]).decode()}
                 for path, each in (state or {"files": {}})["files"].items()}
        return {"runs": [self.generations[number]["run"] for number in sorted(self.generations)],
                "state": state and state | {"files": files}}
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
                self._doing(request, step.get("says"))
                done.append(getattr(self, f"_do_{step['do']}")(step, self.book(request["ledger"])) or "")
                self._doing(request, None)
            except Failed as error:
                again = {"again": True} if isinstance(error, NotYet) else {}
                return {"done": done, "failed": {"index": index, "why": str(error), **again}}
            self.done.append(_sentence(step))
        return {"done": done, "failed": None}

    def _doing(self, request: dict[str, Any], sentence: str | None) -> None:
        if self.newest.get("number") == request.get("run", -1):
            self.newest["doing"] = sentence

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
        original = book["files"].pop(step["path"], {}).get("original")
        if original in self.files:
            self.files[step["path"]] = self.files.pop(original)
        else:
            self.files.pop(step["path"], None)

    def _do_systemctl(self, step: dict[str, Any], _: dict[str, Any]) -> None:
        verb, *arguments = step["arguments"]
        if verb == "daemon-reload":
            self._loaded = {path: file.content for path, file in self.files.items() if path.startswith(UNIT_FILES)}
            return
        for name in (each for each in arguments if not each.startswith("--")):
            self._need_unit_file(name)
            {"enable": self._enable, "disable": self._disable, "start": self._start,
             "restart": self._restart, "reload": self._reload,
             "kill": self._stop}[verb](name)

    def _do_run(self, step: dict[str, Any], _: dict[str, Any]) -> str:
        return self.run_program(self, step["argv"], step.get("stdin", ""))

    def _do_share(self, step: dict[str, Any], _: dict[str, Any]) -> None:
        for holder, _ in self._holders(step):
            holder.shared = True

    def _do_free(self, step: dict[str, Any], book: dict[str, Any]) -> None:
        for holder, wanted in self._holders(step):
            unit = wanted["unit"]
            enabled = bool(unit) and self.units[unit].enabled
            book["stopped"].append({"unit": unit, "enabled": enabled, "address": wanted["address"],
                                    "port": wanted["port"], "argv": holder.argv})
            self.listeners = [each for each in self.listeners if each.pid != holder.pid]
            self.units.pop(unit, None)

    def _do_give_back(self, step: dict[str, Any], book: dict[str, Any]) -> None:
        for each in step["stopped"]:
            pid = self.runs(each["argv"][0].rpartition("/")[2], each["port"], each["unit"], each["address"])
            self.units[each["unit"]] = FakeUnit(active=True, enabled=each["enabled"], pid=pid)

    def _do_stop_gently(self, step: dict[str, Any], _: dict[str, Any]) -> None:
        self._disable(step["unit"])

    def _do_forget(self, step: dict[str, Any], book: dict[str, Any]) -> None:
        if not book["files"]:
            self._books.clear()
            self.newest, self.generations, self._objects = {}, {}, {}

    def _holders(self, step: dict[str, Any]) -> list[tuple[FakeListener, dict[str, Any]]]:
        found = []
        for wanted in step["holders"]:
            there = [each for each in self.listeners if each.port == wanted["port"] and each.unit != step["beside"]
                     and each.address in (wanted["address"], "0.0.0.0", "::")]
            if there and wanted["pid"] not in [each.pid for each in there]:
                raise Failed(f"{wanted['address']}:{wanted['port']} is now held by another process than planned")
            found += [(each, wanted) for each in there if each.pid == wanted["pid"]]
        return found

    def _do_await_http(self, step: dict[str, Any], _: dict[str, Any]) -> None:
        if not any((each.address, each.port) == (step["address"], step["port"]) for each in self.reached()):
            raise Failed(f"no good answer from {step['address']}:{step['port']}{step['path']} (connection refused)")

    def _do_tell(self, step: dict[str, Any], _: dict[str, Any]) -> None:
        server, state = step["send"].split()[3], step["send"].split()[5]
        self.drained = self.drained | {server} if state == "drain" else self.drained - {server}

    def _do_await_reply(self, step: dict[str, Any], _: dict[str, Any]) -> None:
        if step["contains"] not in (self._answer(step["socket"]) or ""):
            raise Failed(f"{step['socket']} never answered with {step['contains']}")

    # Units.

    def _need_unit_file(self, name: str) -> None:
        if _unit_file(name) not in self.files and name not in self.units:
            raise Failed(f"systemctl ended with 5: Unit {name} not found.")

    def _enable(self, name: str) -> None:
        self.units.setdefault(name, FakeUnit()).enabled = True

    def _disable(self, name: str) -> None:
        self._stop(name)
        self.units[name].enabled = False

    def _start(self, name: str) -> None:
        unit = self.units.setdefault(name, FakeUnit())
        if unit.active:
            return
        needs = self._needs(name)
        taken = [each for each in self.listeners if (each.address, each.port) in needs and not each.shared]
        if taken:
            raise Failed(f"systemctl ended with 1: {name}: {taken[0].address}:{taken[0].port}: address already in use")
        unit.active, unit.pid = True, next(PIDS)
        self._loaded.setdefault(_unit_file(name), self.files[_unit_file(name)].content)
        self.listeners += [FakeListener(address, port, unit.pid, name, name) for address, port in needs]
        self._note(name)

    def _stop(self, name: str) -> None:
        unit = self.units.setdefault(name, FakeUnit())
        self.listeners = [each for each in self.listeners if each.pid != unit.pid or not unit.pid]
        self.notes.pop(_noted_in(name), None)
        unit.active, unit.pid = False, 0

    def _restart(self, name: str) -> None:
        self._stop(name)
        self._start(name)

    def _reload(self, name: str) -> None:
        self.drained = set()
        self._note(name)

    def _note(self, name: str) -> None:
        """What a process keeps of the configuration it started with."""
        file = self.files.get(OWN + ("apis-proxy.conf" if name == PROXY else f"{_service(name)}.config"))
        self.notes[_noted_in(name)] = file.content.decode() if file else ""

    def _needs(self, name: str) -> list[tuple[str, int]]:
        if name == PROXY:
            text = self.files[OWN + "apis-proxy.conf"].content.decode()
            return [(address, int(port)) for address, port in re.findall(r"(?m)^    bind ([\d.]+):(\d+)", text)]
        return [(self.address, int(name.split("@")[1][:-len(".service")]))] if _service(name) in ("api", "cfn") else []

    # What a look shows.

    def _program(self, program: dict[str, Any]) -> dict[str, Any]:
        try:
            return {"printed": self.run_program(self, program["argv"], program["stdin"]), "why": None}
        except Failed as error:
            return {"printed": "", "why": str(error)}

    def _shown(self, path: str, carry: tuple[str, ...]) -> dict[str, Any]:
        file = self.files[path]
        shown = {"digest": hashlib.sha256(file.content).hexdigest(), "owner": file.owner, "group": file.group,
                 "mode": file.mode}
        return shown | ({"content": base64.b64encode(file.content).decode()} if path.startswith(carry) else {})

    def _unit(self, name: str) -> dict[str, Any]:
        unit, path = self.units[name], _unit_file(name)
        file = self.files.get(path)
        stale = path in self._loaded and (file is None or file.content != self._loaded[path])
        return {"active": "active" if unit.active else "inactive", "sub": "", "enabled": unit.enabled,
                "pid": unit.pid, "stale": stale, "restarts": 0}

    def _answer(self, socket: str) -> str | None:
        conf = self.notes.get(_noted_in(PROXY))
        if socket != "/run/heat-scaleout-proxy/master.sock" or conf is None:
            return None
        description = re.search(r"description (.*)", conf)[1]
        rows, section = [], ""
        for line in conf.splitlines():
            section = line.split()[1] if line.startswith("listen ") else section
            if line.startswith("    server "):
                _, server, address, *options = line.split()
                status = "DRAIN" if f"{section}/{server}" in self.drained else "UP"
                weight = 0 if options[-2:] == ["weight", "0"] else 1
                rows.append(f"{section},{server},0,7,{status},{weight},L7OK,{address}")
        titles = "# pxname,svname,scur,stot,status,weight,check_status,addr"
        return "\n".join(["Name: HAProxy", f"description: {description}", "", titles, *rows, ""])


def _simple_program(host: FakeHost, argv: list[str], stdin: str) -> str:
    """The few programs that every host has."""
    name = argv[0].rpartition("/")[2]
    if name == "false":
        raise Failed("false ended with 1: ")
    return stdin if name == "cat" else ""


def _is_below(path: str, trees: list[str]) -> bool:
    return any(path == tree or path.startswith(f"{tree}/") for tree in trees)


def _unit_file(name: str) -> str:
    return UNIT_FILES + re.sub("@.*", "@.service", name)


def _service(name: str) -> str:
    return name.removeprefix("heat-scaleout-").partition("@")[0]


def _noted_in(name: str) -> str:
    return f"/run/{name.removesuffix('.service').replace('@', '-')}/config"


def _sentence(step: dict[str, Any]) -> str:
    if step["do"] == "systemctl":
        return " ".join(each for each in step["arguments"] if not each.startswith("--"))
    if step["do"] == "tell":
        return step["send"].strip()
    return f"{step['do']} {step.get('path') or step.get('unit') or step.get('port') or ''}".strip()
