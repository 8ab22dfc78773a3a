"""Runs a plan on the hosts wave by wave; after a wave in which a host fails, no other wave begins."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from deployer import errors
from deployer.apply import agent_requests
from deployer.apply.agent_requests import Request
from deployer.apply.report import Applied
from deployer.model import printable
from deployer.model.probe import Program
from deployer.model.steps import AwaitAnswer, AwaitReady, AwaitStopped, DrainServer, Plan, ReadyServer, Step, Wave
from deployer.observed.observe import EXCLUSIVE, EXCLUSIVE_TIMEOUT, LEDGER
from deployer.remote.fleet import Fleet

PROOFS = (AwaitReady, AwaitAnswer, ReadyServer)
TELLING = (AwaitReady, AwaitAnswer, AwaitStopped, DrainServer)  # steps whose output is for the operator
CONNECT_TIMEOUT = 30.0  # seconds for a host to be reached, beside the work of a request
SHORT_STEP_TIMEOUT = 10.0  # seconds for a step whose request names no timeout
MOST_NOT_BEGUN = 20  # steps that are named when a run is interrupted

Batch = tuple[Step, ...]  # steps that one request of the agent names


@dataclass(frozen=True)
class HostProgress:
    """How far a host came in a wave: how many of its batches are done, and what stopped the next.

    `failed`: the batch that failed (empty: none, or the host did not answer); `is_waiting`: that batch only waits for
    something, and the host may be asked for it again; `waited`: for how many seconds it has. `told`: what steps that
    are done have to say.
    """

    batches: tuple[Batch, ...]
    batches_done: int = 0
    error: errors.DeployerError | None = None
    failed: Batch = ()
    is_waiting: bool = False
    waited: float = 0.0
    told: tuple[str, ...] = ()

    @property
    def done(self) -> tuple[Step, ...]:
        """The steps of the batches that are done."""
        return tuple(step for batch in self.batches[: self.batches_done] for step in batch)

    @property
    def left(self) -> tuple[Step, ...]:
        """The steps of the other batches."""
        return tuple(step for batch in self.batches[self.batches_done :] for step in batch)


def run(plan: Plan, fleet: Fleet, number: int | None = None) -> Applied:
    """Perform every wave in order; stop after the first in which a host fails and return what is left.

    `number` is that of the run in which the hosts record each step. An interrupt is raised again with a note of what
    has not begun.
    """
    done: list[Step] = []
    told: list[tuple[str, str]] = []
    for position, wave in enumerate(plan.waves):
        try:
            progress = _run_wave(wave, fleet, number)
        except KeyboardInterrupt as interrupt:
            _add_note(interrupt, [step for wave in plan.waves[position + 1 :] for step in wave.steps if step.changes])
            raise
        done += [step for each in progress.values() for step in each.done]
        told += [(host, text) for host, each in progress.items() for text in each.told]
        failed = {host: each.error for host, each in progress.items() if each.error}
        if failed:
            later = [step for wave in plan.waves[position + 1 :] for step in wave.steps]
            left = [step for each in progress.values() for step in each.left]
            return Applied(tuple(done), failed, (*left, *later), wave, _is_unproven(progress), tuple(told))
    return Applied(tuple(done), told=tuple(told))


def _add_note(interrupt: KeyboardInterrupt, steps: Sequence[Step]) -> None:
    """Name the steps that have not begun, for whoever says how the command ends."""
    named = [f"{step.host}  {step}" for step in steps[:MOST_NOT_BEGUN]]
    more = [f"and {len(steps) - len(named)} more"] if len(steps) > len(named) else []
    if named:
        interrupt.add_note("\n  ".join(["not begun:", *named, *more]))


def _is_unproven(progress: Mapping[str, HostProgress]) -> bool:
    """Whether all that failed is the proof of what was done."""
    failed = [each for each in progress.values() if each.error]
    return all(each.failed and isinstance(each.failed[0], PROOFS) and not each.is_waiting for each in failed)


def _run_wave(wave: Wave, fleet: Fleet, number: int | None) -> dict[str, HostProgress]:
    """Ask every host of a wave for its steps; ask again those that still wait for something, until their time is up."""
    progress = {host: HostProgress(agent_requests.batches_of(steps)) for host, steps in wave.by_host().items()}
    asked, title = tuple(progress), wave.name
    while asked:
        progress |= _perform(title, {host: progress[host] for host in asked}, fleet, number)
        asked = tuple(host for host in asked if _may_wait_longer(progress[host]))
        title = f"{wave.name} ({'; '.join(_why(progress[host]) for host in asked)})"
    return {host: _kill_if_forced(host, each, fleet, number) for host, each in progress.items()}


def _why(progress: HostProgress) -> str:
    return progress.error.message if progress.error else ""


def _may_wait_longer(progress: HostProgress) -> bool:
    """Whether a host is asked again for a step that only waits."""
    program = _program(progress.failed) if progress.is_waiting else None
    return program is not None and progress.waited < program.busy_timeout


def _program(batch: Batch) -> Program | None:
    """The program with which a step waits for an engine."""
    probe = batch[0].probe if isinstance(batch[0], AwaitReady | AwaitStopped) else None
    return probe if isinstance(probe, Program) else None


def _perform(
    title: str, progress: Mapping[str, HostProgress], fleet: Fleet, number: int | None
) -> dict[str, HostProgress]:
    """Ask hosts for the batches that they have not done, and return how far each came."""
    steps = {host: _requests(each) for host, each in progress.items()}
    replies = _ask(title, steps, fleet, number)
    return {host: _advanced(host, each, replies[host]) for host, each in progress.items()}


def _requests(progress: HostProgress) -> list[Request]:
    """The request for each batch that is not done; only the first may have waited before."""
    batches = progress.batches[progress.batches_done :]
    waited = (progress.waited, *(0.0 for _ in batches[1:]))
    return [agent_requests.batch_request(batch, seconds) for batch, seconds in zip(batches, waited, strict=True)]


def _ask(title: str, steps: Mapping[str, Sequence[Request]], fleet: Fleet, number: int | None) -> dict[str, Any]:
    work = max(sum(float(step.get("timeout", SHORT_STEP_TIMEOUT)) for step in each) for each in steps.values())
    run = {} if number is None else {"run": number}
    requests = {host: {"ledger": LEDGER, "exclusive": EXCLUSIVE, "steps": each, **run} for host, each in steps.items()}
    return fleet.ask(title, "perform", requests, CONNECT_TIMEOUT + EXCLUSIVE_TIMEOUT + work)


def _advanced(host: str, progress: HostProgress, reply: Any) -> HostProgress:
    """How far a host is after its reply, the agent's JSON or the error that stands in its place."""
    if isinstance(reply, errors.DeployerError):
        return replace(progress, error=reply, failed=(), is_waiting=False)
    done, failure = progress.batches_done + len(reply["done"]), reply["failed"]
    told = (*progress.told, *_told(progress.batches[progress.batches_done :], reply["done"]))
    if not failure:
        return HostProgress(progress.batches, done, told=told)
    batch, is_waiting = progress.batches[done], "again" in failure
    if not is_waiting:
        error = errors.HostFailed(host, f"could not {', '.join(map(str, batch))}: {failure['why']}")
        return HostProgress(progress.batches, done, error, batch, told=told)
    before = 0.0 if reply["done"] else progress.waited
    program = _program(batch)
    waited = before + program.seconds_to_wait(before) if program else before
    still = errors.StillStopping(host, failure["why"], _hint_for_waiting(batch[0]))
    return HostProgress(progress.batches, done, still, batch, is_waiting, waited, told)


