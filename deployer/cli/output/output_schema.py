"""The published JSON Schema of all that commands print as JSON: fields may be added, never renamed.

`python -m deployer.cli.output.output_schema docs` makes docs/output.schema.json anew.
"""

import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter

from deployer.cli.output import event_types
from deployer.cli.output import output_types as types
from deployer.model.contract import SCHEMA_VERSION

DIALECT = "https://json-schema.org/draft/2020-12/schema"
FILE = "output.schema.json"
# What a command prints with --format json; `status --watch` prints one such document a line.
RESULTS: Mapping[str, type] = {
    **dict.fromkeys(
        (
            "deploy",
            "restart",
            "add-engine",
            "add-api",
            "add-cfn",
            "remove-engine",
            "remove-api",
            "remove-cfn",
            "remove-host",
            "scale",
            "drain",
            "undrain",
            "restore",
            "rollback",
        ),
        types.DeployResult,
    ),
    "plan": types.PlanResult,
    "render": types.RenderResult,
    "recover": types.RecoverResult,
    "history": types.HistoryResult,
    "status": types.StatusResult,
    "logs": types.LogsResult,
    "preflight": types.PreflightResult,
    "verify": types.VerifyResult,
    "lock": types.LockResult,
    "unlock": types.UnlockResult,
}
# What a line of --format jsonl is, by its `event`.
EVENTS: Mapping[str, type] = {
    "command_started": event_types.CommandStartedEvent,
    "stage_started": event_types.StageStartedEvent,
    "step_finished": event_types.StepFinishedEvent,
    "host_finished": event_types.HostFinishedEvent,
    "stage_finished": event_types.StageFinishedEvent,
    "request_sent": event_types.RequestSentEvent,
    "reply_received": event_types.ReplyReceivedEvent,
    "plan": event_types.PlanEvent,
    "message": event_types.MessageEvent,
    "warning": event_types.WarningEvent,
    "error": event_types.ErrorEvent,
    "status": event_types.StatusEvent,
    "result": event_types.ResultEvent,
}


def json_schema() -> dict[str, Any]:
    """Return the schema: a document is any result or event; `$defs` has each by its name."""
    documents = dict.fromkeys((*RESULTS.values(), *EVENTS.values()))
    references, schema = TypeAdapter.json_schemas(
        [(each.__name__, "serialization", TypeAdapter[Any](each)) for each in documents]
    )
    return {
        "$schema": DIALECT,
        "title": "JSON output of heat-scaleout",
        "description": f"What --format json prints, and each line of --format jsonl; version {SCHEMA_VERSION}.",
        "anyOf": list(references.values()),
        "$defs": schema["$defs"],
    }


def text() -> str:
    """Return the schema as the text of docs/output.schema.json."""
    return json.dumps(json_schema(), indent=2) + "\n"


if __name__ == "__main__":
    (Path(sys.argv[1]) / FILE).write_text(text(), encoding="utf-8")
