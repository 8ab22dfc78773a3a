"""A site that is changed at random: the faults, what must be true after each command, and a count of what occurred."""

import contextlib
import functools
import re
from collections import Counter, defaultdict
from dataclasses import dataclass

import fault_injection
import sites
from contract.fake_programs import Failed
from fault_injection import FaultInjector, Killed

from deployer import errors
from deployer.apply import lock
from deployer.inventory import reader
from deployer.model.run import Author
from deployer.model.service import Service
from deployer.model.state import digest_of
from deployer.model.steps import DEFAULT_ROLLOUT, OnError, RolloutOptions

CONF, KEPT = "/etc/heat/heat.conf", ".before-heat-scaleout"
LEDGER = "/var/lib/heat-scaleout/ledger.json"
CONFS = [sites.CONF, sites.CONF + "[cache]\nenabled = true\n", sites.CONF + "[DEFAULT]\nmax_stacks_per_tenant = 7\n"]
OWN = "[DEFAULT]\n# the operator's own\n"
START = sites.an_inventory_text()
PORTS = {8004: Service.API, 8000: Service.CFN}
NO_ENGINE, NO_SERVER = "Heat lists no other engine that is alive", "no other server of "
counts: Counter[str] = Counter()


@dataclass(frozen=True)
class Fault:
    """What happens at which moment of a command; `gone`: a host that is away before it begins."""

    kind: str = ""
    number: int = 0
    gone: str = ""
    backwards: bool = False


NONE = Fault()


@functools.lru_cache(maxsize=4096)
def parsed(text):
    return reader.parse(text, sites.PATH)


