"""One server of the proxy as a line of its configuration: how it is written, and how it is read back. Pure."""

from collections.abc import Iterable, Mapping
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


@dataclass(frozen=True)
class PlacedServer:
    """A server and the section that it is in."""

    section: str
    server: ServerLine


def by_address(text: str) -> dict[str, PlacedServer]:
    """Given a configuration, return address -> the server there and its section."""
    placed, section = {}, ""
    for line in text.splitlines():
        section = _section_of(line) or section
        if server := parse(line):
            placed[server.address] = PlacedServer(section, server)
    return placed


def options_by_address(text: str) -> dict[str, str]:
    """Given a configuration, return address -> the TLS options of the server there, "" for plain HTTP."""
    return {address: placed.server.tls for address, placed in by_address(text).items()}


def with_options(text: str, changed: Mapping[str, str]) -> tuple[str, str]:
    """Return a configuration with other TLS options for the servers at some addresses, and its digest."""
    placed = {address: each for address, each in by_address(text).items() if address in changed}
    servers = {address: replace(each.server, tls=changed[address]) for address, each in placed.items()}
    return with_servers(text, {address: PlacedServer(placed[address].section, servers[address]) for address in servers})


def with_servers(text: str, changed: Mapping[str, PlacedServer]) -> tuple[str, str]:
    """Return a configuration with other servers at some addresses, and its digest.

    One that stays in its section stays in its line; one that is new there comes after the others.
    """
    now = by_address(text)
    moved = [new for address, new in changed.items() if address not in now or now[address].section != new.section]
    lines: list[str] = []
    section = ""
    for line in text.splitlines(keepends=True):
        if _section_of(line):
            lines, section = _with_added(lines, section, moved), _section_of(line)
        lines += _changed_line(line, section, changed)
    return config_digest.signed("".join(_with_added(lines, section, moved)))


def _section_of(line: str) -> str:
    """The name of the section that begins with a line, else ""."""
    words = line.split()
    return words[1] if words[:1] == ["listen"] and not line[:1].isspace() else ""


def _with_added(lines: list[str], section: str, moved: Iterable[PlacedServer]) -> list[str]:
    """The lines up to the end of a section with those servers that are new in it, before the empty lines there."""
    end = len(lines)
    while end and not lines[end - 1].strip():
        end -= 1
    return [*lines[:end], *(f"    {render(new.server)}\n" for new in moved if new.section == section), *lines[end:]]


def _changed_line(line: str, section: str, changed: Mapping[str, PlacedServer]) -> list[str]:
    """A line as it is to be, or nothing for a server that is to be in another section."""
    old = parse(line)
    if old is None or old.address not in changed:
        return [line]
    new = changed[old.address]
    return [line.replace(line.strip(), render(new.server))] if new.section == section else []
