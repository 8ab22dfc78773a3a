"""Files and units that run Heat's processes on one host, for either launcher. Pure."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace

from deployer import render
from deployer.heat import releases, scripts
from deployer.model import names, probe
from deployer.model.hosts import Instance
from deployer.model.probe import AnswersHttp, Probe, Program
from deployer.model.service import Service
from deployer.model.state import File, HostState, Unit, digest_of, file_of
from deployer.model.tls import Trust

OWN = "/etc/heat-scaleout"
SYSTEMD = "/etc/systemd/system"
TITLES = {Service.API: "REST API", Service.CFN: "CFN API", Service.ENGINE: "engine"}
SECTIONS = {Service.API: "heat_api", Service.CFN: "heat_api_cfn"}
ENGINE_PROGRAM = f"{OWN}/heat-engine"
WSGI_WORKERS = 2
# What an API refuses by itself, for want of a token or a signature: all of it is loaded then, and nobody else is asked.
REFUSED_PATHS = {Service.API: "/v1/heat-scaleout/stacks", Service.CFN: "/v1/"}
EVENTLET_CONNECTIONS = 16  # several for each worker: who takes which is the kernel's choice
MOST_WARM_UP_CONNECTIONS = 512
ANSWER_TIMEOUT = 30  # seconds for a client's request to be answered by an API that is ready
ENGINE_TIMEOUT = 90  # seconds for Heat to list a started engine as up
CONF_CHECK = (
    "import sys; from oslo_config import cfg; "
    "cfg.ConfigOpts()([], project='heat', default_config_files=[sys.argv[1]], default_config_dirs=[])"
)
SOCKET_TIMEOUT = 65  # seconds that uWSGI waits on a socket, at least
STOP_MARGIN = 30  # seconds systemd waits beyond the grace that Heat gives itself
PROGRESS_INTERVAL = 10.0  # seconds between two reports on the work that an engine still does
DAY = 86400.0  # seconds
APIS = "apis"  # the purpose of the certificate of a host's APIs
REACH_TIMEOUT = 10.0  # seconds for what is ready to be taken by the proxy's host: a wrong certificate stays wrong
TLS_MARK = "over TLS"  # the mark of a process that serves TLS, beside the digest of its configuration
NO_TLS_1_1 = 0x10000000  # OpenSSL's SSL_OP_NO_TLSv1_1; uWSGI itself refuses what is older
# Behind TLS an answer's links must have the scheme that the client uses, which only the proxy knows.
FORWARDED = "OS_OSLO_MIDDLEWARE__ENABLE_PROXY_HEADERS_PARSING=true"


@dataclass(frozen=True)
class TlsFiles:
    """How the APIs of a host serve TLS: paths on the host, the digest of the files, and what the proxy must verify."""

    certificate: str
    key: str
    digest: str
    trust: Trust


@dataclass(frozen=True)
class Runtime:
    """How Heat runs on a host.

    `launcher` is "heat-api" or "uwsgi" and `uwsgi` the path of that program; `grace` is an API's shutdown limit in
    seconds and `engine_grace` an engine's (0: none); `workers` maps a service to its worker processes (None: as
    heat.conf says); `health` maps an API to the path that answers without a login; `tree` is the digest of the
    configuration folder; `socket_timeout` is how many seconds uWSGI waits on a socket; `tls`: how its APIs serve TLS
    (None: plain HTTP); `forwarded`: clients or APIs use TLS, so that the proxy forwards the client's scheme;
    `cfn_clients`: the URL at which clients reach the CFN API.
    """

    host: str
    address: str
    prefix: str
    config_dir: str
    user: str
    group: str
    launcher: str
    uwsgi: str
    grace: int
    engine_grace: int
    threads: int
    tree: str
    socket_timeout: int = SOCKET_TIMEOUT
    tls: TlsFiles | None = None
    forwarded: bool = False
    cfn_clients: str = ""
    workers: Mapping[Service, int | None] = field(default_factory=dict)
    health: Mapping[Service, str] = field(default_factory=dict)

    @property
    def heat_conf(self) -> str:
        return f"{self.config_dir}/heat.conf"


def state_of(runtime: Runtime, instances: Iterable[Instance]) -> HostState:
    """Given how Heat runs on a host and which processes it should have, return their files and units."""
    files: dict[str, File] = {}
    units: dict[str, Unit] = {}
    of_heat = [instance for instance in instances if instance.service is not Service.PROXY]
    for service in dict.fromkeys(instance.service for instance in of_heat):
        numbered = [instance for instance in of_heat if instance.service is service]
        shared = list(_shared_files(runtime, service))
        tls = runtime.tls if service in SECTIONS else None
        read = [runtime.tree, runtime.address, str(runtime.workers.get(service))]  # the last two are in overlays
        read += [tls.digest] if tls else []
        config = digest_of("\n".join([*read, *(file.digest for file in shared)]).encode())
        note = _file(f"{OWN}/{service}.config", "host/service.config", config=config, secure=TLS_MARK if tls else "")
        files |= {file.path: file for file in (*shared, note, *_overlays(runtime, numbered))}
        reads = (f"{runtime.config_dir}/", *(file.path for file in shared))
        units |= {each.unit: replace(_unit(runtime, each), config=config, reads=reads) for each in numbered}
    return HostState(files, units)


def _unit(runtime: Runtime, each: Instance) -> Unit:
    ready, answers = _ready(runtime, each), _answers(runtime, each)
    if not (runtime.tls and isinstance(ready, AnswersHttp)):
        return Unit(each.unit, ready=ready, answers=answers, drained=each.drained)
    # On the host itself nobody stands between, and the authorities' file is the proxy's.
    reached = replace(probe.without_warm_up(ready), trust=runtime.tls.trust, timeout=REACH_TIMEOUT)
    return Unit(each.unit, ready=ready, reached=reached, answers=answers, drained=each.drained, secure=True)


def _shared_files(runtime: Runtime, service: Service) -> Iterator[File]:
    """Files that every process of a service on this host reads."""
    name = names.unit_template(service)
    yield _file(
        f"{SYSTEMD}/{name}",
        f"{service}/{name}",
        host=runtime.host,
        address=runtime.address,
        service=service,
        title=TITLES[service],
        type="exec",
        capabilities="",
        refused_calls="@privileged @resources",
        exec_start=_command(runtime, service),
        user=runtime.user,
        group=runtime.group,
        stop_seconds=_stop_seconds(_grace(runtime, service)),
        grace=runtime.engine_grace,
        workers=runtime.workers.get(service),
        forwarded=FORWARDED if runtime.forwarded else "",
    )
    if service is Service.ENGINE:
        yield file_of(ENGINE_PROGRAM, scripts.program("heat_engine").encode())
    if _under_uwsgi(runtime, service):
        yield _file(
            f"{OWN}/{service}.ini",
            f"{service}/{service}.ini",
            service=service,
            home="" if runtime.prefix == "/usr" else runtime.prefix,
            plugin=_plugin(runtime),
            module=releases.wsgi_module(service),
            workers=runtime.workers.get(service) or WSGI_WORKERS,
            threads=runtime.threads,
            grace=runtime.grace or 3600,
            heat_conf=runtime.heat_conf,
            socket_timeout=runtime.socket_timeout,
            refused_tls=NO_TLS_1_1 if runtime.tls else 0,
        )


def _plugin(runtime: Runtime) -> str:
    """A distribution's uWSGI loads Python as a plugin; one installed beside Heat by pip has it built in."""
    return "python3" if runtime.uwsgi.startswith("/usr/bin/") else ""


