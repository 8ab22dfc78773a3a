"""What each release of Heat calls things: its number and name, launchers, WSGI modules, health checks. Pure."""

import configparser
import functools
import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass

from deployer import errors
from deployer.model.service import Service
from deployer.model.state import NOTHING

PROGRAMS = "heat-api"
UWSGI = "uwsgi"

# Heat 25.0.0 (2025.2) removed the heat-api and heat-api-cfn programs, and with them bind_host, bind_port and workers
# of [heat_api] and [heat_api_cfn]; the WSGI modules came in 24.0.0 (Heat's release notes and entry points).
LAST_WITH_PROGRAMS = 24
FIRST_WITH_WSGI_MODULES = 24

_PROGRAM_OF = {Service.API: "heat-api", Service.CFN: "heat-api-cfn", Service.ENGINE: "heat-engine"}
_WSGI_MODULE_OF = {Service.API: "heat.wsgi.api:application", Service.CFN: "heat.wsgi.cfn:application"}

_VERSION = re.compile(r"(?:\d+:)?(\d{1,2})(?!\d)(?:\.(\d+))?(?:\.(\d+))?")
_METADATA = re.compile(r"(?:^|/)openstack[_-]heat-(\d[^/-]*)(?:-py[^/]*)?\.(?:dist|egg)-info(?:/|$)", re.IGNORECASE)


@dataclass(frozen=True, order=True)
class Release:
    """A version of Heat; ordered by age. Engines of two majors must not share a RabbitMQ vhost."""

    major: int
    minor: int = 0
    patch: int = 0

    @classmethod
    def of(cls, text: str) -> "Release":
        """Read the version of a package ("24.1.2", "1:24.0.0-2"); raise BadInput for anything else."""
        if version := _VERSION.match(text.strip()):
            return cls(*(int(part or 0) for part in version.groups()))
        raise errors.BadInput(f"{text!r} is no version of Heat", hint="A version is written like 24.1.2.")

    @property
    def reads_bind_host(self) -> bool:
        """Whether [heat_api] and [heat_api_cfn] bind_host and bind_port mean anything to it."""
        return self.major <= LAST_WITH_PROGRAMS

    @property
    def has_wsgi_modules(self) -> bool:
        return self.major >= FIRST_WITH_WSGI_MODULES

    def __str__(self) -> str:
        return f"{self.major}.{self.minor}.{self.patch}"


def from_metadata(paths: Sequence[str]) -> Release | None:
    """The newest Heat whose package metadata folder is among the paths (or holds one of them); None without one."""
    versions = [match[1] for match in map(_METADATA.search, paths) if match]
    return max(map(Release.of, versions), default=None)


def launcher(release: Release, programs: Collection[str]) -> str:
    """How the APIs of a host start: PROGRAMS or UWSGI, given Heat's release and the names or paths of its programs.

    Raise BadInput for a Heat that has neither.
    """
    names = {program.rpartition("/")[2] for program in programs}
    if release.major <= LAST_WITH_PROGRAMS and {"heat-api", "heat-api-cfn"} <= names:
        return PROGRAMS
    if release.has_wsgi_modules:
        return UWSGI
    raise errors.BadInput(
        f"Heat {release} has neither heat-api and heat-api-cfn programs nor WSGI modules",
        hint="install Heat's API programs, or a release from 24.0.0 on",
    )


def program(service: Service) -> str:
    """The name of a service's own program, where the release still has it."""
    return _PROGRAM_OF[service]


def wsgi_module(service: Service) -> str:
    """The WSGI application of an API as `module:callable`, from release 24.0.0 on."""
    return _WSGI_MODULE_OF[service]


def default_engine_workers(processors: int) -> int:
    """How many workers an engine forks when num_engine_workers is not set (heat.cmd.engine, all releases)."""
    return max(4, processors)


@functools.lru_cache(maxsize=16)  # every process of every host asks for that of the same few files
def healthcheck_path(paste_text: str, service: Service, flavor: str) -> str | None:
    """Where an API answers without a token, as its api-paste.ini has it; None when nowhere, or the file is unreadable.

    Given [paste_deploy] flavor ("" for none), it is the path in the pipeline that Heat would load. Heat's own file has
    no health check in 14, a filter of the pipeline in 16 and 18, an application of its own in a URL map from 20 on.
    """
    paste = _read(paste_text)
    name = _PROGRAM_OF[service]
    candidates = [f"{name}-{flavor}", name] if flavor else [name]
    return next((_path_in(paste, candidate) for candidate in candidates if _sections(paste, candidate)), None)


def _read(text: str) -> configparser.RawConfigParser:
    """The file as PasteDeploy reads it; empty when it would not."""
    paste = configparser.RawConfigParser(strict=False, delimiters=("=", ":"))
    paste.optionxform = str  # type: ignore[assignment,method-assign]
    try:
        paste.read_string(text)
    except configparser.Error:
        return configparser.RawConfigParser()
    return paste


def _sections(paste: configparser.RawConfigParser, name: str) -> list[Mapping[str, str]]:
    kinds = ("pipeline", "composite", "app", "filter")
    return [paste[f"{kind}:{name}"] for kind in kinds if f"{kind}:{name}" in paste]


def _path_in(paste: configparser.RawConfigParser, name: str) -> str | None:
    """The health check's path in a pipeline or URL map."""
    return next((path for section in _sections(paste, name) for path in _paths(paste, section)), None)


def _paths(paste: configparser.RawConfigParser, section: Mapping[str, str]) -> Iterator[str]:
    for key, value in section.items():
        if key.startswith("/") and _is_healthcheck(paste, value.strip()):
            yield key.rstrip("/")
    for part in section.get("pipeline", "").split():
        if _is_healthcheck(paste, part):
            yield (_sections(paste, part) or [NOTHING])[0].get("path", "/healthcheck")


def _is_healthcheck(paste: configparser.RawConfigParser, name: str) -> bool:
    """Whether a filter or application is oslo.middleware's health check, whatever it is called here."""
    return any("healthcheck" in value.lower() for section in _sections(paste, name) for value in section.values())
