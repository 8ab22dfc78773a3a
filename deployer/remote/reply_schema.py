"""What each verb of the agent answers: the shape of its reply, and what it may say given what was asked. Pure."""

import functools
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from pydantic_core import SchemaValidator
from pydantic_core import core_schema as schema
from pydantic_core.core_schema import CoreSchema

from deployer.model.wire import Json, Reply, Request
from deployer.remote import reply_values as value
from deployer.remote.reply_values import by, many, or_none, record, whole

LONGEST_VERSION = 4  # numbers in that of Python
LATEST = 253_402_300_799 * 10**6  # microseconds: the end of the year 9999


def validator(verb: str) -> SchemaValidator:
    """What checks the shape of a reply to a verb."""
    return _validators()[verb]()


@functools.cache
def _validators() -> dict[str, Callable[[], SchemaValidator]]:
    """One a verb, built when it is needed for the first time."""
    return {verb: functools.cache(functools.partial(_built, build)) for verb, build in SHAPES.items()}


def _built(build: Callable[[], CoreSchema]) -> SchemaValidator:
    return SchemaValidator(build())


def objections(verb: str, request: Request, reply: Reply) -> Iterator[str]:
    """What a reply of the right shape says beyond what was asked."""
    check = ASKED.get(verb)
    if check and "busy" not in reply:
        yield from check(request, reply)


def _process() -> dict[str, CoreSchema]:
    return {"pid": value.PID, "program": value.NAME, "unit": value.OR_NO_UNIT, "argv": many(value.NAME)}


def _observed() -> dict[str, CoreSchema]:
    file = record(
        {"content": value.CONTENT},
        digest=value.DIGEST_TEXT,
        owner=value.ACCOUNT,
        group=value.ACCOUNT,
        mode=whole(0, 0o7777),
    )
    unit = record(
        active=value.STATE_WORD,
        sub=value.STATE_WORD,
        enabled=value.FLAG,
        pid=value.PID,
        stale=value.FLAG,
        restarts=whole(0, 2**32),
    )
    return {
        "python": many(whole(0, 1000), LONGEST_VERSION),
        "hostname": value.NAME,
        "clock": value.CLOCK,
        "cpus": whole(1, 2**16),
        "uid": whole(0, 2**32),
        "systemd": value.FLAG,
        "files": by(value.PATH, file),
        "globs": by(value.TEXT, many(value.PATH)),
        "texts": by(value.PATH, value.PROSE),
        "units": by(value.UNIT_NAME, unit),
        "listeners": many(record(_process(), address=value.ADDRESS, port=value.PORT)),
        "processes": many(record(**_process())),
        "replies": by(value.TEXT, or_none(value.TEXT)),
        "free": by(value.TEXT, value.BYTES),
        "accounts": by(value.TEXT, or_none(whole(0, 2**32))),
        "at_work": or_none(value.PROSE),
        "ledger": _ledger(),
        "newest": _or_empty(_run({"doing": or_none(value.NAME)})),
        "certificates": by(value.TEXT, _certificate()),
        "answers": by(value.TEXT, record(printed=value.TEXT, why=or_none(value.PROSE))),
    }


def _observe() -> CoreSchema:
    return _or_busy(record(**_observed()))


def _watch() -> CoreSchema:
    used = record(cpu=value.SECONDS, memory=value.BYTES)
    usage = record(at=value.SECONDS, units=by(value.UNIT_NAME, used))
    return _or_busy(record(**_observed(), usage=usage))


def _ledger() -> CoreSchema:
    stopped = record(
        unit=value.OR_NO_UNIT, argv=many(value.NAME), address=value.ADDRESS, port=value.PORT, enabled=value.FLAG
    )
    files = by(value.PATH, record(original=or_none(value.PATH)))
    return record(files=files, folders=many(value.PATH), stopped=many(stopped))


def _certificate() -> CoreSchema:
    return record(
        why=or_none(value.PROSE), names=many(value.NAME), left=or_none(value.CLOCK), digest=value.OR_NO_DIGEST
    )


def _run(more: Mapping[str, CoreSchema] | None = None) -> CoreSchema:
    """A run as the hosts keep it; those of older versions lack fields."""
    names = dict.fromkeys(("command", "who", "at", "tool", "inventory"), value.NAME)
    return record(
        {**names, "text": value.TEXT, "hosts": many(value.NAME), **(more or {})},
        number=value.GENERATION,
        result=or_none(value.NAME),
    )


def _measure() -> CoreSchema:
    held = record(processes=whole(0, 2**22), memory=value.BYTES)
    return record(available=or_none(value.BYTES), most_files=or_none(value.BYTES), units=by(value.UNIT_NAME, held))


def _logs() -> CoreSchema:
    entry = record(
        time=whole(0, LATEST),
        unit=value.NAME,
        pid=or_none(value.BYTES),
        priority=or_none(value.BYTES),
        message=value.PROSE,
    )
    return record(
        entries=many(entry),
        cursor=or_none(value.NAME),
        cut=or_none(schema.literal_schema(["lines", "size", "seconds"])),
        failed=or_none(value.PROSE),
        units=many(value.UNIT_NAME),
        clock=value.CLOCK,
        files=by(value.PATH, record(content=value.CONTENT)),
    )


