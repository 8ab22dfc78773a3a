"""What the checks of a site came to: JSON for scripts, JUnit XML for build servers. Pure."""

import re
from dataclasses import asdict, dataclass
from typing import Any
from xml.etree import ElementTree

from deployer.model.contract import SCHEMA_VERSION
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
