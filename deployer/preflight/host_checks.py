"""Finds what would make a deploy fail on a host, from one observation of every host. Pure."""

from collections.abc import Iterator, Mapping

from deployer.heat import releases
from deployer.inventory.schema import Inventory
from deployer.inventory.sections import Heat
from deployer.model import names
from deployer.model.facts import Facts, Listener, Observation
from deployer.model.hosts import Instance
from deployer.model.names import endpoint, is_ours
from deployer.model.service import Service
from deployer.model.state import HostState
from deployer.model.steps import Plan, WriteFile
from deployer.observed.observe import SiteObservation
from deployer.plan import host_steps

OLDEST_PYTHON = (3, 8)
CONTAINERS = ("docker-", "libpod-", "crio-", "cri-containerd-")  # scopes of container engines
MOST_SKEW = 10.0  # seconds; Keystone's tokens and Heat's engine rows compare clocks
LEAST_FREE = 100 * 1024 * 1024  # bytes


def problems(inventory: Inventory, observation: SiteObservation, desired: Mapping[str, HostState]) -> tuple[str, ...]:
    """One line for each problem of each host: `host: what is wrong: what to do`."""
    unreachable = [f"{error.message}: {error.hint}" for error in observation.errors.values()]
    source = observation.hosts.get(inventory.heat.source)
    release = releases.from_metadata(source.facts.paths.get("heat", ())) if source else None
    observed = [
        problem
        for name, each in observation.hosts.items()
        for problem in (
            *_of_host(name, each.facts),
            *_of_heat(inventory, name, each.facts, release),
            *_of_ports(inventory, name, each),
            *_of_proxy(inventory, name, each, desired),
            *_of_masked_units(inventory, name, each.facts),
            *_of_package_units(inventory, name, each.facts),
        )
    ]
    return (*unreachable, *observed, *_of_drains(inventory, observation))


def with_new_logins(inventory: Inventory, plan: Plan) -> tuple[str, ...]:
    """Hosts that get a heat.conf whose logins were not checked from there yet."""
    return tuple(
        dict.fromkeys(
            step.host
            for step in plan
            if isinstance(step, WriteFile) and step.file.path == f"{inventory.heat_of(step.host).config_dir}/heat.conf"
        )
    )


def _of_host(name: str, facts: Facts) -> Iterator[str]:
    if facts.python < OLDEST_PYTHON:
        yield f"{name}: Python {'.'.join(map(str, facts.python))} is too old: install Python 3.8 or later."
    if not facts.systemd:
        yield f"{name}: systemd is not running: heat-scaleout needs it to run processes."
    if abs(facts.skew) > MOST_SKEW:
        yield f"{name}: its clock is {facts.skew:+.0f} s off: synchronise it with chrony or systemd-timesyncd."
    for path, free in facts.free.items():
        if free < LEAST_FREE:
            yield f"{name}: {path} has only {free // 2**20} MiB free: it needs at least {LEAST_FREE // 2**20} MiB."


def _of_heat(inventory: Inventory, name: str, facts: Facts, desired: releases.Release | None) -> Iterator[str]:
    """Heat is installed, of the source's release, with its account, on each host that is to run it."""
    heat = inventory.heat_of(name)
    if not any(each.service is not Service.PROXY for each in inventory.instances_of(name)):
        return
    installed = releases.from_metadata(facts.paths.get("heat", ()))
    if installed is None:
        yield f"{name}: Heat is not installed below {heat.prefix}: install it, or set `heat.prefix` to its place."
    elif desired and installed != desired:
        yield f"{name}: Heat is {installed}, but {inventory.heat.source} has {desired}: install the same release."
    if installed:
        yield from _of_launcher(name, heat, facts, installed)
    if facts.accounts.get(heat.user) is None:
        yield f"{name}: user {heat.user} does not exist: create it, or set `heat.user`."


def _of_launcher(name: str, heat: Heat, facts: Facts, installed: releases.Release) -> Iterator[str]:
    """The launcher of the APIs is installed, and this release supports it."""
    has_programs = any(path.endswith("/heat-api") for path in facts.paths.get("programs", ()))
    under_uwsgi = (
        heat.tls
        or heat.launcher == releases.UWSGI
        or heat.launcher == "auto"
        and not (has_programs and installed.reads_bind_host)
    )
    if heat.launcher == releases.PROGRAMS and not (has_programs and installed.reads_bind_host):
        yield f"{name}: Heat {installed} has no heat-api program: set `heat.launcher: uwsgi`, or remove that setting."
    if heat.tls and not installed.has_wsgi_modules:
        yield (
            f"{name}: Heat {installed} serves its APIs with heat-api only, which does not support TLS: "
            "remove `heat.tls`."
        )
    elif under_uwsgi and not installed.has_wsgi_modules:
        yield f"{name}: Heat {installed} has no WSGI modules: install its heat-api programs."
    elif under_uwsgi and not facts.paths.get("uwsgi"):
        yield f"{name}: Heat {installed} needs uWSGI: install it below {heat.prefix}, or from the distribution."


