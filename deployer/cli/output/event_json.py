"""Each event as JSON, for `--format jsonl`: fields may be added, never renamed. Pure."""

from collections.abc import Mapping
from dataclasses import fields
from typing import Any

from deployer.cli.views.console import plan_json
from deployer.model import events
from deployer.model.contract import SCHEMA_VERSION
from deployer.model.events import Event, Level, Message, PlanDecided

NAMES: Mapping[type[Event], str] = {
    events.CommandStarted: "command_started",
    events.StageStarted: "stage_started",
    events.HostFinished: "host_finished",
    events.StageFinished: "stage_finished",
    events.StepFinished: "step_finished",
    events.RequestSent: "request_sent",
    events.ReplyReceived: "reply_received",
    events.PlanDecided: "plan",
    events.Message: "message",
    events.ErrorRaised: "error",
    events.CommandFinished: "result",
}
WARNING, STATUS = "warning", "status"


def of(event: Event, time: str) -> dict[str, Any]:
    """Return an event as JSON; `time` is UTC in ISO 8601."""
    is_warning = isinstance(event, Message) and event.level >= Level.WARNING
    return _head(WARNING if is_warning else NAMES[type(event)], time, event.level) | _fields(event)


def picture(result: Mapping[str, Any], time: str) -> dict[str, Any]:
    """Return one of the many pictures of `status --watch` as an event."""
    return _head(STATUS, time, Level.INFO) | {"result": dict(result)}


def _head(name: str, time: str, level: Level) -> dict[str, Any]:
    return {"schema_version": SCHEMA_VERSION, "event": name, "time": time, "level": level.name.lower()}


def _fields(event: Event) -> dict[str, Any]:
    if isinstance(event, PlanDecided):
        return {"plan": plan_json(event.plan)}
    return {each.name: _value(getattr(event, each.name)) for each in fields(event) if each.name != "level"}


def _value(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {key: _value(each) for key, each in value.items()}
    if isinstance(value, tuple):
        return [_value(each) for each in value]
    return round(value, 3) if isinstance(value, float) else value
