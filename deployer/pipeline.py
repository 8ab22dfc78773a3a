"""Runs each command as one short function that names its stages in order; no other module knows them all."""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from deployer import errors
from deployer.apply import execute, lock, stage
from deployer.apply.report import Report
from deployer.desired import desired_state, export, goal
from deployer.desired.export import Export
from deployer.heat import engines, recovery
from deployer.heat.redacting_fleet import RedactingFleet
from deployer.inventory import inventory_file, scaling
from deployer.inventory.inventory_file import InventoryFile
from deployer.inventory.scaling import ScaleRequest
from deployer.inventory.schema import Inventory
from deployer.model import lazy
from deployer.model.facts import DeadWorker, Observation
from deployer.model.purpose import RESTORE, Goal, Purpose
from deployer.model.run import Holder, Run, Writer
from deployer.model.state import NOTHING
from deployer.model.wire import Reply
from deployer.observed import former_hosts, observe
from deployer.observed import history as recorded
from deployer.observed.history import History
from deployer.plan import diff, removal, saved_plan
from deployer.plan.planned import Accept, Change, Planned
from deployer.preflight import gate, host_checks
from deployer.preflight.findings import Findings
from deployer.remote.fleet import Fleet

if TYPE_CHECKING:
    from deployer.logs import journals
    from deployer.logs.journals import Logs, Position
    from deployer.logs.query import LogQuery
    from deployer.status import site, site_view
    from deployer.status.site import SiteStatus
    from deployer.verify import acceptance, preparation, proof
    from deployer.verify.proof import Proof
    from deployer.verify.smoke import smoke_suite
    from deployer.verify.smoke.clouds import Cloud
    from deployer.verify.smoke.result import Check
else:  # what one command alone needs: 40 ms of XML, clouds and CFN, 20 ms of journals and status
    journals = lazy.module("deployer.logs.journals")
    site, site_view = lazy.modules("deployer.status", ("site", "site_view"))
    acceptance, preparation, proof, smoke_suite = lazy.modules(
        "deployer.verify", ("acceptance", "preparation", "proof", "smoke.smoke_suite")
    )

STATUS_TIMEOUT = 10.0  # seconds for a host to answer `status`


def deploy(change: Change, fleet: Fleet, accept: Accept) -> Report:
    """Bring the hosts to what the change asks for, and compare again.

    `accept` is asked once, before the first change. Raise HostUnreachable, NotReady with every problem of every host,
    or StalePlan, before anything is changed.
    """
    observed = gate.observe_hosts(change, fleet)
    gate.refuse_former_hosts(change, observed, fleet)
    desired = goal.desired_for(change.goal, change.inventory, observed)
    planned = diff.planned(change, desired, observed)
    saved_plan.refuse_stale(planned)
    warnings = gate.refuse_unready(planned, fleet)
    if not accept(planned, warnings):
        return Report(planned, accepted=False)
    before = execute.observe_for_revert(planned, fleet)
    run = stage.begin(planned, fleet)
    stage.save_inventory(planned, run, fleet)
    rollout = execute.run(planned, run, before, fleet)
    left = execute.compare(planned, rollout, fleet)
    report = Report(planned, rollout, left, run, warnings=warnings)
    stage.record_result(run, report.result, list(observed), fleet)
    return report


def plan(change: Change, fleet: Fleet, contents: bool = False) -> Planned:
    """What a deploy would do; changes nothing. `contents`: also observe the contents of every file, for diffs.

    Raise HostUnreachable, or NotReady with each host that has left the inventory without being removed.
    """
    observed = observe.observe_hosts(change.inventory, fleet, change.observed_hosts(), contents)
    gate.refuse_former_hosts(change, observed, fleet)
    desired = goal.desired_for(change.goal, change.inventory, observed)
    return diff.planned(change, desired, observed)


def restart(change: Change, fleet: Fleet, accept: Accept) -> Report:
    """Restart every process of Heat, host by host, drained first: a deploy in which nothing has to have changed."""
    hosts = change.limit or tuple(change.inventory.hosts)
    options = replace(change.options, restart=hosts)
    return deploy(replace(change, options=options, may_be_first=False), fleet, accept)


def switch_traffic(change: Change, fleet: Fleet, accept: Accept) -> Report:
    """Drain and undrain hosts as the inventory says: a deploy that loses no request, also where more has changed."""
    return deploy(replace(change, may_be_first=False, may_lose_requests=change.options.force), fleet, accept)


