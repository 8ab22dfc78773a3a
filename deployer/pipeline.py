"""One short function a command: each names its stages in order, and no other module knows them all."""

from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from deployer import apply, certificates, desired, errors, observed, plan, preflight, rendered, setback, status
from deployer.apply import Applied
from deployer.desired import Wanted
from deployer.heat import engines, logins
from deployer.heat.logins import Tried
from deployer.inventory.schema import Inventory
from deployer.model import Found, HostState, Service
from deployer.observed import Seen
from deployer.remote.fleet import Fleet
from deployer.steps import PLAIN, Manner, Plan

if TYPE_CHECKING:
    from deployer import scaling
    from deployer.budget import judge

GLANCE = 10.0  # seconds for a host to answer who only wants to see it
Accept = Callable[["Planned"], bool]


@dataclass(frozen=True)
class Planned:
    """What would be done, why, and what it was decided from."""

    inventory: Inventory
    plan: Plan
    wanted: Wanted
    found: Mapping[str, Found]
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Report:
    """What a deploy did: its plan, how far it came and, when it came to the end, what still differs afterwards.

    `back`: what was done to put the host back whose change did not work; None when none had to be or could be.
    """

    planned: Planned
    applied: Applied
    left: Plan = Plan()
    accepted: bool = True
    back: Applied | None = None

    @property
    def exit_code(self) -> int:
        if self.applied.failed:
            is_back = self.back is not None and not self.back.failed
            return (errors.VerifyFailed if is_back and self.applied.unproven else errors.HostFailed).exit_code
        return errors.VerifyFailed.exit_code if self.left.changes() else 0


def planned(
    inventory: Inventory, fleet: Fleet, limit: Collection[str] = (), contents: bool = False, manner: Manner = PLAIN
) -> Planned:
    """What a deploy would do, on the hosts of `limit` (all, when empty); changes nothing."""
    seen = observed.look(inventory, fleet, _needed(inventory, limit), contents)
    _refuse_unreachable(seen)
    wanted = desired.states(inventory, _known(inventory, seen))
    chosen = {name: state for name, state in wanted.states.items() if not limit or name in limit}
    # The source has a configuration that is not ours to put back, and the proxy's host most to lose.
    manner = replace(manner, last=(inventory.proxy.host, inventory.heat.source))
    return Planned(inventory, plan.diff(chosen, seen.found, manner), wanted, seen.found)


def deploy(
    inventory: Inventory, fleet: Fleet, accept: Accept, limit: Collection[str] = (), manner: Manner = PLAIN
) -> Report:
    """Bring the hosts to their desired state and look again; `accept` is asked once, before the first change.

    Raise HostUnreachable, or NotReady with every problem of every host, before anything is changed.
    """
    todo = planned(inventory, fleet, limit, manner=manner)
    if not todo.plan.changes():
        return Report(todo, Applied(), accepted=accept(todo))
    todo = replace(todo, notes=_refuse_unready(todo, fleet, manner))
    if not accept(todo):
        return Report(todo, Applied(), accepted=False)
    before = _before(todo, fleet)
    applied = apply.run(todo.plan, fleet)
    if applied.failed:
        return Report(todo, applied, back=_put_back(todo, applied, before, fleet))
    return Report(todo, applied, _left(todo, fleet, limit))


def restore(inventory: Inventory, fleet: Fleet, accept: Accept, manner: Manner = PLAIN) -> Report:
    """Take everything of ours away and have those serve again who did before us; `accept` as for a deploy."""
    seen = observed.look(inventory, fleet)
    _refuse_unreachable(seen)
    nothing = desired.nothing(inventory, seen.found)
    todo = Planned(inventory, plan.back(nothing.states, seen.found, manner), nothing, seen.found)
    problems = () if manner.force else tuple(_workless(todo, fleet))
    if problems:
        raise errors.NotReady(problems, hint="Nothing was changed.")
    if not accept(todo):
        return Report(todo, Applied(), accepted=False)
    applied = apply.run(todo.plan, fleet)
    if applied.failed:
        return Report(todo, applied)
    found = observed.look(inventory, fleet).found
    return Report(todo, applied, plan.back({name: nothing.states[name] for name in found}, found))


