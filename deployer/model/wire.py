"""What travels between us and the hosts: JSON, of which each reader knows its own part."""

from collections.abc import Mapping
from typing import Any, TypeAlias

Json: TypeAlias = Any  # any value that JSON has; nothing but JSON's edge is typed so
Request: TypeAlias = Mapping[str, Json]  # what a verb of the agent is given
Reply: TypeAlias = dict[str, Json]  # what it returns
