"""The commands as Invoke tasks: each parses its options and calls what the command does at the terminal."""

from typing import TYPE_CHECKING

from invoke import Collection, task

from deployer.cli.flags import Count, Flags, LogFlags
from deployer.cli.optional_host import TaskWithOptionalHost
from deployer.model import lazy
from deployer.model.service import Service

if TYPE_CHECKING:
    from deployer.cli import read_commands, write_commands
else:
    read_commands = lazy.module("deployer.cli.read_commands")
    write_commands = lazy.module("deployer.cli.write_commands")

INVENTORY = "YAML file of hosts and what they run, or a name in inventories/"
COMMON = {"inventory": INVENTORY, "format": "table or json"}
YES = {
    **COMMON,
    "yes": "do not ask before the first change",
    "lock-wait": "seconds to wait for another command that changes the site",
}
HOST = {"host": "the host, as the inventory names it"}
LIMIT = "only these hosts: hostB,hostC"
PATIENT = {
    **YES,
    "wait": "seconds to wait for requests and work in progress",
    "force": "do not wait longer for them, and go on even if no process of a kind is left to serve",
}
COUNT = {**YES, **HOST, "count": "how many to add"}
FEWER = {**PATIENT, **HOST, "count": "how many to remove"}
ON_ERROR = {"on-error": "when a host fails: stop, continue with the others, or revert all hosts to what they had"}


@task(help={**PATIENT, **ON_ERROR, "limit": LIMIT, "plan": "file of `plan --out`: apply exactly this plan, do not ask"})
def deploy(
    c, inventory=None, yes=False, limit="", wait="", force=False, format="table", lock_wait="", on_error="stop", plan=""
):
    """Bring every host to its desired state: plan, show, apply, prove."""
    write_commands.deploy(c, inventory, Flags(yes, format, limit, wait, force, lock_wait, on_error), plan)


@task(help={**PATIENT, **ON_ERROR, "limit": LIMIT})
def restart(
    c, inventory=None, yes=False, limit="", wait="", force=False, format="table", lock_wait="", on_error="stop"
):
    """Restart every process of Heat, one host after the other, drained at the proxy first."""
    write_commands.restart(c, inventory, Flags(yes, format, limit, wait, force, lock_wait, on_error))


@task(
    help={
        **COMMON,
        "diff": "show what changes in every file, secrets redacted",
        "limit": LIMIT,
        "exit-code": "end with 2 when there are changes to apply",
        "out": "file to save the plan to, for `deploy --plan`",
    }
)
def plan(c, inventory=None, diff=False, exit_code=False, limit="", out="", format="table"):
    """Show what a deploy would do; change nothing."""
    read_commands.plan(c, inventory, diff, exit_code, limit, out, format)


@task(
    help={
        "inventory": INVENTORY,
        "out": "folder to write to",
        "source": "local copy of the source host's /etc/heat; no host is contacted",
    }
)
def render(c, out, inventory=None, source=None):
    """Write every file as it would be deployed to DIR/<host>/<path on the host>."""
    read_commands.render(c, inventory, out, source)


@task(help=COUNT)
def add_engine(c, host, inventory=None, count="1", yes=False, format="table", lock_wait=""):
    """Add engines to a host: edit the inventory and deploy."""
    write_commands.add(c, inventory, Count(host, Service.ENGINE, count), Flags(yes, format, lock_wait=lock_wait))


@task(help=COUNT)
def add_api(c, host, inventory=None, count="1", yes=False, format="table", lock_wait=""):
    """Add REST APIs to a host: edit the inventory and deploy."""
    write_commands.add(c, inventory, Count(host, Service.API, count), Flags(yes, format, lock_wait=lock_wait))


@task(help=COUNT)
def add_cfn(c, host, inventory=None, count="1", yes=False, format="table", lock_wait=""):
    """Add CFN APIs to a host: edit the inventory and deploy."""
    write_commands.add(c, inventory, Count(host, Service.CFN, count), Flags(yes, format, lock_wait=lock_wait))


@task(help=FEWER)
def remove_engine(c, host, inventory=None, count="1", yes=False, wait="", force=False, format="table", lock_wait=""):
    """Remove engines from a host when they have finished their work, and what they leave in Heat."""
    write_commands.remove(
        c,
        inventory,
        Count(host, Service.ENGINE, count),
        Flags(yes, format, wait=wait, force=force, lock_wait=lock_wait),
    )


@task(help=FEWER)
def remove_api(c, host, inventory=None, count="1", yes=False, wait="", force=False, format="table", lock_wait=""):
    """Remove REST APIs from a host: drained at the proxy, then stopped."""
    write_commands.remove(
        c, inventory, Count(host, Service.API, count), Flags(yes, format, wait=wait, force=force, lock_wait=lock_wait)
    )