def _perform() -> CoreSchema:
    failed = record({"again": value.FLAG}, index=whole(0, 10**6), why=value.PROSE)
    return record(done=many(value.TEXT), failed=or_none(failed), seconds=many(value.SECONDS))


def _lock() -> CoreSchema:
    names = dict.fromkeys(("id", "owner", "host", "command", "since"), value.NAME)
    holder = _or_empty(record(**names, pid=value.PID, holder=value.PID))
    return _one_of(
        held=record(held=holder),
        ended=record(ended=holder, held_by=holder),
        held_by=record(held_by=holder),
        refused=record(refused=value.PROSE),
    )


def _stage() -> CoreSchema:
    return record(problems=many(value.PROSE))


def _recall() -> CoreSchema:
    file = record(
        digest=value.DIGEST_TEXT,
        owner=value.ACCOUNT,
        group=value.ACCOUNT,
        mode=whole(0, 0o7777),
        check=many(value.TEXT),
        only=or_none(schema.literal_schema(["api", "cfn", "engine", "proxy"])),
        content=value.CONTENT,
    )
    http = _answers_http()
    unit = record(
        {"started_with": or_none(value.NAME)},  # those of older versions lack it
        **dict.fromkeys(("running", "enabled", "secure", "drained"), value.FLAG),
        config=or_none(value.NAME),
        ready=or_none(_probe(http)),
        reached=or_none(http),  # tried on the proxy's host: no program of another host's choice runs there
        needs=many(schema.tuple_schema([value.ADDRESS, value.PORT])),
        reads=many(value.FOLDER_OR_FILE),
    )
    state = record(files=by(value.PATH, file), units=by(value.UNIT_NAME, unit))
    return record(runs=many(_run()), state=or_none(state))


def _answers_http() -> CoreSchema:
    return record(
        kind=schema.literal_schema(["AnswersHttp"]),
        timeout=value.SECONDS,
        address=value.ADDRESS,
        port=value.PORT,
        path=value.URL,
        expect=many(whole(100, 599)),
        secure=value.FLAG,
        trust=or_none(record(name=value.TLS_NAME, ca=value.PATH)),
    )


def _probe(http: CoreSchema) -> CoreSchema:
    socket = record(
        kind=schema.literal_schema(["AnswersSocket"]),
        timeout=value.SECONDS,
        socket=value.PATH,
        send=value.TEXT,
        contains=value.TEXT,
    )
    program = record(
        kind=schema.literal_schema(["Program"]),
        timeout=value.SECONDS,
        argv=many(value.TEXT),
        stdin=value.TEXT,
        busy_timeout=value.SECONDS,
    )
    return schema.tagged_union_schema(
        {"AnswersHttp": http, "AnswersSocket": socket, "Program": program}, discriminator="kind"
    )


def _or_busy(reply: CoreSchema) -> CoreSchema:
    return schema.tagged_union_schema(
        {"busy": record(busy=value.PROSE), "reply": reply},
        discriminator=lambda each: "busy" if isinstance(each, dict) and "busy" in each else "reply",
    )


def _or_empty(found: CoreSchema) -> CoreSchema:
    return schema.tagged_union_schema(
        {"empty": record(), "full": found}, discriminator=lambda each: "full" if each else "empty"
    )


def _one_of(**choices: CoreSchema) -> CoreSchema:
    """A record that is told from others by a field that it has; the first of them counts."""

    def chosen(each: Json) -> str | None:
        return next((name for name in choices if isinstance(each, dict) and name in each), None)

    return schema.tagged_union_schema(choices, discriminator=chosen)


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


def _perform_asked(request: Request, reply: Reply) -> Iterator[str]:
    steps, done, failed = len(request["steps"]), len(reply["done"]), reply["failed"]
    is_whole = done == steps if failed is None else failed["index"] == done < steps
    if not is_whole or len(reply["seconds"]) > steps:
        yield f"of {steps} steps it says that {done} are done"


def _logs_asked(request: Request, reply: Reply) -> Iterator[str]:
    if len(reply["entries"]) > request["lines"]:
        yield f"it has more than {request['lines']} lines"


SHAPES: Mapping[str, Callable[[], CoreSchema]] = {
    "observe": _observe,
    "watch": _watch,
    "measure": _measure,
    "logs": _logs,
    "perform": _perform,
    **dict.fromkeys(("acquire", "holder", "release"), _lock),
    "stage": _stage,
    "close": record,
    "recall": _recall,
}
ASKED: Mapping[str, Callable[[Request, Reply], Iterator[str]]] = {
    "observe": _observe_asked,
    "watch": _observe_asked,
    "measure": _measure_asked,
    "perform": _perform_asked,
    "logs": _logs_asked,
}
