"""Prepares `verify`: its libraries, credentials and addresses; and redacts the reasons of its checks."""

import importlib.util
import os
from collections.abc import Collection, Mapping
from dataclasses import replace
from pathlib import Path

from deployer import errors
from deployer.desired import desired_state
from deployer.heat import redaction, withheld
from deployer.heat.redacting_fleet import RedactingFleet
from deployer.inventory.schema import Inventory
from deployer.model.names import Endpoint
from deployer.model.service import Service
from deployer.observed import observe
from deployer.remote.fleet import Fleet
from deployer.verify.acceptance import SUITE
from deployer.verify.smoke import clouds
from deployer.verify.smoke.clouds import Cloud
from deployer.verify.smoke.result import Check

LIBRARIES = ("pytest", "testinfra", "openstack", "botocore")


def refuse_unprepared(junit: Path | None) -> None:
    """Raise BadInput when a library, the acceptance suite or a place for the report is missing."""
    for library in LIBRARIES:
        if importlib.util.find_spec(library) is None:
            raise clouds.not_installed(library)
    if not SUITE.is_dir():
        raise errors.BadInput(f"there is no {SUITE}", hint="Install heat-scaleout again: the suite is a part of it.")
    if junit and (junit.is_dir() or not os.access(junit.absolute().parent, os.W_OK)):
        raise errors.BadInput(f"{junit} cannot be written", hint="--junit takes a file in a folder that exists.")


def cloud_of(inventory: Inventory, name: str | None) -> Cloud:
    """The cloud to use Heat in: as named, else as the inventory says; raise BadInput when there are no credentials."""
    named, clouds_file = inventory.verify_with()
    return clouds.chosen(name or named, clouds_file)


def proxy_binds(inventory: Inventory, fleet: Fleet) -> Mapping[Service, Endpoint]:
    """Where the proxy serves each API; raise a DeployerError when the source host does not answer."""
    observation = observe.observe_site(inventory, fleet)
    if inventory.heat.source in observation.errors:
        raise observation.errors[inventory.heat.source]
    return desired_state.desired_states(inventory, observation.hosts).binds


def redacted(checks: Collection[Check], inventory: Inventory, fleet: RedactingFleet, cloud: Cloud) -> tuple[Check, ...]:
    """The same checks with every secret in a reason redacted; no reason where nobody knows what is secret."""
    if not any(check.failed for check in checks):
        return tuple(checks)
    known = fleet.secrets([inventory.heat.source]).union(cloud.secrets)
    if not fleet.knows_secrets_of(inventory.heat.source):
        reason = f"its reason is {withheld.WITHHELD}; `invoke status` shows which hosts answer"
        return tuple(replace(each, reason=each.reason and reason) for each in checks)
    return tuple(replace(check, reason=redaction.redact(check.reason, known)) for check in checks)
