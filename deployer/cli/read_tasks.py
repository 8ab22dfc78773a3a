"""The commands that change no host, as Invoke tasks: each parses its options and calls what it does at the terminal."""

from typing import TYPE_CHECKING

from invoke.context import Context

from deployer.cli.command import command
from deployer.cli.flag_help import COMMON, INVENTORY, LIMIT
from deployer.cli.flags import LogFlags, OutputFlags
from deployer.cli.optional_host import TaskWithOptionalHost
from deployer.model import lazy

if TYPE_CHECKING:
    from deployer.cli import read_commands
else:
    read_commands = lazy.module("deployer.cli.read_commands")


@command(
    help={
        **COMMON,
        "diff": "show what changes in every file, secrets redacted",
        "limit": LIMIT,
        "exit-code": "end with 2 when there are changes to apply",
        "out": "file to save the plan to, for `deploy --plan`",
    }
)
def plan(
    c: Context,
    output: OutputFlags,
    inventory: str | None = None,
    diff: bool = False,
    exit_code: bool = False,
    limit: str = "",
    out: str = "",
) -> None:
    """Show what a deploy would do; change nothing."""
    read_commands.plan(c, inventory, diff, exit_code, limit, out, output)


@command(
    help={
        "inventory": INVENTORY,
        "out": "folder to write to",
        "source": "local copy of the source host's /etc/heat; no host is contacted",
    }
)
def render(c: Context, output: OutputFlags, out: str, inventory: str | None = None, source: str | None = None) -> None:
    """Write every file as it would be deployed to DIR/<host>/<path on the host>."""
    read_commands.render(c, inventory, out, source, output)


@command(
    help={
        **COMMON,
        "watch": "observe again and again, with rates, until Ctrl-C",
        "interval": "seconds between two observations",
        "exit-code": "end with 8 when something drifts or is left over",
    }
)
def status(
    c: Context,
    output: OutputFlags,
    inventory: str | None = None,
    watch: bool = False,
    interval: str = "2",
    exit_code: bool = False,
) -> None:
    """Show every process: its unit, Heat's own view, the proxy's view, and what differs from the inventory."""
    read_commands.status(c, inventory, watch, interval, exit_code, output)


@command(
    help={
        **COMMON,
        "host": "only this host, or several: hostB,hostC",
        "service": "only these processes: api, cfn, engine or proxy",
        "follow": "go on with new lines as they come, until Ctrl-C",
        "since": "only lines since then: 30s, 10m, 2h, 1d, 17:00, '2026-11-21 17:00'",
        "grep": "only lines that contain this text, in capitals or not",
        "lines": "how many of the newest lines of each host: 100, or 10 with --follow",
    },
    klass=TaskWithOptionalHost,
)
def logs(
    c: Context,
    output: OutputFlags,
    host: str,
    inventory: str | None = None,
    since: str = "",
    grep: str = "",
    lines: str = "",
    service: str = "",
    follow: bool = False,
) -> None:
    """Show what the processes of the site wrote to the journals of their hosts, merged by time."""
    read_commands.logs(c, inventory, LogFlags(host or "", service, follow, since, grep, lines, output))


@command(help=COMMON)
def preflight(c: Context, output: OutputFlags, inventory: str | None = None) -> None:
    """Find every problem of every host that would make a deploy fail; change nothing."""
    read_commands.preflight(c, inventory, output)


@command(help={**COMMON, "junit": "file for a JUnit XML report", "cloud": "cloud of clouds.yaml to create a stack in"})
def verify(
    c: Context, output: OutputFlags, inventory: str | None = None, junit: str | None = None, cloud: str | None = None
) -> None:
    """Prove the site from outside: testinfra on every node, then a real stack through the proxy."""
    read_commands.verify(c, inventory, junit, cloud, output)


@command(help=COMMON)
def history(c: Context, output: OutputFlags, inventory: str | None = None) -> None:
    """Show what was deployed, when, by whom, and how it ended."""
    read_commands.history(c, inventory, output)


@command(help=COMMON)
def lock(c: Context, output: OutputFlags, inventory: str | None = None) -> None:
    """Show which command changes the site now."""
    read_commands.lock(c, inventory, output)
