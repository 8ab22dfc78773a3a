"""What a log may say of requests and replies: names, numbers, sizes and reasons, never contents. Pure.

Only what is named here is shown; of all else, its size.
"""

import json
from collections.abc import Iterable, Mapping
from typing import Any

from deployer.errors import DeployerError
from deployer.heat import redaction

NAMES = ("trees", "units", "disk", "run", "number", "wait")  # of a request: paths, units and numbers of ours
CLOCKS = ("sent", "received")  # of a reply, whose seconds are told beside it
SENTENCES = ("busy", "refused", "problems", "again")  # of a reply: words for people
LONGEST = 2000  # characters of a sentence


def of_request(request: Mapping[str, Any]) -> dict[str, Any]:
    """Return what a request is about: the steps by their sentences, paths and units, names of programs, its size."""
    shown = {name: request[name] for name in NAMES if name in request and not isinstance(request[name], Mapping)}
    steps = [str(step.get("description") or step.get("do", "")) for step in request.get("steps", ())]
    programs = list(request.get("programs", ()))
    return shown | ({"steps": steps} if steps else {}) | ({"programs": programs} if programs else {}) | _size(request)


def of_reply(reply: Any, known: Iterable[str]) -> dict[str, Any]:
    """Return what a reply says: whether it failed and why, the seconds of each step, counts of all else, its size.

    `known` are the secrets; texts that are no words for people are counted as well.
    """
    held = frozenset(known)
    if isinstance(reply, DeployerError):
        return {"error": _redacted(reply.message, held)}
    return {name: _value(name, each, held) for name, each in reply.items() if name not in CLOCKS} | _size(reply)


def _value(name: str, value: Any, known: frozenset[str]) -> Any:
    if name == "failed" and value:
        return {"index": value["index"], "why": _redacted(value["why"], known)}
    if name == "seconds":
        return [float(each) for each in value]
    if name in SENTENCES and value:
        return [_redacted(str(each), known) for each in (value if isinstance(value, list) else [value])]
    if value is None or isinstance(value, bool | int | float):
        return value
    return f"{len(value)} {'characters' if isinstance(value, str) else 'entries'}"


def _redacted(text: str, known: frozenset[str]) -> str:
    return redaction.redact(text, known)[:LONGEST]


def _size(message: Mapping[str, Any]) -> dict[str, int]:
    return {"bytes": len(json.dumps(message, default=str))}
