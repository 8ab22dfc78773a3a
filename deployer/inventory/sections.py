"""The sections of an inventory file: every field with its type, its default and what it means. Holds no logic."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Discriminator, Field, Tag

from deployer.inventory.values import (
    MOST_HOSTS,
    MOST_PROCESSES,
    Address,
    ApiPort,
    BindAddress,
    CloudName,
    Duration,
    Gateway,
    HostKey,
    HostName,
    HostPath,
    LocalPath,
    OwnFolder,
    Password,
    Port,
    Processes,
    Reachable,
    Seconds,
    SshUser,
    StatsUser,
    SystemUser,
    TlsName,
    UrlPath,
    Version,
    Workers,
)

Launcher = Literal["auto", "heat-api", "uwsgi"]
Balance = Literal["roundrobin", "leastconn", "source", "static-rr", "first", "random"]
ServerNames = Literal["host", "numbered"]

UNIQUE = {"uniqueItems": True}
Ports = Annotated[
    Annotated[Processes, Tag("count")]
    | Annotated[tuple[ApiPort, ...], Field(max_length=MOST_PROCESSES, json_schema_extra=UNIQUE), Tag("ports")],
    Discriminator(lambda value: "ports" if isinstance(value, list | tuple) else "count"),
]


class Section(BaseModel):
    """What all sections share: values cannot change, unknown keys are refused and no value is converted."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, defer_build=True, hide_input_in_errors=True)


class Ssh(Section):
    """How SSH reaches the hosts; what is left out comes from the SSH configuration of who runs the command."""

    user: SshUser | None = Field(
        None, description="Login name on the hosts. Left out: `User` of the SSH configuration, or else root."
    )
    port: Port | None = Field(None, description="Port of sshd. Left out: `Port` of the SSH configuration, or else 22.")
    key: LocalPath | None = Field(
        None,
        description="Private key, tried alone; a relative path starts at the inventory's folder. Left out: the SSH "
        "agent's keys and `IdentityFile` of the SSH configuration, or else ~/.ssh/id_*.",
    )
    gateway: Gateway | None = Field(
        None,
        description="Jump host on the way, as `user@host:port`, or `none`. Left out: `ProxyJump` or "
        "`ProxyCommand` of the SSH configuration, or else none.",
    )
    sudo: bool | None = Field(None, description="Work as root through `sudo -n`. Left out: yes, unless root logs in.")
    known_hosts: LocalPath | None = Field(
        None,
        description="Host keys to trust, and no others; a relative path starts at the inventory's folder. Left out: "
        "`UserKnownHostsFile` and `GlobalKnownHostsFile` of the SSH configuration, or else "
        "~/.ssh/known_hosts and /etc/ssh/ssh_known_hosts.",
    )
    connect_timeout: Annotated[float, Field(ge=0.1, le=600, allow_inf_nan=False)] | None = Field(
        None,
        description="Seconds until a host that does not answer counts as unreachable. Left out: `ConnectTimeout` "
        "of the SSH configuration, or else 10.",
    )
    ssh_config: LocalPath | None = Field(
        None,
        description="SSH configuration to read instead of ~/.ssh/config and /etc/ssh/ssh_config; `none`: no file; a "
        "relative path starts at the inventory's folder.",
    )


class HostSsh(Ssh):
    """How SSH reaches one host; what is left out comes from the inventory's own `ssh`."""

    address: Reachable | None = Field(
        None,
        description="Where sshd is reached if not at the host's `address`; may be a name. `HostName` of the SSH "
        "configuration does not count.",
    )
    host_key: HostKey | None = Field(
        None,
        description="The host's public key: the only one that is trusted, whatever `known_hosts` says.",
    )


class ApiTls(Section):
    """TLS between the proxy and the APIs, version 1.2 at least; goes with `proxy.backend_tls` and takes uWSGI."""

    certificate: HostPath = Field(description="PEM file on the host: certificate and chain; Heat's user reads it.")
    key: HostPath = Field(description="PEM file on the host: private key, without a passphrase; Heat's user reads it.")
    name: TlsName | None = Field(
        None, description="Name that the certificate must have. Left out: the host's name in the inventory."
    )


