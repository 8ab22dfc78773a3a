"""Decide which options of heat.conf change on a node; every other line stays byte for byte. Pure."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from deployer.heat.conf import addresses, conf_editor, options, references, warnings
from deployer.heat.conf.addresses import Spot
from deployer.heat.conf.conf_editor import Conf, Edit, Setting
from deployer.heat.conf.options import Role
from deployer.heat.conf.warnings import ConfWarning
from deployer.model import names
from deployer.model.names import Endpoint

# A change may change what another option refers to; chains are short, and a value without references ends them.
_MOST_ROUNDS = 8


@dataclass(frozen=True)
class NodeAddresses:
    """Where a node's heat.conf will be: the node's own address and API ports, the source host, the proxy's binds.

    Addresses are IP addresses without brackets; `proxy_api` and `proxy_cfn` are where clients reach the APIs, over TLS
    if `secure`. One on loopback is behind a load balancer of the host, whose address for clients is not known.
    """

    address: str
    source_address: str
    api_port: int
    cfn_port: int
    proxy_api: Endpoint
    proxy_cfn: Endpoint
    secure: bool = False


@dataclass(frozen=True)
class OptionChange:
    """An option that is written differently on the node. `line` is the source file's, 0 for an added option."""

    section: str
    key: str
    line: int


@dataclass(frozen=True)
class Rewritten:
    """A node's heat.conf, what changed in it, and warnings for the operator."""

    text: str = field(repr=False)
    changes: tuple[OptionChange, ...]
    warnings: tuple[ConfWarning, ...]


# What is to be written, by section, key and line (0: added).
_Plan = dict[tuple[str, str, int], "_Planned"]


@dataclass(frozen=True)
class _Planned:
    """The value an option is to have; `was` is None for one that the file does not have."""

    section: str
    key: str
    line: int
    was: str | None
    value: str


def for_node(text: str, place: NodeAddresses, path: str = "/etc/heat/heat.conf") -> Rewritten:
    """Given the source host's heat.conf, return the node's. Raise BadConfig for a file that oslo.config refuses.

    The APIs get the node's own address and ports. Loopback hosts in the options that `options.role_of` knows become
    the source's address, or the proxy's where instances call an API; if the proxy's is loopback itself, they stay. A
    value that refers to others with `$` keeps its references where it reads as meant with them.
    """
    before = conf_editor.parse(text, path)
    plan = _by_place((*_own_addresses(before, place), *_literal(before, place)))
    for _ in range(_MOST_ROUNDS):
        more = plan | _by_place(_referring(before, before.reading(_edits(plan)), place))
        if more == plan:
            break
        plan = more
    edits = _edits(plan)
    changes = tuple(OptionChange(each.section, each.key, each.line) for each in _changing(plan))
    conf_warnings = tuple(warnings.warnings_for(before, before.reading(edits)))
    return Rewritten(conf_editor.edited(text, edits, path), changes, conf_warnings)


def _by_place(planned: Iterable[_Planned]) -> _Plan:
    return {(each.section, each.key, each.line): each for each in planned}


def _changing(plan: _Plan) -> list[_Planned]:
    """What is not as it should be, in the order of the file; what is to be added comes last."""
    changing = [each for each in plan.values() if each.value != each.was]
    return sorted(changing, key=lambda each: (not each.line, each.line))


def _edits(plan: _Plan) -> list[Edit]:
    return [Edit(each.section, each.key, each.value, each.line or None) for each in _changing(plan)]


def _own_addresses(before: Conf, place: NodeAddresses) -> Iterator[_Planned]:
    """Where the node's own APIs listen: the last occurrence of each option counts."""
    for section, port in (("heat_api", place.api_port), ("heat_api_cfn", place.cfn_port)):
        yield _set(before, section, "bind_host", place.address)
        yield _set(before, section, "bind_port", str(port))


def _set(before: Conf, section: str, key: str, value: str) -> _Planned:
    found = [each for each in before.settings if each.section == section and each.key == key]
    line, was = (found[-1].line, found[-1].value) if found else (0, None)
    return _Planned(section, key, line, was, value)


