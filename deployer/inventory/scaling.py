"""A scale request -> how many processes of each kind each host should run, written into the inventory's text. Pure."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from deployer import errors
from deployer.inventory import distribute, editor
from deployer.inventory.schema import Inventory
from deployer.inventory.values import MOST_PROCESSES
from deployer.model import names
from deployer.model.hosts import Instance
from deployer.model.service import Service
from deployer.model.state import NOTHING


@dataclass(frozen=True)
class ScaleRequest:
    """How many of some kinds the site should run in all, and with how many workers each engine (None: as now)."""

    totals: Mapping[Service, int] = field(default_factory=dict)
    workers: int | None = None


FLAGS = {"engines": Service.ENGINE, "api": Service.API, "cfn": Service.CFN}


def request_of(numbers: Mapping[str, int]) -> ScaleRequest:
    """The request in the flags of `scale`: engines, api, cfn and workers, each with its number if it was given."""
    totals = {service: numbers[flag] for flag, service in FLAGS.items() if flag in numbers}
    return ScaleRequest(totals, numbers.get("workers"))


def refuse_impossible(inventory: Inventory, request: ScaleRequest) -> None:
    """Raise BadInput for a request for nothing, for less than nothing, or for the end of a kind that clients use."""
    if not request.totals and request.workers is None:
        raise errors.BadInput("scale needs a number to scale to", "Try: `invoke scale --engines 6 --api 4`")
    for service, total in request.totals.items():
        if total < 0:
            raise errors.BadInput(f"{total} is no number of processes", f"Ask for 1 {service} or more.")
        if total == 0 and any(each.service is service for each in inventory.instances()):
            raise errors.BadInput(
                f"this would take the site's last {service} away",
                "Clients would be refused. To mean it, change the inventory by hand and deploy.",
            )
    if request.workers is not None and not 1 <= request.workers <= MOST_PROCESSES:
        raise errors.BadInput(f"--workers takes a number from 1 to {MOST_PROCESSES}, not {request.workers}")


def hosts_for(inventory: Inventory) -> tuple[str, ...]:
    """The hosts over which totals go: those that run Heat already, and all but the proxy's where none does.

    A drained host keeps what it has.
    """
    working = [name for name, entry in inventory.hosts.items() if not entry.drained]
    running = [name for name in working if any(_numbers(inventory, name))]
    return tuple(running or [name for name in working if name != inventory.proxy.host])


def scaled_text(
    before: str, inventory: Inventory, request: ScaleRequest, cpus: Mapping[str, int], held: Mapping[str, int] = NOTHING
) -> str:
    """The inventory's text with what is asked for.

    `cpus` weighs the hosts; `held` is what each engine holds, by its name in Heat: the emptiest leaves first. Raise
    BadInput when it cannot be.
    """
    totals: dict[str, dict[Service, int]] = {name: {} for name in hosts_for(inventory)}
    for service, total in request.totals.items():
        places = {name: _share(_instances(inventory, name, service), cpus[name], held) for name in totals}
        elsewhere = _total(inventory, service) - sum(place.has for place in places.values())
        for name, count in distribute.distribute(max(0, total - elsewhere), places, MOST_PROCESSES).items():
            totals[name][service] = count
    after = editor.with_totals(before, totals)
    return after if request.workers is None else editor.with_engine_workers(after, request.workers)


def has_fewer_engines(inventory: Inventory, request: ScaleRequest) -> bool:
    """Whether engines have to leave, so that it matters what each works on."""
    return request.totals.get(Service.ENGINE, MOST_PROCESSES) < _total(inventory, Service.ENGINE)


def _total(inventory: Inventory, service: Service) -> int:
    return sum(each.service is service for each in inventory.instances())


def warnings(inventory: Inventory, request: ScaleRequest) -> Iterator[str]:
    """Warnings on hosts that keep a number of engine workers of their own."""
    for name, entry in inventory.hosts.items():
        own = entry.heat.engine_workers
        if request.workers is not None and own is not None and own != request.workers and entry.engines:
            yield (
                f"{name} keeps engines of {own} workers: hosts.{name}.heat.engine_workers of the inventory sets it; "
                "take it out to have the site's number there too."
            )


def _numbers(inventory: Inventory, name: str) -> tuple[int, ...]:
    return tuple(each.number for each in inventory.instances_of(name) if each.service is not Service.PROXY)


def _share(own: Sequence[Instance], cpus: int, held: Mapping[str, int]) -> distribute.HostShare:
    """What a host has of a kind, given its instances of that kind."""
    engines = [names.engine_name(each.host, each.number) for each in own if each.service is Service.ENGINE]
    return distribute.HostShare(len(own), cpus, tuple(held.get(engine, 0) for engine in engines))


def _instances(inventory: Inventory, name: str, service: Service) -> list[Instance]:
    return [each for each in inventory.instances_of(name) if each.service is service]
