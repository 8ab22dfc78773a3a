"""Reports how a command that changes the site ended: its plan, what was applied and reverted, the exit code. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from deployer import errors
from deployer.model.run import DONE, FAILED, REVERTED, Run
from deployer.model.steps import Plan, Step, Wave
from deployer.plan.planned import Planned


@dataclass(frozen=True)
class Applied:
    """What was done of a plan: the steps done, and for each host that failed why, and the steps that were not done.

    `wave` is the one in which hosts failed, `unproven` whether all that failed was the proof of what was done. `told`:
    what steps had to say, with their hosts.
    """

    done: tuple[Step, ...] = ()
    failed: Mapping[str, errors.DeployerError] = field(default_factory=dict)
    left: tuple[Step, ...] = ()
    wave: Wave | None = None
    unproven: bool = False
    told: tuple[tuple[str, str], ...] = ()

    @property
    def is_waiting(self) -> bool:
        """Whether nothing has failed but that processes still end their work."""
        return bool(self.failed) and all(isinstance(each, errors.StillStopping) for each in self.failed.values())


@dataclass(frozen=True)
class Reverted:
    """The hosts that got back what they had before, and the steps for that."""

    hosts: tuple[str, ...]
    applied: Applied


@dataclass(frozen=True)
class Rollout:
    """How far a plan came, and what was reverted after a failure (None: nothing had to be, or nothing could be)."""

    applied: Applied = Applied()
    reverted: Reverted | None = None

    @property
    def is_reverted(self) -> bool:
        """Whether every host that had to be reverted was."""
        return self.reverted is not None and not self.reverted.applied.failed


@dataclass(frozen=True)
class Report:
    """What a command did: its plan, the rollout and, unless that failed, what still differs afterwards.

    `run` is None when nothing had to be done; `warnings` are those of preflight.
    """

    planned: Planned
    rollout: Rollout = Rollout()
    left: Plan = Plan()
    run: Run | None = None
    accepted: bool = True
    warnings: tuple[str, ...] = ()

    @property
    def applied(self) -> Applied:
        """What was done of the plan."""
        return self.rollout.applied

    @property
    def reverted(self) -> Reverted | None:
        """What was reverted after a failure."""
        return self.rollout.reverted

    @property
    def exit_code(self) -> int:
        """The contract's exit code."""
        if any(isinstance(each, errors.Locked) for each in self.applied.failed.values()):
            return errors.Locked.exit_code
        if self.applied.failed:
            is_unproven = self.rollout.is_reverted and self.applied.unproven
            return (errors.VerifyFailed if is_unproven else errors.HostFailed).exit_code
        return errors.VerifyFailed.exit_code if self.left.changes() else 0

    @property
    def result(self) -> str:
        """The result in one word, for the history."""
        if not self.exit_code:
            return DONE
        return REVERTED if self.rollout.is_reverted else FAILED
