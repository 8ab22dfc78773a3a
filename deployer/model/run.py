"""Commands that change the site: who asks for the lock and who holds it, and the numbered run of each."""

from dataclasses import asdict, dataclass, field
from typing import Any

MOST_GENERATIONS = 10**9  # of a site: no further one begins, and no host is believed to have more
DONE, FAILED, REVERTED, REFUSED = "done", "failed", "put back", "refused"  # as hosts have recorded them since 0.1


@dataclass(frozen=True)
class Author:
    """Who asks for a change, and from what: `who` is user@host, `at` UTC in ISO 8601, `tool` our version.

    `inventory` is the path of the file and `text` what it says once the change is accepted. Of a run that removes a
    host, `removed` is its name, and `former` is JSON of it and of all others that the file no longer names.
    """

    who: str = ""
    command: str = ""
    at: str = ""
    tool: str = ""
    inventory: str = ""
    text: str = field(default="", repr=False)
    former: str = field(default="", repr=False)
    removed: str = ""


UNKNOWN_AUTHOR = Author()


@dataclass(frozen=True)
class Writer:
    """Who asks for the lock: a user on a machine, with a command, its process and an id of its own."""

    id: str
    owner: str
    host: str
    pid: int
    command: str


@dataclass(frozen=True)
class Holder(Writer):
    """Who holds the lock, and since when by the clock of its host."""

    since: str

    def __str__(self) -> str:
        return f"{self.owner}@{self.host} (pid {self.pid}, since {self.since}, id {self.id}): {self.command}"


@dataclass(frozen=True)
class Run:
    """One numbered deploy; `result` is None while it has not ended."""

    number: int
    author: Author
    result: str | None = None

    def json(self) -> dict[str, Any]:
        """The run as the hosts keep it."""
        return {"number": self.number, **asdict(self.author), "result": self.result}
