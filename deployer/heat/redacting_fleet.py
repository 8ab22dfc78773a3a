"""The hosts as every command reaches them: a fleet with redaction of every message in a reply or an error."""

import base64
import contextlib
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from functools import partial

from deployer.errors import DeployerError, HostFailed
from deployer.heat import exchange_summary, redaction
from deployer.heat.conf import conf_redaction
from deployer.inventory.schema import Inventory
from deployer.model import events
from deployer.model.events import Handler, Level, ReplyReceived, RequestSent
from deployer.model.hosts import Host
from deployer.model.state import KEPT, text_of
from deployer.model.wire import Reply, Request
from deployer.remote import fleet

SECRETS_TIMEOUT = 10.0  # seconds for the hosts to send their configuration, which has the secrets
LIKE_HEAT_CONF = (".conf", ".ini", KEPT)


@dataclass(frozen=True)
class Known:
    """The secrets that are known, and the hosts of which all are: their configuration, or the source's, was read."""

    secrets: frozenset[str] = field(default=frozenset(), repr=False)
    hosts: frozenset[str] = frozenset()


class RedactingFleet:
    """A fleet that redacts in every message what the inventory and the hosts' own Heat keep secret.

    It stores no secret: they are read from the configuration as it is when there is a message.
    """

    def __init__(self, inventory: Inventory, hosts: fleet.Fleet, handle: Handler = events.ignore) -> None:
        self._inventory = inventory
        self._hosts = hosts
        self._handle = handle

    def open(self, only: Collection[str] = ()) -> None:
        """Begin to connect to every host, or to those of `only`."""
        self._hosts.open(only)

    def add_hosts(self, hosts: Mapping[str, Host]) -> None:
        """Have these hosts too; the configuration of those that the inventory lacks is where the site's is."""
        self._hosts.add_hosts(hosts)

    def acquire_lease(self, host: str, request: Request, timeout: float) -> Reply | DeployerError:
        """Take a lock on a host; the message of an error is redacted."""
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
        requests: Mapping[str, Request],
        timeout: float,
        level: Level = Level.INFO,
    ) -> fleet.Replies:
        """Ask many hosts at once; messages in their replies and their errors are redacted."""
        for name, request in requests.items():
            self._handle(RequestSent(title, name, verb, timeout, exchange_summary.of_request(request)))
        replies = self._hosts.ask(title, verb, requests, timeout, level)
        reporting = {
            name
            for name, each in replies.items()
            if not isinstance(each, DeployerError) and redaction.has_messages(each)
        }
        failing = any(isinstance(each, DeployerError) for each in replies.values())
        known = self._known(replies, reporting) if reporting or failing else Known()
        redacted = {name: _redacted(_or_withheld(name, each, known), known.secrets) for name, each in replies.items()}
        for name, reply in redacted.items():
            summary = exchange_summary.of_reply(reply, known.secrets)
            self._handle(ReplyReceived(title, name, verb, _seconds(reply), summary))
        return redacted

    def secrets(self, hosts: Collection[str]) -> frozenset[str]:
        """What the inventory keeps secret, and Heat's configuration on some hosts as it is now."""
        return in_inventory(self._inventory).union(*map(_in_reply, self._configurations(hosts).values()))

    def _configurations(self, hosts: Collection[str]) -> fleet.Replies:
        """Observe Heat's configuration on some hosts, contents included."""
        site = self._inventory
        settings = {name: site.heat_of(name) if name in site.hosts else site.heat for name in hosts}
        folders = {name: heat.config_dir for name, heat in settings.items()}
        requests = {name: {"trees": [folder], "carry": [f"{folder}/"]} for name, folder in folders.items()}
        return self._hosts.ask("observe", "observe", requests, SECRETS_TIMEOUT, Level.VERBOSE) if requests else {}

    def _known(self, replies: fleet.Replies, reporting: Collection[str]) -> Known:
        """The secrets of the hosts with a message and of the source: from their replies, or else observed."""
        source = self._inventory.heat.source
        lost = {name for name, each in replies.items() if isinstance(each, DeployerError)}
        hosts = {*reporting, source} - lost - {name for name, each in replies.items() if _in_reply(each)}
        observed = self._configurations(hosts)
        secrets = in_inventory(self._inventory).union(*map(_in_reply, (*replies.values(), *observed.values())))
        shown = {name for each in (replies, observed) for name, reply in each.items() if _has_configuration(reply)}
        return Known(secrets, frozenset(replies if source in shown else shown))


@contextlib.contextmanager
def over_ssh(inventory: Inventory, handle: Handler) -> Iterator[RedactingFleet]:
    """The hosts of an inventory for the length of a `with`, reached when first asked; events go to `handle`."""
    with fleet.over_ssh({name: inventory.host(name) for name in inventory.hosts}, handle) as hosts:
        yield RedactingFleet(inventory, hosts, handle)


def in_inventory(inventory: Inventory) -> frozenset[str]:
    """What an inventory itself keeps secret."""
    stats = inventory.proxy.stats
    return frozenset([stats.password.reveal()]) if stats and stats.password else frozenset()


def _in_reply(reply: Reply | DeployerError) -> frozenset[str]:
    """The secrets of the files whose content a reply brought."""
    contents = _configuration_in(reply).values()
    return frozenset().union(*(conf_redaction.secrets_in(text_of(base64.b64decode(each))) for each in contents))


def _configuration_in(reply: Reply | DeployerError) -> dict[str, str]:
    """The files of a reply that are like heat.conf, as they came: path -> content in base64."""
    files = {} if isinstance(reply, DeployerError) else reply.get("files", {})
    return {
        path: each["content"]
        for path, each in files.items()
        if each.get("content") is not None and path.endswith(LIKE_HEAT_CONF)
    }


def _has_configuration(reply: Reply | DeployerError) -> bool:
    return any(path.endswith("/heat.conf") for path in _configuration_in(reply))


def _or_withheld(host: str, reply: Reply | DeployerError, known: Known) -> Reply | DeployerError:
    """A reply, or an error in place of a journal whose secrets nobody knows."""
    if isinstance(reply, DeployerError) or not redaction.has_log(reply) or host in known.hosts:
        return reply
    return HostFailed(
        host,
        "its journal is withheld: no heat.conf says what is secret, neither there nor on the source host",
        hint="`invoke preflight` says what the source host needs.",
    )


def _seconds(reply: Reply | DeployerError) -> float | None:
    """How long a host took to answer, by our clock."""
    if isinstance(reply, DeployerError) or "received" not in reply:
        return None
    return max(0.0, reply["received"] - reply["sent"])


def _redacted(reply: Reply | DeployerError, known: frozenset[str]) -> Reply | DeployerError:
    if not isinstance(reply, DeployerError):
        return redaction.redact_reply(reply, known)
    reply.reword(partial(redaction.redact, known=known))
    return reply
