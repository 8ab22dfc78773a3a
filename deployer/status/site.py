"""The one truth table: what the inventory wants, what systemd, Heat and the proxy say, where they differ. Pure."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from deployer import errors
from deployer.heat.engines import View
from deployer.inventory.schema import Inventory
from deployer.model.state import HostState
from deployer.observed.observe import Seen
from deployer.status import instances, orphans
from deployer.status.instances import Line

DRIFT = 8  # the exit code of `status --exit-code` when something drifts


@dataclass(frozen=True)
class Picture:
    """The whole site: a line a process, the steps a deploy would take, the errors of hosts that did not answer.

    `notes`: what else could not be asked, and why; `unfinished`: runs that have not come to their end.
    """

    lines: tuple[Line, ...]
    pending: tuple[str, ...] = ()
    errors: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    unfinished: tuple[str, ...] = ()

    @property
    def drifts(self) -> bool:
        """Whether anything is not as the inventory wants it, or left over."""
        return bool(self.pending) or any(line.drift not in ("", orphans.LEFT_ALONE) for line in self.lines)

    def exit_code(self, counts_drift: bool) -> int:
        """4 when a host does not answer; when drift counts, 8 with drift and 5 when Heat could not be asked."""
        if self.errors:
            return errors.HostUnreachable.exit_code
        if counts_drift and self.drifts:
            return DRIFT
        return errors.HostFailed.exit_code if counts_drift and self.notes else 0


def lines(inventory: Inventory, seen: Seen, wanted: Mapping[str, HostState], view: View) -> tuple[Line, ...]:
    """Every process the inventory asks for, then what is there without being asked for."""
    return (*instances.asked_for(inventory, seen, wanted, view), *orphans.lines(inventory, seen, wanted, view))


def as_json(inventory: Inventory, picture: Picture) -> dict[str, Any]:
    """The contract of `status --format json`: fields may be added, never renamed."""
    return {
        "schema_version": 1,
        "site": inventory.site,
        "drift": picture.drifts,
        "instances": [asdict(line) for line in picture.lines],
        "pending": list(picture.pending),
        "errors": list(picture.errors),
        "notes": list(picture.notes),
        "unfinished": list(picture.unfinished),
    }
