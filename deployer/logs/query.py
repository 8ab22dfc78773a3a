"""What is asked of the journals: of which hosts and services, since when, with which text."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, time, timedelta

from deployer.errors import BadInput
from deployer.model import names
from deployer.model.service import Service

MOST_LINES = 10_000  # of a host
UNITS = {
    **{each: f"{names.PREFIX}{each}@*" for each in (Service.API, Service.CFN, Service.ENGINE)},
    Service.PROXY: names.unit_name(Service.PROXY),
}
OWN_PROGRAMS = ("heat-engine",)  # a host's own engines belong to the site, as `status` shows them
SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86400, "w": 604800}
PART = re.compile(r"(\d+)([smhdw])")
AGO = re.compile(rf"(?:{PART.pattern})+")
LONGEST = timedelta(days=36500)
ACCEPTED = "30s, 10m, 2h, 1d, 1h30m, 17:00, 2026-11-21 or 2026-11-21 17:00"


@dataclass(frozen=True)
class LogQuery:
    """What is asked of the journals of some hosts.

    `service`: None for all. `since` is what journalctl takes, "" for any time. `grep`: a text that a message contains,
    in capitals or not. `lines`: how many of the newest of each host.
    """

    hosts: tuple[str, ...]
    service: Service | None = None
    since: str = ""
    grep: str = ""
    lines: int = 100

    @property
    def units(self) -> tuple[str, ...]:
        """Patterns of the units of ours."""
        return (UNITS[self.service],) if self.service else tuple(UNITS.values())

    @property
    def programs(self) -> tuple[str, ...]:
        """Programs whose units count beside ours."""
        return OWN_PROGRAMS if self.service in (None, Service.ENGINE) else ()


def service_of(text: str) -> Service | None:
    """The service of a --service, None for ""; raise BadInput for one that does not exist."""
    if text and text not in list(Service):
        raise BadInput(f"--service takes {', '.join(Service)}, not {text!r}")
    return Service(text) if text else None


def lines_of(number: int) -> int:
    """The number of a --lines; raise BadInput for one that is out of bounds."""
    if not 1 <= number <= MOST_LINES:
        raise BadInput(f"--lines takes a number from 1 to {MOST_LINES}, not {number}")
    return number


def since_of(text: str, now: datetime) -> str:
    """Given a --since and the time now, return what journalctl takes: seconds ago, or seconds since the epoch.

    A span counts back from the clock of each host; a date or a time of day without a zone is one of this machine's.
    Raise BadInput for anything else, and for a time that is still to come.
    """
    if not text:
        return ""
    if AGO.fullmatch(text):
        return f"-{_seconds(PART.findall(text))}s"
    then = _moment(text, now)
    if then is None:
        raise BadInput(f"--since takes {ACCEPTED}, not {text!r}")
    if then > now:
        raise BadInput(f"--since {text}: this time is still to come")
    return f"@{max(0, int(then.timestamp()))}"


def _seconds(parts: Sequence[tuple[str, str]]) -> int:
    seconds = sum(int(number) * SECONDS[unit] for number, unit in parts)
    if seconds > LONGEST.total_seconds():
        raise BadInput(f"--since takes at most {LONGEST.days} days")
    return seconds


def _moment(text: str, now: datetime) -> datetime | None:
    """A date, a date and time, or a time of today; None for any other text."""
    try:
        return datetime.fromisoformat(text).astimezone()
    except ValueError:
        return _today(text, now)


def _today(text: str, now: datetime) -> datetime | None:
    try:
        return datetime.combine(now, time.fromisoformat(text)).astimezone() if ":" in text else None
    except ValueError:
        return None
