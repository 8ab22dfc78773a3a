"""What each program for Heat's Python prints: a host prints it and tenants name what it lists. Shapes, bounds. Pure."""

import functools
from collections.abc import Callable, Mapping

from pydantic_core import SchemaValidator
from pydantic_core import core_schema as schema
from pydantic_core.core_schema import CoreSchema

from deployer.model.wire import Json
from deployer.remote import replies
from deployer.remote import reply_values as value
from deployer.remote.reply_values import by, many, or_none, record, whole

MOST = 2**53  # of anything that is counted


def read(script: str, printed: str) -> Json:
    """What a script has printed; raise ValueError, with a sentence on the script, for anything else."""
    try:
        return replies.in_shape(_validator(script), replies.parse(printed))
    except ValueError as error:
        raise ValueError(f"the output of {script} is refused: {replies.shown(str(error))}") from None


@functools.cache
def _validator(script: str) -> SchemaValidator:
    return SchemaValidator(SHAPES[script]())


def _engine_view() -> CoreSchema:
    row = record(engine_id=value.NAME, host=value.NAME, hostname=value.NAME, up=value.FLAG, age=value.CLOCK)
    queue = schema.tuple_schema([whole(0, MOST), whole(0, MOST)])
    return record(rows=or_none(many(row)), queues=by(value.NAME, or_none(queue)), problems=many(value.PROSE))


def _resources_held() -> CoreSchema:
    return by(value.NAME, whole(0, MOST))


def _dead_workers() -> CoreSchema:
    return many(record(engine_id=value.NAME, host=value.NAME, held=many(value.NAME), queues=many(value.NAME)))


def _connection_limits() -> CoreSchema:
    counts = dict.fromkeys(("allowed", "most", "connected", "own", "pool", "overflow"), whole(-MOST, MOST))
    return record({**counts, "why": value.PROSE})


def _try_logins() -> CoreSchema:
    what = schema.literal_schema(["database", "broker", "Keystone", "catalogue"])
    return record(problems=many(record(what=what, where=value.NAME, why=value.PROSE)), bound=whole(0, MOST))


SHAPES: Mapping[str, Callable[[], CoreSchema]] = {
    "engine_view": _engine_view,
    "resources_held": _resources_held,
    "dead_workers": _dead_workers,
    "connection_limits": _connection_limits,
    "try_logins": _try_logins,
}
