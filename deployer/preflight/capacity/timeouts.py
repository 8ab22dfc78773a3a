"""Checks that each part of a request's way waits longer than the next: client, proxy, Heat. Pure.

uWSGI's own timeout always fits (desired_state.runtime_of), so it is not checked.
"""

from collections.abc import Iterator

from deployer.heat.source import Source
from deployer.inventory import values
from deployer.inventory.schema import Inventory
from deployer.proxy import config


def problems(inventory: Inventory, heat_source: Source) -> Iterator[str]:
    """A timeout of the inventory with which clients get 504 while Heat still works."""
    if _gives_up_early(inventory, heat_source) and _is_stated(inventory):
        yield f"{inventory.path}: {_early(inventory, heat_source)}"


def warnings(inventory: Inventory, heat_source: Source) -> Iterator[str]:
    """Timeouts that do not fit well, or that fit badly by default."""
    if not inventory.has_apis():
        return
    timeouts = inventory.proxy.timeouts
    client, server = values.seconds(timeouts.client), values.seconds(timeouts.server)
    if _gives_up_early(inventory, heat_source) and not _is_stated(inventory):
        yield _early(inventory, heat_source)
    if server == heat_source.rpc_timeout:
        yield (
            f"proxy.timeouts.server is {timeouts.server}, as long as Heat's own rpc_response_timeout "
            f"({heat_source.rpc_timeout} s): a client may get 504 instead of Heat's answer. "
            "Set it a few seconds longer."
        )
    if client < server:
        yield (
            f"proxy.timeouts.client ({timeouts.client}) is shorter than proxy.timeouts.server ({timeouts.server}): "
            "HAProxy recommends equal values."
        )
    if server > config.HARD_STOP_AFTER:
        yield (
            f"proxy.timeouts.server is {timeouts.server}, but a reload of the proxy ends requests that take longer "
            f"than {config.HARD_STOP_AFTER} s more."
        )


def _gives_up_early(inventory: Inventory, heat_source: Source) -> bool:
    return inventory.has_apis() and values.seconds(inventory.proxy.timeouts.server) < heat_source.rpc_timeout


def _is_stated(inventory: Inventory) -> bool:
    return "server" in inventory.proxy.timeouts.model_fields_set


def _early(inventory: Inventory, heat_source: Source) -> str:
    limit = heat_source.rpc_timeout
    return (
        f"proxy.timeouts.server is {inventory.proxy.timeouts.server}, less than Heat's rpc_response_timeout "
        f"({limit} s): clients get 504 while Heat still works. Set it above {limit}s."
    )
