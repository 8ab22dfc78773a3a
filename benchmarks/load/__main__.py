"""The long run's command line: which Heat, how many requests, where the results go. `bin/load` calls it."""

import argparse
import datetime
import json
import os
import sys
import tempfile
from pathlib import Path
from typing import Any

from benchmarks import testbed
from benchmarks.load import load_report, long_run
from benchmarks.load.client_process import Bounds
from lab import site
from lab.lab_errors import LabError

DOCUMENT = testbed.CHECKOUT / "docs" / "benchmarks.md"


def main() -> None:
    """Run, tell, take the lab down; end with 1 when a promise is not kept."""
    options = _options()
    try:
        results = _run(options)
    except LabError as error:
        sys.exit(f"load: {error}")
    except KeyboardInterrupt:
        sys.exit(130)
    finally:
        if not options.keep:
            site.down(options.name)
    print(load_report.text(results))
    if options.results:
        options.results.write_text(json.dumps(results, indent=1) + "\n")
    if options.update_docs:
        load_report.put(results, DOCUMENT)
    sys.exit(not all(verdict.kept for verdict in load_report.verdicts(results)))


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="bin/load", description="Change a site under load, on hosts of its own.")
    parser.add_argument("--heat", default=site.DEFAULT_HEAT, help="Heat's release")
    parser.add_argument("--least", type=int, default=load_report.LEAST, help="requests, at least")
    parser.add_argument("--rate", type=float, default=Bounds.rate, help="requests a second")
    parser.add_argument("--results", type=Path, help="file for all figures, as JSON")
    parser.add_argument("--update-docs", action="store_true", help="write the tables into docs/benchmarks.md")
    parser.add_argument("--keep", action="store_true", help="leave the lab up")
    parser.add_argument("--name", default="load", help="the lab's name; there must be no such lab yet")
    return parser.parse_args()


def _run(options: argparse.Namespace) -> dict[str, Any]:
    with tempfile.TemporaryDirectory(prefix="heat-load-") as name:
        bed = long_run.fresh(options.name, options.heat, Path(name))
        results = long_run.run(bed, Bounds(rate=options.rate), options.least)
    setting = {"date": f"{datetime.date.today()}", "heat": options.heat, "cores": os.cpu_count()}
    return {**results, "setting": setting}


main()
