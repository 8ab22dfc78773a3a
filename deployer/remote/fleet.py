"""Many hosts at once: one connection a host, kept for the length of a command, and every host's answer or error."""

import contextlib
import functools
import time
from collections.abc import Collection, Iterator, Mapping
from concurrent.futures import Future, as_completed
from typing import TYPE_CHECKING, Protocol

from deployer import errors
from deployer.model import lazy
from deployer.model.events import Handler, Level
from deployer.model.hosts import Host
from deployer.model.wire import Reply, Request
from deployer.remote import stage_events
from deployer.remote.daemon_threads import DaemonThreads
from deployer.remote.lease import Lease
from deployer.remote.step_lines import StepFinished

if TYPE_CHECKING:
    from deployer.remote import ssh, ssh_connection, ssh_keys
else:  # Fabric and Paramiko take 0.2 s: only commands that reach a host pay it
    ssh, ssh_connection, ssh_keys = lazy.modules("deployer.remote", ("ssh", "ssh_connection", "ssh_keys"))

MOST_AT_ONCE = 32
START_TIMEOUT = 20.0  # seconds for a host to start an agent ahead of its request
SILENT_TIMEOUT = 30.0  # seconds in which a host that gave no sign of life is not asked, and waited for, again
Replies = dict[str, Reply | errors.DeployerError]  # host -> its reply, or why there is none


class Connection(Protocol):
    """An open connection to a host; remote/ssh alone knows what else it can do."""

    def close(self) -> None:
        """End it."""


Connections = dict[str, Future[Connection]]  # host -> its connection, or the one that is being opened
Silent = dict[str, tuple[float, errors.HostSilent]]  # host -> when it was given up, and the error that says so


class Fleet(Protocol):
    """What the stages need of the hosts; tests put hosts in memory behind it."""

    def open(self, only: Collection[str] = (), lease_host: str = "", verb: str = "") -> None:
        """Begin to connect to every host, or to those of `only`, for who has something else to do meanwhile.

        `lease_host`: where a lock is going to be taken, if at all. `verb`: of the first request that each will get, for
        which its agent is started meanwhile.
        """

    def add_hosts(self, hosts: Mapping[str, Host]) -> None:
        """Have these hosts too, which are connected to when they are first asked."""

    def ask(
        self,
        title: str,
        verb: str,
        requests: Mapping[str, Request],
        timeout: float,
        level: Level = Level.INFO,
    ) -> Replies:
        """Ask many hosts at once: host -> reply, or the DeployerError that stands in its place.

        What changes hosts ("perform") is refused with Locked for all of them once a lease was lost. `level`: how much
        the stage of that title matters to people; VERBOSE for what every command does for a moment.
        """

    def acquire_lease(self, host: str, request: Request, timeout: float) -> Reply | errors.DeployerError:
        """Take a lock on a host and keep it until the fleet is closed: {held} or {held_by}, or a DeployerError."""

    def holds_lease(self) -> bool:
        """Whether a lock was taken and is ours still, by what its host answers now."""


