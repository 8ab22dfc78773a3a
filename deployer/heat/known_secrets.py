"""What is known to be secret: what the inventory says, and Heat's configuration as hosts have sent it. Pure."""

import base64
from collections.abc import Mapping

from deployer.errors import DeployerError
from deployer.heat.conf import conf_redaction
from deployer.inventory.schema import Inventory
from deployer.model.state import KEPT, text_of
from deployer.model.wire import Reply

LIKE_HEAT_CONF = (".conf", ".ini", KEPT)


class KnownSecrets:
    """Every configuration that a host has sent since the command began, in memory alone.

    What was read once counts for good: the next time the host may not answer, and a secret that was changed meanwhile
    is still in what its programs say.
    """

    def __init__(self, inventory: Inventory) -> None:
        self._inventory = inventory
        self._contents: set[str] = set()  # in base64, as they came
        self._configured: set[str] = set()  # hosts that have sent a heat.conf
        self._observed: set[str] = set()  # hosts that have sent all the configuration that they have

    def __repr__(self) -> str:
        return f"KnownSecrets of {sorted(self._configured)}"

    def add(self, host: str, reply: Reply | DeployerError) -> None:
        """Take what a host has sent; an error says nothing of its secrets."""
        files = configuration_in(reply)
        self._contents |= set(files.values())
        self._configured |= {host} if any(path.endswith("/heat.conf") for path in files) else set()

    def add_observed(self, replies: Mapping[str, Reply | DeployerError]) -> None:
        """Take the answers of hosts that were asked for all the configuration that they have."""
        for host, reply in replies.items():
            self.add(host, reply)
        self._observed |= {host for host, reply in replies.items() if not isinstance(reply, DeployerError)}

    def secrets(self) -> frozenset[str]:
        """Return the secrets of the inventory and of every configuration that was sent."""
        texts = (text_of(base64.b64decode(each)) for each in self._contents)
        return in_inventory(self._inventory).union(*map(conf_redaction.secrets_in, texts))

    def has_configuration(self, host: str) -> bool:
        """Whether a heat.conf was sent by a host, or by the source, of which the host's own is made."""
        return not self._configured.isdisjoint((host, self._inventory.heat.source))

    def covers(self, host: str) -> bool:
        """Whether a host's words can be redacted: a heat.conf was sent, or neither it nor the source has one."""
        return self.has_configuration(host) or {host, self._inventory.heat.source} <= self._observed


def in_inventory(inventory: Inventory) -> frozenset[str]:
    """What an inventory itself keeps secret."""
    stats = inventory.proxy.stats
    return frozenset([stats.password.reveal()]) if stats and stats.password else frozenset()


def configuration_in(reply: Reply | DeployerError) -> dict[str, str]:
    """Return the files of a reply that are like heat.conf, as they came: path -> content in base64."""
    files = {} if isinstance(reply, DeployerError) else reply.get("files", {})
    return {
        path: each["content"]
        for path, each in files.items()
        if each.get("content") is not None and path.endswith(LIKE_HEAT_CONF)
    }
