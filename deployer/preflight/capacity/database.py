"""Queries from the source host how many connections the database allows and one engine worker may open."""

from dataclasses import dataclass

from deployer import errors
from deployer.heat import engines, scripts, service_units
from deployer.inventory.schema import Inventory
from deployer.remote.fleet import Fleet

LOGIN_TIMEOUT = 8  # seconds for the login
QUERY_TIMEOUT = 30.0


@dataclass(frozen=True)
class ConnectionLimits:
    """`allowed` connections (None: the database does not say), `most` at once so far, those open now and Heat's own.

    `pool` is what an engine worker keeps, `overflow` what it may open beside that; `why` there are no numbers.
    """

    allowed: int | None = None
    most: int = 0
    connected: int = 0
    own: int = 0
    pool: int = 5
    overflow: int = 64
    why: str = ""


def ask(inventory: Inventory, fleet: Fleet) -> ConnectionLimits:
    """Query the database; one that is not MySQL is not asked, and for one that fails `why` holds the reason."""
    source = inventory.heat.source
    heat = inventory.heat_of(source)
    script = scripts.text("connection_limits", conf=f"{heat.config_dir}/heat.conf", seconds=LOGIN_TIMEOUT)
    programs = {source: (service_units.python_of(heat.prefix), script)}
    found = engines.answers(fleet, "query the database", "connection_limits", programs, QUERY_TIMEOUT)[source]
    if isinstance(found, errors.DeployerError):
        return ConnectionLimits(why=found.message.removeprefix(f"{source}: ").splitlines()[-1])
    return ConnectionLimits(**found)