class SshFleet:
    """Hosts reached over SSH. Connections are opened on first use, in parallel, and closed by `close`.

    One over which no answer came is given up: the next request to that host opens another, unless the host was silent
    just now: each stage would wait for it anew. A lease has a connection of its own, which no request can end.
    """

    def __init__(self, hosts: Mapping[str, Host], handle: Handler) -> None:
        # Before other threads need them: one that is interrupted while it waits for the import of another may
        # keep that import's lock for ever.
        lazy.load(ssh, ssh_connection)
        self._hosts = hosts
        self._handle = handle
        self._connections: Connections = {}
        self._lease_connections: Connections = {}
        self._started: dict[str, ssh.StartedAgent | None] = {}
        self._lease: Lease | None = None
        self._lease_host = ""
        self._silent: Silent = {}
        self._threads = DaemonThreads(min(MOST_AT_ONCE, len(hosts) + 1))  # with the connection of a lease

    def open(self, only: Collection[str] = (), lease_host: str = "", verb: str = "") -> None:
        """Begin to connect to the hosts; who asks one waits until its connection is there."""
        if lease_host:  # the first of all: it is what a command waits for first
            self._lease_connections[lease_host] = self._threads.submit(self._connect, lease_host)
        for name in only or self._hosts:
            self._connections[name] = self._threads.submit(self._connect_and_start, name, verb)

    def add_hosts(self, hosts: Mapping[str, Host]) -> None:
        """Have these hosts too: those that a site has left out of its inventory are known only once it was asked."""
        self._hosts = {**self._hosts, **hosts}

    def ask(
        self,
        title: str,
        verb: str,
        requests: Mapping[str, Request],
        timeout: float,
        level: Level = Level.INFO,
    ) -> Replies:
        """Send each host its request; a host that fails has its error as its answer, beside the others' replies."""
        if verb == "perform" and self._lease and not self.holds_lease():
            return dict.fromkeys(requests, errors.Locked.lost())
        stage = stage_events.begun(title, requests, level, self._handle)
        futures = {
            self._threads.submit(
                self._ask_one, name, verb, request, timeout, functools.partial(stage.step_finished, name)
            ): name
            for name, request in requests.items()
        }
        for future in as_completed(futures):
            stage.host_finished(futures[future], _answer(future))
        stage.end()
        return {name: _answer(future) for future, name in futures.items()}

    def acquire_lease(self, host: str, request: Request, timeout: float) -> Reply | errors.DeployerError:
        """Take a lock on a host over a connection of its own, and keep it until `close`, or until it is lost."""
        try:
            with self._connection(host, self._lease_connections) as connection:
                held, reply = ssh.acquire_lease(connection, self._hosts[host], request, timeout)
        except errors.DeployerError as error:
            return error
        if "held" in reply:
            self._lease, self._lease_host = held, host
            held.keep()
        else:
            held.close()
        return reply

    def holds_lease(self) -> bool:
        """Ask the host of a lock that was taken; if that is silent, no request waits for it once more."""
        if self._lease is None or self._lease.is_alive():
            return self._lease is not None
        if self._lease.is_silent:
            self._silent.setdefault(self._lease_host, (time.monotonic(), ssh.silence(self._lease_host)))
        return False

    def _ask_one(self, name: str, verb: str, request: Request, timeout: float, step_finished: StepFinished) -> Reply:
        with self._connection(name, self._connections) as connection:
            started = self._started.pop(name, None)
            return ssh.ask(connection, self._hosts[name], verb, request, timeout, step_finished, started)

    @contextlib.contextmanager
    def _connection(self, name: str, connections: Connections) -> Iterator[Connection]:
        """The connection to a host, given up when an error comes of it; raise HostSilent when it just was silent."""
        given_up, silence = self._silent.get(name, (0.0, None))
        if silence and time.monotonic() - given_up < SILENT_TIMEOUT:
            raise silence
        if name not in connections:
            connections[name] = _done(self._connect(name))
        try:
            yield connections[name].result()
        except errors.DeployerError as error:
            _close(connections.pop(name))
            if isinstance(error, errors.HostSilent):
                self._silent[name] = (time.monotonic(), error)
            raise

    def _connect_and_start(self, name: str, verb: str) -> Connection:
        connection = self._connect(name)
        if verb:
            self._started[name] = ssh.start_ahead(connection, self._hosts[name], verb, START_TIMEOUT)
        return connection

    def _connect(self, name: str) -> Connection:
        return ssh_connection.connect(self._hosts[name])

    def close(self) -> None:
        """Release the lease, then close every connection."""
        if self._lease:
            self._lease.close()
        # Copies, as requests that are under way at an interrupt give up theirs.
        for connection in (*tuple(self._connections.values()), *tuple(self._lease_connections.values())):
            _close(connection)
        self._threads.close()


def _done(connection: Connection) -> Future[Connection]:
    future: Future[Connection] = Future()
    future.set_result(connection)
    return future


def _close(connection: Future[Connection]) -> None:
    """Close a connection, or see to it that one which is not there yet is closed when it comes."""
    if not connection.cancel():
        connection.add_done_callback(_close_result)


def _close_result(connection: Future[Connection]) -> None:
    if not connection.exception():
        connection.result().close()


def _answer(future: Future[Reply]) -> Reply | errors.DeployerError:
    try:
        return future.result()
    except errors.DeployerError as error:
        return error


@contextlib.contextmanager
def over_ssh(hosts: Mapping[str, Host], handle: Handler) -> Iterator[SshFleet]:
    """A fleet for the length of a `with`; its connections are closed whatever happens. Events go to `handle`.

    Raise BadInput, before any host is contacted, for a key of the inventory that cannot be read.
    """
    keys = dict.fromkeys(host.login.key for host in hosts.values() if host.login.key)
    ssh_keys.refuse_unreadable(keys)
    fleet = SshFleet(hosts, handle)
    try:
        yield fleet
    finally:
        fleet.close()
