"""Stacks that take a while, made through the proxy as a user would, and what became of each."""

import time
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

LOOK = 1.0  # seconds between two looks: Heat announces nothing to its clients
END_LIMIT = 120.0  # seconds after which a stack that is still in progress counts as stuck
DELETE_LIMIT = 120.0
SECONDS = 20.0  # that the resources of a stack take, one half after the other
GROUP = 2
AT_ONCE = 4  # stacks that are asked for at the same time


@dataclass(frozen=True)
class Fates:
    """How many stacks came to a good end; those that failed, with Heat's reason; those that came to none."""

    begun: int
    complete: int
    failed: Mapping[str, str]
    stuck: tuple[str, ...]
    refused: tuple[str, ...] = ()

    @property
    def good(self) -> bool:
        return self.complete == self.begun and not self.refused

    def json(self) -> dict[str, Any]:
        return asdict(self)


def opened(clouds: Path, cloud: str = "heat-lab") -> Any:
    """openstacksdk's client of Heat for a cloud of a clouds.yaml."""
    import openstack

    region = openstack.config.OpenStackConfig(config_files=[str(clouds)]).get_one(cloud=cloud, api_timeout=60)
    return openstack.connection.Connection(config=region).orchestration


class Stacks:
    """Some stacks of one name's beginning. `heat` is openstacksdk's client."""

    def __init__(self, heat: Any, prefix: str) -> None:
        self._heat, self._prefix = heat, prefix
        self._begun: dict[str, str] = {}  # id -> name
        self._refused: list[str] = []

    def begin(self, count: int, template: Mapping[str, Any]) -> None:
        """Ask for so many stacks; each is in progress when this returns."""
        self._look()  # logs in once, before several threads would
        with ThreadPoolExecutor(AT_ONCE) as pool:
            list(pool.map(lambda number: self._begin(f"{self._prefix}-{number}", template), range(count)))

    def _begin(self, name: str, template: Mapping[str, Any]) -> None:
        body = {"stack_name": name, "template": template, "timeout_mins": 10}
        answer = self._heat.request("/stacks", "POST", json=body, raise_exc=False)
        if answer.status_code == 201:
            self._begun[answer.json()["stack"]["id"]] = name
        else:
            self._refused.append(f"{name}: {answer.status_code} {answer.text[:200]}")

    def in_progress(self) -> int:
        """How many are at work now."""
        return sum(1 for status, _ in self._look().values() if status.endswith("_IN_PROGRESS"))

    def awaited(self, limit: float = END_LIMIT) -> Fates:
        """Wait until none is in progress or the time is up, and say what became of them."""
        deadline = time.monotonic() + limit
        while self.in_progress() and time.monotonic() < deadline:
            time.sleep(LOOK)
        return fates(self._look(), self._refused)

    def delete(self, limit: float = DELETE_LIMIT) -> tuple[str, ...]:
        """Delete all of them; return the names of those that did not go in time."""
        for identity, name in self._begun.items():
            self._heat.request(f"/stacks/{name}/{identity}", "DELETE", raise_exc=False)
        deadline = time.monotonic() + limit
        while (left := self._look()) and time.monotonic() < deadline:
            time.sleep(LOOK)
        return tuple(left)

    def _look(self) -> dict[str, tuple[str, str]]:
        """Name -> (status, reason) of ours that Heat lists."""
        listed = self._heat.request("/stacks", "GET").json()["stacks"]
        return {
            each["stack_name"]: (each["stack_status"], each["stack_status_reason"])
            for each in listed
            if each["id"] in self._begun
        }


def fates(seen: Mapping[str, tuple[str, str]], refused: list[str]) -> Fates:
    """Given each stack's status and reason, count the ends."""
    return Fates(
        begun=len(seen),
        complete=sum(1 for status, _ in seen.values() if status.endswith("_COMPLETE")),
        failed={name: reason for name, (status, reason) in seen.items() if status.endswith("_FAILED")},
        stuck=tuple(name for name, (status, _) in seen.items() if status.endswith("_IN_PROGRESS")),
        refused=tuple(refused),
    )


def single(seconds: float) -> dict[str, Any]:
    """A stack of one resource that takes so long: the engine that has it finishes it alone."""
    return _template({"only": _slow(seconds)})


def nested(seconds: float) -> dict[str, Any]:
    """A resource that takes half the time, then a nested stack of some that take the other half at once.

    Each step is a message to whichever engine is free: what an engine that stops has been sent must not be lost.
    """
    group = {
        "type": "OS::Heat::ResourceGroup",
        "depends_on": "first",
        "properties": {"count": GROUP, "resource_def": _slow(seconds / 2)},
    }
    return _template({"first": _slow(seconds / 2), "group": group})


def _slow(seconds: float) -> dict[str, Any]:
    return {"type": "OS::Heat::TestResource", "properties": {"action_wait_secs": {"create": seconds}}}


def _template(resources: Mapping[str, Any]) -> dict[str, Any]:
    return {"heat_template_version": "2016-10-14", "resources": dict(resources)}
