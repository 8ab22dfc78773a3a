"""The commands that change a site, as Invoke tasks: each parses its options and calls what it does at the terminal."""

from typing import TYPE_CHECKING

from invoke import Context

from deployer.cli import lazy
from deployer.cli.command import command
from deployer.cli.flag_help import COMMON, COUNT, FEWER, LIMIT, ON_ERROR, PATIENT, YES
from deployer.cli.flags import Count, Flags, OutputFlags
from deployer.model.state import Service

if TYPE_CHECKING:
    from deployer.cli import write_commands
else:
    write_commands = lazy.module("deployer.cli.write_commands")


@command(help={**PATIENT, **ON_ERROR, "limit": LIMIT, "plan": "file of a plan, which alone is applied, unasked"})
def deploy(
    c: Context,
    output: OutputFlags,
    inventory: str | None = None,
    yes: bool = False,
    limit: str = "",
    wait: str = "",
    force: bool = False,
    lock_wait: str = "",
    on_error: str = "stop",
    plan: str = "",
) -> None:
    """Bring every host to its desired state: plan, show, apply, prove."""
    write_commands.deploy(c, inventory, Flags(yes, output, limit, wait, force, lock_wait, on_error), plan)


@command(help={**PATIENT, **ON_ERROR, "limit": LIMIT})
def restart(
    c: Context,
    output: OutputFlags,
    inventory: str | None = None,
    yes: bool = False,
    limit: str = "",
    wait: str = "",
    force: bool = False,
    lock_wait: str = "",
    on_error: str = "stop",
) -> None:
    """Restart every process of Heat, one host after the other, drained at the proxy first."""
    write_commands.restart(c, inventory, Flags(yes, output, limit, wait, force, lock_wait, on_error))


@command(help=COUNT)
def add_engine(
    c: Context,
    output: OutputFlags,
    host: str,
    inventory: str | None = None,
    count: str = "1",
    yes: bool = False,
    lock_wait: str = "",
) -> None:
    """Add engines to a host: change the inventory by that much and deploy."""
    write_commands.add(c, inventory, Count(host, Service.ENGINE, count), Flags(yes, output, lock_wait=lock_wait))


@command(help=COUNT)
def add_api(
    c: Context,
    output: OutputFlags,
    host: str,
    inventory: str | None = None,
    count: str = "1",
    yes: bool = False,
    lock_wait: str = "",
) -> None:
    """Add REST APIs to a host: change the inventory by that much and deploy."""
    write_commands.add(c, inventory, Count(host, Service.API, count), Flags(yes, output, lock_wait=lock_wait))


@command(help=COUNT)
def add_cfn(
    c: Context,
    output: OutputFlags,
    host: str,
    inventory: str | None = None,
    count: str = "1",
    yes: bool = False,
    lock_wait: str = "",
) -> None:
    """Add CFN APIs to a host: change the inventory by that much and deploy."""
    write_commands.add(c, inventory, Count(host, Service.CFN, count), Flags(yes, output, lock_wait=lock_wait))


@command(help=FEWER)
def remove_engine(
    c: Context,
    output: OutputFlags,
    host: str,
    inventory: str | None = None,
    count: str = "1",
    yes: bool = False,
    wait: str = "",
    force: bool = False,
    lock_wait: str = "",
) -> None:
    """Take engines of a host away once they have ended their work, and what they leave in Heat."""
    write_commands.remove(
        c,
        inventory,
        Count(host, Service.ENGINE, count),
        Flags(yes, output, wait=wait, force=force, lock_wait=lock_wait),
    )


@command(help=FEWER)
def remove_api(
    c: Context,
    output: OutputFlags,
    host: str,
    inventory: str | None = None,
    count: str = "1",
    yes: bool = False,
    wait: str = "",
    force: bool = False,
    lock_wait: str = "",
) -> None:
    """Take REST APIs of a host away: drained at the proxy, then stopped."""
    write_commands.remove(
        c, inventory, Count(host, Service.API, count), Flags(yes, output, wait=wait, force=force, lock_wait=lock_wait)
    )