STARTED_WITH_PATTERN = f"/run/{names.UNIT_PATTERN}/config"


def started_with_path(unit: str) -> str:
    """The file in which a running process of ours has written what it read when it started."""
    return f"/run/{unit.removesuffix('.service').replace('@', '-')}/config"


def read_started_with(text: str) -> tuple[str | None, bool]:
    """Given the text of that file, return the digest of what it read, None for none, and whether it serves TLS."""
    lines = text.split("\n")
    return lines[0].strip() or None, TLS_MARK in lines[1:]


def _overlays(runtime: Runtime, instances: Iterable[Instance]) -> Iterator[File]:
    """The one thing in which two APIs of a kind on a host differ: where they listen."""
    for each in instances:
        if each.port and not _under_uwsgi(runtime, each.service):
            yield _file(
                f"{OWN}/{each.service}-{each.port}.conf",
                f"{each.service}/{each.service}-port.conf",
                section=SECTIONS[each.service],
                address=runtime.address,
                port=each.port,
                workers=runtime.workers.get(each.service),
            )


def _command(runtime: Runtime, service: Service) -> str:
    if _under_uwsgi(runtime, service):
        return f"{runtime.uwsgi} --ini {OWN}/{service}.ini {_socket(runtime)}"
    if service is Service.ENGINE:
        return f"{python_of(runtime.prefix)} {ENGINE_PROGRAM} --config-file {runtime.heat_conf}"
    command = f"{runtime.prefix}/bin/{releases.program(service)} --config-file {runtime.heat_conf}"
    return f"{command} --config-file {OWN}/{service}-%i.conf"


