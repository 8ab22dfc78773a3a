"""The hosts as every command reaches them: a fleet whose replies hold no secret where they are words for people."""

import base64
import contextlib
from collections.abc import Collection, Iterator, Mapping
from functools import partial
from typing import Any

from deployer.errors import DeployerError
from deployer.heat import exchange_summary, redaction
from deployer.heat.conf import masking
from deployer.heat.source import KEPT, text_of
from deployer.inventory.schema import Inventory
from deployer.model import events
from deployer.model.events import Handler, Level, ReplyReceived, RequestSent
from deployer.remote import fleet

SECRETS_TIMEOUT = 10.0  # seconds for the hosts to show their configuration when one has something to say
LIKE_HEAT_CONF = (".conf", ".ini", KEPT)


class RedactingFleet:
    """A fleet that hides what the inventory and the hosts' own Heat keep secret from whatever the hosts say.

    It remembers nothing: the secrets are those of the configuration at the moment when something is said.
    """

    def __init__(self, inventory: Inventory, hosts: fleet.Fleet, handle: Handler = events.ignore) -> None:
        self._inventory = inventory
        self._hosts = hosts
        self._handle = handle

    def open(self, only: Collection[str] = ()) -> None:
        """Begin to connect to every host, or to those of `only`."""
        self._hosts.open(only)

    def acquire_lease(self, host: str, request: Mapping[str, Any], timeout: float) -> Any:
        """Take a lock on a host; the words of an error come without secrets."""
        self._handle(RequestSent("lock", host, "acquire", timeout, exchange_summary.of_request(request)))
        reply, known = self._hosts.acquire_lease(host, request, timeout), in_inventory(self._inventory)
        redacted = _redacted(reply, known) if isinstance(reply, DeployerError) else reply
        summary = exchange_summary.of_reply(redacted, known)
        self._handle(ReplyReceived("lock", host, "acquire", None, summary))
        return redacted

    def holds_lease(self) -> bool:
        """Whether a lock was taken and is ours still."""
        return self._hosts.holds_lease()

    def ask(
        self,
        title: str,
        verb: str,
        requests: Mapping[str, Mapping[str, Any]],
        timeout: float,
        level: Level = Level.INFO,
    ) -> dict[str, Any]:
        """Ask many hosts at once; what they say, and what their errors say, comes without secrets."""
        for name, request in requests.items():
            self._handle(RequestSent(title, name, verb, timeout, exchange_summary.of_request(request)))
        replies = self._hosts.ask(title, verb, requests, timeout, level)
        talking = {
            name
            for name, each in replies.items()
            if not isinstance(each, DeployerError) and redaction.has_messages(each)
        }
        failing = any(isinstance(each, DeployerError) for each in replies.values())
        known = self._known(replies, talking) if talking or failing else frozenset()
        redacted = {name: _redacted(each, known) for name, each in replies.items()}
        for name, reply in redacted.items():
            summary = exchange_summary.of_reply(reply, known)
            self._handle(ReplyReceived(title, name, verb, _seconds(reply), summary))
        return redacted

    def secrets(self, hosts: Collection[str]) -> frozenset[str]:
        """What the inventory keeps secret, and Heat's configuration on some hosts as it is now."""
        folders = {name: self._inventory.heat_of(name).config_dir for name in hosts}
        requests = {name: {"trees": [folder], "carry": [f"{folder}/"]} for name, folder in folders.items()}
        replies = self._hosts.ask("observe", "observe", requests, SECRETS_TIMEOUT, Level.VERBOSE) if requests else {}
        return in_inventory(self._inventory).union(*map(_in_reply, replies.values()))

    def _known(self, replies: Mapping[str, Any], talking: Collection[str]) -> frozenset[str]:
        """The secrets of who talks and of the source, by what their replies brought, or else by a look."""
        shown = {name: _in_reply(each) for name, each in replies.items()}
        lost = {name for name, each in replies.items() if isinstance(each, DeployerError)}
        hosts = {*talking, self._inventory.heat.source} - lost - {name for name, each in shown.items() if each}
        return self.secrets(hosts).union(*shown.values())


@contextlib.contextmanager
def over_ssh(inventory: Inventory, handle: Handler) -> Iterator[RedactingFleet]:
    """The hosts of an inventory for the length of a `with`, reached when first asked; events go to `handle`."""
    with fleet.over_ssh({name: inventory.host(name) for name in inventory.hosts}, handle) as hosts:
        yield RedactingFleet(inventory, hosts, handle)


def in_inventory(inventory: Inventory) -> frozenset[str]:
    """What an inventory itself keeps secret."""
    stats = inventory.proxy.stats
    return frozenset([stats.password.reveal()]) if stats and stats.password else frozenset()


def _in_reply(reply: Any) -> frozenset[str]:
    """The secrets of the files whose content a reply brought."""
    files = {} if isinstance(reply, DeployerError) else reply.get("files", {})
    return frozenset().union(
        *(
            masking.secrets_in(text_of(base64.b64decode(each["content"])))
            for path, each in files.items()
            if "content" in each and path.endswith(LIKE_HEAT_CONF)
        )
    )


def _seconds(reply: Any) -> float | None:
    """How long a host took to answer, by our clock."""
    if isinstance(reply, DeployerError) or "received" not in reply:
        return None
    return max(0.0, reply["received"] - reply["sent"])


def _redacted(reply: Any, known: frozenset[str]) -> Any:
    if not isinstance(reply, DeployerError):
        return redaction.redact_reply(reply, known)
    reply.reword(partial(redaction.redact, known=known))
    return reply
