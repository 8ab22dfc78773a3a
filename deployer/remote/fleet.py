"""Many hosts at once: one connection a host, kept for the length of a command, and every host's answer or error."""

import contextlib
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Protocol

from deployer import errors
from deployer.model import Host

MOST_AT_ONCE = 32
Say = Callable[[str, str], None]


class Fleet(Protocol):
    """What the stages need of the hosts; tests put hosts in memory behind it."""

    def ask(self, verb: str, requests: Mapping[str, Mapping[str, Any]], timeout: float) -> dict[str, Any]:
        """Ask many hosts at once: host -> reply, or the DeployerError that stands in its place."""


class SshFleet:
    """Hosts reached over SSH. Connections are opened on first use, in parallel, and closed by `close`."""

    def __init__(self, hosts: Mapping[str, Host]) -> None:
        self._hosts = hosts
        self._connections: dict[str, Any] = {}
        self._pool = ThreadPoolExecutor(max_workers=min(MOST_AT_ONCE, max(1, len(hosts))))

    def ask(self, verb: str, requests: Mapping[str, Mapping[str, Any]], timeout: float) -> dict[str, Any]:
        """Send each host its request; a host that fails has its error as its answer and does not hide the others."""
        futures = {name: self._pool.submit(self._ask_one, name, verb, request, timeout)
                   for name, request in requests.items()}
        return {name: _answer(future) for name, future in futures.items()}

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
def over_ssh(hosts: Mapping[str, Host]) -> Iterator[SshFleet]:
    """A fleet for the length of a `with`; its connections are closed whatever happens."""
    fleet = SshFleet(hosts)
    try:
        yield fleet
    finally:
        fleet.close()
