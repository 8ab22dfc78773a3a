"""What became of each thing that a proof tried, and the book that times them and keeps secrets out. Knows no Heat."""

import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from enum import StrEnum

from deployer import errors
from deployer.heat import redaction

LONGEST_REASON = 2000


class Outcome(StrEnum):
    """How a check ended; the values are the words of JSON."""

    OK = "ok"
    FAILED = "failed"
    SKIPPED = "skipped"


class CheckFailed(Exception):
    """A check found that something is not as promised; the message says what."""


@dataclass(frozen=True)
class Check:
    """One promise that was tried on a host or through the proxy (`where`). `subject` is a unit, a file or an address.

    `detail` is what was seen and `reason` why the check failed or was not tried; neither holds a secret.
    """

    where: str
    subject: str
    promise: str
    outcome: Outcome = Outcome.OK
    seconds: float = 0.0
    detail: str = ""
    reason: str = ""

    @property
    def failed(self) -> bool:
        """Whether the promise is not proven; a check that could not be tried proves nothing either."""
        return self.outcome is not Outcome.OK


class Recorder:
    """Checks in the order they were made. `say` is told of each before it begins."""

    def __init__(self, where: str, say: Callable[[str], None], expected: tuple[type[Exception], ...] = ()) -> None:
        self.checks: list[Check] = []
        self._where, self._say = where, say
        own = (CheckFailed, errors.DeployerError, OSError, ValueError, LookupError)
        self._expected: tuple[type[Exception], ...] = (*own, *expected)
        self._secrets: list[str] = []

    def hide(self, secrets: Iterable[str]) -> None:
        """Remember texts that no check may show."""
        self._secrets += [secret for secret in secrets if secret]

    def tried(self, subject: str, promise: str, step: Callable[[], str]) -> bool:
        """Run a step that returns what it saw; note how long it took, or why it failed. Return whether it held."""
        self._say(f"{subject}: {promise}")
        started = time.monotonic()
        check = Check(self._where, subject, promise)
        try:
            check = replace(check, detail=redaction.redact(step(), self._secrets))
        except self._expected as error:
            check = replace(check, outcome=Outcome.FAILED, reason=self._reason(error))
        self.checks.append(replace(check, seconds=time.monotonic() - started))
        return not check.failed

    def skipped(self, subject: str, promise: str, reason: str) -> None:
        """Note a step that had no sense to try."""
        shown = redaction.redact(reason, self._secrets)
        self.checks.append(Check(self._where, subject, promise, Outcome.SKIPPED, reason=shown))

    def _reason(self, error: Exception) -> str:
        return redaction.redact(reason_of(error), self._secrets)[:LONGEST_REASON]


def reason_of(error: Exception) -> str:
    """Why something failed, in the error's own words; its type too where those alone say little."""
    words = error.message if isinstance(error, errors.DeployerError) else str(error)
    plain = isinstance(error, (CheckFailed, errors.DeployerError))
    return words if plain else f"{type(error).__name__}: {words}".rstrip(": ")
