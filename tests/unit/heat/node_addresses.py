"""A node to rewrite heat.conf for, and what oslo.config reads there."""

import heat_confs

from deployer.heat.conf import rewrite
from deployer.heat.conf.rewrite import NodeAddresses
from deployer.model.names import Endpoint

LOOPBACKS = ("127.0.0.1", "127.1.2.3", "localhost", "LocalHost", "localhost.localdomain", "ip6-localhost", "[::1]")
OTHERS = ("10.0.0.9", "db.example.org", "localhost.example.org", "[2001:db8::1]", "128.0.0.1", "mylocalhost")


def a_place(**changed) -> NodeAddresses:
    place = {"address": "192.0.2.12", "source_address": "192.0.2.11", "api_port": 8005, "cfn_port": 8001,
             "proxy_api": Endpoint("192.0.2.10", 8004), "proxy_cfn": Endpoint("192.0.2.10", 8000)}  # fmt: skip
    return NodeAddresses(**place | changed)


def read(text: str, section: str, key: str, place: NodeAddresses | None = None) -> str | None:
    """What oslo.config reads on the node."""
    return heat_confs.oslo_option(rewrite.for_node(text, place or a_place()).text, section, key)
