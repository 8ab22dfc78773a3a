"""Outputs held against docs/output.schema.json: every field has to be there, and none that it does not name."""

import copy
import functools
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import jsonschema

from deployer.cli.output import output_schema

PATH = Path(__file__).parent.parent / "docs" / output_schema.FILE


def check_result(command: str, data: Mapping[str, Any]) -> None:
    """Fail unless what a command printed as JSON is what the published schema says of it."""
    _validator(output_schema.RESULTS[command].__name__).validate(data)


def check_event(data: Mapping[str, Any]) -> None:
    """Fail unless a line of JSON Lines is the event that it names, as the published schema says."""
    _validator(output_schema.EVENTS[data["event"]].__name__).validate(data)


def check_output(command: str, format: str, printed: str) -> None:
    """Fail unless all that a command printed on standard output is as published; an error prints no JSON document."""
    if format == "json" and printed:
        check_result(command, json.loads(printed))
    if format == "jsonl":
        events = [json.loads(line) for line in printed.splitlines()]
        for event in events:
            check_event(event)
        if events and events[-1]["result"] is not None:
            check_result(command, events[-1]["result"])


@functools.cache
def _validator(name: str) -> jsonschema.Draft202012Validator:
    """Judges one kind of document; fields that the schema does not name are errors here, though not for its readers."""
    schema = json.loads(PATH.read_text())
    closed = {each: _closed(part) for each, part in schema["$defs"].items()}
    return jsonschema.Draft202012Validator({"$ref": f"#/$defs/{name}", "$defs": closed})


def _closed(part: Mapping[str, Any]) -> dict[str, Any]:
    changed = copy.deepcopy(dict(part))
    return changed | {"additionalProperties": False} if "properties" in changed else changed
