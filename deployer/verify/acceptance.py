"""Runs the acceptance suite on every node: pytest and testinfra in their own process, which imports nothing of ours."""

import os
import re
import subprocess
import sys
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from xml.etree import ElementTree

from deployer.inventory.schema import Inventory
from deployer.verify.smoke.result import Check, Outcome

INSTALLED = Path(__file__).resolve().parents[1] / "acceptance"  # where setup.py puts it in a wheel
SUITE = INSTALLED if INSTALLED.is_dir() else INSTALLED.parents[1] / "tests" / "acceptance"
SUITE_TIMEOUT = 120.0  # seconds for the suite, and some more for each host
SUITE_TIMEOUT_PER_HOST = 30.0
COMPLETE = (0, 1)  # pytest's exit codes when every test was run
SETUP = re.compile(r'failed on setup with "(.*)"', re.DOTALL)
RAISED = re.compile(r"(AssertionError|Failed): ")


def run(inventory: Inventory) -> tuple[Check, ...]:
    """Run the acceptance suite in a process of its own and return its checks."""
    with TemporaryDirectory(prefix="heat-") as folder:
        report = Path(folder) / "report.xml"
        ended = _pytest(inventory, report)
        if isinstance(ended, str):
            return (Check("acceptance suite", "pytest", "every test is run", Outcome.FAILED, reason=ended),)
        order = {name: position for position, name in enumerate(inventory.hosts)}
        checks = checks_of(report.read_text(encoding="utf-8"))
        return tuple(sorted(checks, key=lambda check: order.get(check.where, -1)))


def _pytest(inventory: Inventory, report: Path) -> str | None:
    """Run the suite with its own settings only; return why it did not run every test, None when it did."""
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
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST_")}
    limit = SUITE_TIMEOUT + SUITE_TIMEOUT_PER_HOST * len(inventory.hosts)
    try:
        ended = subprocess.run(
            argv,
            cwd=SUITE,
            env=environment | {"PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"},
            timeout=limit,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return f"not finished after {limit:.0f} s"
    if ended.returncode in COMPLETE and report.exists():
        return None
    return f"pytest ended with {ended.returncode}: {_last_lines(ended.stderr or ended.stdout)}"


def _last_lines(text: str) -> str:
    """Whole lines: half a secret would not be recognised."""
    return "\n".join(text.strip().splitlines()[-10:])


def checks_of(report: str) -> tuple[Check, ...]:
    """Given a JUnit report of the acceptance suite, whose cases have host, subject and promise, return its checks."""
    return tuple(_check(case) for case in ElementTree.fromstring(report).iter("testcase"))


def reason_in(message: str) -> str:
    """The reason of a failed test, without what pytest adds to its message."""
    setup = SETUP.fullmatch(message.strip())
    return RAISED.sub("", setup[1] if setup else message.strip(), count=1).strip()


def _check(case: ElementTree.Element) -> Check:
    properties = {each.get("name"): each.get("value", "") for each in case.iter("property")}
    check = partial(
        Check,
        properties.get("host", "acceptance suite"),
        properties.get("subject", case.get("name", "")),
        properties.get("promise", ""),
        seconds=float(case.get("time", 0)),
    )
    for kind, outcome in (("failure", Outcome.FAILED), ("error", Outcome.FAILED), ("skipped", Outcome.SKIPPED)):
        if (trouble := case.find(kind)) is not None:
            return check(outcome, reason=reason_in(trouble.get("message") or "") or (trouble.text or kind).strip())
    return check()
