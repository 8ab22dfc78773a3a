"""Checks from each node that database, broker and Keystone accept the logins of its heat.conf."""

import base64
import re
from collections.abc import Iterator, Mapping

from deployer import errors
from deployer.heat import engines, scripts, service_units
from deployer.inventory.schema import Inventory
from deployer.model.state import HostState
from deployer.model.wire import Json
from deployer.preflight.findings import Findings
from deployer.remote.fleet import Fleet

LOGIN_TIMEOUT = 8  # seconds for one login
LOGINS_TIMEOUT = 40.0

LOOPBACK_STACKS = (
    "{number} stacks were created while Heat reached Keystone at a loopback address. They keep it with their user's "
    'credentials: engines on other hosts cannot act on them. See docs/first-site.md, "Stacks from before".'
)
HINTS = {
    "database": "Does MariaDB listen on more than loopback (bind-address) and grant Heat's user access from this host?",
    "broker": "RabbitMQ's guest logs in from loopback only: give Heat a user of its own. Does it listen everywhere?",
    "Keystone": "Is Keystone reachable from this host at that address, and is [keystone_authtoken] right?",
    "catalogue": (
        "Every API asks there whether a client's token is valid; clients would get 503. Give Keystone's endpoint an "
        "address that each host reaches: `openstack endpoint list --service identity`, then `openstack endpoint set "
        "--url URL ID`."
    ),
}
NAMES = {"catalogue": "Keystone's endpoint in its own catalogue,"}
UNRESOLVED = re.compile("gaierror|[Nn]ame or service not known|[Nn]ame resolution|No address associated|getaddrinfo")
UNRESOLVED_HINT = "Give that name an address in the DNS or in /etc/hosts of this host, as on the source host."


def try_logins(inventory: Inventory, desired: Mapping[str, HostState], fleet: Fleet) -> Findings:
    """Log in with the new heat.conf of every node, which stays in memory there."""
    confs = {host: _conf(inventory, host, state) for host, state in desired.items()}
    programs = {host: _program(inventory, host, conf) for host, conf in confs.items() if conf}
    answers = engines.answers(fleet, "check logins", "try_logins", programs, LOGINS_TIMEOUT) if programs else {}
    bound = max((each["bound"] for each in answers.values() if not isinstance(each, errors.DeployerError)), default=0)
    return Findings(
        tuple(problem for host, each in answers.items() for problem in _problems(host, each)),
        (LOOPBACK_STACKS.format(number=bound),) if bound else (),
    )


def _problems(host: str, answer: Json | errors.DeployerError) -> Iterator[str]:
    if isinstance(answer, errors.DeployerError):
        yield f"{answer.message}: {answer.hint or 'Heat and its libraries must be installed there.'}"
    else:
        yield from (_sentence(host, each) for each in answer["problems"])


def _program(inventory: Inventory, host: str, conf: bytes) -> tuple[str, str]:
    script = scripts.text("try_logins", conf=base64.b64encode(conf).decode(), seconds=LOGIN_TIMEOUT)
    return service_units.python_of(inventory.heat_of(host).prefix), script


def _conf(inventory: Inventory, host: str, state: HostState) -> bytes | None:
    file = state.files.get(f"{inventory.heat_of(host).config_dir}/heat.conf")
    return file.content if file else None


def _sentence(host: str, each: Mapping[str, str]) -> str:
    what = f"{host}: {NAMES.get(each['what'], each['what'])} at {each['where']}"
    if UNRESOLVED.search(each["why"]):
        return f"{what}: the name does not resolve on this host ({each['why']}): {UNRESOLVED_HINT}"
    return f"{what} refuses this host ({each['why']}): {HINTS[each['what']]}"
