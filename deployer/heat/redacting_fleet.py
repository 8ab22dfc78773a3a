"""The hosts as every command reaches them: a fleet with redaction of every message in a reply or an error."""

import contextlib
from collections.abc import Collection, Iterator, Mapping
from functools import partial

from deployer.errors import DeployerError, HostFailed
from deployer.heat import exchange_summary, known_secrets, redaction, withheld
from deployer.heat.known_secrets import KnownSecrets
from deployer.inventory.schema import Inventory
from deployer.model import events
from deployer.model.events import Handler, Level, ReplyReceived, RequestSent
from deployer.model.hosts import Host
from deployer.model.wire import Reply, Request
from deployer.remote import fleet

SECRETS_TIMEOUT = 10.0  # seconds for the hosts to send their configuration, which has the secrets


class RedactingFleet:
    """A fleet that redacts in every message what the inventory and the hosts' own Heat keep secret.

    Secrets are read from the configuration as it is when there is a message, and kept in memory for when a host does
    not send it again. The words of a host of which nothing was ever sent are withheld.
    """

    def __init__(self, inventory: Inventory, hosts: fleet.Fleet, handle: Handler = events.ignore) -> None:
        self._inventory = inventory
        self._hosts = hosts
        self._handle = handle
        self._known = KnownSecrets(inventory)

    def open(self, only: Collection[str] = (), lease_host: str = "", verb: str = "") -> None:
        """Begin to connect to every host, or to those of `only`, and to the one where a lock is going to be taken."""
        self._hosts.open(only, lease_host, verb)

    def add_hosts(self, hosts: Mapping[str, Host]) -> None:
        """Have these hosts too; the configuration of those that the inventory lacks is where the site's is."""
        self._hosts.add_hosts(hosts)

    def acquire_lease(self, host: str, request: Request, timeout: float) -> Reply | DeployerError:
        """Take a lock on a host; the message of an error is redacted."""
        self._handle(RequestSent("lock", host, "acquire", timeout, exchange_summary.of_request(request)))
        reply = self._hosts.acquire_lease(host, request, timeout)
        known = self._learned_from({host: reply} if isinstance(reply, DeployerError) else {})
        redacted = self._redacted(host, reply, request, known) if isinstance(reply, DeployerError) else reply
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
        requests: Mapping[str, Request],
        timeout: float,
        level: Level = Level.INFO,
    ) -> fleet.Replies:
        """Ask many hosts at once; messages in their replies and their errors are redacted."""
        for name, request in requests.items():
            self._handle(RequestSent(title, name, verb, timeout, exchange_summary.of_request(request)))
        replies = self._hosts.ask(title, verb, requests, timeout, level)
        known = self._learned_from(replies)
        redacted = {name: self._redacted(name, each, requests[name], known) for name, each in replies.items()}
        for name, reply in redacted.items():
            summary = exchange_summary.of_reply(reply, known)
            self._handle(ReplyReceived(title, name, verb, _seconds(reply), summary))
        return redacted

    def secrets(self, hosts: Collection[str]) -> frozenset[str]:
        """What the inventory keeps secret, and Heat's configuration on some hosts, as it is now if they answer."""
        self._known.add_observed(self._configurations(hosts))
        return self._known.secrets()

    def knows_secrets_of(self, host: str) -> bool:
        """Whether a host's words can be redacted; if not, nobody may show them."""
        return self._known.covers(host)

    def _configurations(self, hosts: Collection[str]) -> fleet.Replies:
        """Observe Heat's configuration on some hosts, contents included."""
        site = self._inventory
        settings = {name: site.heat_of(name) if name in site.hosts else site.heat for name in hosts}
        folders = {name: heat.config_dir for name, heat in settings.items()}
        requests = {name: {"trees": [folder], "carry": [f"{folder}/"]} for name, folder in folders.items()}
        return self._hosts.ask("observe", "observe", requests, SECRETS_TIMEOUT, Level.VERBOSE) if requests else {}

    def _learned_from(self, replies: fleet.Replies) -> frozenset[str]:
        """The secrets that matter for some replies: none where they hold no words.

        Those of the hosts with words and of the source are in their replies, or else observed.
        """
        for name, each in replies.items():
            self._known.add(name, each)
        reporting = {name for name, each in replies.items() if _has_words(each)}
        if not reporting and not any(isinstance(each, DeployerError) for each in replies.values()):
            return frozenset()
        lost = {name for name, each in replies.items() if isinstance(each, DeployerError)}
        sent = {name for name, each in replies.items() if known_secrets.configuration_in(each)}
        source = {self._inventory.heat.source} if reporting else set()
        self._known.add_observed(self._configurations((reporting | source) - lost - sent))
        return self._known.secrets()

    def _redacted(
        self, host: str, reply: Reply | DeployerError, request: Request, known: frozenset[str]
    ) -> Reply | DeployerError:
        if _has_words(reply) and not self._can_be_shown(host, reply):
            reply = withheld.instead_of(host, reply, request)
        if not isinstance(reply, DeployerError):
            return redaction.redact_reply(reply, known)
        reply.reword(partial(redaction.redact, known=known))
        return reply

    def _can_be_shown(self, host: str, reply: Reply | DeployerError) -> bool:
        """Whether it is known what to redact; of a journal, in which every word counts, a heat.conf must say it."""
        is_log = not isinstance(reply, DeployerError) and redaction.has_log(reply)
        return self._known.has_configuration(host) if is_log else self._known.covers(host)


@contextlib.contextmanager
def over_ssh(inventory: Inventory, handle: Handler) -> Iterator[RedactingFleet]:
    """The hosts of an inventory for the length of a `with`, reached when first asked; events go to `handle`."""
    with fleet.over_ssh({name: inventory.host(name) for name in inventory.hosts}, handle) as hosts:
        yield RedactingFleet(inventory, hosts, handle)


def _has_words(reply: Reply | DeployerError) -> bool:
    """Whether programs of a host have a say in a reply, or in an error; that it is not reachable is our own word."""
    return isinstance(reply, HostFailed) if isinstance(reply, DeployerError) else redaction.has_messages(reply)


def _seconds(reply: Reply | DeployerError) -> float | None:
    """How long a host took to answer, by our clock."""
    if isinstance(reply, DeployerError) or "received" not in reply:
        return None
    return max(0.0, reply["received"] - reply["sent"])
