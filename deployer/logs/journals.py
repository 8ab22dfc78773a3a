"""Ask the hosts for what their journals hold of the site: one request and one reply a host."""

from collections.abc import Mapping
from dataclasses import dataclass

from deployer.errors import DeployerError, HostFailed
from deployer.heat.known_secrets import LIKE_HEAT_CONF
from deployer.inventory.schema import Inventory
from deployer.logs import merge
from deployer.logs.merge import LogEntry
from deployer.logs.query import LogQuery
from deployer.model.events import Level
from deployer.model.state import NOTHING
from deployer.model.wire import Reply, Request
from deployer.observed.observe import LEDGER, clock_skew
from deployer.remote.fleet import Fleet

READ_TIMEOUT = 10.0  # seconds that a host may read its journal
LOGS_TIMEOUT = 20.0  # seconds for a host to answer
MOST_CHARACTERS = 2**20  # of a host in one reply
MOST_FOLLOWED = 1000  # lines of a host in one reply that goes on from an earlier one
MOST_SKEW = 1.0  # seconds by which a host's clock may be off without a word
CUT = {
    "lines": "older lines are left out: --lines has more of them",
    "size": f"older lines are left out: {MOST_CHARACTERS >> 20} MiB of a host are shown at most",
    "seconds": f"older lines are left out: the journal was read for {READ_TIMEOUT:.0f} s; --since has it read less",
}


@dataclass(frozen=True)
class Position:
    """Up to where the journal of a host was read: its cursor or, where it had no entry, a time.

    `units`: what else than units of ours was read; the same must be, for a cursor to count.
    """

    cursor: str | None
    since: str
    units: tuple[str, ...]


@dataclass(frozen=True)
class Logs:
    """Entries of all hosts by time, up to where each host was read, and the error of each that was not.

    `cut`: host -> the limit that was met; after a cursor the next request brings what is missing. `skew`: host -> the
    seconds that its clock is ahead of ours.
    """

    entries: tuple[LogEntry, ...]
    positions: Mapping[str, Position]
    errors: Mapping[str, DeployerError]
    cut: Mapping[str, str]
    skew: Mapping[str, float]

    @property
    def omissions(self) -> tuple[str, ...]:
        """Which hosts have more to show, and why it is not shown."""
        met = dict.fromkeys(self.cut.values())
        return tuple(f"{', '.join(host for host in self.cut if self.cut[host] == each)}: {CUT[each]}" for each in met)

    @property
    def wrong_clocks(self) -> tuple[str, ...]:
        """Which hosts' lines may stand at the wrong place."""
        off = {host: seconds for host, seconds in self.skew.items() if abs(seconds) > MOST_SKEW}
        return tuple(
            f"{host}: its clock is {abs(seconds):.1f} s {'ahead' if seconds > 0 else 'behind'}, and so are its lines"
            for host, seconds in off.items()
        )


def read(inventory: Inventory, fleet: Fleet, query: LogQuery, positions: Mapping[str, Position] = NOTHING) -> Logs:
    """Read the journals of a query's hosts, each from its position if it has one, else the newest entries."""
    requests = {host: _request(inventory, host, query, positions.get(host)) for host in query.hosts}
    replies = {
        host: _or_failed(host, reply)
        for host, reply in fleet.ask("read journals", "logs", requests, LOGS_TIMEOUT, Level.VERBOSE).items()
    }
    read_hosts = {host: reply for host, reply in replies.items() if not isinstance(reply, DeployerError)}
    return Logs(
        merge.merged({host: reply["entries"] for host, reply in read_hosts.items()}, query.grep),
        {host: _position(reply, positions.get(host)) for host, reply in read_hosts.items()},
        {host: reply for host, reply in replies.items() if isinstance(reply, DeployerError)},
        {host: reply["cut"] for host, reply in read_hosts.items() if reply["cut"]},
        {host: clock_skew(reply) for host, reply in read_hosts.items()},
    )


def _request(inventory: Inventory, host: str, query: LogQuery, position: Position | None) -> Request:
    return {
        "units": [*query.units, *(position.units if position else ())],
        "programs": [] if position else list(query.programs),
        "since": position.since if position else query.since,
        "after": position.cursor if position else None,
        "lines": MOST_FOLLOWED if position else query.lines,
        "grep": query.grep,
        "size": MOST_CHARACTERS,
        "seconds": READ_TIMEOUT,
        "configuration": {
            "folders": [inventory.heat_of(host).config_dir],
            "endings": list(LIKE_HEAT_CONF),
            "ledger": LEDGER,
        },
    }


def _or_failed(host: str, reply: Reply | DeployerError) -> Reply | DeployerError:
    if isinstance(reply, DeployerError) or not reply["failed"]:
        return reply
    return HostFailed(host, reply["failed"])


def _position(reply: Reply, before: Position | None) -> Position:
    if before:
        return Position(reply["cursor"] or before.cursor, before.since, before.units)
    return Position(reply["cursor"], f"@{int(reply['clock'])}", tuple(reply["units"]))
