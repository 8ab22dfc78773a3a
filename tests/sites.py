"""Small inventories, and hosts that fit them, for tests: one builder for each kind of input."""

from collections.abc import Mapping
from pathlib import Path

from contract.fake_fleet import FakeFleet
from contract.fake_host import PIDS, FakeHost, FakeListener

from deployer import pipeline
from deployer.inventory import reader
from deployer.inventory.inventory_file import InventoryFile
from deployer.inventory.schema import Inventory
from deployer.model.facts import Facts, Listener, Observation
from deployer.model.names import unit_name
from deployer.model.service import Service
from deployer.model.state import File, HostState, Unit, file_of
from deployer.observed import history
from deployer.plan.planned import Change

ROOT = Path(__file__).parent.parent
PATH = Path("/sites/some.yaml")
CONF = """\
[DEFAULT]
sql_connection = mysql+pymysql://root:admin@127.0.0.1/heat?charset=utf8
rabbit_host = localhost

[heat_api]
bind_port = 8004
bind_host = 10.0.0.1

[heat_api_cfn]
bind_port = 8000
bind_host = 10.0.0.1
"""
PASTE = """\
[composite:heat-api]
paste.composite_factory = heat.api:root_app_factory
/: api
/healthcheck: healthcheck

[composite:heat-api-cfn]
paste.composite_factory = heat.api:root_app_factory
/: api-cfn
/healthcheck: healthcheck

[app:healthcheck]
paste.app_factory = oslo_middleware:Healthcheck.app_factory
"""
HEAT_27 = ("openstack_heat-27.0.1.dist-info", "heat-engine", "uwsgi")
HEAT_24 = ("openstack_heat-24.1.2.dist-info", "heat-engine", "heat-api", "heat-api-cfn")
NODES = {
    "hostB": "{address: 10.0.0.2, api: 1, cfn: 1, engines: 2}",
    "hostC": "{address: 10.0.0.3, api: 1, cfn: 1, engines: 2}",
}


def an_inventory_text(heat: str = "", proxy: str = "", more: str = "", **hosts: str) -> str:
    """The guide's three hosts, with settings added to a section, and hosts replaced or added by name."""
    lines = {"hostA": "{address: 10.0.0.1}", **NODES, **hosts}
    return "\n".join(
        [
            "version: 1",
            more,
            f"heat: {{source: hostA, prefix: /opt/heat, {heat}}}",
            f"proxy: {{host: hostA, {proxy}}}",
            "hosts:",
            *(f"  {name}: {entry}" for name, entry in lines.items() if entry),
            "",
        ]
    )


def an_inventory(heat: str = "", proxy: str = "", more: str = "", **hosts: str) -> Inventory:
    return reader.parse(an_inventory_text(heat, proxy, more, **hosts), PATH)


def guide() -> Inventory:
    return reader.read(ROOT / "inventories" / "guide.yaml")


def facts(installed: tuple[str, ...] = HEAT_27, **other) -> Facts:
    """What a host says of itself when everything is as it should be."""
    paths = {
        "heat": tuple(f"/opt/heat/lib/python3.11/site-packages/{name}" for name in installed if "info" in name),
        "programs": tuple(f"/opt/heat/bin/{name}" for name in installed if name.startswith("heat-")),
        "uwsgi": tuple(f"/opt/heat/bin/{name}" for name in installed if name == "uwsgi"),
        "haproxy": ("/usr/sbin/haproxy",),
        "python": ("/opt/heat/bin/python3",),
    }
    fine = {"python": (3, 11, 2), "free": {"/etc": 2**33}, "accounts": {"heat": 101, "haproxy": 102}, "paths": paths}
    return Facts(**fine | other)


def bare(inventory: Inventory, conf: str = CONF, paste: str = PASTE, **each) -> dict[str, Observation]:
    """Hosts on which nothing was deployed yet: the source has its heat.conf, every host a Heat."""
    observed = {name: Observation(HostState(), facts(**each)) for name in inventory.hosts}
    tree = {
        f"/etc/heat/{name}": file_of(f"/etc/heat/{name}", text.encode())
        for name, text in {"heat.conf": conf, "api-paste.ini": paste}.items()
        if text
    }
    observed[inventory.heat.source] = Observation(HostState(tree), facts(**each))
    return observed


def as_wanted(states: Mapping[str, HostState]) -> dict[str, Observation]:
    """Hosts that have exactly what was wanted."""
    return {
        name: Observation(HostState(state.files, state.units, frozenset(state.files)), facts())
        for name, state in states.items()
    }


def a_file(path: str = "/etc/heat/heat.conf", content: str = "new", **how) -> File:
    return file_of(path, content.encode(), **how)


def a_unit(service: Service = Service.ENGINE, number: int = 1, **how) -> Unit:
    return Unit(unit_name(service, number), **{"config": "as wanted"} | how)


def a_state(*parts: File | Unit, **how) -> HostState:
    files = {part.path: part for part in parts if isinstance(part, File)}
    return HostState(files, {part.name: part for part in parts if isinstance(part, Unit)}, **how)


def a_listener(port: int = 8004, address: str = "10.0.0.1", program: str = "heat-api", **how) -> Listener:
    return Listener(address, port, **{"pid": 501, "program": program, "argv": (f"/opt/heat/bin/{program}",)} | how)


def a_fleet(inventory: Inventory, installed: tuple[str, ...] = HEAT_27, conf: str = CONF) -> FakeFleet:
    """The guide's starting point: a whole Heat runs on the source, the other hosts have Heat installed."""
    hosts = {name: FakeHost(name, entry.address) for name, entry in inventory.hosts.items()}
    for host in hosts.values():
        host.paths |= {f"/opt/heat/{_folder(name)}/{name}" for name in installed}
    source = hosts[inventory.heat.source]
    source.has_file("/etc/heat/heat.conf", conf, group="heat", mode=0o640)
    source.has_file("/etc/heat/api-paste.ini", PASTE, group="heat", mode=0o640)
    source.runs("heat-api", 8004, "heat-api.service")
    source.runs("heat-api-cfn", 8000, "heat-api-cfn.service")
    source.engines.append(FakeListener("", 0, next(PIDS), "heat-engine", "heat-engine.service"))
    return FakeFleet(hosts)


def _folder(name: str) -> str:
    return "lib/python3.11/site-packages" if name.endswith("-info") else "bin"


def a_file_of(text=None):
    """An inventory's file that says so already."""
    text = an_inventory_text() if text is None else text
    return InventoryFile(PATH, text, reader.parse(text, PATH), text.encode())


def unfinished(planned):
    """What a plan says of runs that have not ended."""
    return history.describe_unfinished(planned.observed)


def yes(planned, warnings):
    """Whoever accepts every plan."""
    return True


def no(planned, warnings):
    """Whoever accepts none."""
    return False


def deploy(inventory, fleet, accept=yes, **change):
    """Deploy an inventory on hosts in memory; `change` are fields of Change."""
    return pipeline.deploy(Change(inventory, **change), fleet, accept)


def planned(inventory, fleet, contents=False, **change):
    """What a deploy would do."""
    return pipeline.plan(Change(inventory, **change), fleet, contents)


def restore(inventory, fleet, accept=yes, **change):
    """Go back to the single server."""
    return pipeline.restore(Change(inventory, **change), fleet, accept)


def rollback(inventory, number, fleet, accept=yes, **change):
    """Go back to a generation."""
    return pipeline.rollback(Change(inventory, **change), number, fleet, accept)