def scale(file: InventoryFile, request: ScaleRequest, fleet: Fleet) -> InventoryFile:
    """The inventory with what `scale` asks for, to be deployed; totals are distributed by the CPUs that hosts have."""
    scaling.refuse_impossible(file.inventory, request)
    cpus, held = _weights(file.inventory, request, fleet) if request.totals else ({}, {})
    return inventory_file.with_text(file, scaling.scaled_text(file.text, file.inventory, request, cpus, held))


def _weights(inventory: Inventory, request: ScaleRequest, fleet: Fleet) -> tuple[dict[str, int], dict[str, int]]:
    """Host -> its CPUs, and engine -> the resources that it works on, where engines have to stop."""
    observed = observe.observe_hosts(inventory, fleet, scaling.hosts_for(inventory))
    held = engines.resources_held(inventory, fleet) if scaling.has_fewer_engines(inventory, request) else {}
    return {name: each.facts.cpus for name, each in observed.items()}, held


def rollback(change: Change, number: int, fleet: Fleet, accept: Accept) -> Report:
    """Bring the hosts to what they had in a generation, whose inventory is given.

    Raise BadInput when a host has no state of that generation, as after a restore; else as `deploy`.
    """
    kept = stage.recall(change.inventory.hosts, number, fleet)
    return deploy(replace(change, goal=Goal(Purpose.ROLLBACK, number, kept)), fleet, accept)


def rollback_target(inventory: Inventory, fleet: Fleet, number: int | None) -> Run:
    """The generation of a number, or the last that was done before the newest.

    Raise BadInput when there is none, and for one that not all hosts remember alike.
    """
    runs = _recorded_runs(inventory, fleet)
    target = recorded.rollback_target(recorded.merge_runs(runs), number)
    recorded.refuse_disputed(target.number, runs, inventory.heat.source)
    return target


def restore(change: Change, fleet: Fleet, accept: Accept) -> Report:
    """Remove everything of ours, and start again the processes that served before."""
    return deploy(replace(change, goal=RESTORE), fleet, accept)


def remove_host(change: Change, file: InventoryFile, fleet: Fleet, accept: Accept) -> Report:
    """Take a host out of the site: a deploy in which it has nothing to run; then take its lines out of the file.

    The file may lack them already: then the site's own records say where the host is. Of one that is gone, which is
    not contacted, what it has left in Heat is cleaned up. Raise BadInput for a host that cannot be removed, NotReady
    for one that is said to be gone while Heat has an engine of it as alive; else as `deploy`.
    """
    host, without = change.goal.host, inventory_file.without_host(file, change.goal.host)
    observed = observe.observe_hosts(without.inventory, fleet)
    known = removal.known_hosts(change, without, observed)
    cleanup = recovery.cleanup_of(host, known[host].engines, without.inventory, fleet) if change.goal.is_gone else None
    removing = removal.removal(change, without, known, cleanup)
    fleet.add_hosts({name: removing.inventory.host(name) for name in removing.inventory.hosts})
    report = deploy(removing, fleet, accept)
    if report.accepted and not report.exit_code:
        inventory_file.save(without, removal.NOT_TAKEN_OUT)
    return report


@dataclass(frozen=True)
class Recovery:
    """What dead engines left behind, and whether it was cleaned."""

    workers: tuple[DeadWorker, ...]
    cleaned: bool = False


def recover(inventory: Inventory, fleet: Fleet, accept: Callable[[tuple[DeadWorker, ...]], bool]) -> Recovery:
    """Find what dead engines left behind in Heat and its broker, and clean it if that is accepted."""
    workers = recovery.dead_workers(inventory, fleet)
    if not workers or not accept(workers):
        return Recovery(workers)
    return Recovery(recovery.clean(inventory, fleet), cleaned=True)


def history(inventory: Inventory, fleet: Fleet) -> History:
    """Number -> the generation and the hosts that have recorded it, in order."""
    return recorded.merge_runs(_recorded_runs(inventory, fleet))


def _recorded_runs(inventory: Inventory, fleet: Fleet) -> dict[str, list[Reply]]:
    return {host: reply["runs"] for host, reply in stage.recall(inventory.hosts, None, fleet).items()}


