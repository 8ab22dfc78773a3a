"""Takes, shows and releases the site lock: it is on the proxy's host, held over an SSH connection for it alone."""

from collections.abc import Callable, Mapping
from dataclasses import asdict

from deployer import errors
from deployer.inventory.schema import Inventory
from deployer.model.events import Level
from deployer.model.run import Holder, Writer
from deployer.model.wire import Json, Reply, Request
from deployer.observed import observe
from deployer.observed.observe import SiteObservation
from deployer.remote.fleet import Fleet

PATH = "/run/heat-scaleout.lock"
HEARTBEAT_TIMEOUT = 45.0  # seconds without a heartbeat after which a command counts as gone
LOCK_TIMEOUT = 20.0  # seconds for the host to answer


def take(
    inventory: Inventory, fleet: Fleet, writer: Writer, wait: float = 0.0, message: Callable[[str], None] = print
) -> None:
    """Take the lock until the fleet is closed, waiting for it so many seconds, of which `message` is sent a line.

    Raise Locked when another has it; the error of every host that cannot be reached when the lock's host cannot.
    """
    reply = _asked(inventory, fleet, writer, 0.0)
    if wait and "held_by" in reply:
        message(f"waiting up to {wait:.0f} s for {_named(reply['held_by'])}")
        reply = _asked(inventory, fleet, writer, wait)
    if "held_by" in reply:
        owner = _holder_of(reply["held_by"])
        end = f", or end it with `invoke unlock --id {owner.id}`" if owner else ""
        raise errors.Locked(
            f"the site is being changed by {_named(reply['held_by'])}",
            hint=f"Wait for it with --lock-wait SECONDS. If that machine is gone, its lock ends within 60 s{end}.",
        )


def holder(inventory: Inventory, fleet: Fleet) -> Holder | None:
    """Who holds the lock; raise HostUnreachable or HostFailed when its host does not answer."""
    return _holder_of(_answer(inventory, fleet, "holder", {"path": PATH})["held_by"])


def release(inventory: Inventory, fleet: Fleet, id: str) -> Holder:
    """End the holder of the lock by its id, and return it; raise BadInput when the lock has another id."""
    reply = _answer(inventory, fleet, "release", {"path": PATH, "id": id})
    ended = _holder_of(reply["ended"])
    if ended is None:
        raise errors.BadInput(
            f"no command holds the lock with id {id}; {describe_holder(_holder_of(reply['held_by']))}",
            hint="`invoke lock` shows who holds it now.",
        )
    return ended


def describe_holder(holder: Holder | None) -> str:
    """Who holds the lock, as a sentence."""
    return f"it is held by {holder}" if holder else "nobody holds it"


def _asked(inventory: Inventory, fleet: Fleet, writer: Writer, wait: float) -> Reply:
    lock_host = inventory.lock_host
    request = {"path": PATH, "wait": wait, "heartbeat_timeout": HEARTBEAT_TIMEOUT, "who": asdict(writer)}
    reply = fleet.acquire_lease(lock_host, request, LOCK_TIMEOUT + wait)
    if isinstance(reply, errors.DeployerError):
        others = [host for host in inventory.hosts if host != lock_host]
        observation = observe.observe_site(inventory, fleet, others) if others else SiteObservation({}, {})
        observe.refuse_unreachable(SiteObservation({}, {lock_host: reply, **observation.errors}))
        raise reply
    if "refused" in reply:
        raise errors.NotReady(
            [f"{lock_host}: could not take the lock ({reply['refused']}): root must be able to write {PATH}."],
            hint="Nothing was changed.",
        )
    return reply


def _answer(inventory: Inventory, fleet: Fleet, verb: str, request: Request) -> Reply:
    lock_host = inventory.lock_host
    reply = fleet.ask("site lock", verb, {lock_host: request}, LOCK_TIMEOUT, Level.VERBOSE)[lock_host]
    if isinstance(reply, errors.DeployerError):
        raise reply
    return reply


def _holder_of(kept: Mapping[str, Json]) -> Holder | None:
    return Holder(**{name: kept[name] for name in Holder.__dataclass_fields__}) if kept else None


def _named(kept: Mapping[str, Json]) -> str:
    return str(_holder_of(kept) or "another command that has just started")