@command(help=FEWER)
def remove_cfn(
    c: Context,
    output: OutputFlags,
    host: str,
    inventory: str | None = None,
    count: str = "1",
    yes: bool = False,
    wait: str = "",
    force: bool = False,
    lock_wait: str = "",
) -> None:
    """Take CFN APIs of a host away: drained at the proxy, then stopped."""
    write_commands.remove(
        c, inventory, Count(host, Service.CFN, count), Flags(yes, output, wait=wait, force=force, lock_wait=lock_wait)
    )


@command(help=PATIENT)
def drain(
    c: Context,
    output: OutputFlags,
    host: str,
    inventory: str | None = None,
    yes: bool = False,
    wait: str = "",
    force: bool = False,
    lock_wait: str = "",
) -> None:
    """Have the proxy send nothing to the APIs of a host, until `undrain`; its engines work on."""
    write_commands.drain(c, inventory, host, Flags(yes, output, wait=wait, force=force, lock_wait=lock_wait))


@command(help=PATIENT)
def undrain(
    c: Context,
    output: OutputFlags,
    host: str,
    inventory: str | None = None,
    yes: bool = False,
    wait: str = "",
    force: bool = False,
    lock_wait: str = "",
) -> None:
    """Have the proxy send requests to the APIs of a host again."""
    write_commands.undrain(c, inventory, host, Flags(yes, output, wait=wait, force=force, lock_wait=lock_wait))


@command(
    help={
        **PATIENT,
        "engines": "engines in all",
        "api": "REST APIs in all",
        "cfn": "CFN APIs in all",
        "workers": "workers of each engine",
    }
)
def scale(
    c: Context,
    output: OutputFlags,
    engines: str | None = None,
    api: str | None = None,
    cfn: str | None = None,
    workers: str | None = None,
    inventory: str | None = None,
    yes: bool = False,
    wait: str = "",
    force: bool = False,
    lock_wait: str = "",
) -> None:
    """Bring the site to totals, spread over the hosts by their CPUs, or its engines to another size."""
    numbers = {"engines": engines, "api": api, "cfn": cfn, "workers": workers}
    write_commands.scale(c, inventory, numbers, Flags(yes, output, wait=wait, force=force, lock_wait=lock_wait))


@command(help=PATIENT)
def restore(
    c: Context,
    output: OutputFlags,
    inventory: str | None = None,
    yes: bool = False,
    wait: str = "",
    force: bool = False,
    lock_wait: str = "",
) -> None:
    """Go back to the single server: who served before serves again, nothing of ours stays on any host."""
    write_commands.restore(c, inventory, Flags(yes, output, wait=wait, force=force, lock_wait=lock_wait))


@command(help={**PATIENT, **ON_ERROR, "to": "number of the generation, as `history` shows it; else the one before"})
def rollback(
    c: Context,
    output: OutputFlags,
    to: str = "",
    inventory: str | None = None,
    yes: bool = False,
    wait: str = "",
    force: bool = False,
    lock_wait: str = "",
    on_error: str = "stop",
) -> None:
    """Go back to an earlier generation: its files, its processes and its inventory."""
    write_commands.rollback(
        c, inventory, to, Flags(yes, output, wait=wait, force=force, lock_wait=lock_wait, on_error=on_error)
    )


@command(help=YES)
def recover(
    c: Context, output: OutputFlags, inventory: str | None = None, yes: bool = False, lock_wait: str = ""
) -> None:
    """Show what engines that died have left in Heat and its broker, and take it away."""
    write_commands.recover(c, inventory, Flags(yes, output, lock_wait=lock_wait))


@command(help={**COMMON, "id": "the lock's, as `lock` shows it"})
def unlock(c: Context, output: OutputFlags, id: str, inventory: str | None = None) -> None:
    """End the command that changes the site, when its machine is gone."""
    write_commands.unlock(c, inventory, id, output)
