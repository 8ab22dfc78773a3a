"""Inventories for the tests, and what reading them says."""

from pathlib import Path

from deployer import errors
from deployer.inventory import reader
from deployer.inventory.schema import Inventory

ROOT = Path(__file__).parents[3]
# By name: an operator keeps others beside them.
INVENTORIES = tuple(ROOT / "inventories" / f"{name}.yaml" for name in ("example", "guide", "lab"))
HOSTS = """\
  hostA: {address: 10.0.0.1}
  hostB: {address: 10.0.0.2, api: 1, cfn: 1, engines: 2}
  hostC: {address: 10.0.0.3, api: 1, cfn: 1, engines: 2}
"""


def a_text(hosts: str = HOSTS, heat: str = "source: hostA", proxy: str = "host: hostA", more: str = "") -> str:
    """The smallest useful inventory, with one part of it replaced or added."""
    return f"version: 1\n{more}heat: {{{heat}}}\nproxy: {{{proxy}}}\nhosts:\n{hosts}"


def read(text: str | bytes) -> Inventory:
    return reader.parse(text, Path("/sites/some.yaml"))


def problems(text: str | bytes) -> list[str]:
    """What is wrong with an inventory, without the file's name; nothing when it is right."""
    try:
        read(text)
    except errors.BadInventory as error:
        return [problem.removeprefix("/sites/some.yaml:") for problem in error.problems]
    return []
