"""The door: each command parses, calls the pipeline, prints and ends with the contract's exit code."""

from invoke import Collection, task

from deployer import commands
from lab import tasks as lab_tasks

INVENTORY = "YAML file of hosts and what they run, or a name in inventories/"
COMMON = {"inventory": INVENTORY, "format": "table or json"}
CHANGING = {**COMMON, "yes": "do not ask before the first change", "limit": "only these hosts: hostB,hostC"}
COUNT = {**COMMON, "yes": "do not ask before the first change", "count": "how many"}


@task(help=CHANGING)
def deploy(c, inventory=None, yes=False, limit="", format="table"):
    """Bring every host to its desired state: plan, show, apply, prove."""
    commands.deploy(c, inventory, yes, limit, format)


@task(help={**COMMON, "diff": "show what changes in every file, secrets masked", "limit": CHANGING["limit"],
            "exit-code": "end with 2 when there is something to do"})
def plan(c, inventory=None, diff=False, exit_code=False, limit="", format="table"):
    """Show what a deploy would do; change nothing."""
    commands.plan(c, inventory, diff, exit_code, limit, format)


@task(help={"inventory": INVENTORY, "out": "folder to write to", "source": "local copy of the source's /etc/heat"})
def render(c, out, inventory=None, source=None):
    """Write every file as it would be deployed to OUT/<host>/<path on the host>."""
    commands.render(c, inventory, out, source)


@task(help=COUNT)
def add_engine(c, host, inventory=None, count="1", yes=False, format="table"):
    """Add engines to a host: change the inventory by that much and deploy."""
    commands.add(c, inventory, (host, "engine", count), yes, format)


@task(help=COUNT)
def add_api(c, host, inventory=None, count="1", yes=False, format="table"):
    """Add REST APIs to a host: change the inventory by that much and deploy."""
    commands.add(c, inventory, (host, "api", count), yes, format)


@task(help=COUNT)
def add_cfn(c, host, inventory=None, count="1", yes=False, format="table"):
    """Add CFN APIs to a host: change the inventory by that much and deploy."""
    commands.add(c, inventory, (host, "cfn", count), yes, format)


@task(help=COUNT)
def remove_api(c, host, inventory=None, count=1, yes=False, format="table"):
    """Take REST APIs of a host away: drained at the proxy, then stopped."""
    commands.remove(c, inventory, (host, "api", count), yes, format)


@task(help=COUNT)
def remove_cfn(c, host, inventory=None, count=1, yes=False, format="table"):
    """Take CFN APIs of a host away: drained at the proxy, then stopped."""
    commands.remove(c, inventory, (host, "cfn", count), yes, format)


@task(help={**COMMON, "yes": COUNT["yes"], "engines": "engines in all", "api": "REST APIs in all",
            "cfn": "CFN APIs in all", "workers": "workers of each engine"})
def scale(c, engines=None, api=None, cfn=None, workers=None, inventory=None, yes=False, format="table"):
    """Bring the site to totals, spread over the hosts by their CPUs, or its engines to another size."""
    numbers = {"engines": engines, "api": api, "cfn": cfn, "workers": workers}
    commands.scale(c, inventory, numbers, yes, format)


@task(help={**COMMON, "watch": "look again and again, until Ctrl-C", "interval": "seconds between two looks",
            "exit-code": "end with 8 when something drifts or is left over"})
def status(c, inventory=None, watch=False, interval="2", exit_code=False, format="table"):
    """Show every process: its unit, Heat's own view, the proxy's view, and what differs from the inventory."""
    commands.status(c, inventory, interval if watch else None, exit_code, format)


@task(help=COMMON)
def preflight(c, inventory=None, format="table"):
    """Find every problem of every host that would make a deploy fail; change nothing."""
    commands.preflight(c, inventory, format)


@task(help={**COMMON, "junit": "file for a JUnit XML report", "cloud": "cloud of clouds.yaml to make a stack in"})
def verify(c, inventory=None, junit=None, cloud=None, format="table"):
    """Prove the site from outside: testinfra on every node, then a real stack through the proxy."""
    commands.verify(c, inventory, junit, cloud, format)


namespace = Collection(
    deploy, plan, render, add_engine, add_api, add_cfn, remove_api, remove_cfn, scale, status, preflight,
    verify)
namespace.add_collection(Collection.from_module(lab_tasks), name="lab")
