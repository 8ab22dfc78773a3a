"""systemd of a host in memory: units have its states and its files; jobs take as long as a test says."""

import fnmatch
import hashlib
import itertools
import os
import re
import shutil
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from contract.fake_programs import Ran

PIDS = itertools.count(1000)
ETC, USR, RUN = "/etc/systemd/system", "/usr/lib/systemd/system", "/run/systemd/system"
WANTS = f"{ETC}/multi-user.target.wants"
NOT_FOUND = 5  # the exit status of systemctl


@dataclass
class FakeUnit:
    state: str = "inactive"  # as systemd names it: activating, active, deactivating, failed
    pid: int = 0
    restarts: int = 0
    argv: list[str] = field(default_factory=list)
    job: int = -1  # of the clock
    done_at: float = 0.0  # when the job is done
    then_start: bool = False
    began: float | None = None  # by the wall clock of its host, as that was then

    @property
    def active(self) -> bool:
        return self.state == "active"


@dataclass
class Behaviour:
    """How a unit's process is: seconds until it answers and until it has ended after SIGTERM; None: never."""

    start: float | None = 0.0
    stop: float | None = 0.0


class Systemd:
    """Units by name; `systemctl` is the program."""

    def __init__(self, host: Any) -> None:
        self._host = host
        self.units: dict[str, FakeUnit] = {}
        self.behaviours: dict[str, Behaviour] = {}
        self._last_start = Ran()
        self._read: dict[str, str] = {}  # what systemd has read of units' files

    # What tests prepare.

    def behaves(self, name: str, **how: float | None) -> None:
        self.behaviours[name] = Behaviour(**how)

    def has_unit(self, name: str, argv: str, listens: str) -> FakeUnit:
        """A unit that is not ours is installed and enabled, and runs."""
        text = f"[Service]\nExecStart={argv}\nEnvironment=LISTEN={listens}\n"
        self._host.root.put(f"{USR}/{name}", text.encode())
        self._link(name)
        self._read[name] = text
        unit = self.units[name] = FakeUnit("active", next(PIDS), 0, argv.split())
        return unit

    def dies(self, name: str, again: bool) -> None:
        """The main process is killed; systemd starts it `again`, or has given up doing so."""
        self._end(name, is_killed=True)
        if again:
            self._begin(name)
        else:
            self.units[name].state = "inactive"

    def ends(self, name: str) -> None:
        """A process that is stopping has ended."""
        self.behaviours.pop(name, None)
        if self.units[name].state == "deactivating":
            self._ended(name, self.units[name].then_start)

    def boot(self) -> None:
        """Start what is enabled, what is not ours first."""
        self._reload()
        for unit in self.units.values():
            unit.state, unit.pid, unit.then_start = "inactive", 0, False
        wanted = os.listdir(self._host.root.at(WANTS)) if os.path.isdir(self._host.root.at(WANTS)) else []
        for name in sorted(wanted, key=lambda each: (each.startswith("heat-scaleout-"), each)):
            self._start(name)

    # The program.

    def systemctl(self, arguments: list[str]) -> Ran:
        options = [each for each in arguments if each.startswith("-")]
        verb, *names = (each for each in arguments if not each.startswith("-"))
        if verb == "daemon-reload":
            self._reload()
            return Ran()
        if verb == "show":
            return self._show(options, names)
        if verb == "reset-failed":
            for name in names:
                self.units[name].state = "inactive"
            return Ran()
        if verb in ("mask", "unmask"):
            for name in names:
                self._mask(name, verb == "mask")
            return Ran()
        if verb == "is-enabled":
            return Ran(status=0 if self.is_enabled(names[0]) else 1)
        done = [self._act(verb, name, "--now" in options) for name in names]
        failed = [each for each in done if each.status]
        seconds = [each.seconds for each in done]
        longest = None if None in seconds else max(seconds)
        return failed[0] if failed else Ran(seconds=0.0 if "--no-block" in options else longest)

    def _act(self, verb: str, name: str, now: bool) -> Ran:
        if self.is_masked(name) and verb in ("start", "restart"):
            return Ran(status=1, complaint=f"Failed to {verb} {name}: Unit {name} is masked.")
        if self._text(name) is None and name not in self.units:
            return Ran(status=NOT_FOUND, complaint=f"Failed to {verb} {name}: Unit {name} not found.")
        acts: dict[str, Callable[[str], Ran]] = {
            "enable": lambda each: self._enable(each, now),
            "disable": lambda each: self._disable(each, now),
            "start": self._start,
            "restart": self._restart,
            "stop": self._stop,
            "reload": self._reload_unit,
            "kill": self._kill,
        }
        return acts[verb](name)

    def _enable(self, name: str, now: bool) -> Ran:
        self._link(name)
        return self._start(name) if now else Ran()

    def _disable(self, name: str, now: bool) -> Ran:
        Path(self._host.root.at(f"{WANTS}/{name}")).unlink(missing_ok=True)
        return self._stop(name) if now else Ran()

    def _link(self, name: str) -> None:
        wants = Path(self._host.root.at(WANTS))
        wants.mkdir(exist_ok=True)
        if not self.is_enabled(name):
            (wants / name).symlink_to(f"../{_template(name)}")

    def is_enabled(self, name: str) -> bool:
        return os.path.lexists(self._host.root.at(f"{WANTS}/{name}"))

    def _mask(self, name: str, is_masked: bool) -> None:
        place = Path(self._host.root.at(f"{ETC}/{name}"))
        if is_masked:
            place.symlink_to(os.devnull)
        else:
            place.unlink()

    def is_masked(self, name: str) -> bool:
        place = self._host.root.at(f"{ETC}/{name}")
        return os.path.islink(place) and os.readlink(place) == os.devnull

    # Jobs.

    def _start(self, name: str) -> Ran:
        unit = self.units.setdefault(name, FakeUnit())
        if unit.state == "deactivating":
            unit.then_start = True
            return Ran(seconds=unit.done_at - self._host.clock.now)
        return Ran() if unit.active else self._begin(name)

    def _restart(self, name: str) -> Ran:
        if self.units.setdefault(name, FakeUnit()).state not in ("active", "deactivating"):
            return self._begin(name)
        stopped = self._stop(name, and_start=True)
        return stopped if self.units[name].then_start else self._last_start

    def _stop(self, name: str, and_start: bool = False) -> Ran:
        """Have the process end, at once or later: after TimeoutStopSec systemd kills it."""
        unit = self.units.setdefault(name, FakeUnit())
        if unit.state == "deactivating":
            unit.then_start = and_start
            return Ran(seconds=unit.done_at - self._host.clock.now)
        if unit.state == "failed":
            return Ran()
        text = self._read.get(name, "")
        if _setting(text, "KillMode") == "none":
            self._abandon(name, text, and_start)
            return Ran()
        if _setting(text, "KillSignal") == "SIGUSR1":
            self._host.ends_requests(unit.pid)
        told = re.search(r"(?m)^Environment=STOPS_AFTER=(\d+)$", text)
        takes = self.behaviours.get(name, Behaviour(stop=float(told[1]) if told else 0.0)).stop
        limit = float(_setting(text, "TimeoutStopSec") or 90)
        seconds = limit if takes is None else min(takes, limit)
        is_killed = takes is None or takes > limit
        if not unit.pid or not seconds:
            self._ended(name, and_start)
            return Ran()
        unit.state, unit.then_start = "deactivating", and_start
        unit.done_at = self._host.clock.now + seconds
        unit.job = self._host.clock.after(seconds, lambda: self._ended(name, unit.then_start, is_killed))
        return Ran(seconds=seconds)

    def _kill(self, name: str) -> Ran:
        """End the process at once; systemd starts it again if its file says so, unless it was to end."""
        unit = self.units[name]
        if unit.state == "deactivating":
            self._ended(name, unit.then_start, is_killed=True)
        elif unit.active and _setting(self._read[name], "Restart") == "always":
            self.dies(name, again=True)
        elif unit.active:
            self._end(name, is_killed=True)
            unit.state = "failed"
        return Ran()

    def _abandon(self, name: str, text: str, and_start: bool) -> None:
        """Forget the processes of a unit, which go on."""
        unit = self.units[name]
        unit.state, unit.pid = "inactive", 0
        self._then(name, text, and_start)

    def _ended(self, name: str, and_start: bool, is_killed: bool = False) -> None:
        self._end(name, is_killed)
        self._host.clock.cancel(self.units[name].job)
        self.units[name].then_start = False
        self._then(name, self._read.get(name, ""), and_start, "failed" if is_killed else "inactive")

    def _then(self, name: str, text: str, start: bool, state: str = "inactive") -> None:
        """What follows the end of a unit."""
        folder = _setting(text, "RuntimeDirectory")
        if start:
            self._last_start = self._begin(name)
        else:
            self.units[name].state = state
            if folder and _setting(text, "RuntimeDirectoryPreserve") != "yes":
                shutil.rmtree(self._host.root.at(f"/run/{folder.replace('%i', _instance(name))}"), ignore_errors=True)

    def _end(self, name: str, is_killed: bool = False) -> None:
        unit = self.units[name]
        self._host.process_ended(name, unit.pid, is_killed)
        unit.state, unit.pid = "inactive", 0

    def _begin(self, name: str) -> Ran:
        """Start the main process; of a unit that is no notify, systemctl does not wait to see what becomes of it."""
        text = self._text(name)
        if text is None:
            return Ran(status=NOT_FOUND, complaint=f"Failed to start {name}: Unit {name} not found.")
        text = self._read.setdefault(name, text)
        unit = self.units[name]
        lines = text.replace("%i", _instance(name))
        unit.argv = (_setting(lines, "ExecStart") or "").split()
        if not unit.argv:
            return Ran(status=1, complaint=f"Failed to start {name}: Unit {name} has a bad unit file setting.")
        self._prepare(lines)
        unit.pid, unit.began = next(PIDS), self._host.clock.wall() + self._host.skew
        why = self._host.process_started(name, unit, lines)
        if why:
            is_notify = _setting(lines, "Type") == "notify"
            unit.state, unit.pid, unit.restarts = "failed" if is_notify else "activating", 0, 5
            self._host.logs_line(name, why)
            complaint = f"Job for {name} failed because the control process exited with error code."
            return Ran(status=1, complaint=complaint) if is_notify else Ran()
        unit.state, unit.restarts = "active", 0
        for path in re.findall(r"(?m)^ExecStartPost=\+/bin/rm -f (\S+)$", lines):
            Path(self._host.root.at(path)).unlink(missing_ok=True)
        self._host.logs_line(name, f"Started {name}.")
        return Ran()

    def _prepare(self, text: str) -> None:
        """Make the folder of a unit and run what comes before its process."""
        if folder := _setting(text, "RuntimeDirectory"):
            os.makedirs(self._host.root.at(f"/run/{folder}"), exist_ok=True)
        for line in re.findall(r"(?m)^ExecStartPre=(.*)$", text):
            if copied := re.fullmatch(r"/bin/cp (\S+) (\S+)", line):
                source = Path(self._host.root.at(copied[1]))
                self._host.root.put(copied[2], source.read_bytes() if source.exists() else b"")
            if noted := re.search(r"sha256sum <(\S+) >(\S+)'", line):
                digest = hashlib.sha256(Path(self._host.root.at(noted[1])).read_bytes()).hexdigest()
                self._host.root.put(noted[2], f"{digest}  -\n".encode())
            made = re.search(r"echo 1 >(\S+)'", line)
            if made and not os.path.exists(self._host.root.at(made[1])):
                self._host.root.put(made[1], b"1\n")

    def _reload_unit(self, name: str) -> Ran:
        if _setting(self._read.get(name, ""), "ExecReload") is None:
            return Ran(status=1, complaint=f"Job type reload is not applicable for unit {name}.")
        if not self.units.setdefault(name, FakeUnit()).active:
            return Ran(status=1, complaint=f"{name} is not active, cannot reload.")
        why = self._host.process_reloads(name, self.units[name])
        return Ran(status=1, complaint=f"Job for {name} failed. {why}") if why else Ran()

    # What systemd knows.

    def _reload(self) -> None:
        texts = {name: self._text(name) for name in {*self.units, *self._read}}
        self._read = {name: text for name, text in texts.items() if text is not None}

    def _text(self, name: str) -> str | None:
        """A unit's file and its drop-ins, as they are on the disk."""
        at = self._host.root.at
        paths = [f"{folder}/{_template(name)}" for folder in (ETC, USR)]
        found = [Path(at(path)) for path in paths if os.path.isfile(at(path))]
        extra = sorted(Path(at(f"{RUN}/{name}.d")).glob("*.conf"))
        return "".join(path.read_text() for path in [found[0], *extra]) if found else None

    def _drop_ins(self, name: str) -> list[str]:
        """The files that change a unit or its template."""
        folders = [f"{folder}/{each}.d" for folder in (ETC, RUN) for each in dict.fromkeys((name, _template(name)))]
        inside = self._host.root.inside
        return [inside(str(each)) for one in folders for each in sorted(Path(self._host.root.at(one)).glob("*.conf"))]

    def _show(self, options: list[str], patterns: list[str]) -> Ran:
        keys = next(each.partition("=")[2] for each in options if each.startswith("--property=")).split(",")
        exact = [each for each in patterns if "*" not in each]
        loaded = [name for name, unit in self.units.items() if unit.state != "inactive"]
        names = [*exact, *(each for each in loaded if any(fnmatch.fnmatch(each, like) for like in patterns))]
        shown = [self._shown(name) for name in dict.fromkeys(names)]
        if "--value" in options:
            return Ran("\n".join(each[key] for each in shown for key in keys) + "\n")
        return Ran("\n".join("".join(f"{key}={each[key]}\n" for key in keys if key in each) for each in shown))

    def _shown(self, name: str) -> dict[str, str]:
        unit = self.units.get(name) or FakeUnit(*self._host.stray_unit(name))
        read, there = self._read.get(name), self._text(name)
        return {
            "Id": name,
            "LoadState": "masked" if self.is_masked(name) else "loaded" if there else "not-found",
            "DropInPaths": " ".join(self._drop_ins(name)),
            "ActiveState": unit.state,
            "SubState": {"active": "running", "inactive": "dead"}.get(unit.state, unit.state),
            "MainPID": str(unit.pid),
            "NeedDaemonReload": "yes" if read is not None and read != there else "no",
            "NRestarts": str(unit.restarts),
            "Job": "1" if unit.state == "deactivating" else "0",
            "ExecMainStartTimestamp": "" if unit.began is None else _timestamp(unit.began),
            "UnitFileState": "enabled" if self.is_enabled(name) else "disabled",
            "User": _setting(there or "", "User") or "",
        }


def _timestamp(seconds: float) -> str:
    """As systemd writes it under TZ=UTC."""
    return datetime.fromtimestamp(seconds, UTC).strftime("%a %Y-%m-%d %H:%M:%S UTC")


def _template(name: str) -> str:
    return re.sub("@.*", "@.service", name)


def _instance(name: str) -> str:
    return name.partition("@")[2].removesuffix(".service")


def _setting(text: str, key: str) -> str | None:
    """The last value of a setting."""
    return next(iter(re.findall(rf"(?m)^{key}=(.*)$", text)[::-1]), None)
