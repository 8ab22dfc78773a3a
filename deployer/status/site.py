"""Decides the status of a site: what the inventory asks for, what systemd, Heat and the proxy show, the drift. Pure."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from deployer import errors
from deployer.heat.engines import UNKNOWN_VIEW
from deployer.inventory.schema import Inventory
from deployer.model.contract import SCHEMA_VERSION
from deployer.model.steps import Plan
from deployer.observed import history
from deployer.observed.observe import SiteObservation
from deployer.status import instances, orphans, rates
from deployer.status.instances import InstanceStatus
from deployer.status.rates import Counters, Process
from deployer.status.site_view import SiteView

DRIFT = 8  # the exit code of `status --exit-code` when something drifts


@dataclass(frozen=True)
class SiteStatus:
    """The whole site: a line a process, the steps that a deploy would take, the errors of hosts that did not answer.

    `errors_code`: the exit code of these errors, 0 without one. `is_unproven`: a deploy would prove what an earlier
    run has started or stopped, which did not come to that. `is_refused`: it would be refused for hosts that have left
    the inventory. `warnings`: what else could not be asked, and why; `unfinished`: runs that have not ended;
    `counters`: what each process has done and used so far, where that was counted.
    """

    lines: tuple[InstanceStatus, ...]
    pending: tuple[str, ...] = ()
    errors: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()
    unfinished: tuple[str, ...] = ()
    counters: Mapping[Process, Counters] = field(default_factory=dict)
    errors_code: int = 0
    is_unproven: bool = False
    is_refused: bool = False

    @property
    def drifts(self) -> bool:
        """Whether anything is not as the inventory asks for, or left over."""
        return bool(self.pending) or any(line.drift not in ("", orphans.HOSTS_OWN) for line in self.lines)

    def exit_code(self, counts_drift: bool) -> int:
        """That of the hosts' errors; when drift counts, 8 with drift and 5 when Heat could not be asked."""
        if self.errors_code:
            return self.errors_code
        if counts_drift and self.drifts:
            return DRIFT
        return errors.HostFailed.exit_code if counts_drift and self.warnings else 0


def status_of(site: SiteView, plan: Plan) -> SiteStatus:
    """Every process the inventory asks for, what is there without being asked for, and what a deploy would do."""
    lines = _lines(site)
    return SiteStatus(
        lines=lines,
        pending=tuple(f"{step.host}: {step}" for step in plan.changes()),
        is_unproven=bool(plan.waves),
        is_refused=bool(site.warnings),
        errors=_errors(site.observation),
        warnings=(*site.warnings, *site.engines.problems),
        unfinished=history.describe_unfinished(site.observation.hosts),
        counters=rates.counters(site.inventory, site.observation, lines),
        errors_code=_errors_code(site.observation),
    )


def without_source(inventory: Inventory, observation: SiteObservation) -> SiteStatus:
    """The status while the source host, whose Heat decides what is desired, does not answer."""
    lines = _lines(SiteView(inventory, observation, {}, UNKNOWN_VIEW))
    counters = rates.counters(inventory, observation, lines)
    return SiteStatus(lines, errors=_errors(observation), counters=counters, errors_code=_errors_code(observation))


def _lines(site: SiteView) -> tuple[InstanceStatus, ...]:
    return (*instances.desired_instances(site), *orphans.orphans(site))


def _errors(observation: SiteObservation) -> tuple[str, ...]:
    return tuple(error.message for error in observation.errors.values())


def _errors_code(observation: SiteObservation) -> int:
    return errors.together(tuple(observation.errors.values())).exit_code if observation.errors else 0


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
