"""Decides what every host should have, from the inventory and an observation of every host. Pure."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace

from deployer import errors, render
from deployer.heat import releases, service_units, source
from deployer.heat.conf import rewrite
from deployer.inventory.schema import Inventory
from deployer.model.facts import Facts, Listener, Observation
from deployer.model.names import Endpoint, service_of
from deployer.model.probe import Probe
from deployer.model.service import Service
from deployer.model.state import Desired, File, HostState, Unit, digest_of, file_of
from deployer.model.tls import Certificate, Trust
from deployer.proxy import config

SLICE = "heat-scaleout.slice"
APIS = source.APIS
RPC_MARGIN = 5  # seconds that uWSGI waits longer than Heat, so that Heat answers first


@dataclass(frozen=True)
class SiteSettings:
    """What all hosts share: the source's configuration of Heat, and where clients reach each API."""

    source: source.Source
    binds: Mapping[Service, Endpoint]


def desired_states(inventory: Inventory, observed: Mapping[str, Observation]) -> Desired:
    """Return each host's desired state; a host that was not observed counts as one that has nothing yet.

    Raise BadInput when the source has no heat.conf that can be used.
    """
    observed = {name: observed.get(name, Observation(HostState())) for name in inventory.hosts}
    heat_source = read_source(inventory, observed)
    listeners = observed[inventory.heat.source].facts.listeners
    binds = {service: _bind(inventory, heat_source, service, listeners) for service in APIS}
    _refuse_collisions(inventory, binds)
    settings = SiteSettings(heat_source, binds)
    nodes = {name: _node(inventory, name, settings, observed[name]) for name in inventory.hosts}
    states = {name: node.state for name, node in nodes.items()}
    of_nodes = (warning for node in nodes.values() for warning in node.warnings)
    warnings = dict.fromkeys((*_binds_on_loopback(inventory, binds), *of_nodes))
    if inventory.has_apis():
        proxy = config.state(_proxy_spec(inventory, settings, observed), inventory.instances())
        states[inventory.proxy.host] = _merged([states[inventory.proxy.host], proxy])
    return Desired({name: _with_slice(state) for name, state in states.items()}, binds, tuple(warnings))


def without_ours(inventory: Inventory, observed: Mapping[str, Observation]) -> Desired:
    """Hosts without anything of ours, with the shutdown probes of their engines."""
    heat_source = read_source(inventory, observed)
    states = {
        name: HostState(
            shutdown_probes=_shutdown_probes(runtime_of(inventory, name, heat_source, each.facts), each.state, {})
        )
        for name, each in observed.items()
    }
    return Desired(states, {})


def read_source(inventory: Inventory, observed: Mapping[str, Observation]) -> source.Source:
    """The configuration folder of the inventory's source host."""
    name = inventory.heat.source
    return source.read(name, inventory.heat_of(name).config_dir, observed[name].state)


def _bind(
    inventory: Inventory, heat_source: source.Source, service: Service, listeners: Iterable[Listener]
) -> Endpoint:
    """Where clients reach an API: as the inventory says, else as heat.conf does, else where something listens now."""
    stated = getattr(inventory.proxy.bind, service)
    address, port = heat_source.listens(service)
    heat = inventory.heat_of(inventory.heat.source)
    port = port or (heat.api_port if service is Service.API else heat.cfn_port)
    address = address or next((each.address for each in listeners if each.port == port), None)
    return stated or Endpoint(address or inventory.hosts[inventory.heat.source].address, port)


def _refuse_collisions(inventory: Inventory, binds: Mapping[Service, Endpoint]) -> None:
    """The reader cannot see this where the proxy's addresses come from the source's heat.conf."""
    for each in inventory.instances_of(inventory.proxy.host):
        for bind in binds.values():
            if each.port and each.port == bind.port and (bind.is_wildcard or bind.address == each.address):
                raise errors.BadInput(
                    f"{inventory.path}: hosts.{each.host}.{each.service}: {bind} is the proxy's own address",
                    hint=f"List other ports for it, such as `{each.service}: [{each.port + 10}]`.",
                )


