"""The values of apis-proxy.conf and its unit. Pure."""

import functools
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from importlib import resources

from deployer import render
from deployer.inventory.sections import Proxy
from deployer.model.hosts import Instance
from deployer.model.names import Endpoint, endpoint, unit_name
from deployer.model.probe import AnswersSocket
from deployer.model.service import Service
from deployer.model.state import File, HostState, Unit, file_of
from deployer.model.tls import Trust
from deployer.proxy import config_digest, section_names, server_options
from deployer.proxy.server_options import ServerLine

CONFIG = "/etc/heat-scaleout/apis-proxy.conf"
BINDS = "/etc/heat-scaleout/proxy-binds"  # the program that a reload asks first
SOCKET = "/run/heat-scaleout-proxy/stats.sock"
# The master leads to the worker of the newest configuration; for a moment after a reload the other socket may not.
MASTER_SOCKET = "/run/heat-scaleout-proxy/master.sock"
DRAINED_STATE_FILE = "/run/heat-scaleout-proxy/drained"  # servers that are drained at run time, which a reload keeps
STARTED_WITH = "/run/heat-scaleout-proxy/config"  # where its process has noted the digest of its unit's file
STATUS_COMMANDS = "@1 show info;@1 show stat\n"
UNIT = unit_name(Service.PROXY)
UNIT_FILE = f"/etc/systemd/system/{UNIT}"
SECTIONS = section_names.SECTIONS
NUMBERED_PREFIX = {Service.API: "rest-server", Service.CFN: "cfn-server"}
# It starts as root and becomes its own user; to end its old workers, which are that user's, root needs CAP_KILL.
CAPABILITIES = "CAP_NET_BIND_SERVICE CAP_SETUID CAP_SETGID CAP_KILL"
FAST_CHECK = "500ms"  # between two checks of a server that goes up or down
HARD_STOP_AFTER = 120  # seconds an old worker may take to finish its requests after a reload
OWN_FILES = 1000  # beside those of its connections
# Open files that its unit allows: as many as Linux does by default, so that another maxconn is a mere reload. HAProxy
# takes what it needs of them.
ALLOWED_FILES = 2**20
PURPOSES = CLIENT_CERTIFICATE, BACKEND_CA = "clients", "authorities"  # the purposes of the certificates on its host


@dataclass(frozen=True)
class ProxySpec:
    """What the proxy serves: `binds` and `checks` map API and CFN to an endpoint and to the path of a health check.

    `trusts` maps a host whose APIs serve TLS to what they must prove; `certificates` is a digest of the files that the
    proxy takes for TLS, "" for none, so that new ones are a new configuration.
    """

    settings: Proxy
    binds: Mapping[Service, Endpoint]
    checks: Mapping[Service, str]
    trusts: Mapping[str, Trust] = field(default_factory=dict)
    certificates: str = ""


def state(spec: ProxySpec, instances: Iterable[Instance]) -> HostState:
    """Given what the proxy may serve and every API of the site, return its configuration and its unit.

    A kind of API that the site has no process of is none of the proxy's business: whoever serves it goes on.
    """
    spec = _serving(spec, instances)
    text, digest = configuration(spec, tuple(instances))
    unit_file = file_of(UNIT_FILE, _unit(spec.settings).encode(), only=Service.PROXY)
    files = [
        file_with(text, spec.settings.program),
        file_of(BINDS, _binds_program(), only=Service.PROXY),
        unit_file,
    ]
    needs = tuple((bind.address if bind.address != "*" else "0.0.0.0", bind.port) for bind in spec.binds.values())
    unit = Unit(UNIT, config=digest, ready=runs_with(digest), needs=needs, started_with=unit_file.digest)
    return HostState({file.path: file for file in files}, {UNIT: unit})


def file_with(text: str, program: str) -> File:
    """The file with a configuration, which the program judges before it replaces the old one."""
    return file_of(CONFIG, text.encode(), mode=0o600, check=(program, "-c", "-q", "-f", "{}"), only=Service.PROXY)


def runs_with(digest: str) -> AnswersSocket:
    """The proof that the proxy runs with the configuration of that digest."""
    return AnswersSocket(MASTER_SOCKET, STATUS_COMMANDS, config_digest.MARK + digest, timeout=30.0)


