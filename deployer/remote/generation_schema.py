"""The state of a generation as a host has kept it, in the reply to `recall`: its shape and bounds. Pure."""

from pydantic_core import core_schema as schema
from pydantic_core.core_schema import CoreSchema

from deployer.remote import reply_values as value
from deployer.remote.reply_values import by, many, or_none, record, whole

MOST_CONNECTIONS = 2**16


def recalled(runs: CoreSchema) -> CoreSchema:
    """What `recall` answers, given the shape of the runs in it."""
    file = record(
        digest=value.DIGEST_TEXT,
        owner=value.ACCOUNT,
        group=value.ACCOUNT,
        mode=whole(0, 0o7777),
        check=many(value.TEXT),
        only=or_none(schema.literal_schema(["api", "cfn", "engine", "proxy"])),
        content=value.CONTENT,
    )
    http, program = _answers_http(), _program()
    unit = record(
        {"started_with": or_none(value.NAME), "answers": or_none(program)},  # those of older versions lack them
        running=value.FLAG,
        enabled=value.FLAG,
        config=or_none(value.NAME),
        ready=or_none(_probe(http, program)),
        reached=or_none(http),  # tried on the proxy's host: no program of another host's choice runs there
        secure=value.FLAG,
        needs=many(schema.tuple_schema([value.ADDRESS, value.PORT])),
        reads=many(value.FOLDER_OR_FILE),
        drained=value.FLAG,
    )
    state = record(files=by(value.PATH, file), units=by(value.UNIT_NAME, unit))
    return record(runs=runs, state=or_none(state))


def _answers_http() -> CoreSchema:
    warm_up = {"warm_up_paths": many(value.URL), "warm_up_connections": whole(0, MOST_CONNECTIONS)}
    return record(
        warm_up,  # older generations have none
        kind=schema.literal_schema(["AnswersHttp"]),
        timeout=value.SECONDS,
        address=value.ADDRESS,
        port=value.PORT,
        path=value.URL,
        expect=many(whole(100, 599)),
        secure=value.FLAG,
        trust=or_none(record(name=value.TLS_NAME, ca=value.PATH)),
    )


def _program() -> CoreSchema:
    return record(
        {"busy_timeout": value.SECONDS, "interval": value.SECONDS},
        kind=schema.literal_schema(["Program"]),
        timeout=value.SECONDS,
        argv=many(value.TEXT),
        stdin=value.TEXT,
    )


def _probe(http: CoreSchema, program: CoreSchema) -> CoreSchema:
    socket = record(
        kind=schema.literal_schema(["AnswersSocket"]),
        timeout=value.SECONDS,
        socket=value.PATH,
        send=value.TEXT,
        contains=value.TEXT,
    )
    return schema.tagged_union_schema(
        {"AnswersHttp": http, "AnswersSocket": socket, "Program": program}, discriminator="kind"
    )