class HostHeat(Section):
    """Where Heat is on a host and how its processes run."""

    config_dir: OwnFolder = Field("/etc/heat", description="Folder of heat.conf, api-paste.ini and the rest.")
    prefix: HostPath = Field(
        "/usr", description="Where `bin/heat-engine` lives: /usr for distribution packages, or a virtual environment."
    )
    user: SystemUser = Field("heat", description="System user that Heat's processes run as.")
    group: SystemUser = Field("heat", description="System group that Heat's processes run as.")
    launcher: Launcher = Field(
        "auto",
        description="What serves the APIs: `heat-api` (until 2025.1) or `uwsgi`; `auto`: what the host has, and with "
        "`tls` uwsgi.",
    )
    api_port: ApiPort = Field(8004, description="First port of a host's REST APIs when `api` is a count.")
    cfn_port: ApiPort = Field(8000, description="First port of a host's CFN APIs when `cfn` is a count.")
    engine_workers: Workers | None = Field(None, description="Workers of one engine. Left out: what heat.conf says.")
    engine_grace: Seconds | None = Field(
        None,
        description="Seconds that an engine which is stopped or restarted has for the work it does; 0: no limit. "
        "Left out: heat.conf's graceful_shutdown_timeout, or else 3600, as long as a stack may take.",
    )
    api_workers: Workers | None = Field(
        None, description="Workers of one REST API. Left out: 2 under uWSGI, what heat.conf says under heat-api."
    )
    cfn_workers: Workers | None = Field(
        None, description="Workers of one CFN API. Left out: 2 under uWSGI, what heat.conf says under heat-api."
    )
    threads: Workers = Field(8, description="Requests that one API worker serves at once under uWSGI.")
    tls: ApiTls | None = Field(None, description="TLS of the APIs, towards the proxy. Left out: plain HTTP.")


class Heat(HostHeat):
    """The Heat that is scaled out; a host's own `heat` overrides it field by field."""

    source: HostName = Field(description="Host whose configuration folder the others get; its Heat runs already.")


class ProxyBind(Section):
    """The addresses clients use."""

    api: BindAddress | None = Field(None, description="Where the REST API is served. Left out: where the source's was.")
    cfn: BindAddress | None = Field(None, description="Where the CFN API is served. Left out: where the source's was.")


class Timeouts(Section):
    """HAProxy's timeouts."""

    http_request: Duration = Field("10s", description="For a client to send its whole request header.")
    queue: Duration = Field("1m", description="For a request to wait for a free server.")
    connect: Duration = Field("10s", description="For a server to accept a connection.")
    client: Duration = Field(
        "90s", description="For a silent client; above Heat's own 60 s, so that Heat answers first."
    )
    server: Duration = Field(
        "90s", description="For a silent server; above Heat's own 60 s, so that Heat answers first."
    )
    check: Duration = Field("10s", description="For a server to answer a health check.")


class HealthCheck(Section):
    """How the proxy finds out which servers are alive."""

    path: UrlPath = Field("auto", description="What to ask for; `auto`: /healthcheck where Heat has it, else `/`.")
    interval: Duration = Field("2s", description="Time between two checks of a server.")
    rise: Annotated[int, Field(ge=1, le=100)] = Field(2, description="Good checks in a row that bring a server back.")
    fall: Annotated[int, Field(ge=1, le=100)] = Field(3, description="Bad checks in a row that take a server out.")


class Tls(Section):
    """TLS between the clients and the proxy, version 1.2 at least."""

    certificate: HostPath = Field(description="PEM file on the proxy's host: certificate, chain and private key.")


class BackendTls(Section):
    """What the proxy demands of the APIs' certificates; each host with an API needs `heat.tls`."""

    ca: HostPath = Field(description="PEM file on the proxy's host: authorities of which one must have signed them.")