def _serving(spec: ProxySpec, instances: Iterable[Instance]) -> ProxySpec:
    """The same with the binds of those kinds of API alone that have a server."""
    present = {each.service for each in instances}
    return replace(spec, binds={service: bind for service, bind in spec.binds.items() if service in present})


def configuration(spec: ProxySpec, instances: tuple[Instance, ...]) -> tuple[str, str]:
    """Return the text of apis-proxy.conf and the digest that it carries in its description."""
    listed = [_section(spec, service, instances) for service in spec.binds]
    forwarded = spec.settings.tls is not None or bool(spec.trusts)
    values = _values(spec.settings) | {"sections": listed, "forwarded": forwarded, "description": config_digest.MARK}
    return config_digest.signed(render.text("proxy/apis-proxy.conf", **values), spec.certificates)


def redact(text: str) -> str:
    """The text of apis-proxy.conf without the password of its page."""
    return re.sub(r"(?m)^(\s*stats\s+auth\s+[^:\s]+:).*$", r"\1***", text)


def server_name(settings: Proxy, instance: Instance, position: int) -> str:
    """A server's name in HAProxy: who it is, or its number in the inventory's order as in Heat's guide."""
    if settings.server_names == "numbered":
        return f"{NUMBERED_PREFIX[instance.service]}-{position}"
    return f"{instance.host}-{instance.port}"


def files(settings: Proxy) -> int:
    """Open files that the proxy needs: two a connection, and some of its own."""
    return 2 * settings.maxconn + OWN_FILES


def connections(files: int) -> int:
    """The most connections for which so many open files are enough."""
    return max(files - OWN_FILES, 0) // 2


def _section(spec: ProxySpec, service: Service, instances: Iterable[Instance]) -> dict[str, object]:
    servers = [each for each in instances if each.service is service]
    check, tls = spec.settings.check, spec.settings.tls
    return {
        "name": SECTIONS[service],
        "bind": spec.binds[service],
        "bind_options": f" ssl crt {tls.certificate} alpn http/1.1" if tls else "",
        "scheme": "https" if tls else "http",
        "check_path": spec.checks[service] if check.path == "auto" else check.path,
        "check_expect": "200-399",
        "server_options": f"inter {check.interval} fastinter {FAST_CHECK} rise {check.rise} fall {check.fall}",
        "servers": [server_options.render(_server(spec, each, position)) for position, each in enumerate(servers, 1)],
    }


def _server(spec: ProxySpec, each: Instance, position: int) -> ServerLine:
    tls = server_options.tls_options(spec.trusts.get(each.host))
    return ServerLine(
        server_name(spec.settings, each, position), endpoint(each.address, each.number), tls, each.drained
    )


def _values(settings: Proxy) -> dict[str, object]:
    return {
        "maxconn": settings.maxconn,
        "listen_maxconn": settings.listen_maxconn,
        "retries": settings.retries,
        "timeouts": settings.timeouts,
        "balance": settings.balance,
        "user": settings.user,
        "group": settings.group,
        "socket": SOCKET,
        "drained": DRAINED_STATE_FILE,
        "hard_stop": f"{HARD_STOP_AFTER}s",
        "certificate": settings.tls and settings.tls.certificate,
        "stats": _stats(settings),
    }


def _stats(settings: Proxy) -> dict[str, object] | None:
    if settings.stats is None:
        return None
    return {
        "bind": settings.stats.bind,
        "user": settings.stats.user,
        "password": settings.stats.password.reveal() if settings.stats.password else None,
    }


@functools.cache
def _binds_program() -> bytes:
    return resources.files("deployer.proxy").joinpath("check_binds.py").read_bytes()


def _unit(settings: Proxy) -> str:
    return render.text(
        f"proxy/{UNIT}",
        capabilities=CAPABILITIES,
        refused_calls="",
        master=MASTER_SOCKET,
        program=settings.program,
        config_path=CONFIG,
        binds=BINDS,
        drained=DRAINED_STATE_FILE,
        stop_seconds=HARD_STOP_AFTER + 10,
        files=max(files(settings), ALLOWED_FILES),
        unit_file=UNIT_FILE,
        started_with=STARTED_WITH,
    )