def _before(todo: Planned, fleet: Fleet) -> Mapping[str, Found]:
    """The hosts whose processes will change, with the contents of their files."""
    hosts = todo.plan.rolled()
    return observed.look(todo.inventory, fleet, hosts, contents=True).found if hosts else {}


def _put_back(todo: Planned, applied: Applied, before: Mapping[str, Found], fleet: Fleet) -> Applied | None:
    """Give the host that was about to change what it had; None when no change was under way, or it is out of reach."""
    host = applied.wave.rolls if applied.wave else ""
    seen = observed.look(todo.inventory, fleet, _needed(todo.inventory, [host])) if host in before else None
    if seen is None or host not in seen.found:
        return None
    states = setback.states({host: before[host]}, todo.wanted.states, seen.found)
    return apply.run(setback.surely(plan.diff(states, seen.found), applied.done), fleet)


def scaled(text: str, inventory: Inventory, wish: "scaling.Wish", fleet: Fleet) -> str:
    """The inventory's text with what `scale` asks for; totals are spread by the CPUs that a look at the hosts shows."""
    from deployer import scaling

    scaling.refuse_impossible(inventory, wish)
    if not wish.totals:
        return scaling.text(text, inventory, wish, {})
    seen = observed.look(inventory, fleet, scaling.hosts_for(inventory))
    _refuse_unreachable(seen)
    held = engines.held(inventory, fleet) if scaling.has_fewer_engines(inventory, wish) else {}
    return scaling.text(text, inventory, wish, {name: each.facts.cpus for name, each in seen.found.items()}, held)


def check(inventory: Inventory, fleet: Fleet) -> Tried:
    """Every problem that would make a deploy fail, and what else to know; changes nothing."""
    seen = observed.look(inventory, fleet)
    if inventory.heat.source not in seen.found:
        return Tried(preflight.problems(inventory, seen, {}))
    wanted = desired.states(inventory, _known(inventory, seen))
    tried = logins.tried(inventory, {name: wanted.states[name] for name in seen.found}, fleet)
    judged = _judged(inventory, seen.found, fleet)
    problems = (*preflight.problems(inventory, seen, wanted.states), *certificates.problems(inventory, seen.found),
                *tried.problems, *judged.problems)
    return Tried(problems, (*wanted.remarks, *certificates.notes(seen.found), *tried.notes, *judged.notes))


def look(inventory: Inventory, fleet: Fleet) -> status.Picture:
    """One line a process, the steps that a deploy would take, and the hosts that do not answer; changes nothing."""
    seen = observed.look(inventory, fleet, programs=engines.question(inventory), limit=GLANCE)
    errors_seen = tuple(error.message for error in seen.errors.values())
    if inventory.heat.source not in seen.found:
        return status.Picture(status.lines(inventory, seen, {}, engines.UNKNOWN), errors=errors_seen)
    view = engines.view(seen.found[inventory.heat.source].facts.answers)
    wanted = desired.states(inventory, _known(inventory, seen)).states
    todo = plan.diff({name: wanted[name] for name in seen.found}, seen.found)
    pending = tuple(f"{step.host}: {step}" for step in todo.changes())
    return status.Picture(status.lines(inventory, seen, wanted, view), pending, errors_seen, view.problems)


def render(inventory: Inventory, found: Mapping[str, Found], out: Path) -> tuple[Path, ...]:
    """Write every file as it would be deployed to `out/<host>/<path on the host>`."""
    return rendered.write(desired.states(inventory, found).states, out)


def found(inventory: Inventory, fleet: Fleet) -> Mapping[str, Found]:
    """One look at every host; raise HostUnreachable unless all answer."""
    seen = observed.look(inventory, fleet)
    _refuse_unreachable(seen)
    return seen.found


