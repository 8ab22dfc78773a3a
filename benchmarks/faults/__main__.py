"""The command line of the faults: which Heat, which of them, how often, where the results go. `bin/faults` calls it."""

import argparse
import datetime
import sys
import tempfile
import time
from pathlib import Path

from benchmarks import testbed
from benchmarks.faults import fault_report, fault_runner, fault_testbed
from benchmarks.faults.catalogue import FAULTS
from lab import site
from lab.lab_errors import LabError

DOCUMENT = testbed.CHECKOUT / "docs" / "reliability.md"


def main() -> None:
    """Make the faults, take the lab down, tell; end with 1 when a promise did not hold."""
    options = _options()
    if options.rounds != 0:
        try:
            _run(options)
        except LabError as error:
            sys.exit(f"faults: {error}")
        except KeyboardInterrupt:
            sys.exit(130)
        finally:
            if not options.keep:
                site.down(options.name)
    trials = fault_runner.read(options.results)
    print(fault_report.text(trials))
    if options.update_docs:
        fault_report.put(trials, DOCUMENT)
    sys.exit(any(each["broken"] for each in trials))


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="bin/faults", description="Make faults on a site of its own, and count.")
    parser.add_argument("--heat", default=site.DEFAULT_HEAT, help="Heat's release")
    parser.add_argument("--only", action="append", choices=FAULTS, help="this fault alone; may be given again")
    parser.add_argument("--rounds", type=int, help="how often each is made; 0: only tell what the results say")
    parser.add_argument("--minutes", type=float, default=180.0, help="begin no other trial after so long")
    parser.add_argument("--seed", type=int, default=1, help="of everything that is random")
    parser.add_argument("--results", type=Path, action="append", help="file of trials; new ones go to the first")
    parser.add_argument("--update-docs", action="store_true", help="write the tables into docs/reliability.md")
    parser.add_argument("--keep", action="store_true", help="leave the lab up")
    parser.add_argument("--name", default="faults", help="the lab's name; one that was kept is used again")
    options = parser.parse_args()
    options.results = options.results or [Path(tempfile.mkdtemp(prefix="heat-faults-")) / "trials"]
    return options


def _run(options: argparse.Namespace) -> None:
    until = time.monotonic() + 60 * options.minutes
    setting = {"date": f"{datetime.date.today()}", "heat": options.heat, "seed": options.seed}
    with tempfile.TemporaryDirectory(prefix="heat-faults-") as name:
        bed = fault_testbed.fresh(options.name, options.heat, Path(name))
        for fault in options.only or FAULTS:
            fault_runner.keep(
                options.results[0], setting, fault_runner.make(bed, fault, options.seed, options.rounds, until)
            )


if __name__ == "__main__":
    main()