class Stats(Section):
    """HAProxy's page of statistics."""

    bind: BindAddress = Field(
        "127.0.0.1:1936", validate_default=True, description="Loopback address of the page; reach it by `ssh -L`."
    )
    user: StatsUser | None = Field(None, description="Login of the page; needed.")
    password: Password | None = Field(None, description="Password of the page; goes with `user`. Never shown.")


class Proxy(Section):
    """The HAProxy in front of the APIs."""

    host: HostName = Field(description="Host that the proxy runs on.")
    bind: ProxyBind = Field(default_factory=ProxyBind, description="Addresses clients use.")
    balance: Balance = Field("roundrobin", description="How requests are spread; `source` pins a client to one server.")
    server_names: ServerNames = Field(
        "host", description="Names of the servers: `host`: hostB-8004; `numbered`: rest-server-1, cfn-server-1."
    )
    maxconn: Annotated[int, Field(ge=1, le=1_000_000)] = Field(4000, description="Connections of the whole process.")
    listen_maxconn: Annotated[int, Field(ge=1, le=1_000_000)] = Field(8000, description="Connections of each listener.")
    retries: Annotated[int, Field(ge=0, le=100)] = Field(3, description="Further tries to connect to a server.")
    timeouts: Timeouts = Field(default_factory=Timeouts, description="HAProxy's timeouts.")
    check: HealthCheck = Field(default_factory=HealthCheck, description="Health checks of the servers.")
    tls: Tls | None = Field(None, description="TLS for the clients. Left out: plain HTTP.")
    backend_tls: BackendTls | None = Field(None, description="TLS to the APIs, verified. Left out: plain HTTP.")
    stats: Stats | None = Field(None, description="Page of statistics. Left out: none.")
    user: SystemUser = Field("haproxy", description="System user that HAProxy runs as.")
    group: SystemUser = Field("haproxy", description="System group that HAProxy runs as.")
    program: HostPath = Field("/usr/sbin/haproxy", description="The HAProxy program on its host.")


class Verify(Section):
    """Who makes the stack that proves the site; the credentials stay in the file that openstacksdk reads."""

    cloud: CloudName | None = Field(
        None, description="Cloud of clouds.yaml to prove with. Left out: what OS_CLOUD says."
    )
    clouds_file: LocalPath | None = Field(
        None, description="The clouds.yaml; relative to the inventory's folder. Left out: openstacksdk's own places."
    )


class HostEntry(Section):
    """One host: where it is and what it runs."""

    address: Address = Field(description="IP address where the other hosts reach this one; its APIs listen there.")
    api: Ports = Field(0, description="REST APIs: how many, or the list of their ports.")
    cfn: Ports = Field(0, description="CFN APIs: how many, or the list of their ports.")
    engines: Processes = Field(0, description="Engines: how many.")
    drained: bool = Field(False, description="Whether the proxy sends nothing to this host's APIs while they run on.")
    ssh: HostSsh = Field(default_factory=HostSsh, description="What differs from the site's `ssh` here.")
    heat: HostHeat = Field(default_factory=HostHeat, description="What differs from the site's `heat` here.")


Hosts = Annotated[
    Mapping[HostName, HostEntry],
    Field(min_length=1, max_length=MOST_HOSTS, json_schema_extra={"additionalProperties": False}),
    AfterValidator(MappingProxyType),
]


class Document(Section):
    """A whole inventory file."""

    version: Version = Field(description="Version of this format.")
    site: HostName | None = Field(None, description="Name shown in reports. Left out: the file's name.")
    ssh: Ssh = Field(default_factory=Ssh, description="How SSH reaches the hosts.")
    heat: Heat = Field(description="The Heat that is scaled out.")
    proxy: Proxy = Field(description="The HAProxy in front of the APIs.")
    verify: Verify = Field(default_factory=Verify, description="How `invoke verify` logs in.")
    hosts: Hosts = Field(description="The hosts by name.")
