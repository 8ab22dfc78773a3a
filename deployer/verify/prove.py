"""Proves a site from outside: the acceptance suite on every node, then Heat used through the proxy; one report."""

import contextlib
import importlib.util
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Collection, Iterator, Mapping
from dataclasses import asdict, dataclass, replace
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from xml.etree import ElementTree

from deployer import errors
from deployer.cli import console
from deployer.desired import desired_state
from deployer.heat import redacting_fleet, redaction
from deployer.inventory.schema import Inventory
from deployer.inventory.values import Endpoint
from deployer.model.facts import Observation
from deployer.model.state import HostState, Service
from deployer.observed import observe
from deployer.remote import fleet
from deployer.verify.smoke import clouds, smoke_suite
from deployer.verify.smoke.result import Check, Outcome

INSTALLED = Path(__file__).resolve().parents[1] / "acceptance"  # where setup.py puts it in a wheel
SUITE = INSTALLED if INSTALLED.is_dir() else INSTALLED.parents[1] / "tests" / "acceptance"
LIBRARIES = ("pytest", "testinfra", "openstack", "botocore")
SUITE_TIMEOUT = 120.0  # seconds for the suite, and some more for each host
SUITE_TIMEOUT_PER_HOST = 30.0
JUDGED = (0, 1)  # pytest's exit codes when every test was run
UNPRINTABLE = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")  # what XML 1.0 cannot hold
SETUP = re.compile(r'failed on setup with "(.*)"', re.DOTALL)
RAISED = re.compile(r"(AssertionError|Failed): ")


@dataclass(frozen=True)
class Proof:
    """Every check of a site in the order they were made, and how long all of it took, in seconds."""

    site: str
    checks: tuple[Check, ...]
    seconds: float

    @property
    def failed(self) -> bool:
        """Whether anything that was promised is not proven."""
        return any(check.failed for check in self.checks)

    def text(self) -> str:
        """The report for people: a line a host, a line a step through the proxy, and every failure with its reason."""
        lines = [
            line
            for where in dict.fromkeys(check.where for check in self.checks)
            for line in _lines(where, [check for check in self.checks if check.where == where])
        ]
        bad = sum(check.failed for check in self.checks)
        took, all_of = f"{self.seconds:.1f} s", _count(len(self.checks))
        total = f"NOT proven: {bad} of {all_of} failed, in {took}." if bad else f"Proven: {all_of} in {took}."
        return "\n".join([*lines, total])

    def json(self) -> dict[str, Any]:
        """The report for scripts: fields may be added, never renamed."""
        return {
            "schema_version": console.SCHEMA_VERSION,
            "site": self.site,
            "failed": self.failed,
            "seconds": round(self.seconds, 3),
            "checks": [asdict(check) for check in self.checks],
        }

    def junit(self) -> str:
        """The report for build servers: JUnit XML, a suite for each host and one for the proxy, a case a check."""
        root = ElementTree.Element("testsuites", name=self.site)
        for where in dict.fromkeys(check.where for check in self.checks):
            _junit_suite(root, where, [check for check in self.checks if check.where == where])
        return ElementTree.tostring(root, encoding="unicode", xml_declaration=True) + "\n"


def run(inventory: Inventory, junit: Path | None = None, cloud: str | None = None) -> Proof:
    """Prove a site: every node by the acceptance suite, then Heat through the proxy as a user of `cloud`.

    Given `junit`, write the report there too. Raise BadInput when libraries, credentials or the place for the report
    are missing; never for a site that fails.
    """
    _require(junit)
    named, clouds_file = inventory.verify_with()
    user = clouds.chosen(cloud or named, clouds_file)
    started = time.monotonic()
    with _terminated_as_interrupted(), redacting_fleet.over_ssh(inventory, console.Progress(quiet=True)) as reached:
        checks = (*_acceptance_checks(inventory), *_smoke_checks(inventory, user, reached))
        if any(check.failed for check in checks):
            checks = _redacted(checks, reached.secrets([inventory.heat.source]).union(user.secrets))
    proof = Proof(inventory.site, checks, time.monotonic() - started)
    if junit:
        junit.write_text(proof.junit(), encoding="utf-8")
    return proof


def checks_of(report: str) -> tuple[Check, ...]:
    """Given a JUnit report of the acceptance suite, whose cases have host, subject and promise, return its checks."""
    return tuple(_check(case) for case in ElementTree.fromstring(report).iter("testcase"))


def reason_in(message: str) -> str:
    """Why a test failed, in its own words, out of pytest's message."""
    setup = SETUP.fullmatch(message.strip())
    return RAISED.sub("", setup[1] if setup else message.strip(), count=1).strip()


def _require(junit: Path | None) -> None:
    for library in LIBRARIES:
        if importlib.util.find_spec(library) is None:
            raise clouds.not_installed(library)
    if not SUITE.is_dir():
        raise errors.BadInput(f"there is no {SUITE}", hint="The installation is not complete: make it again.")
    if junit and (junit.is_dir() or not os.access(junit.absolute().parent, os.W_OK)):
        raise errors.BadInput(f"{junit} cannot be written", hint="--junit takes a file in a folder that exists.")


def _acceptance_checks(inventory: Inventory) -> tuple[Check, ...]:
    """What the acceptance suite says; it runs in a process of its own and knows nothing of ours."""
    console.message(f"looking at {', '.join(inventory.hosts)} from outside")
    with TemporaryDirectory(prefix="heat-") as folder:
        report = Path(folder) / "report.xml"
        ended = _pytest(inventory, report)
        if isinstance(ended, str):
            return (Check("acceptance suite", "pytest", "every test is run", Outcome.FAILED, reason=ended),)
        order = {name: position for position, name in enumerate(inventory.hosts)}
        checks = checks_of(report.read_text(encoding="utf-8"))
        return tuple(sorted(checks, key=lambda check: order.get(check.where, -1)))


