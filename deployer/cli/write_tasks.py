"""The commands that change a site, as Invoke tasks: each parses its options and calls what it does at the terminal."""

from typing import TYPE_CHECKING

from invoke.context import Context

from deployer.cli.command import command
from deployer.cli.flag_help import COMMON, COUNT, FEWER, HOST, LIMIT, ON_ERROR, PATIENT, YES
from deployer.cli.flags import Count, Flags, OutputFlags
from deployer.model import lazy
from deployer.model.service import Service

if TYPE_CHECKING:
    from deployer.cli import write_commands
else:
    write_commands = lazy.module("deployer.cli.write_commands")


@command(
    help={**PATIENT, **ON_ERROR, "limit": LIMIT, "plan": "file of `plan --out`: apply exactly this plan, do not ask"}
)
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
    """Add engines to a host: edit the inventory and deploy."""
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
    """Add REST APIs to a host: edit the inventory and deploy."""
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
    """Add CFN APIs to a host: edit the inventory and deploy."""
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
    """Remove engines from a host when they have finished their work, and what they leave in Heat."""
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
    """Remove REST APIs from a host: drained at the proxy, then stopped."""
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
    """Remove CFN APIs from a host: drained at the proxy, then stopped."""
    write_commands.remove(
        c, inventory, Count(host, Service.CFN, count), Flags(yes, output, wait=wait, force=force, lock_wait=lock_wait)
    )


@command(help={**PATIENT, **HOST, "gone": "the host will never answer again: clean up what it has left in Heat"})
def remove_host(
    c: Context,
    output: OutputFlags,
    host: str,
    inventory: str | None = None,
    gone: bool = False,
    yes: bool = False,
    wait: str = "",
    force: bool = False,
    lock_wait: str = "",
) -> None:
    """Take a host out of the site when its work is done, and then out of the inventory."""
    flags = Flags(yes, output, wait=wait, force=force, lock_wait=lock_wait)
    write_commands.remove_host(c, inventory, host, gone, flags)


@command(help={**PATIENT, **HOST})
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
    """Have the proxy send nothing to the APIs of a host, until `undrain`; its engines keep working."""
    write_commands.drain(c, inventory, host, Flags(yes, output, wait=wait, force=force, lock_wait=lock_wait))


@command(help={**PATIENT, **HOST})
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
        "engines": "engines on all hosts together",
        "api": "REST APIs on all hosts together",
        "cfn": "CFN APIs on all hosts together",
        "workers": "worker processes of each engine",
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
    """Set totals of processes, spread over the hosts by their CPUs, or resize the engines."""
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
    """Go back to the single server: what served before serves again, nothing of ours stays on any host."""
    write_commands.restore(c, inventory, Flags(yes, output, wait=wait, force=force, lock_wait=lock_wait))


@command(
    help={
        **PATIENT,
        **ON_ERROR,
        "to": "number of the generation, as `history` shows it; without it the one before the newest",
    }
)
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
    """Show what engines that died have left in Heat and its broker, and clean it up."""
    write_commands.recover(c, inventory, Flags(yes, output, lock_wait=lock_wait))


@command(help={**COMMON, "id": "id of the lock, as `lock` shows it"})
def unlock(c: Context, output: OutputFlags, id: str, inventory: str | None = None) -> None:
    """End the command that changes the site, when its machine is gone."""
    write_commands.unlock(c, inventory, id, output)
