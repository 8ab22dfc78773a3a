"""What engines that died have left behind, and its removal; both by Heat's own Python on the source host."""

from deployer import errors
from deployer.heat import engines, scripts, service_units
from deployer.inventory.schema import Inventory
from deployer.model.facts import DeadWorker
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


def _asked(inventory: Inventory, fleet: Fleet, title: str, clean: bool) -> tuple[DeadWorker, ...]:
    source = inventory.heat.source
    heat = inventory.heat_of(source)
    script = scripts.text("dead_workers", conf=f"{heat.config_dir}/heat.conf", clean=clean)
    programs = {source: (service_units.python_of(heat.prefix), script)}
    found = engines.answers(fleet, title, "dead_workers", programs, RECOVERY_TIMEOUT)[source]
    if isinstance(found, errors.DeployerError):
        raise found
    return tuple(
        DeadWorker(each["engine_id"], each["host"], tuple(each["held"]), tuple(each["queues"])) for each in found
    )
