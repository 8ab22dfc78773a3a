"""What stands in place of a host's words when nobody knows its secrets, and where on the host they are. Pure."""

from collections.abc import Iterator, Mapping

from deployer.errors import DeployerError, HostFailed
from deployer.heat import redaction
from deployer.model.wire import Json, Reply, Request

WITHHELD = "withheld, as no heat.conf could be read that says what is secret"


def instead_of(host: str, reply: Reply | DeployerError, request: Request) -> Reply | DeployerError:
    """Given what a host answered to a request, return it without its words."""
    if isinstance(reply, HostFailed):
        return HostFailed(host, reply.why, reply.hint, words=f"its words are {WITHHELD}") if reply.words else reply
    if isinstance(reply, DeployerError):
        return reply
    if redaction.has_log(reply):
        return HostFailed(
            host,
            "its journal is withheld: no heat.conf says what is secret, neither there nor on the source host",
            hint="`invoke preflight` says what the source host needs.",
        )
    sentence = f"its words are {WITHHELD}; {_where(host, reply, request)}"
    return redaction.replace_messages(_without_reason(reply, sentence), sentence)


def _without_reason(reply: Reply, sentence: str) -> Reply:
    """The reason of a failed step goes even where it is a single word."""
    failed = reply.get("failed")
    return {**reply, "failed": {**failed, "why": sentence}} if isinstance(failed, Mapping) else reply


def _where(host: str, reply: Reply, request: Request) -> str:
    """Where root finds on the host what the words were about: the journal of the failed step's units, or its file."""
    failed, steps = reply.get("failed"), request.get("steps", ())
    step = steps[failed["index"]] if isinstance(failed, Mapping) and failed["index"] < len(steps) else {}
    units = sorted({text for text in _texts(step) if text.endswith(".service")})
    if units:
        return f"see `journalctl {' '.join(f'-u {unit}' for unit in units)}` on {host}"
    if "path" in step:
        return f"see {step['path']} on {host}"
    return f"see `journalctl --priority warning` on {host}"


def _texts(value: Json) -> Iterator[str]:
    parts = value.values() if isinstance(value, Mapping) else value if isinstance(value, list | tuple) else ()
    yield from ([value] if isinstance(value, str) else ())
    for part in parts:
        yield from _texts(part)
