"""Whether each station of a request waits longer than the next: client, proxy, Heat. Pure.

uWSGI's own limit is made to fit (desired.runtime_of), so there is nothing to say of it.
"""

from collections.abc import Iterator

from deployer.heat.source import Source
from deployer.inventory import values
from deployer.inventory.schema import Inventory
from deployer.proxy import config


def problems(inventory: Inventory, origin: Source) -> Iterator[str]:
    """What makes clients get 504 while Heat still works, where the inventory itself says so."""
    if _gives_up_early(inventory, origin) and _is_stated(inventory):
        yield f"{inventory.path}: {_early(inventory, origin)}"


def warnings(inventory: Inventory, origin: Source) -> Iterator[str]:
    """What is odd, or wrong by no word of the inventory."""
    if not inventory.has_apis():
        return
    timeouts = inventory.proxy.timeouts
    client, server = values.seconds(timeouts.client), values.seconds(timeouts.server)
    if _gives_up_early(inventory, origin) and not _is_stated(inventory):
        yield _early(inventory, origin)
    if server == origin.rpc_timeout:
        yield (
            f"proxy.timeouts.server is {timeouts.server}, as long as Heat's own rpc_response_timeout "
            f"({origin.rpc_timeout} s): a client may get 504 instead of Heat's answer. A few seconds more mend it."
        )
    if client < server:
        yield (
            f"proxy.timeouts.client ({timeouts.client}) is shorter than proxy.timeouts.server ({timeouts.server}): "
            "HAProxy advises to have them equal."
        )
    if server > config.HARD_STOP_AFTER:
        yield (
            f"proxy.timeouts.server is {timeouts.server}, but a reload of the proxy ends requests that take longer "
            f"than {config.HARD_STOP_AFTER} s more."
        )


def _gives_up_early(inventory: Inventory, origin: Source) -> bool:
    return inventory.has_apis() and values.seconds(inventory.proxy.timeouts.server) < origin.rpc_timeout


def _is_stated(inventory: Inventory) -> bool:
    return "server" in inventory.proxy.timeouts.model_fields_set


def _early(inventory: Inventory, origin: Source) -> str:
    return (
        f"proxy.timeouts.server is {inventory.proxy.timeouts.server}, less than Heat's rpc_response_timeout "
        f"({origin.rpc_timeout} s): clients get 504 while Heat still works. Set it above {origin.rpc_timeout}s."
    )