def _binds_on_loopback(inventory: Inventory, binds: Mapping[Service, Endpoint]) -> Iterator[str]:
    """The source's loopback address, taken to another host: the load balancer before the API does not reach it there.

    One that the inventory states is meant.
    """
    if inventory.proxy.host == inventory.heat.source:
        return
    for service in dict.fromkeys(each.service for each in inventory.instances() if each.service in APIS):
        if binds[service].is_loopback and not getattr(inventory.proxy.bind, service):
            yield (
                f"{inventory.proxy.host}: the proxy listens on {binds[service]} alone, as the API did on "
                f"{inventory.heat.source}: nothing outside that host reaches it. Set `proxy.bind.{service}`."
            )


def _reached_at(inventory: Inventory, service: Service, binds: Mapping[Service, Endpoint]) -> Endpoint:
    """Where other hosts reach an API: at its bind, or at the host that serves it when it binds every address."""
    bind = binds[service]
    is_ours = any(each.service is service for each in inventory.instances())
    host = inventory.proxy.host if is_ours else inventory.heat.source  # an API that nobody scales stays where it is
    return Endpoint(inventory.hosts[host].address, bind.port) if bind.is_wildcard else bind


@dataclass(frozen=True)
class NodeState:
    """A host's desired state without the proxy, and the warnings about its heat.conf."""

    state: HostState
    warnings: tuple[str, ...]


def _node(inventory: Inventory, name: str, settings: SiteSettings, observed: Observation) -> NodeState:
    instances = [each for each in inventory.instances_of(name) if each.service is not Service.PROXY]
    runtime = runtime_of(inventory, name, settings.source, observed.facts)
    files: tuple[File, ...] = ()
    warnings: tuple[str, ...] = ()
    if instances and name != inventory.heat.source:
        files, warnings = source.files_for(settings.source, _addresses(inventory, name, settings.binds), runtime)
    tree = files or _tree(observed.state, runtime.config_dir)
    scheme = "https" if inventory.proxy.tls else "http"
    runtime = replace(
        runtime,
        tree=digest_of("\n".join(f"{file.path} {file.digest}" for file in tree).encode()),
        cfn_clients=f"{scheme}://{_reached_at(inventory, Service.CFN, settings.binds)}",
    )
    desired = service_units.state_of(runtime, instances)
    probes = _shutdown_probes(runtime, observed.state, desired.units)
    own_files = HostState({file.path: file for file in files}, shutdown_probes=probes)
    return NodeState(_merged([own_files, desired]), warnings)


def _shutdown_probes(
    runtime: service_units.Runtime, observed: HostState, desired: Mapping[str, Unit]
) -> dict[str, Probe]:
    """How each engine that should not run proves that it has ended its work."""
    return {
        name: service_units.shutdown_probe(runtime, name)
        for name in observed.units
        if service_of(name) == Service.ENGINE and name not in desired
    }


def runtime_of(inventory: Inventory, name: str, heat_source: source.Source, facts: Facts) -> service_units.Runtime:
    """How Heat runs on a host: as the inventory says, else as what is installed there asks for."""
    heat = inventory.heat_of(name)
    launcher = releases.UWSGI if heat.tls else _launcher(facts) if heat.launcher == "auto" else heat.launcher
    return service_units.Runtime(
        host=name,
        address=inventory.hosts[name].address,
        prefix=heat.prefix,
        config_dir=heat.config_dir,
        user=heat.user,
        group=heat.group,
        launcher=launcher,
        threads=heat.threads,
        grace=heat_source.grace,
        tree="",
        engine_grace=heat_source.engine_grace if heat.engine_grace is None else heat.engine_grace,
        socket_timeout=max(service_units.SOCKET_TIMEOUT, heat_source.rpc_timeout + RPC_MARGIN),
        uwsgi=next(iter(facts.paths.get("uwsgi", ())), f"{heat.prefix}/bin/uwsgi"),
        tls=_tls(inventory, name, facts),
        forwarded=bool(inventory.proxy.tls or inventory.proxy.backend_tls),
        workers={Service.API: heat.api_workers, Service.CFN: heat.cfn_workers, Service.ENGINE: heat.engine_workers},
        health={service: heat_source.check_path(service) for service in APIS},
    )