def preflight(inventory: Inventory, fleet: Fleet) -> Findings:
    """Every problem that would make a deploy fail, and warnings; changes nothing."""
    observation = observe.observe_site(inventory, fleet)
    if inventory.heat.source not in observation.hosts:
        return Findings(host_checks.problems(inventory, observation, {}))
    desired = desired_state.desired_states(inventory, observation.hosts)
    former = former_hosts.observe_former(inventory, observation.hosts, fleet)
    found = Findings(tuple(former_hosts.describe(former)))
    return found + gate.site_findings(inventory, observation, desired, fleet)


def status(inventory: Inventory, fleet: Fleet, counters: bool = False) -> "SiteStatus":
    """One row a process, the steps that a deploy would take, and the hosts that do not answer; changes nothing.

    What a host still has that has left the inventory without being removed is left over, also while it is off.

    `counters`: with what each process has done and used so far.
    """
    question = engines.question(inventory)
    observation = observe.observe_site(inventory, fleet, programs=question, limit=STATUS_TIMEOUT, counters=counters)
    source = observation.hosts.get(inventory.heat.source)
    if source is None:
        return site.without_source(inventory, observation)
    view = engines.view(source.facts.answers)
    desired = desired_state.desired_states(inventory, observation.hosts).states
    plan = diff.plan_between({name: desired[name] for name in observation.hosts}, observation.hosts)
    former = former_hosts.observe_former(inventory, observation.hosts, fleet, limit=STATUS_TIMEOUT)
    seen = site_view.SiteView(inventory, observation, desired, view)
    return site.status_of(site_view.with_former_hosts(seen, former), plan)


def logs(
    inventory: Inventory, fleet: Fleet, query: "LogQuery", positions: "Mapping[str, Position]" = NOTHING
) -> "Logs":
    """What the processes of the site wrote to the journals, by time: the newest lines, or those since a position."""
    return journals.read(inventory, fleet, query, positions)


def verify(inventory: Inventory, fleet: RedactingFleet, cloud: "Cloud", message: Callable[[str], None]) -> "Proof":
    """Prove the site from outside: the acceptance suite on every node, then Heat through the proxy as a client.

    `message` receives the name of each step before it begins. A site that fails gives failed checks, not an error.
    """
    started = time.monotonic()
    message(f"acceptance suite: {', '.join(inventory.hosts)}")
    node_checks = acceptance.run(inventory)
    client_checks = _smoke_checks(inventory, fleet, cloud, message)
    checks = preparation.redacted((*node_checks, *client_checks), inventory, fleet, cloud)
    return proof.Proof(inventory.site, checks, time.monotonic() - started)


def _smoke_checks(
    inventory: Inventory, fleet: RedactingFleet, cloud: "Cloud", message: Callable[[str], None]
) -> "tuple[Check, ...]":
    try:
        binds = preparation.proxy_binds(inventory, fleet)
    except errors.DeployerError as error:
        return smoke_suite.without_target(inventory, error)
    return smoke_suite.run(smoke_suite.SmokeTarget(inventory, fleet, binds), cloud, message)


def take_lock(inventory: Inventory, fleet: Fleet, writer: Writer, wait: float, message: Callable[[str], None]) -> None:
    """Keep every other command from changing the site until the fleet is closed, as `apply.lock.take` does."""
    lock.take(inventory, fleet, writer, wait, message)


def lock_holder(inventory: Inventory, fleet: Fleet) -> Holder | None:
    """Which command changes the site now."""
    return lock.holder(inventory, fleet)


def unlock(inventory: Inventory, fleet: Fleet, id: str) -> Holder:
    """End the command that holds the lock, by the lock's id; raise BadInput when the lock has another id."""
    return lock.release(inventory, fleet, id)


def render(inventory: Inventory, observed: Mapping[str, Observation], out: Path) -> Export:
    """Write every file as it would be deployed to `out/<host>/<path on the host>`."""
    return export.write(desired_state.desired_states(inventory, observed), out)


def observed_hosts(inventory: Inventory, fleet: Fleet) -> Mapping[str, Observation]:
    """Every host as it is; raise HostUnreachable unless all answer."""
    return observe.observe_hosts(inventory, fleet)


def source_from_folder(inventory: Inventory, folder: Path) -> Mapping[str, Observation]:
    """Observations as if the hosts had only, on the source, a local copy of its configuration folder."""
    source = inventory.heat.source
    return {source: Observation(export.read(folder, inventory.heat_of(source).config_dir))}