def as_if_found(inventory: Inventory, folder: Path) -> Mapping[str, Found]:
    """A look at hosts that have nothing but, on the source, a local copy of its configuration folder."""
    source = inventory.heat.source
    state = rendered.read(folder, inventory.heat_of(source).config_dir)
    return _known(inventory, Seen({source: Found(state)}, {}))


def _needed(inventory: Inventory, limit: Collection[str]) -> Collection[str]:
    """The hosts to look at: the source says what all others should have, the proxy has its servers drained."""
    return {*limit, inventory.heat.source, inventory.proxy.host} if limit else ()


def _left(todo: Planned, fleet: Fleet, limit: Collection[str]) -> Plan:
    """What still differs after the plan was run; hosts that are gone meanwhile are told by the failure itself."""
    seen = observed.look(todo.inventory, fleet, _needed(todo.inventory, limit))
    chosen = {name: todo.wanted.states[name] for name in seen.found if not limit or name in limit}
    return plan.diff(chosen, seen.found)


def _refuse_unreachable(seen: Seen) -> None:
    if not seen.errors:
        return
    first, *others = seen.errors.values()
    if not others:
        raise first
    worst = next((error for error in seen.errors.values() if isinstance(error, errors.HostUnreachable)), first)
    raise errors.ManyFailed(tuple(seen.errors.values()), worst.exit_code)


def _refuse_unready(todo: Planned, fleet: Fleet, manner: Manner) -> tuple[str, ...]:
    """What to know before the first change; raise NotReady when there must be none."""
    seen = Seen(todo.found, {})
    states = {host: todo.wanted.states[host] for host in preflight.unproven(todo.inventory, todo.plan)}
    tried = logins.tried(todo.inventory, states, fleet)
    judged = _judged(todo.inventory, todo.found, fleet, todo.plan)
    problems = (*preflight.problems(todo.inventory, seen, todo.wanted.states),
                *certificates.problems(todo.inventory, todo.found), *tried.problems, *judged.problems,
                *(() if manner.force else _workless(todo, fleet)))
    if problems:
        raise errors.NotReady(problems, hint="Nothing was changed. Mend these, then run the same command again.")
    return (*certificates.notes(todo.found), *tried.notes, *judged.notes)


def _judged(
    inventory: Inventory, found: Mapping[str, Found], fleet: Fleet, todo: Plan | None = None
) -> "judge.Judged":
    """Whether the timeouts agree and, unless the plan does not let the site grow, whether it has what that takes."""
    from deployer import measured  # imported here, as a deploy without a change needs none of these
    from deployer.budget import judge, sizes
    from deployer.heat import capacity

    origin = desired.read_source(inventory, found)
    waits = judge.waits(inventory, origin)
    if todo is not None and not judge.grows(todo):
        return waits
    site = sizes.Site(inventory, origin, found, measured.look(found, fleet))
    limits = judge.limits(site, capacity.ask(inventory, fleet))
    return judge.Judged(waits.problems + limits.problems, waits.notes + limits.notes)


def _workless(todo: Planned, fleet: Fleet) -> Iterator[str]:
    """Whether nobody would be left to do Heat's work, as Heat and its broker see the engines now."""
    leaving = engines.leaving(todo.plan)
    has_engines = any(each.service is Service.ENGINE for each in todo.inventory.instances())
    if has_engines and not leaving:
        return
    source = todo.inventory.heat.source
    seen = observed.look(todo.inventory, fleet, [source], programs=engines.question(todo.inventory))
    view = engines.view(seen.found[source].facts.answers) if source in seen.found else engines.UNKNOWN
    starting = engines.starting(todo.plan)
    if not starting and not any(view.is_alive(row) for row in view.rows if row.host not in leaving):
        who = f"without {', '.join(sorted(leaving))}" if leaving else "and the inventory has none"
        yield (f"{source}: Heat lists no other engine that is alive, {who}: its work would wait for ever. "
               "Start engines first, or say --force.")


def _known(inventory: Inventory, seen: Seen) -> dict[str, Found]:
    """What was found, with nothing for the hosts that did not answer."""
    return {name: seen.found.get(name, Found(HostState())) for name in inventory.hosts}