def _tls(inventory: Inventory, name: str, facts: Facts) -> service_units.TlsFiles | None:
    """With what the APIs of a host speak TLS; a new certificate there is a new configuration."""
    tls, trust = inventory.heat_of(name).tls, trust_in(inventory, name)
    if not (tls and trust):
        return None
    digest = facts.certificates.get(service_units.APIS, Certificate()).digest
    return service_units.TlsFiles(tls.certificate, tls.key, digest, trust)


def trust_in(inventory: Inventory, name: str) -> Trust | None:
    """What the APIs of a host must prove to the proxy; None where they speak plain HTTP."""
    tls, backend = inventory.heat_of(name).tls, inventory.proxy.backend_tls
    return Trust(tls.name or name, backend.ca) if tls and backend else None


def _launcher(facts: Facts) -> str:
    """What serves the APIs; where no Heat was found (preflight says so), what the newest releases need."""
    release = releases.from_metadata(facts.paths.get("heat", ()))
    return releases.launcher(release, facts.paths.get("programs", ())) if release else releases.UWSGI


def _addresses(inventory: Inventory, name: str, binds: Mapping[Service, Endpoint]) -> rewrite.NodeAddresses:
    """Where a node is, for the options of its heat.conf that name an address."""
    instances = inventory.instances_of(name)
    ports = {service: [each.port for each in instances if each.service is service and each.port] for service in APIS}
    heat = inventory.heat_of(name)
    return rewrite.NodeAddresses(
        address=inventory.hosts[name].address,
        source_address=inventory.hosts[inventory.heat.source].address,
        api_port=next(iter(ports[Service.API]), heat.api_port),
        cfn_port=next(iter(ports[Service.CFN]), heat.cfn_port),
        proxy_api=_reached_at(inventory, Service.API, binds),
        proxy_cfn=_reached_at(inventory, Service.CFN, binds),
        secure=inventory.proxy.tls is not None,
    )


def _proxy_spec(inventory: Inventory, settings: SiteSettings, observed: Mapping[str, Observation]) -> config.ProxySpec:
    certificates = observed[inventory.proxy.host].facts.certificates
    digests = [certificates[purpose].digest for purpose in config.PURPOSES if purpose in certificates]
    trusts = {name: trust for name in inventory.hosts if (trust := trust_in(inventory, name))}
    checks = {service: settings.source.check_path(service) for service in APIS}
    return config.ProxySpec(inventory.proxy, settings.binds, checks, trusts, "\n".join(digests))


def _tree(state: HostState, folder: str) -> tuple[File, ...]:
    """The source's own folder, as its own processes of ours read it."""
    return tuple(file for path, file in sorted(state.files.items()) if path.startswith(folder + "/"))


def _with_slice(state: HostState) -> HostState:
    if not state.units:
        return state
    path = f"{service_units.SYSTEMD}/{SLICE}"
    return _merged([state, HostState({path: file_of(path, render.text(f"host/{SLICE}").encode())})])


def _merged(states: Iterable[HostState]) -> HostState:
    files: dict[str, File] = {}
    units: dict[str, Unit] = {}
    probes: dict[str, Probe] = {}
    for state in states:
        files |= state.files
        units |= state.units
        probes |= state.shutdown_probes
    return HostState(files, units, shutdown_probes=probes)