def _pytest(inventory: Inventory, report: Path) -> str | None:
    """Run the suite with its own settings only; return why it could not judge, None when it did."""
    argv = [
        sys.executable,
        "-m",
        "pytest",
        str(SUITE),
        "-c",
        str(SUITE / "pytest.ini"),
        "--rootdir",
        str(SUITE),
        "--confcutdir",
        str(SUITE),
        "-p",
        "no:cacheprovider",
        "--assert=plain",
        "--tb=line",
        "-q",
        f"--inventory={inventory.path.resolve()}",
        f"--junitxml={report}",
    ]
    alone = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST_")}
    limit = SUITE_TIMEOUT + SUITE_TIMEOUT_PER_HOST * len(inventory.hosts)
    try:
        ended = subprocess.run(
            argv,
            cwd=SUITE,
            env=alone | {"PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"},
            timeout=limit,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return f"not done after {limit:.0f} s"
    if ended.returncode in JUDGED and report.exists():
        return None
    return f"pytest ended with {ended.returncode}: {_last_lines(ended.stderr or ended.stdout)}"


def _last_lines(text: str) -> str:
    """Whole lines: half a secret would not be known as one."""
    return "\n".join(text.strip().splitlines()[-10:])


def _smoke_checks(inventory: Inventory, user: clouds.Cloud, reached: fleet.Fleet) -> tuple[Check, ...]:
    """What becomes of using Heat through the proxy."""
    try:
        binds = _binds(inventory, reached)
    except errors.DeployerError as error:
        promise = "the source's heat.conf tells where clients reach Heat"
        return (Check(smoke_suite.WHERE, inventory.heat.source, promise, Outcome.FAILED, reason=error.message),)
    return smoke_suite.run(smoke_suite.SmokeTarget(inventory, reached, binds), user, console.message)


def _redacted(checks: tuple[Check, ...], known: Collection[str]) -> tuple[Check, ...]:
    """The same checks with no secret in a reason, whoever gave it."""
    return tuple(replace(check, reason=redaction.redact(check.reason, known)) for check in checks)


def _binds(inventory: Inventory, reached: fleet.Fleet) -> Mapping[Service, Endpoint]:
    """Where the proxy serves each API; raise a DeployerError when the source host does not tell."""
    observation = observe.observe_site(inventory, reached)
    if inventory.heat.source in observation.errors:
        raise observation.errors[inventory.heat.source]
    return desired_state.desired_states(
        inventory, {name: observation.hosts.get(name, Observation(HostState())) for name in inventory.hosts}
    ).binds


@contextlib.contextmanager
def _terminated_as_interrupted() -> Iterator[None]:
    """Let SIGTERM end the work as Ctrl-C does, so that the stack is deleted before we go."""
    before = signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def _check(case: ElementTree.Element) -> Check:
    said = {each.get("name"): each.get("value", "") for each in case.iter("property")}
    observed = partial(
        Check,
        said.get("host", "acceptance suite"),
        said.get("subject", case.get("name", "")),
        said.get("promise", ""),
        seconds=float(case.get("time", 0)),
    )
    for kind, outcome in (("failure", Outcome.FAILED), ("error", Outcome.FAILED), ("skipped", Outcome.SKIPPED)):
        if (trouble := case.find(kind)) is not None:
            return observed(outcome, reason=reason_in(trouble.get("message") or "") or (trouble.text or kind).strip())
    return observed()


def _lines(where: str, checks: list[Check]) -> Iterator[str]:
    """The report of one host, or of the steps through the proxy, which are shown one by one."""
    bad = [check for check in checks if check.failed]
    if where == smoke_suite.WHERE:
        yield where
        yield from (_line(check) for check in checks)
        return
    yield f"{where}: {len(bad)} of {_count(len(checks))} FAILED" if bad else f"{where}: {_count(len(checks))} ok"
    reasons = {check.reason for check in bad}
    if len(bad) == len(checks) > 1 and len(reasons) == 1:
        yield f"  FAILED   {bad[0].reason}"
    else:
        yield from (_line(check) for check in bad)


def _line(check: Check) -> str:
    word = "ok" if check.outcome is Outcome.OK else check.outcome.upper()
    took = f" ({check.seconds:.1f} s)" if check.where == smoke_suite.WHERE and check.seconds else ""
    said = check.detail or check.reason
    return f"  {word:8} {check.subject}: {check.promise}{took}" + (f": {said}" if said else "")


def _count(number: int) -> str:
    return f"{number} check" if number == 1 else f"{number} checks"


def _junit_suite(root: ElementTree.Element, where: str, checks: list[Check]) -> None:
    counts = {outcome: str(sum(check.outcome is outcome for check in checks)) for outcome in Outcome}
    suite = ElementTree.SubElement(
        root,
        "testsuite",
        name=where,
        tests=str(len(checks)),
        failures=counts[Outcome.FAILED],
        errors="0",
        skipped=counts[Outcome.SKIPPED],
        time=f"{sum(check.seconds for check in checks):.3f}",
    )
    for check in checks:
        case = ElementTree.SubElement(
            suite,
            "testcase",
            classname=where,
            time=f"{check.seconds:.3f}",
            name=UNPRINTABLE.sub("?", f"{check.subject}: {check.promise}"),
        )
        if check.failed:
            kind = "failure" if check.outcome is Outcome.FAILED else "skipped"
            ElementTree.SubElement(case, kind, message=UNPRINTABLE.sub("?", check.reason))
        elif check.detail:
            ElementTree.SubElement(case, "system-out").text = UNPRINTABLE.sub("?", check.detail)