def _told(batches: Sequence[Batch], outputs: Sequence[str]) -> Iterator[str]:
    """What steps that are done have printed for the operator; tenants name what is in there."""
    for batch, output in zip(batches, outputs, strict=False):
        if isinstance(batch[0], TELLING) and output.strip():
            yield printable.in_one_line(output.strip())


def _hint_for_waiting(step: Step) -> str:
    """What an operator may do about a process that works longer than anybody waits for it."""
    look = f"`invoke logs {step.host} --service engine` shows what it does."
    return f"{look} --wait gives it more seconds, and --force ends it after them."


def _kill_if_forced(host: str, progress: HostProgress, fleet: Fleet, number: int | None) -> HostProgress:
    """Kill each process that has not ended its work in time, where that was asked for, and go on from there."""
    step = progress.failed[0] if progress.is_waiting else None
    if not (isinstance(step, AwaitReady | AwaitStopped) and step.force):
        return progress
    title = f"kill {step.unit}"
    error = _kill(title, step, fleet, number)
    if error:
        return replace(progress, error=error, failed=(), is_waiting=False)
    after = _perform(title, {host: replace(progress, waited=0.0)}, fleet, number)[host]
    has_stopped = after.batches_done > progress.batches_done
    return _kill_if_forced(host, after, fleet, number) if has_stopped else after


def _kill(title: str, step: AwaitReady | AwaitStopped, fleet: Fleet, number: int | None) -> errors.DeployerError | None:
    kill = agent_requests.systemctl("kill", "--signal=KILL", step.unit) | {"description": title}
    # Whatever the unit is about to do is done when this has ended.
    verb = "stop" if isinstance(step, AwaitStopped) else "start"
    await_end = agent_requests.systemctl(verb, step.unit) | {"description": f"{verb} {step.unit}"}
    reply = _ask(title, {step.host: [kill, await_end]}, fleet, number)[step.host]
    if isinstance(reply, errors.DeployerError):
        return reply
    return errors.HostFailed(step.host, f"could not {title}: {reply['failed']['why']}") if reply["failed"] else None
