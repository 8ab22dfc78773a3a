"""The lab's commands: parse, call, print, exit.

What they call is imported in them: `invoke deploy` loads this file too.
"""

import os
import sys
from collections.abc import Callable
from typing import Any

from invoke import task

from lab import addressing
from lab.lab_errors import LabError
from lab.progress import say


@task(
    help={
        "hosts": "how many hosts, hostA included: 1 to 100, 3 for a new lab",
        "heat": "Heat's release: 27.0.1, as for a new lab, or 24.1.2",
        "name": "the lab's name; labs of other names run beside each other",
    }
)
def up(_context, hosts="", heat="", name=addressing.DEMO):
    """Bring a lab up: hostA with a whole Heat on it, and hosts to scale it out to."""
    from lab import lab_report, site

    lab = finish(lambda: site.up(name, lab_report.number(hosts), heat or None))
    say(f"lab {name} is up with Heat {lab.heat}: {lab_report.sentence(lab)}")
    say(f"try: ssh -F {lab.directory / 'ssh_config'} hostA")


@task(help={"name": "the lab's name"})
def down(_context, name=addressing.DEMO):
    """Take a lab away; only the cache of built layers stays."""
    from lab import site

    finish(site.down, name)


@task(help={"name": "the lab's name", "format": "table or json"})
def status(_context, name=addressing.DEMO, format="table"):
    """Show a lab's hosts: address, machine, SSH."""
    from lab import lab_report

    print(finish(lab_report.status, name, format))


@task(positional=["host"], help={"host": "which host", "name": "the lab's name"})
def ssh(_context, host, name=addressing.DEMO):
    """Open a shell on a host."""
    from lab import site

    lab = finish(site.find, name)
    finish(site.require_host, lab, host)
    os.execvp("ssh", ["ssh", "-F", str(lab.directory / "ssh_config"), host])


def finish(action: Callable[..., Any], *arguments: Any) -> Any:
    """Call, and turn what the operator can do something about into two lines and an exit code."""
    try:
        return action(*arguments)
    except LabError as error:
        print(f"error: {error.message}\nhint: {error.hint}", file=sys.stderr)
        sys.exit(error.exit_code)
    except KeyboardInterrupt:
        print("interrupted\nhint: the same command again goes on from here", file=sys.stderr)
        sys.exit(130)
