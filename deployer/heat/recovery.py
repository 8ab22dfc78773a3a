"""What engines that died have left behind, and its removal; both by Heat's own Python on the source host."""

from collections.abc import Sequence

from deployer import errors
from deployer.heat import engines, scripts, service_units
from deployer.inventory.schema import Inventory
from deployer.model import names
from deployer.model.facts import DeadWorker
from deployer.model.probe import Program
from deployer.model.steps import CleanUpEngines
from deployer.remote.fleet import Fleet

RECOVERY_TIMEOUT = 120.0  # seconds


def dead_workers(inventory: Inventory, fleet: Fleet) -> tuple[DeadWorker, ...]:
    """List what dead engines left; raise HostFailed when database or broker do not answer."""
    return _asked(inventory, fleet, "list what dead engines left", clean=False)


def clean(inventory: Inventory, fleet: Fleet) -> tuple[DeadWorker, ...]:
    """Mark what dead engines worked on as failed, remove the rest, and list it.

    Raise HostFailed as `dead_workers` does.
    """
    return _asked(inventory, fleet, "clean up", clean=True)


def cleanup_of(host: str, count: int, inventory: Inventory, fleet: Fleet) -> CleanUpEngines:
    """The step that cleans up what the engines of a host that is gone have left, given how many there were.

    Raise NotReady while Heat has one of them as alive; HostFailed as `dead_workers` does.
    """
    view = engines.ask_view(inventory, fleet)
    rows = [row for row in view.rows if (own := names.parse_engine(row.host)) and own.host == host]
    alive = sorted({row.host for row in rows if row.up or view.is_alive(row)})
    if alive:
        raise errors.NotReady(
            [f"{host}: Heat has {', '.join(alive)} as alive: they reported, or read their queue, within two minutes"],
            hint="Nothing was changed. If the host is off for good, run the same command again in a few minutes; if it "
            "runs, remove it without --gone.",
        )
    numbered = (names.engine_name(host, number) for number in range(1, count + 1))
    meant = sorted({*numbered, *(row.host for row in rows)})
    workers = _asked(inventory, fleet, f"list what the engines of {host} left", clean=False, only=meant)
    source, held = inventory.heat.source, tuple(work for each in workers for work in each.held)
    argv = (service_units.python_of(inventory.heat_of(source).prefix), "-")
    program = Program(argv, _script(inventory, clean=True, only=meant), timeout=RECOVERY_TIMEOUT)
    return CleanUpEngines(source, host, program, held, because="their host is gone")


def _script(inventory: Inventory, clean: bool, only: Sequence[str] | None) -> str:
    conf = f"{inventory.heat_of(inventory.heat.source).config_dir}/heat.conf"
    return scripts.text("dead_workers", conf=conf, clean=clean, engines=only)


def _asked(
    inventory: Inventory, fleet: Fleet, title: str, clean: bool, only: Sequence[str] | None = None
) -> tuple[DeadWorker, ...]:
    source = inventory.heat.source
    python = service_units.python_of(inventory.heat_of(source).prefix)
    program = (python, _script(inventory, clean, only))
    found = engines.answers(fleet, title, "dead_workers", {source: program}, RECOVERY_TIMEOUT)[source]
    if isinstance(found, errors.DeployerError):
        raise found
    return tuple(
        DeadWorker(each["engine_id"], each["host"], tuple(each["held"]), tuple(each["queues"])) for each in found
    )
