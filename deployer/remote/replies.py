"""The one place where replies of hosts enter: one that is not what its verb answers is an error of its host. Pure."""

import json
from collections.abc import Mapping
from typing import Never

from pydantic_core import SchemaValidator, ValidationError

from deployer.errors import HostFailed
from deployer.model import printable
from deployer.model.wire import Json, Reply, Request
from deployer.remote import reply_schema, reply_subjects

LONGEST_REPLY = 16 * 2**20  # bytes: the configuration of a host, or ten thousand lines of its journal, are less
LONGEST_PLACE = 300  # characters of where in a reply something is wrong
NO_JSON = "Run the same command again; if it ends so again, report it."
NOT_OURS = (
    "Nothing of it was used. If no login profile or forced command answers for the agent, do not trust this host."
)


def read(host: str, verb: str, request: Request, printed: bytes) -> Reply:
    """The reply to a verb; raise HostFailed for what is no JSON, and for what `checked` refuses."""
    return checked(host, verb, request, parsed(host, verb, printed))


def parsed(host: str, verb: str, printed: bytes) -> Json:
    """What a host printed in answer to a verb; raise HostFailed for what is no JSON."""
    try:
        return parse(printed)
    except ValueError:
        raise HostFailed(host, f"its answer to `{verb}` is no JSON", hint=NO_JSON) from None


def checked(host: str, verb: str, request: Request, reply: Json) -> Reply:
    """A reply with nothing in it but what this verb answers; raise HostFailed for another shape or another subject."""
    try:
        found: Reply = in_shape(reply_schema.validator(verb), reply)
    except ValueError as error:
        raise _refused(host, verb, str(error)) from None
    for objection in reply_subjects.objections(verb, request, found):
        raise _refused(host, verb, objection)
    return found


def parse(text: bytes | str) -> Json:
    """What a text is in JSON; raise ValueError for any other text, and for one that is nested beyond reason."""
    try:
        return json.loads(text, parse_constant=_no_number)
    except RecursionError:
        raise ValueError("it is nested too deep") from None


def in_shape(validator: SchemaValidator, value: Json) -> Json:
    """A value as a schema has it; raise ValueError with where the first difference is, without the value."""
    try:
        return validator.validate_python(value)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False, include_context=False)[0]
        place = ".".join(str(each) for each in first["loc"] if each not in ("reply", "full", "[key]"))
        raise ValueError(f"{place}: {first['msg']}" if place else first["msg"]) from None


def with_clock(reply: Mapping[str, Json], sent: float, received: float) -> Reply:
    """A reply with our clock when it was asked for and when it came."""
    return {**reply, "sent": sent, "received": received}


def shown(why: str) -> str:
    """A reason as it may be shown: it may name a key that a host has made up."""
    return printable.in_one_line(why[:LONGEST_PLACE])


def _refused(host: str, verb: str, why: str) -> HostFailed:
    return HostFailed(host, f"its answer to `{verb}` is refused: {shown(why)}", hint=NOT_OURS)


def _no_number(constant: str) -> Never:
    raise ValueError(f"{constant} is no number of JSON")
