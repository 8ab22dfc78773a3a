"""A command that is killed before or after any step of any host: what was under way is named, one more run ends it."""

import copy
from collections.abc import Callable
from dataclasses import dataclass

import pytest
import sites
from contract.fake_fleet import FakeFleet
from fault_injection import KILLED, FaultInjector, Killed, alone

from deployer.apply import lock
from deployer.inventory.schema import Inventory
from deployer.model.run import Author

HEAT_CONF = "/etc/heat/heat.conf"
CHANGED = sites.CONF + "[cache]\nenabled = true\n"
SITE = sites.an_inventory()
GROWN = sites.an_inventory(hostB="{address: 10.0.0.2, api: [8004, 8104], cfn: 1, engines: 2}")
SHRUNK = sites.an_inventory(hostC="{address: 10.0.0.3, api: 1, cfn: 1, engines: 1}")
AUTHOR = Author("operator@desk", "invoke deploy", "2026-11-21T00:00:00Z", "0", "site.yaml")


@dataclass(frozen=True)
class Command:
    """What is run again after it was killed, on what hosts, and the inventory that they agree with in the end."""

    run: Callable
    inventory: Inventory
    prepare: Callable[[FakeFleet], None] = lambda fleet: None
    fresh: bool = False


def deploy(inventory):
    return lambda fleet: sites.deploy(inventory, fleet, sites.yes, author=AUTHOR)


def rollback(fleet):
    return sites.rollback(SITE, 1, fleet, sites.yes, author=AUTHOR)


def restore(fleet):
    return sites.restore(SITE, fleet, sites.yes, author=AUTHOR)


def change(fleet):
    fleet.hosts["hostA"].has_file(HEAT_CONF, CHANGED, group="heat", mode=0o640)


def change_and_deploy(fleet):
    """A second generation; then the source is as it was, so that a deploy agrees with the first."""
    change(fleet)
    assert alone(SITE, fleet, deploy(SITE)).exit_code == 0
    fleet.hosts["hostA"].has_file(HEAT_CONF, sites.CONF, group="heat", mode=0o640)


COMMANDS = {
    "deploy from nothing": Command(deploy(SITE), SITE, fresh=True),
    "changed heat.conf": Command(deploy(SITE), SITE, change),
    "add-api": Command(deploy(GROWN), GROWN),
    "remove-engine": Command(deploy(SHRUNK), SHRUNK),
    "rollback": Command(rollback, SITE, change_and_deploy),
    "restore": Command(restore, SITE),
}


def prepared(command):
    fleet = sites.a_fleet(SITE)
    fleet.hosts["hostB"].has_file(HEAT_CONF, "[DEFAULT]\n# the operator's own\n")
    if not command.fresh:
        assert alone(SITE, fleet, deploy(SITE)).exit_code == 0
    command.prepare(fleet)
    return fleet


def killed(command, fleet, allowed):
    """Run a command on a copy of the hosts until it is killed; the hosts, and the moment."""
    fleet = copy.deepcopy(fleet)
    injected = fleet.moment = FaultInjector(KILLED, allowed)
    if allowed % 2:
        fleet.order = lambda names: list(names)[::-1]
    with pytest.raises(Killed):
        alone(command.inventory, fleet, command.run)
    fleet.moment = FaultInjector()
    return fleet, injected.steps[-1]


def is_named(report, host, step):
    """Whether a run says of the one before that it has not ended, and what it was doing on this host."""
    warnings = sites.unfinished(report.planned)
    return any(f"on {host} this step was in progress: {step}" in note for note in warnings)


def is_as_wanted(command, fleet):
    """Whether the end is that of a command that nobody has killed."""
    if command.run is not restore:
        return not sites.planned(command.inventory, fleet).plan.changes()
    leftovers = [host for host in fleet.hosts.values() if host.last_run or host.running() or host.generations]
    return not leftovers and not sites.restore(SITE, fleet, sites.yes).planned.plan.changes()


@pytest.mark.parametrize("command", COMMANDS.values(), ids=COMMANDS.keys())
def test_command_that_is_killed_at_any_moment_names_its_step_and_is_ended_by_one_more_run(command):
    fleet = prepared(command)
    whole = copy.deepcopy(fleet)
    whole.moment = FaultInjector()
    assert alone(command.inventory, whole, command.run).exit_code == 0
    wrong = []

    for allowed in range(1, len(whole.moment.steps) + 1):
        hosts, (host, when, step) = killed(command, fleet, allowed)
        is_free = not lock.holder(SITE, hosts)
        report = alone(command.inventory, hosts, command.run)
        named = not step or step.startswith("remove the records") or is_named(report, host, step)
        if not (is_free and named and report.exit_code == 0 and is_as_wanted(command, hosts)):
            wrong.append((allowed, host, when, step, is_free, named, report.exit_code))

    assert len(whole.moment.steps) >= 16
    assert wrong == []
