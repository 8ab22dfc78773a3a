"""What each verb of the agent answers: the shape of its reply. Pure."""

import functools
from collections.abc import Callable, Mapping

from pydantic_core import SchemaValidator
from pydantic_core import core_schema as schema
from pydantic_core.core_schema import CoreSchema

from deployer.model.run import Author
from deployer.model.wire import Json
from deployer.remote import generation_schema
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
        masked=value.FLAG,
        drop_ins=many(value.PATH),
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
        "answers": _answers(),
        "resources": or_none(_measure()),
    }


def _answers() -> CoreSchema:
    """What programs printed that were run meanwhile, and why one failed."""
    return by(value.TEXT, record(printed=value.TEXT, why=or_none(value.PROSE)))


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
    names = dict.fromkeys(Author.__dataclass_fields__, value.NAME)
    texts = dict.fromkeys(("text", "former"), value.TEXT)
    return record(
        {**names, **texts, "hosts": many(value.NAME), **(more or {})},
        number=value.GENERATION,
        result=or_none(value.NAME),
    )


def _measure() -> CoreSchema:
    held = record(processes=whole(0, 2**22), memory=value.BYTES)
    return record(
        available=or_none(value.BYTES),
        most_files=or_none(value.BYTES),
        units=by(value.UNIT_NAME, held),
        answers=_answers(),
    )


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


SHAPES: Mapping[str, Callable[[], CoreSchema]] = {
    "observe": _observe,
    "watch": _watch,
    "measure": _measure,
    "logs": _logs,
    "perform": _perform,
    **dict.fromkeys(("acquire", "holder", "release"), _lock),
    "stage": _stage,
    "close": record,
    "recall": lambda: generation_schema.recalled(many(_run())),
}
