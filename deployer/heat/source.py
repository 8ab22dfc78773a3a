"""The source host's configuration folder, and what follows from it for the other hosts. Pure."""

import ipaddress
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from deployer import errors
from deployer.heat import releases, service_units
from deployer.heat.conf import conf_editor, rewrite
from deployer.model.service import Service
from deployer.model.state import KEPT, File, HostState, bytes_of, file_of, text_of

PATH = re.compile(r"/[A-Za-z0-9._~/-]*")  # it ends in the proxy's configuration
APIS = (Service.API, Service.CFN)
DEFAULT_RPC_TIMEOUT = 60  # oslo.messaging's rpc_response_timeout, in seconds
DEFAULT_GRACE = 60  # Heat's graceful_shutdown_timeout, in seconds
ACTION_LIMIT = 3600  # Heat's stack_action_timeout, in seconds


@dataclass(frozen=True)
class Source:
    """`tree` maps a path relative to the folder to its content; `conf` is its heat.conf, read."""

    tree: Mapping[str, bytes] = field(repr=False)
    conf: conf_editor.Conf

    def check_path(self, service: Service) -> str:
        """The path of an API's health check, which takes no login; raise BadConfig for what no URL may hold."""
        flavor = self.conf.resolved("paste_deploy", "flavor") or ""
        path = releases.healthcheck_path(text_of(self.tree.get("api-paste.ini", b"")), service, flavor) or "/"
        if not PATH.fullmatch(path):
            raise errors.BadConfig(
                f"{self.conf.path.removesuffix('heat.conf')}api-paste.ini: the path of the health "
                "check is no path of letters, digits and . _ ~ / -"
            )
        return path

    def listens(self, service: Service) -> tuple[str | None, int | None]:
        """Address and port that heat.conf gives an API; None where it gives none. Raise BadConfig for another text."""
        section = service_units.SECTIONS[service]
        address = self.conf.resolved(section, "bind_host")
        if address and not _is_address(address):
            raise errors.BadConfig(f"{self.conf.path}: [{section}] bind_host is no IP address")
        return address, self.number(section, "bind_port")

    @property
    def grace(self) -> int:
        """Seconds that Heat gives itself to finish when it is stopped; 0 is without limit."""
        seconds = self.number("DEFAULT", "graceful_shutdown_timeout")
        return DEFAULT_GRACE if seconds is None else seconds

    @property
    def engine_grace(self) -> int:
        """Seconds that an engine has for its work when it is stopped; by default as many as a stack may take."""
        return self.grace if self.number("DEFAULT", "graceful_shutdown_timeout") is not None else ACTION_LIMIT

    @property
    def rpc_timeout(self) -> int:
        """Seconds that an API waits for an engine's answer."""
        seconds = self.number("DEFAULT", "rpc_response_timeout")
        return DEFAULT_RPC_TIMEOUT if seconds is None else seconds

    def number(self, section: str, key: str) -> int | None:
        """A number of heat.conf; None where it gives none. Raise BadConfig for anything else."""
        text = self.conf.resolved(section, key)
        if text and not text.isdecimal():
            raise errors.BadConfig(f"{self.conf.path}: [{section}] {key} is no number")
        return int(text) if text else None


def read(host: str, folder: str, state: HostState) -> Source:
    """Given what was found on the source host, return its folder; raise BadInput when heat.conf is not there."""
    tree = {
        path.removeprefix(folder + "/"): file.content
        for path, file in sorted(state.files.items())
        if path.startswith(folder + "/") and file.content is not None and not _ours(path)
    }
    if "heat.conf" not in tree:
        raise errors.BadInput(
            f"{host}: there is no {folder}/heat.conf",
            hint="`heat.source` is the host whose Heat runs already, `heat.config_dir` its folder.",
        )
    return Source(tree, conf_editor.parse(text_of(tree["heat.conf"]), f"{host}:{folder}/heat.conf"))


def files_for(
    source: Source, place: rewrite.NodeAddresses, runtime: service_units.Runtime
) -> tuple[tuple[File, ...], tuple[str, ...]]:
    """Return a node's copy of the folder, heat.conf rewritten for it, and the warnings on it."""
    rewritten = rewrite.for_node(text_of(source.tree["heat.conf"]), place, source.conf.path)
    contents = {**source.tree, "heat.conf": bytes_of(rewritten.text)}
    return tuple(_files(contents, runtime)), tuple(str(each) for each in rewritten.warnings)


def _files(contents: Mapping[str, bytes], runtime: service_units.Runtime) -> Iterator[File]:
    for path, content in contents.items():
        check = service_units.conf_check(runtime) if path == "heat.conf" else ()
        yield file_of(f"{runtime.config_dir}/{path}", content, group=runtime.group, mode=0o640, check=check)


def _is_address(text: str) -> bool:
    """Heat takes no other text there, and the proxy's configuration must not."""
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return "%" not in text


def _ours(path: str) -> bool:
    return path.endswith((KEPT, ".heat-scaleout-new"))
