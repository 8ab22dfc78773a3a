"""Names and addresses of a lab's hosts: pure arithmetic."""

import ipaddress
import re
import string

from lab.lab_errors import BadInput

MOST_HOSTS = 100
FIRST_ADDRESS = 11
SUBNETS = [ipaddress.ip_network(f"198.18.{number}.0/24") for number in range(256)]
DEMO = "demo"


def host_names(count: int) -> list[str]:
    """Return hostA, ... hostZ, hostAA, ... hostAZ, hostBA, ...; raise BadInput for a number the lab cannot have."""
    if not 1 <= count <= MOST_HOSTS:
        raise BadInput(f"a lab of {count} hosts cannot be made", hint=f"--hosts takes 1 to {MOST_HOSTS}.")
    letters = string.ascii_uppercase
    endings = [*letters, *(first + second for first in letters for second in letters)]
    return [f"host{ending}" for ending in endings[:count]]


def addresses(subnet: int, count: int) -> dict[str, str]:
    """Return host name -> address in 198.18.`subnet`.0/24; hostA is .11."""
    return {name: f"198.18.{subnet}.{FIRST_ADDRESS + place}" for place, name in enumerate(host_names(count))}


def bridge(subnet: int) -> str:
    """Return the name of the bridge of that subnet."""
    return f"heatlab{subnet}"


def gateway(subnet: int) -> str:
    """Return this machine's own address in that subnet."""
    return f"198.18.{subnet}.1"


def checked(name: str) -> str:
    """Return a lab's name if it can be one; raise BadInput if not."""
    if not re.fullmatch(r"[a-z][a-z0-9-]{0,19}", name):
        raise BadInput(f"{name!r} cannot name a lab", hint="Use small letters, digits and dashes, 20 at most.")
    return name


def machine(lab: str, host: str) -> str:
    """Return a host's name among all machines of this machine."""
    return f"heat-{lab}-{host}"
