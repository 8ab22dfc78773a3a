"""What a reply of the right shape may say, given what was asked. Pure."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from deployer.model.wire import Reply, Request
from deployer.remote import reply_values as value


def objections(verb: str, request: Request, reply: Reply) -> Iterator[str]:
    """What a reply of the right shape says beyond what was asked."""
    check = ASKED.get(verb)
    if check and "busy" not in reply:
        yield from check(request, reply)


def _observe_asked(request: Request, reply: Reply) -> Iterator[str]:
    trees, carry = request.get("trees", ()), tuple(request.get("carry", ()))
    for path, each in reply["files"].items():
        if not value.is_inside(path, trees):
            yield f"{path} is in no folder that was asked for"
        if any(folder in reply["files"] for folder in value.above(path)):
            yield f"{path} is below a file"
        if "content" in each and not (path.startswith(carry) and value.has_digest(each["content"], each["digest"])):
            yield f"the content of {path} was not asked for, or is another than its digest says"
    yield from _not_like("texts", reply["texts"], request.get("texts", ()))
    yield from _not_like("units", reply["units"], request.get("units", ()))
    for name, paths in reply["globs"].items():
        yield from _not_like("globs", paths, request.get("globs", {}).get(name, ()))
    asked = {"accounts": "accounts", "free": "disk", "replies": "ask", "certificates": "certificates"}
    for field, key in {**asked, "answers": "programs", "globs": "globs"}.items():
        if set(reply[field]) != set(request.get(key, ())):
            yield f"{field} are others than those that were asked for"


def _not_like(field: str, found: Any, patterns: Any) -> Iterator[str]:
    yield from (f"{each} was not asked for ({field})" for each in found if not value.is_like(each, patterns))


def _measure_asked(request: Request, reply: Reply) -> Iterator[str]:
    yield from _not_like("units", reply["units"], request.get("units", ()))
    if set(reply["answers"]) != set(request.get("programs", ())):
        yield "answers are others than those that were asked for"


def _perform_asked(request: Request, reply: Reply) -> Iterator[str]:
    steps, done, failed = len(request["steps"]), len(reply["done"]), reply["failed"]
    is_whole = done == steps if failed is None else failed["index"] == done < steps
    if not is_whole or len(reply["seconds"]) > steps:
        yield f"of {steps} steps it says that {done} are done"


def _logs_asked(request: Request, reply: Reply) -> Iterator[str]:
    if len(reply["entries"]) > request["lines"]:
        yield f"it has more than {request['lines']} lines"


ASKED: Mapping[str, Callable[[Request, Reply], Iterator[str]]] = {
    "observe": _observe_asked,
    "watch": _observe_asked,
    "measure": _measure_asked,
    "perform": _perform_asked,
    "logs": _logs_asked,
}
