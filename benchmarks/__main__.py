"""The benchmark's command line: which parts, how many rounds, where the results go. `bin/bench` calls it."""

import argparse
import datetime
import functools
import json
import os
import platform
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from benchmarks import adding, comparison_report, contestants, listing, nothing_to_change, targets, testbed, virtualenvs
from benchmarks.measured_command import CommandFailed
from lab import site
from lab.lab_errors import LabError

DOCUMENT = testbed.CHECKOUT / "docs" / "benchmarks.md"
PARTS = ("list", "deploy3", "add-engine", "deploy30", "deploy100")  # in this order, as the lab grows to 100 hosts
MANY, MOST = 30, 100


def main() -> None:
    """Run the parts that were asked for, and tell, also of those before one that failed.

    End with 1 when one failed, or when a promise is not kept.
    """
    options = _options()
    parts: dict[str, Any] = {}
    failed = ""
    try:
        parts.update(_run(options))
    except (CommandFailed, LabError) as error:
        failed = f"bench: {error}"
    except KeyboardInterrupt:
        sys.exit(130)
    finally:
        if not options.keep and set(options.parts) != {"list"}:
            site.down(options.name)
    results = {"date": f"{datetime.date.today()}", "machine": _machine(), "versions": _versions(), "parts": parts}
    print(comparison_report.text(results))
    if options.results:
        options.results.write_text(json.dumps(results, indent=1) + "\n")
    if options.update_docs and not failed:
        comparison_report.put(results, DOCUMENT)
    sys.exit(failed or not all(verdict.kept for verdict in targets.verdicts(parts)))


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="bin/bench", description="Measure side by side, on hosts of its own.")
    parser.add_argument("parts", nargs="*", metavar="PART", help=f"{', '.join(PARTS)}; all without any")
    parser.add_argument("--rounds", type=int, default=7, help="rounds of each part")
    parser.add_argument("--rounds-of-many", type=int, default=3, help="rounds with 30 and with 100 hosts")
    parser.add_argument("--results", type=Path, help="file for the raw figures, as JSON")
    parser.add_argument("--update-docs", action="store_true", help="write the tables into docs/benchmarks.md")
    parser.add_argument("--keep", action="store_true", help="leave the lab up")
    parser.add_argument("--name", default="bench", help="the lab's name")
    options = parser.parse_args()
    unknown = set(options.parts) - set(PARTS)
    if unknown:
        parser.error(f"no such part: {', '.join(sorted(unknown))}")
    options.parts = options.parts or PARTS
    return options


def _run(options: argparse.Namespace) -> Iterator[tuple[str, dict[str, Any]]]:
    """Each part that was asked for, with its figures."""
    with tempfile.TemporaryDirectory(prefix="heat-bench-") as name:  # has heat.conf files: readable by us alone
        try:
            runs = _runs(options, Path(name))
            yield from ((part, runs[part]()) for part in PARTS if part in options.parts)
        finally:
            contestants.close_kept(Path(name))


def _runs(options: argparse.Namespace, folder: Path) -> dict[str, Callable[[], dict[str, Any]]]:
    """What each part does; those with the same hosts share them."""
    bed = functools.cache(lambda hosts: testbed.up(options.name, hosts, folder))
    return {
        "list": lambda: listing.run(3 * options.rounds),
        "deploy3": lambda: nothing_to_change.run(bed(site.DEFAULT_HOSTS), options.rounds),
        "add-engine": lambda: adding.run(bed(site.DEFAULT_HOSTS), options.rounds),
        "deploy30": lambda: nothing_to_change.run(bed(MANY), options.rounds_of_many),
        "deploy100": lambda: nothing_to_change.run(bed(MOST), options.rounds_of_many, contestants.fast_ones),
    }


def _machine() -> dict[str, float]:
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    return {"cores": os.cpu_count() or 0, "memory_gib": memory / 2**30}


def _versions() -> list[str]:
    return [
        virtualenvs.version("ansible"),
        virtualenvs.version("pyinfra"),
        f"Python {platform.python_version()}",
        f"Heat {site.DEFAULT_HEAT}",
    ]


main()
