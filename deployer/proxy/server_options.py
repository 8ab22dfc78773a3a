"""One server of the proxy as a line of its configuration: how it is written, and how it is read back. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

from deployer.model.tls import Trust
from deployer.proxy import config_digest

DRAINED = ["weight", "0"]  # as HAProxy has it: the server is checked and gets no new requests


@dataclass(frozen=True)
class ServerLine:
    """`address` is address:port, `tls` what `tls_options` makes, `drained` whether the server gets no requests."""

    name: str
    address: str
    tls: str = ""
    drained: bool = False


def tls_options(trust: Trust | None) -> str:
    """The options with which the proxy speaks to a server: TLS with what it must prove, or "" for plain HTTP.

    HAProxy compares names alone, never the addresses of a certificate; without SNI, `verifyhost` is the name.
    """
    return f"ssl ssl-min-ver TLSv1.2 verify required ca-file {trust.ca} verifyhost {trust.name}" if trust else ""


def render(server: ServerLine) -> str:
    """The server's line, without its indentation."""
    words = ["server", server.name, server.address, "check", server.tls, *(DRAINED if server.drained else [])]
    return " ".join(word for word in words if word)


def parse(line: str) -> ServerLine | None:
    """What `render` made a line of, whatever its indentation; None for any other line."""
    match line.split():
        case ["server", name, address, "check", *options]:
            drained = options[-2:] == DRAINED
            tls = options[:-2] if drained else options
            return ServerLine(name, address, " ".join(tls), drained) if tls[:1] in ([], ["ssl"]) else None
    return None


def options_by_address(text: str) -> dict[str, str]:
    """Given a configuration, return address -> the TLS options of the server there, "" for plain HTTP."""
    return {server.address: server.tls for server in map(parse, text.splitlines()) if server}


def with_options(text: str, changed: Mapping[str, str]) -> tuple[str, str]:
    """Return a configuration with other TLS options for the servers at some addresses, and its digest."""
    lines = (_with_options(line, changed) for line in text.splitlines(keepends=True))
    return config_digest.signed("".join(lines))


def _with_options(line: str, changed: Mapping[str, str]) -> str:
    server = parse(line)
    if server is None or server.address not in changed:
        return line
    old = line.strip()
    return line.replace(old, render(replace(server, tls=changed[server.address])))
