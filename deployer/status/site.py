"""The one truth table: what the inventory wants, what systemd, Heat and the proxy say, where they differ. Pure."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from deployer import errors
from deployer.heat.engines import UNKNOWN_VIEW, EngineView
from deployer.inventory.schema import Inventory
from deployer.model.contract import SCHEMA_VERSION
from deployer.model.state import HostState
from deployer.model.steps import Plan
from deployer.observed import history
from deployer.observed.observe import SiteObservation
from deployer.status import instances, orphans
from deployer.status.instances import InstanceStatus

DRIFT = 8  # the exit code of `status --exit-code` when something drifts


@dataclass(frozen=True)
class SiteStatus:
    """The whole site: a line a process, the steps a deploy would take, the errors of hosts that did not answer.

    `notes`: what else could not be asked, and why; `unfinished`: runs that have not come to their end.
    """

    lines: tuple[InstanceStatus, ...]
    pending: tuple[str, ...] = ()
    errors: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()
    unfinished: tuple[str, ...] = ()

    @property
    def drifts(self) -> bool:
        """Whether anything is not as the inventory wants it, or left over."""
        return bool(self.pending) or any(line.drift not in ("", orphans.HOSTS_OWN) for line in self.lines)

    def exit_code(self, counts_drift: bool) -> int:
        """4 when a host does not answer; when drift counts, 8 with drift and 5 when Heat could not be asked."""
        if self.errors:
            return errors.HostUnreachable.exit_code
        if counts_drift and self.drifts:
            return DRIFT
        return errors.HostFailed.exit_code if counts_drift and self.warnings else 0


def status_of(
    inventory: Inventory,
    observation: SiteObservation,
    desired: Mapping[str, HostState],
    view: EngineView,
    plan: Plan,
) -> SiteStatus:
    """Every process the inventory asks for, what is there without being asked for, and what a deploy would do."""
    return SiteStatus(
        lines=_lines(inventory, observation, desired, view),
        pending=tuple(f"{step.host}: {step}" for step in plan.changes()),
        errors=_errors(observation),
        warnings=view.problems,
        unfinished=history.describe_unfinished(observation.hosts),
    )


def without_source(inventory: Inventory, observation: SiteObservation) -> SiteStatus:
    """What can be said while the source host, whose Heat says what is desired, does not answer."""
    return SiteStatus(_lines(inventory, observation, {}, UNKNOWN_VIEW), errors=_errors(observation))


def _lines(
    inventory: Inventory, observation: SiteObservation, desired: Mapping[str, HostState], view: EngineView
) -> tuple[InstanceStatus, ...]:
    return (
        *instances.desired_instances(inventory, observation, desired, view),
        *orphans.orphans(inventory, observation, desired, view),
    )


def _errors(observation: SiteObservation) -> tuple[str, ...]:
    return tuple(error.message for error in observation.errors.values())


def as_json(inventory: Inventory, site_status: SiteStatus) -> dict[str, Any]:
    """The contract of `status --format json`: fields may be added, never renamed."""
    return {
        "schema_version": SCHEMA_VERSION,
        "site": inventory.site,
        "drift": site_status.drifts,
        "instances": [asdict(line) for line in site_status.lines],
        "pending": list(site_status.pending),
        "errors": list(site_status.errors),
        "notes": list(site_status.warnings),
        "unfinished": list(site_status.unfinished),
    }
