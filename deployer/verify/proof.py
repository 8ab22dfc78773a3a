"""Reports the checks of a site: text for people, JSON for scripts, JUnit XML for build servers. Pure."""

import re
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import Any
from xml.etree import ElementTree

from deployer.model.contract import SCHEMA_VERSION
from deployer.verify.smoke import smoke_suite
from deployer.verify.smoke.result import Check, Outcome

UNPRINTABLE = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")  # what XML 1.0 cannot hold


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
            "schema_version": SCHEMA_VERSION,
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
    outcome = "ok" if check.outcome is Outcome.OK else check.outcome.upper()
    took = f" ({check.seconds:.1f} s)" if check.where == smoke_suite.WHERE and check.seconds else ""
    seen = check.detail or check.reason
    return f"  {outcome:8} {check.subject}: {check.promise}{took}" + (f": {seen}" if seen else "")


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
