"""What arrived, as the servers tell in the hosts' journals: every API's own line for each request, and the proxy's."""

import re
from collections import Counter
from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, field
from typing import Any

from benchmarks.load import requests
from benchmarks.load.samples import Sample
from lab import site

PROXY, JOURNAL = "heat-scaleout-proxy.service", "systemd-journald.service"
UNITS = ("heat-api.service", "heat-api-cfn.service", "heat-scaleout-api@*", "heat-scaleout-cfn@*", PROXY, JOURNAL)
LIMIT = 120.0  # seconds for a host to show its journal
# What a server writes when it has answered: `"POST /v1/ID/stacks HTTP/1.1" 401` (heat-api and HAProxy) or
# `POST /v1/ID/stacks => generated` (uWSGI). Heat's own lines about a request have neither.
ANSWERED = r"(?P<method>GET|POST) /[^ ]*?(?P<id>load-{run}-[0-9]+)[^ ]*( HTTP/1\.[01]\"| => generated)"


@dataclass
class Book:
    """How often each id was seen, at the APIs of all hosts and at the proxy, and the proxy's line for each."""

    run: str
    apis: Counter[str] = field(default_factory=Counter)
    proxy: Counter[str] = field(default_factory=Counter)
    lines: dict[str, str] = field(default_factory=dict)
    suppressed: list[str] = field(default_factory=list)

    def add(self, line: str) -> None:
        """Count a line of the journal, which names its unit; keep the proxy's, and what the journal left out."""
        if f" {JOURNAL}[" in line:
            self.suppressed += [line] * ("Suppressed" in line)
        elif not (found := answered(self.run, line)):
            return
        elif f" {PROXY}[" in line:
            self.proxy[found] += 1
            self.lines[found] = line
        else:
            self.apis[found] += 1


@dataclass(frozen=True)
class Arrived:
    """How the POSTs arrived: `lost` were answered as expected but are in no log, `twice` are there more than once."""

    posts: int
    once: int
    twice: tuple[str, ...]
    lost: tuple[str, ...]
    failed_but_arrived: tuple[str, ...]

    def json(self) -> dict[str, Any]:
        return asdict(self)


def answered(run: str, line: str) -> str:
    """The id in a line by which a server says that it has answered a request of this run; "" in any other."""
    found = re.search(ANSWERED.format(run=re.escape(run)), line)
    return found["id"] if found else ""


def judged(book: Book, samples: Iterable[Sample]) -> Arrived:
    """Compare what was sent with what the APIs saw."""
    posts = {requests.identity(book.run, each.number): each for each in samples if each.kind.method == "POST"}
    times = {identity: book.apis[identity] for identity in posts}
    return Arrived(
        posts=len(posts),
        once=sum(1 for seen in times.values() if seen == 1),
        twice=tuple(each for each, seen in times.items() if seen > 1),
        lost=tuple(each for each, seen in times.items() if not seen and not posts[each].failed),
        failed_but_arrived=tuple(each for each, seen in times.items() if seen and posts[each].failed),
    )


def collect(lab: site.Lab, book: Book) -> None:
    """Add what the journals have since the last time. Often enough, so that no journal is cut before it is read."""
    with ThreadPoolExecutor(len(lab.hosts)) as pool:
        for text in pool.map(lambda host: _since(lab, host, book.run), lab.hosts):
            for line in text.splitlines():
                book.add(line)


def _since(lab: site.Lab, host: str, run: str) -> str:
    """What the units wrote since the last look of this run; everything, the first time."""
    journal = [
        "sudo",
        "-n",
        "nice",
        "-n19",
        "journalctl",
        "--quiet",
        "--output=with-unit",
        f"--cursor-file=/run/load-{run}",
        *(f"--unit={unit}" for unit in UNITS),
    ]
    ran = site.run(lab, host, journal, timeout=LIMIT)
    if ran.returncode:
        raise OSError(f"{host}: its journal cannot be read: {ran.stderr[-300:]}")
    return ran.stdout


def proxy_lines(book: Book, failures: Iterable[Mapping[str, str]]) -> dict[str, str]:
    """What the proxy said of requests that failed: its line has the server and how the session ended."""
    return {each["id"]: book.lines.get(each["id"], "nothing") for each in failures}