class Site:
    """Hosts in memory and what is known of them; each command is judged by what it left."""

    def __init__(self, installed=sites.HEAT_27) -> None:
        self.fleet = sites.a_fleet(parsed(START), installed)
        self.hosts = self.fleet.hosts
        self.hosts["hostB"].has_file(CONF, OWN, group="heat", mode=0o640)
        self.text = START
        self.number = 0  # of the newest generation
        self.clean = True  # nothing was done to the hosts since they were last as wanted
        self.known: dict[tuple[str, str], set[str]] = defaultdict(set)  # host, path -> digests that it may have
        self.confs: dict[int, str] = {}  # generation -> the source's heat.conf then
        self.conf = self.conf_wanted = CONFS[0]  # the source's, and the one that the command's files are made of
        self.at_first = self.site_status()

    # What an operator does.

    def deploy(self, text: str, fault: Fault = NONE, options: RolloutOptions = DEFAULT_ROLLOUT):
        """A deploy of an inventory, as the command that edited it would run it."""
        inventory, self.conf_wanted = parsed(text), self.conf
        report = self._carry(
            text,
            fault,
            options,
            lambda fleet, accept, author: sites.deploy(inventory, fleet, accept, options=options, author=author),
        )
        if report and not report.exit_code:
            self._is_as_wanted()
        return report

    def rollback(self, run, fault: Fault = NONE, options: RolloutOptions = DEFAULT_ROLLOUT):
        """Back to a generation and its inventory."""
        text, self.conf_wanted = run.author.text, self.confs.get(run.number, "")
        report = self._carry(
            text,
            fault,
            options,
            lambda fleet, accept, author: sites.rollback(
                parsed(text), run.number, fleet, accept, options=options, author=author
            ),
        )
        if report and not report.exit_code and self.conf_wanted == self.conf:
            self._is_as_wanted()
        return report

    def restore(self, fault: Fault = NONE, options: RolloutOptions = DEFAULT_ROLLOUT):
        """Back to the single server."""
        inventory, self.conf_wanted = parsed(self.text), self.conf
        report = self._carry(
            self.text,
            fault,
            options,
            lambda fleet, accept, author: sites.restore(inventory, fleet, accept, options=options, author=author),
        )
        if report and not report.exit_code and not fault.kind:
            assert self.site_status() == self.at_first | {"hostA": self.at_first["hostA"] | self._own("hostA")}
            assert [host.last_run for host in self.hosts.values()] == [{}, {}, {}]
            self.number, self.clean = 0, True
        return report

    def ends_well(self, report) -> bool:
        return report is not None and report.exit_code == 0

    # What befalls the hosts.

    def changes_source(self, conf: str) -> None:
        self.conf, self.clean = conf, False
        self.hosts["hostA"].files[CONF].content = conf.encode()

    def edits(self, host: str, path: str, how: str) -> None:
        """Somebody changes a file of ours by hand, or its access, or takes it away."""
        self.clean = False
        file = self.hosts[host].files.get(path)
        if file is None or how == "gone":
            self.hosts[host].files.pop(path, None)
        elif how == "mode":
            file.mode = 0o777
        else:
            self.hosts[host].has_file(path, file.content + b"# by hand\n", owner=file.owner, group=file.group)
            self.known[host, path].add(digest_of(self.hosts[host].files[path].content))

    def kills(self, host: str, unit: str, again: bool) -> None:
        """A process dies; systemd starts it again, or has given up. Heat keeps an engine that is alive."""
        if again or "-engine@" not in unit or len(self.fleet.rows()) > 1:
            self.clean = False
            with contextlib.suppress(Failed):  # its file may be gone
                self.hosts[host].dies(unit, again)

    def reboots(self, host: str) -> None:
        self.clean = False
        self.hosts[host].reboot()

    def own_engine(self, runs: bool) -> None:
        """The operator stops or starts the engine that the source had before us; Heat keeps one that is alive."""
        source = self.hosts["hostA"]
        if runs and not source.engines:
            source.engines = [sites.FakeListener("", 0, next(sites.PIDS), "heat-engine", "heat-engine.service")]
        elif not runs and len(self.fleet.rows()) > 1:
            source.engines = []

    # What is there.

    def site_status(self):
        """What every host has: files, units of ours that run, and who else listens."""
        return {
            name: {
                "files": {path: (file.content, file.owner, file.group, file.mode) for path, file in host.files.items()},
                "running": sorted(host.running()),
                "others": sorted(
                    (each.unit, each.port) for each in host.listeners if not each.unit.startswith("heat-scaleout-")
                ),
            }
            for name, host in self.hosts.items()
        }

    def managed(self):
        """Every file of ours, as host and path."""
        return sorted((name, path) for name, host in self.hosts.items() for path in host.book(LEDGER)["files"])

    def running(self):
        return sorted((name, unit) for name, host in self.hosts.items() for unit in host.running())

    def is_served(self, port: int) -> bool:
        """Whether somebody answers clients: the old server, or the proxy with a server that is there."""
        proxy_host = self.hosts["hostA"]
        holders = [each.unit for each in proxy_host.listeners if (each.address, each.port) == ("10.0.0.1", port)]
        if "heat-scaleout-proxy.service" not in holders:
            return bool(holders)
        there = {f"{each.address}:{each.port}" for host in self.hosts.values() for each in host.listeners}
        section = "rest_api_proxy" if port == 8004 else "cfn_api_proxy"
        rows = [row.split(",") for row in proxy_host.servers().values()]
        return any(row[0] == section and row[4] == "UP" and row[5] == "1" and row[7] in there for row in rows)

    def _front(self) -> str:
        there = [f"{each.address}:{each.port} {each.unit}" for host in self.hosts.values() for each in host.listeners]
        return f"{list(self.hosts['hostA'].servers().values())} {there}"

    # What must hold.

    def holds(self) -> None:
        """At any time between two commands."""
        assert lock.holder(parsed(self.text), self.fleet) is None
        for name, path in self.managed():
            file = self.hosts[name].files.get(path)
            assert file is None or digest_of(file.content) in self.known[name, path], (name, path)
        assert self.hosts["hostA"].files[CONF].content.decode() == self.conf
        files = self.hosts["hostB"].files
        assert OWN in [files[path].content.decode() for path in (CONF, CONF + KEPT) if path in files]

    def _own(self, host: str):
        files = self.at_first[host]["files"]
        access = files[CONF][1:]
        return {"files": files | {CONF: (self.conf.encode(), *access)}}

    def _carry(self, text: str, fault: Fault, options: RolloutOptions, run):
        """Run a command, whatever befalls it, and judge what it left; its report, or None when there is none."""
        before, was_clean, inventory = self.site_status(), self.clean, parsed(text)
        happening = self.fleet.moment = FaultInjector(fault.kind, fault.number, self._watching(inventory, options))
        self.fleet.order = (lambda names: list(names)[::-1]) if fault.backwards else list
        if fault.gone:
            self.fleet.loses(fault.gone)
        report, error = None, None
        try:
            report = fault_injection.alone(
                inventory, self.fleet, lambda fleet: run(fleet, self._accepting(text), self._author(text))
            )
        except Killed:
            counts["killed"] += 1
        except errors.DeployerError as refused:
            error = refused
        self.fleet.moment, self.fleet.order = FaultInjector(), list
        self.fleet.mends()
        self._judge(inventory, before, was_clean, happening, fault, options, report, error)
        return report

    def _judge(self, inventory, before, was_clean, happening, fault, options, report, error) -> None:
        happened = happening.happened or bool(fault.gone)
        if error:
            counts["refused"] += 1
            assert happened or self._is_just(error, inventory), error
            assert self.site_status() == before
            assert not fault.gone or error.exit_code == 4
        elif report:
            counts[f"ended with {report.exit_code}"] += 1
            assert report.exit_code == 0 or happened, (report.applied.failed, report.left.changes())
            self._numbered(report)
            self.clean = report.exit_code == 0
            if (
                report.exit_code
                and options.on_error is OnError.REVERT
                and fault.kind == fault_injection.FAILS
                and was_clean
            ):
                self._is_put_back(before, report)
        else:
            self.clean = False
        self._is_told(report, happened)

    def _numbered(self, report) -> None:
        if report.run:
            assert report.run.number > self.number
            self.number = report.run.number
            self.confs[self.number] = self.conf_wanted

    def _is_put_back(self, before, report) -> None:
        counts["put back"] += 1
        assert report.result == "put back", (report.applied.failed, report.reverted and report.reverted.applied.failed)
        assert self.site_status() == before

    def _is_told(self, report, happened: bool) -> None:
        """What has not come to its end is told by the next look."""
        open_on = [name for name, host in self.hosts.items() if host.last_run and host.last_run["result"] is None]
        warnings = sites.unfinished(sites.planned(parsed(self.text), self.fleet))
        told = [re.search(r"has not finished on ([^;]*);", note)[1].split(", ") for note in warnings]
        assert sorted(sum(told, [])) == open_on
        assert not open_on or happened or not report  # one that was refused has ended nothing
        numbers = [host.last_run["number"] for host in self.hosts.values() if host.last_run]
        self.number = max([self.number, *numbers]) if numbers else 0  # a restore has taken all
        for name in open_on:
            self.confs.setdefault(self.hosts[name].last_run["number"], self.conf_wanted)
        if report is None and open_on:
            counts["unfinished and told"] += 1

    def _is_just(self, error, inventory) -> bool:
        """Whether a command was refused for a good reason."""
        words = error.message
        no_engine = NO_ENGINE in words and not self.hosts["hostA"].engines
        no_server = NO_SERVER in words and any(entry.drained for entry in inventory.hosts.values())
        return no_engine or no_server or "has no state on" in words

    def _is_as_wanted(self) -> None:
        """After a command that ended well: nothing to do, and the proxy's servers are what runs."""
        inventory = parsed(self.text)
        planned = sites.planned(inventory, self.fleet)
        assert planned.plan.changes() == ()
        assert self.running() == sorted({(each.host, each.unit) for each in inventory.instances()})
        serving = {f"{each.address}:{each.port}" for each in inventory.instances() if each.port and not each.drained}
        rows = [row.split(",") for row in self.hosts["hostA"].servers().values()]
        assert {row[7] for row in rows if row[4] == "UP" and row[5] == "1"} == serving
        for port, service in PORTS.items():
            assert self.is_served(port) or not self._has(inventory, service)

    @staticmethod
    def _has(inventory, service) -> bool:
        return any(each.service is service and not each.drained for each in inventory.instances())

    def _watching(self, inventory, options):
        """What must hold at each moment of a command if it held before: clients are served, an engine is alive."""
        served = [port for port, service in PORTS.items() if self.is_served(port) and self._has(inventory, service)]
        engines = bool(self.fleet.rows()) and not options.force

        def watch() -> None:
            assert all(map(self.is_served, served)), f"nobody serves clients: {self._front()}"
            assert self.fleet.rows() or not engines, "no engine is alive"

        return watch

    def _accepting(self, text: str):
        """Accept as a command does that keeps its inventory then; what it writes is known from now on."""

        def accept(planned, warnings) -> bool:
            self.text = text
            for name, state in planned.desired.states.items():
                for path, file in state.files.items():
                    self.known[name, path].add(file.digest)
            return True

        return accept

    @staticmethod
    def _author(text: str) -> Author:
        return Author("operator@desk", "invoke deploy", "2026-11-21T00:00:00Z", "0", str(sites.PATH), text)
