"""Records the result of each check, its time and its reason, with secrets redacted. Knows nothing of Heat."""

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
    """A check found that something is not as promised; the message is the reason."""


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
    """Checks in the order they were made. `message` receives the name of each before it begins."""

    def __init__(self, where: str, message: Callable[[str], None], expected: tuple[type[Exception], ...] = ()) -> None:
        self.checks: list[Check] = []
        self._where, self._message = where, message
        own = (CheckFailed, errors.DeployerError, OSError, ValueError, LookupError)
        self._expected: tuple[type[Exception], ...] = (*own, *expected)
        self._secrets: list[str] = []

    def redact(self, secrets: Iterable[str]) -> None:
        """Redact these texts in every check that follows."""
        self._secrets += [secret for secret in secrets if secret]

    def tried(self, subject: str, promise: str, step: Callable[[], str]) -> bool:
        """Run a step that returns what it saw; record its time, or why it failed. Return whether it passed."""
        self._message(f"{subject}: {promise}")
        started = time.monotonic()
        check = Check(self._where, subject, promise)
        try:
            check = replace(check, detail=redaction.redact(step(), self._secrets))
        except self._expected as error:
            check = replace(check, outcome=Outcome.FAILED, reason=self._reason(error))
        self.checks.append(replace(check, seconds=time.monotonic() - started))
        return not check.failed

    def skipped(self, subject: str, promise: str, reason: str) -> None:
        """Record a step that could not be tried."""
        shown = redaction.redact(reason, self._secrets)
        self.checks.append(Check(self._where, subject, promise, Outcome.SKIPPED, reason=shown))

    def _reason(self, error: Exception) -> str:
        return redaction.redact(reason_of(error), self._secrets)[:LONGEST_REASON]


def reason_of(error: Exception) -> str:
    """Why something failed: the error's message, with its type where the message alone is not clear."""
    text = error.message if isinstance(error, errors.DeployerError) else str(error)
    is_clear = isinstance(error, (CheckFailed, errors.DeployerError))
    return text if is_clear else f"{type(error).__name__}: {text}".rstrip(": ")
