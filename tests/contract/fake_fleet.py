"""A fleet of hosts in memory: understands the agent's requests, and fails where a test tells it to."""

import base64
import functools
import json
import re
from collections.abc import Callable, Collection, Iterable, Mapping
from typing import Any

from contract.fake_heat import FakeHeat
from contract.fake_host import PIDS, FakeHost, FakeListener
from contract.fake_programs import Failed

from deployer import errors
from deployer.model import events
from deployer.model.events import Handler, Level
from deployer.remote import replies, stage_events, step_lines


class Gone(Exception):
    """A host whose session ends while it is asked."""


class FakeFleet:
    """Hosts in memory behind `ask`. `asked` remembers every request as (title, verb, hosts)."""

    def __init__(self, hosts: Mapping[str, FakeHost]) -> None:
        self.hosts = dict(hosts)
        self.handle: Handler = events.ignore
        self.asked: list[tuple[str, str, tuple[str, ...]]] = []
        self.refused_logins: dict[str, list[dict[str, str]]] = {}
        self.stacks_bound_to_loopback = 0
        self.capacity: dict[str, Any] = {"allowed": 5000, "most": 17, "connected": 16, "own": 12}
        self.heats_problems: list[str] = []
        self.opened: set[str] | None = None  # the hosts that were to be connected to ahead; empty: all
        self.opened_for_lease = ""
        self.holds_asked: list[str] = []
        self.order: Callable[[Iterable[str]], list[str]] = list  # which host of many is first with its work
        self._lock: tuple[str, str, dict[str, Any]] | None = None  # host, path, what is noted there
        self.uwsgi_flags = "-O2 -DUWSGI_SSL"
        self._gone: dict[str, errors.DeployerError] = {}
        self.dead_workers: list[dict[str, Any]] = []  # what dead workers left in Heat
        self.held: dict[str, int] = {}  # engine -> how many resources it works on
        self._working: dict[str, int] = {}
        self._asked_to_leave: list[str] = []
        self._broken: list[tuple[str, str, str]] = []
        self._refused: list[tuple[str, str, str]] = []
        self.heat = FakeHeat()
        self.heat.reading = self._reading
        for host in self.hosts.values():
            host.heat = self.heat
            host.moment = functools.partial(self._moment, host.name)
            host.run_program = self._run
            host.reached = self._listeners

    def open(self, only: Collection[str] = (), lease_host: str = "", verb: str = "") -> None:
        self.opened, self.opened_verb = set(only), verb
        self.opened_for_lease = lease_host

    def add_hosts(self, hosts: Mapping[str, Any]) -> None:
        """A test has all hosts in the fleet from the beginning."""

    def ask(
        self,
        title: str,
        verb: str,
        requests: Mapping[str, Mapping[str, Any]],
        timeout: float,
        level: Level = Level.INFO,
    ) -> dict[str, Any]:
        self.asked.append((title, verb, tuple(requests)))
        if verb == "perform" and self._lock and not self.holds_lease():
            return dict.fromkeys(requests, errors.Locked.lost())
        stage = stage_events.begun(title, requests, level, self.handle)
        answers = {}
        for name in self.order(requests):
            answers[name] = self._reply(name, verb, json.loads(json.dumps(requests[name])))
            lines = step_lines.StepLines(functools.partial(stage.step_finished, name))
            lines.feed(self.hosts[name].stderr.getvalue())
            stage.host_finished(name, answers[name])
        stage.end()
        return {name: answers[name] for name in requests}

    def acquire_lease(self, host: str, request: Mapping[str, Any], timeout: float) -> Any:
        self.holds_asked.append(host)
        if host in self._gone:
            return self._gone[host]
        locks, path = self.hosts[host].locks, request["path"]
        if locks.get(path) and request["wait"]:
            self.waited()
        if locks.get(path):
            return {"held_by": locks[path]}
        locks[path] = dict(request["who"], since="2026-01-02T03:04:05Z", holder=next(PIDS))
        self._lock = (host, path, locks[path])
        return {"held": locks[path]}

    def holds_lease(self) -> bool:
        if self._lock is None:
            return False
        host, path, note = self._lock
        return self.hosts[host].locks.get(path) is note

    def waited(self) -> None:
        """What happens while a command waits for the lock; a test puts there what it likes."""

    def moment(self, name: str, when: str, step: Mapping[str, Any]) -> None:
        """What happens on a host "before" and "after" each step, and each change of our notes; a test says what.

        Failed is how the step fails, Gone a host that is lost; what else it raises ends the command there and then, as
        agents do whose session has ended.
        """

    def tamper(self, name: str, verb: str, reply: Any) -> Any:
        """What a host answers in place of what it has to say; a test makes it lie."""
        return reply

    def loses(self, name: str) -> None:
        """From now on a host does not answer."""
        self._gone[name] = errors.HostUnreachable(name, "connection refused", hint="Is sshd up?")

    def fails_with(self, name: str, error: errors.DeployerError) -> None:
        """From now on every request to a host ends with an error."""
        self._gone[name] = error

    def breaks(self, name: str, fragment: str, why: str = "it broke") -> None:
        """From now on the steps of a host whose request contains a text fail."""
        self._broken.append((name, fragment, why))

    def refuses(self, name: str, path: str, why: str) -> None:
        """From now on a host has something against a file that it is to get."""
        self._refused.append((name, path, why))

    def holds(self, name: str, times: int) -> list[str]:
        """The next engine of a host that leaves still works when it is asked so many times; returns who was asked."""
        self._working[name] = times
        for unit in self.hosts[name].running():
            if "-engine@" in unit:
                self.hosts[name].systemd.behaves(unit, stop=None)
                self.heat.work[f"id-{self.hosts[name].units[unit].pid}"] = ["web/server (CREATE)"]
        return self._asked_to_leave

    def mends(self) -> None:
        """Every host answers and every step works again."""
        self._gone.clear()
        self._broken.clear()
        self._refused.clear()

    def performed(self) -> dict[str, list[str]]:
        """Host -> every step it has done, in order."""
        return {name: list(host.done) for name, host in self.hosts.items()}

    def __enter__(self) -> "FakeFleet":
        return self

    def __exit__(self, *_: object) -> None:
        if self.holds_lease():
            host, path, _note = self._lock
            del self.hosts[host].locks[path]
        self._lock = None

    def _reply(self, name: str, verb: str, request: dict[str, Any]) -> Any:
        if name in self._gone:
            return self._gone[name]
        try:
            answer = self._answer(self.hosts[name], verb, request)
            clock = {key: answer[key] for key in ("sent", "received") if key in answer}
            reply = self.tamper(name, verb, answer)
            return replies.read(name, verb, request, json.dumps(reply).encode()) | clock
        except Gone:
            self.loses(name)
            return self._gone[name]
        except Failed as error:
            return errors.HostFailed(name, str(error))

    def _answer(self, host: FakeHost, verb: str, request: dict[str, Any]) -> Any:
        refusals = [f"{path}: {why}" for host_name, path, why in self._refused if host_name == host.name]
        if verb == "stage" and refusals:
            return {"problems": refusals}
        if verb not in ("stage", "close"):
            return host.ask(verb, request)
        self.moment(host.name, "before", {"do": verb})
        reply = host.ask(verb, request)
        self.moment(host.name, "after", {"do": verb})
        return reply

    def _moment(self, name: str, when: str, step: dict[str, Any]) -> None:
        why = next(
            (why for host_name, fragment, why in self._broken if host_name == name and fragment in json.dumps(step)),
            None,
        )
        if why and when == "before":
            raise Failed(why)
        self.moment(name, when, step)

    def _listeners(self) -> list[FakeListener]:
        return [each for host in self.hosts.values() for each in host.listeners]

    def _run(self, host: FakeHost, argv: list[str], stdin: str) -> str:
        """The few programs that every host has, and Heat's Python with the scripts that are streamed to it."""
        name = argv[0].rpartition("/")[2]
        values = re.search(r"b64decode\('([^']*)'\)", stdin)
        if name == "false":
            raise Failed("it ended")
        asked = json.dumps({"argv": argv, "stdin": stdin})
        broken = [why for where, fragment, why in self._broken if where == host.name and fragment in asked]
        if broken and name in ("uwsgi", "python3"):
            raise Failed(broken[0])
        if name == "uwsgi":
            return self.uwsgi_flags
        if name != "python3" or not values:
            return stdin if name == "cat" else ""
        return self._run_script(host, stdin.split()[1], json.loads(base64.b64decode(values[1])), argv[1:])

    def _run_script(self, host: FakeHost, name: str, values: dict[str, Any], arguments: list[str]) -> str:
        programs = {
            "api_answers": lambda: "",
            "dead_workers": lambda: json.dumps(self._recover(values["clean"])),
            "resources_held": lambda: json.dumps(self.held),
            "engine_started": lambda: self.heat.run(host, name, values, arguments),
            "engine_stopped": lambda: self._leave(host, values, arguments),
            "connection_limits": lambda: json.dumps(self.capacity),
            "engine_view": lambda: json.dumps(self._view()),
            "try_logins": lambda: json.dumps(
                {"problems": self.refused_logins.get(host.name, []), "bound": self.stacks_bound_to_loopback}
            ),
        }
        return programs[name]()

    def _recover(self, clean: bool) -> list[dict[str, Any]]:
        found, self.dead_workers = self.dead_workers, [] if clean else self.dead_workers
        return found

    def _view(self) -> dict[str, Any]:
        reading = self._reading()
        left = [
            {"engine_id": each, "topic": "engine", "age": 300.0, "up": False, **row}
            for each, row in self.heat.rows.items()
            if each not in reading
        ]
        rows = [*self.rows(), *left]
        queues = {each["engine_id"]: [0, int(each["engine_id"] in reading)] for each in rows}
        return {"rows": rows, "problems": self.heats_problems, "queues": queues}

    def _reading(self) -> set[str]:
        """The workers that read their queues."""
        return {each["engine_id"] for each in self.rows()}

    def _leave(self, host: FakeHost, values: dict[str, Any], arguments: list[str]) -> str:
        self._asked_to_leave.append(values["host"])
        if host.name in self._working:
            self._working[host.name] -= 1
            if self._working[host.name] < 0:
                host.systemd.ends(values["unit"])
        return self.heat.run(host, "engine_stopped", values, arguments)

    def rows(self) -> list[dict[str, Any]]:
        """Heat's table of engines: one row for each running engine of ours, and of the hosts' own."""
        engines = [
            (name, f"{name}-engine-{unit.split('@')[1].removesuffix('.service')}", pid)
            for name, host in self.hosts.items()
            for unit, pid in host.running().items()
            if "-engine@" in unit
        ]
        engines += [(name, name, each.pid) for name, host in self.hosts.items() for each in host.engines]
        return [
            {
                "engine_id": f"id-{pid}",
                "host": title,
                "hostname": name,
                "topic": "engine",
                "age": 3.0,
                "up": True,
                "created": 0.0,
            }
            for name, title, pid in engines
        ]
