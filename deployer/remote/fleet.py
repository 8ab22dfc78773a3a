"""Many hosts at once: one connection a host, kept for the length of a command, and every host's answer or error."""

import contextlib
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from typing import Any, Protocol

from deployer import errors
from deployer.model import Host

MOST_AT_ONCE = 32


class Fleet(Protocol):
    """What the stages need of the hosts; tests put hosts in memory behind it."""

    def ask(self, title: str, verb: str, requests: Mapping[str, Mapping[str, Any]], timeout: float) -> dict[str, Any]:
        """Ask many hosts at once: host -> reply, or the DeployerError that stands in its place."""


class Progress(Protocol):
    """Who is told how far a request to many hosts has come."""

    def begin(self, title: str, hosts: Sequence[str]) -> None:
        """Some work begins on these hosts."""

    def done(self, host: str) -> None:
        """A host has answered, for better or worse."""

    def end(self) -> None:
        """Every host has answered."""


class Silent:
    """Progress that nobody watches."""

    def begin(self, title: str, hosts: Sequence[str]) -> None:
        pass

    def done(self, host: str) -> None:
        pass

    def end(self) -> None:
        pass


class SshFleet:
    """Hosts reached over SSH. Connections are opened on first use, in parallel, and closed by `close`."""

    def __init__(self, hosts: Mapping[str, Host], progress: Progress) -> None:
        self._hosts = hosts
        self._progress = progress
        self._connections: dict[str, Any] = {}
        self._pool = ThreadPoolExecutor(max_workers=min(MOST_AT_ONCE, max(1, len(hosts))))

    def ask(self, title: str, verb: str, requests: Mapping[str, Mapping[str, Any]], timeout: float) -> dict[str, Any]:
        """Send each host its request; a host that fails has its error as its answer and does not hide the others."""
        self._progress.begin(title, tuple(requests))
        futures = {self._pool.submit(self._ask_one, name, verb, request, timeout): name
                   for name, request in requests.items()}
        for future in as_completed(futures):
            self._progress.done(futures[future])
        self._progress.end()
        return {name: _answer(future) for future, name in futures.items()}

    def _ask_one(self, name: str, verb: str, request: Mapping[str, Any], timeout: float) -> dict:
        from deployer.remote import ssh  # Fabric takes 0.2 s to import: only commands that reach a host pay it

        if name not in self._connections:
            self._connections[name] = ssh.connect(self._hosts[name])
        return ssh.ask(self._connections[name], self._hosts[name], verb, request, timeout)

    def close(self) -> None:
        for connection in self._connections.values():
            connection.close()
        self._pool.shutdown(wait=False, cancel_futures=True)


def _answer(future) -> Any:
    try:
        return future.result()
    except errors.DeployerError as error:
        return error


@contextlib.contextmanager
def over_ssh(hosts: Mapping[str, Host], progress: Progress) -> Iterator[SshFleet]:
    """A fleet for the length of a `with`; its connections are closed whatever happens."""
    fleet = SshFleet(hosts, progress)
    try:
        yield fleet
    finally:
        fleet.close()