def _socket(runtime: Runtime) -> str:
    place, tls = names.endpoint(runtime.address, "%i"), runtime.tls
    return f"--https-socket {place},{tls.certificate},{tls.key}" if tls else f"--http-socket {place}"


def _under_uwsgi(runtime: Runtime, service: Service) -> bool:
    return service in SECTIONS and runtime.launcher == "uwsgi"


def _ready(runtime: Runtime, instance: Instance) -> Probe:
    if instance.port:
        path = runtime.health.get(instance.service, "/")
        return AnswersHttp(
            runtime.address,
            instance.port,
            path,
            secure=runtime.tls is not None,
            warm_up_paths=(path, REFUSED_PATHS[instance.service]),
            warm_up_connections=_warm_up_connections(runtime, instance.service),
        )
    name = names.engine_name(instance.host, instance.number)
    script = scripts.text(
        "engine_started", conf=runtime.heat_conf, host=name, unit=instance.unit, seconds=ENGINE_TIMEOUT
    )
    return _engine_program(runtime, script, ENGINE_TIMEOUT + 60.0)


def _answers(runtime: Runtime, each: Instance) -> Program | None:
    """The proof that a client of an API is answered; it names its port in its last argument."""
    if not each.port:
        return None
    script = scripts.text(
        "api_answers",
        conf=runtime.heat_conf,
        place=names.endpoint(runtime.address, "%s"),
        secure=runtime.tls is not None,
        clients=runtime.cfn_clients,
        seconds=ANSWER_TIMEOUT,
    )
    argv = (python_of(runtime.prefix), "-", f"{each.service}:{each.port}")
    return Program(argv, script, timeout=ANSWER_TIMEOUT + 60.0)


def _warm_up_connections(runtime: Runtime, service: Service) -> int:
    """Under uWSGI one for each thread; a worker of Heat's own programs takes any number at once."""
    if not _under_uwsgi(runtime, service):
        return EVENTLET_CONNECTIONS
    return min((runtime.workers.get(service) or WSGI_WORKERS) * runtime.threads, MOST_WARM_UP_CONNECTIONS)


def shutdown_probe(runtime: Runtime, unit: str) -> Probe:
    """The proof that a stopping engine has ended its work and left nothing in Heat."""
    script = scripts.text(
        "engine_stopped",
        conf=runtime.heat_conf,
        host=names.engine_of_unit(runtime.host, unit),
        unit=unit,
    )
    return _engine_program(runtime, script, PROGRESS_INTERVAL + 60.0)


def _engine_program(runtime: Runtime, script: str, timeout: float) -> Program:
    """A program for Heat's Python that waits while an engine ends its work, and says now and then what that is."""
    argv, busy_timeout = (python_of(runtime.prefix), "-"), _shutdown_timeout(runtime)
    return Program(argv, script, busy_timeout, PROGRESS_INTERVAL, timeout=timeout)


def _shutdown_timeout(runtime: Runtime) -> float:
    """Seconds in which an engine ends its work, or is ended by systemd."""
    return runtime.engine_grace + 2.0 * STOP_MARGIN if runtime.engine_grace else DAY


def conf_check(runtime: Runtime) -> tuple[str, ...]:
    """The command that lets oslo.config itself judge a heat.conf before it replaces the old one."""
    return (python_of(runtime.prefix), "-c", CONF_CHECK, "{}")


def python_of(prefix: str) -> str:
    """The interpreter that Heat's own libraries belong to."""
    return f"{prefix}/bin/python3"


def _grace(runtime: Runtime, service: Service) -> int:
    return runtime.engine_grace if service is Service.ENGINE else runtime.grace


def _stop_seconds(grace: int) -> str:
    return str(grace + STOP_MARGIN) if grace else "infinity"


def _file(path: str, template: str, **values: object) -> File:
    return file_of(path, render.text(template, **values).encode())
