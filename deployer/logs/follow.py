"""Which hosts are asked again when new lines are waited for, and what to say of one that is lost. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from deployer.errors import DeployerError
from deployer.logs.journals import Logs, Position

FIRST_RETRY, LAST_RETRY = 5.0, 60.0  # seconds until a lost host is tried again: each time twice as many


@dataclass(frozen=True)
class Lost:
    """A host that does not answer: when it is tried next, and after how many seconds the time after that."""

    retry_at: float
    delay: float


@dataclass(frozen=True)
class Following:
    """Up to where each host was read, and the hosts that do not answer."""

    positions: Mapping[str, Position] = field(default_factory=dict)
    lost: Mapping[str, Lost] = field(default_factory=dict)


def due(following: Following, hosts: Sequence[str], now: float) -> tuple[str, ...]:
    """The hosts to ask now; a lost one delays the lines of all others, so that it is asked less often."""
    return tuple(host for host in hosts if host not in following.lost or following.lost[host].retry_at <= now)


def advanced(following: Following, logs: Logs, now: float) -> Following:
    """The same once some hosts were asked, given what came of it."""
    still = {host: each for host, each in following.lost.items() if host not in logs.positions}
    failed = {host: _lost(following.lost.get(host), now) for host in logs.errors}
    return Following({**following.positions, **logs.positions}, {**still, **failed})


def has_more(following: Following, logs: Logs) -> bool:
    """Whether a host has more lines to show at once, given what it was asked from."""
    return any(host in following.positions for host in logs.cut)


def messages(following: Following, logs: Logs) -> tuple[str, ...]:
    """What to say of hosts that are lost since, and of those that answer again."""
    lost = [_lost_message(error) for host, error in logs.errors.items() if host not in following.lost]
    return (*lost, *(f"note: {host} answers again" for host in logs.positions if host in following.lost))


def _lost(before: Lost | None, now: float) -> Lost:
    delay = min(before.delay * 2, LAST_RETRY) if before else FIRST_RETRY
    return Lost(now + delay, delay)


def _lost_message(error: DeployerError) -> str:
    return f"error: {error.message}; it is tried again"