def _of_ports(inventory: Inventory, name: str, observed: Observation) -> Iterator[str]:
    for instance in inventory.instances_of(name):
        for holder in host_steps.holders_of(instance.address, instance.port or 0, observed.facts.listeners):
            if holder.unit != instance.unit and not _is_stopped_by_plan(inventory, name, instance, holder):
                yield (
                    f"{name}: {instance.address}:{instance.port} is in use by {holder_name(holder)}: "
                    f"stop it, or give {instance.service} another port in the inventory."
                )


def _of_masked_units(inventory: Inventory, name: str, facts: Facts) -> Iterator[str]:
    """systemd starts nothing that somebody has masked."""
    for instance in inventory.instances_of(name):
        for unit in (instance.unit, names.unit_template(instance.service)):
            if unit in facts.masked:
                yield f"{name}: {unit} is masked: `systemctl unmask {unit}`, or take it out of the inventory."


def _of_package_units(inventory: Inventory, name: str, facts: Facts) -> Iterator[str]:
    """On a node the services of Heat's packages would take ports and work of ours, at the latest after a reboot."""
    services = {each.service for each in inventory.instances_of(name)} - {Service.PROXY}
    if name == inventory.heat.source or not services:
        return
    for unit in facts.package_units:
        yield (
            f"{name}: {unit} of Heat's package runs there, or starts with the host, and would use our heat.conf: "
            f"`systemctl disable --now {unit}`, when its work is done."
        )


def warnings(observed: Mapping[str, Observation]) -> Iterator[str]:
    """What somebody has changed by hand and a deploy leaves as it is: a line each."""
    for name, each in observed.items():
        for unit, paths in each.facts.drop_ins.items():
            yield f"{name}: {unit} is also what {', '.join(paths)} says: a deploy leaves that as it is"


def _is_stopped_by_plan(inventory: Inventory, name: str, instance: Instance, holder: Listener) -> bool:
    """Whether the holder is a unit of ours that the same plan stops."""
    return is_ours(holder.unit) and holder.unit not in {each.unit for each in inventory.instances_of(name)}


def _of_proxy(
    inventory: Inventory, name: str, observed: Observation, desired: Mapping[str, HostState]
) -> Iterator[str]:
    """HAProxy is installed, and its addresses are held by Heat's own APIs alone, which it replaces."""
    if name != inventory.proxy.host or not inventory.has_apis():
        return
    if not observed.facts.paths.get("haproxy"):
        yield f"{name}: {inventory.proxy.program} does not exist: install HAProxy 2.2 or later."
    if observed.facts.accounts.get(inventory.proxy.user) is None:
        yield f"{name}: user {inventory.proxy.user} does not exist: install HAProxy, or set `proxy.user`."
    needs = desired[name].units[host_steps.PROXY].needs if name in desired else ()
    for address, port in needs:
        for holder in host_steps.holders_of(address, port, observed.facts.listeners):
            if holder.unit != host_steps.PROXY and not is_heat_api(holder):
                yield (
                    f"{name}: the proxy needs {address}:{port}, which is in use by {holder_name(holder)}. That is not "
                    "an API of Heat: stop it, or set `proxy.bind`."
                )


def _of_drains(inventory: Inventory, observation: SiteObservation) -> Iterator[str]:
    """Each kind of API that serves now has a server that serves and is not to be drained."""
    proxy_host = observation.hosts.get(inventory.proxy.host)
    servers = proxy_host.facts.servers if proxy_host else ()
    drained = {endpoint(each.address, each.port) for each in inventory.instances() if each.drained and each.port}
    for section in dict.fromkeys(each.section for each in servers if each.serves):
        staying = [each for each in servers if each.section == section and each.address not in drained]
        if not any(each.serves for each in staying):
            others = "".join(f", {each.name} is {each.status} ({each.check})" for each in staying)
            yield (
                f"{inventory.proxy.host}: no other server of {section} serves now{others}: clients would get no "
                "answer. Start one first."
            )


def is_heat_api(holder: Listener) -> bool:
    """Whether a process is Heat's REST or CFN API, decided from its program, its arguments or its unit.

    Recognised: Heat's programs, uWSGI with Heat's modules or settings, and units as distributions and devstack name
    them. A process in a container is not: its container engine would start it again.
    """
    if holder.unit.startswith(CONTAINERS):
        return False
    texts = [holder.unit.replace("devstack@h-api", "heat-api"), *holder.argv]
    return any(sign in text for text in texts for sign in ("heat-api", "heat-wsgi-api", "heat.wsgi.", "heat_api"))


def holder_name(holder: Listener) -> str:
    """Who holds a port, for people: program, process and unit, never its arguments (they may hold secrets)."""
    unit = f" of {holder.unit}" if holder.unit else ""
    return f"{holder.program or 'an unknown process'} (pid {holder.pid}{unit})"