def _literal(before: Conf, place: NodeAddresses) -> Iterator[_Planned]:
    """Options that name hosts and refer to no other option."""
    for setting in before.settings:
        role = options.role_of(setting.section, setting.key)
        if role and "$" not in setting.value:
            value = _moved(role, setting.key, setting.value, _Moves(place))
            yield _planned(setting, value)


def _referring(before: Conf, after: Conf, place: NodeAddresses) -> Iterator[_Planned]:
    """Options that name hosts and have a `$`, given how everything else will read."""
    for setting in before.settings:
        role = options.role_of(setting.section, setting.key)
        if role and "$" in setting.value:
            value = _meaning_kept(role, setting, _Confs(before, after), place)
            yield _planned(setting, value)


@dataclass(frozen=True)
class _Confs:
    """The settings as they read on the source and, as far as they are rewritten by now, on the node."""

    before: Conf
    after: Conf


def _meaning_kept(role: Role, setting: Setting, confs: _Confs, place: NodeAddresses) -> str:
    """The raw value that reads on the node as the source's did, but for moved hosts; with its references if it can."""
    before, after = confs.before, confs.after
    moved = _moved(role, setting.key, setting.value, _Moves(place, before, setting.section))
    read = before.substituted(moved, setting.section)
    if read is None:
        return moved
    meant = _moved(role, setting.key, read, _Moves(place))  # whole addresses that a reference stands for move too
    choices = (setting.value, moved)
    fitting = (each for each in choices if after.substituted(each, setting.section) == meant)
    return next(fitting, references.escaped(meant))


@dataclass(frozen=True)
class _Moves:
    """Where loopback hosts move to, and the settings that answer a host written as a reference."""

    place: NodeAddresses
    conf: Conf | None = None
    section: str = ""

    def is_own_host(self, host: str) -> bool:
        read = self.conf.substituted(host, self.section) if self.conf else host
        return addresses.is_own_host(host if read is None else read)


def _moved(role: Role, key: str, value: str, moves: _Moves) -> str:
    """A value whose loopback hosts, an implied one included, are the source's or the proxy's."""

    def replacement(spot: Spot) -> str | None:
        return _address(role, key, spot, moves.place) if not spot.host or moves.is_own_host(spot.host) else None

    moved = addresses.replaced(value, options.spots(role, key, value), replacement)
    return _over_tls(role, moved, moves.place) if role in options.AT_PROXY else moved


def _over_tls(role: Role, url: str, place: NodeAddresses) -> str:
    """The URL of the proxy, over TLS if the proxy serves TLS."""
    proxy = _at_proxy(role, place)
    plain = f"http://{proxy}"
    if place.secure and not proxy.is_loopback and f"{url}/".startswith(f"{plain}/"):
        return f"https{url.removeprefix('http')}"
    return url


def _at_proxy(role: Role, place: NodeAddresses) -> Endpoint:
    return place.proxy_api if role is Role.API else place.proxy_cfn


def _address(role: Role, key: str, spot: Spot, place: NodeAddresses) -> str | None:
    """What a host, with its prefix and port, becomes; None where nobody knows."""
    if role in options.AT_PROXY:
        proxy = _at_proxy(role, place)
        return None if proxy.is_loopback else str(proxy)
    if key == "auth_host":  # keystonemiddleware adds the brackets itself
        return place.source_address + spot.tail
    return _family(key, spot, place.source_address) + names.bracketed(place.source_address) + spot.tail


def _family(key: str, spot: Spot, address: str) -> str:
    """The address family that python-memcached wants before an IPv6 address, and only there."""
    if ":" not in address:
        return ""
    unmarked = spot.host.startswith("[") and not spot.prefix  # a client that takes a plain [address]:port
    return "inet6:" if key in options.MEMCACHE and not unmarked else ""


def _planned(setting: Setting, value: str) -> _Planned:
    return _Planned(setting.section, setting.key, setting.line, setting.value, value)