@task(help=FEWER)
def remove_cfn(c, host, inventory=None, count="1", yes=False, wait="", force=False, format="table", lock_wait=""):
    """Remove CFN APIs from a host: drained at the proxy, then stopped."""
    write_commands.remove(
        c, inventory, Count(host, Service.CFN, count), Flags(yes, format, wait=wait, force=force, lock_wait=lock_wait)
    )


@task(help={**PATIENT, **HOST})
def drain(c, host, inventory=None, yes=False, wait="", force=False, format="table", lock_wait=""):
    """Have the proxy send nothing to the APIs of a host, until `undrain`; its engines keep working."""
    write_commands.drain(c, inventory, host, Flags(yes, format, wait=wait, force=force, lock_wait=lock_wait))


@task(help={**PATIENT, **HOST})
def undrain(c, host, inventory=None, yes=False, wait="", force=False, format="table", lock_wait=""):
    """Have the proxy send requests to the APIs of a host again."""
    write_commands.undrain(c, inventory, host, Flags(yes, format, wait=wait, force=force, lock_wait=lock_wait))


@task(
    help={
        **PATIENT,
        "engines": "engines on all hosts together",
        "api": "REST APIs on all hosts together",
        "cfn": "CFN APIs on all hosts together",
        "workers": "worker processes of each engine",
    }
)
def scale(
    c,
    engines=None,
    api=None,
    cfn=None,
    workers=None,
    inventory=None,
    yes=False,
    wait="",
    force=False,
    format="table",
    lock_wait="",
):
    """Set totals of processes, spread over the hosts by their CPUs, or resize the engines."""
    numbers = {"engines": engines, "api": api, "cfn": cfn, "workers": workers}
    write_commands.scale(c, inventory, numbers, Flags(yes, format, wait=wait, force=force, lock_wait=lock_wait))


@task(
    help={
        **COMMON,
        "watch": "observe again and again, with rates, until Ctrl-C",
        "interval": "seconds between two observations",
        "exit-code": "end with 8 when something drifts or is left over",
    }
)
def status(c, inventory=None, watch=False, interval="2", exit_code=False, format="table"):
    """Show every process: its unit, Heat's own view, the proxy's view, and what differs from the inventory."""
    read_commands.status(c, inventory, interval if watch else None, exit_code, format)


@task(
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
def logs(c, host, inventory=None, format="table", since="", grep="", lines="", service="", follow=False):
    """Show what the processes of the site wrote to the journals of their hosts, merged by time."""
    read_commands.logs(c, inventory, LogFlags(host, service, follow, since, grep, lines, format))


@task(help=COMMON)
def preflight(c, inventory=None, format="table"):
    """Find every problem of every host that would make a deploy fail; change nothing."""
    read_commands.preflight(c, inventory, format)


@task(help={**COMMON, "junit": "file for a JUnit XML report", "cloud": "cloud of clouds.yaml to create a stack in"})
def verify(c, inventory=None, junit=None, cloud=None, format="table"):
    """Prove the site from outside: testinfra on every node, then a real stack through the proxy."""
    read_commands.verify(c, inventory, junit, cloud, format)


@task(help=PATIENT)
def restore(c, inventory=None, yes=False, wait="", force=False, format="table", lock_wait=""):
    """Go back to the single server: what served before serves again, nothing of ours stays on any host."""
    write_commands.restore(c, inventory, Flags(yes, format, wait=wait, force=force, lock_wait=lock_wait))


@task(
    help={
        **PATIENT,
        **ON_ERROR,
        "to": "number of the generation, as `history` shows it; without it the one before the newest",
    }
)
def rollback(c, to="", inventory=None, yes=False, wait="", force=False, format="table", lock_wait="", on_error="stop"):
    """Go back to an earlier generation: its files, its processes and its inventory."""
    write_commands.rollback(
        c, inventory, to, Flags(yes, format, wait=wait, force=force, lock_wait=lock_wait, on_error=on_error)
    )


@task(help=COMMON)
def history(c, inventory=None, format="table"):
    """Show what was deployed, when, by whom, and how it ended."""
    read_commands.history(c, inventory, format)


@task(help=YES)
def recover(c, inventory=None, yes=False, format="table", lock_wait=""):
    """Show what engines that died have left in Heat and its broker, and clean it up."""
    write_commands.recover(c, inventory, Flags(yes, format, lock_wait=lock_wait))


@task(help=COMMON)
def lock(c, inventory=None, format="table"):
    """Show which command changes the site now."""
    read_commands.lock(c, inventory, format)


@task(help={**COMMON, "id": "id of the lock, as `lock` shows it"})
def unlock(c, id, inventory=None, format="table"):
    """End the command that changes the site, when its machine is gone."""
    write_commands.unlock(c, inventory, id, format)


namespace = Collection(
    deploy,
    plan,
    render,
    add_engine,
    add_api,
    add_cfn,
    remove_engine,
    remove_api,
    remove_cfn,
    scale,
    restart,
    drain,
    undrain,
    recover,
    restore,
    rollback,
    history,
    status,
    logs,
    preflight,
    verify,
    lock,
    unlock,
)
