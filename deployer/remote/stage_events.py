"""The events of one request to many hosts: when it began, which step and which host has ended, and after how long."""

import threading
import time
from collections.abc import Mapping
from typing import Any

from deployer.errors import DeployerError
from deployer.model.events import Handler, HostFinished, Level, StageFinished, StageStarted, StepFinished, StepResult


class StageEvents:
    """Tells a handler how far a stage has come. Steps may end in any thread."""

    def __init__(self, started: StageStarted, handle: Handler) -> None:
        self._started = started
        self._handle = handle
        self._began = time.monotonic()
        self._failed: list[str] = []
        self._reported: dict[str, int] = {}
        self._one_at_a_time = threading.Lock()
        handle(started)

    def step_finished(self, host: str, number: int, seconds: float, result: str) -> None:
        """Tell that a host has ended the step of that number, counted from 1; what is no step of it says nothing.

        The numbers come from the host: each is told once, and in order.
        """
        steps = self._started.steps.get(host, ())
        with self._one_at_a_time:
            is_next = number == self._reported.get(host, 0) + 1 <= len(steps)
            if not is_next or result not in tuple(StepResult):
                return
            self._reported[host] = number
        title, step = self._started.stage, steps[number - 1]
        self._handle(StepFinished(title, host, step, number, len(steps), seconds, StepResult(result)))

    def host_finished(self, host: str, reply: Any) -> None:
        """Tell that a host has answered, or that an error stands in the place of its reply."""
        failed = is_failure(reply)
        self._failed += [host] if failed else []
        self._handle(HostFinished(self._started.stage, host, time.monotonic() - self._began, failed))

    def end(self) -> None:
        """Tell that every host has answered."""
        started, seconds = self._started, time.monotonic() - self._began
        self._handle(StageFinished(started.stage, started.hosts, seconds, tuple(self._failed), started.level))


def begun(title: str, requests: Mapping[str, Mapping[str, Any]], level: Level, handle: Handler) -> StageEvents:
    """Tell that a stage begins, and return who tells the rest."""
    steps = {host: _sentences(request) for host, request in requests.items()}
    return StageEvents(
        StageStarted(title, tuple(requests), {host: each for host, each in steps.items() if each}, level), handle
    )


def is_failure(reply: Any) -> bool:
    """Whether a host could not be asked, or did not do what it was asked to; one that still waits has not failed."""
    if isinstance(reply, DeployerError):
        return True
    failed = reply.get("failed")
    return bool(failed) and "again" not in failed


def _sentences(request: Mapping[str, Any]) -> tuple[str, ...]:
    return tuple(step["description"] for step in request.get("steps", ()) if "description" in step)
