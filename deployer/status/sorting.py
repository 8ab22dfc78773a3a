"""The rows of a site in an order that stays: what comes or goes moves no other row to another place. Pure."""

import re
from collections.abc import Iterable

from deployer.inventory.schema import Inventory
from deployer.model.service import Service
from deployer.status.instances import InstanceStatus

SERVICES = (Service.PROXY, Service.API, Service.CFN, Service.ENGINE)
NUMBER = re.compile(r"@(\d+)\.service$")


def in_order(inventory: Inventory, lines: Iterable[InstanceStatus]) -> tuple[InstanceStatus, ...]:
    """Hosts as in the inventory and then others, a host's processes by service, those of a service by their number."""
    hosts = {name: position for position, name in enumerate(inventory.hosts)}
    services = {str(service): position for position, service in enumerate(SERVICES)}

    def place(line: InstanceStatus) -> tuple[int, str, int, bool, int, str]:
        number = NUMBER.search(line.unit)
        return (
            hosts.get(line.host, len(hosts)),
            line.host,
            services.get(line.service, len(services)),
            number is None,  # what is not ours, after what is
            int(number[1]) if number else 0,
            line.unit,
        )

    return tuple(sorted(lines, key=place))
