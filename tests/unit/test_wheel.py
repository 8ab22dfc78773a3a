"""The wheel: what is inside, what it asks for, and that it works in an environment of its own from an empty folder."""

import ast
import json
import re
import sys
import sysconfig
import zipfile
from collections.abc import Iterator, Sequence
from importlib import metadata
from pathlib import Path

import pytest
import sites
import wheels

from deployer.cli.tasks import namespace

ROOT = sites.ROOT
# Parts of a library that setup.cfg asks for by another name.
BROUGHT_BY = {"paramiko": "fabric", "keystoneauth1": "openstacksdk", "pydantic_core": "pydantic"}
# These run on hosts, with Heat's own libraries.
ON_HOSTS = ("deployer/heat/scripts", "deployer/remote/agent", "tests/acceptance/heat_reads.py")


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return wheels.built(tmp_path_factory.mktemp("checkout"))


@pytest.fixture(scope="module")
def environment(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A fresh environment with the wheel in it, and after it the libraries of this one."""
    folder = wheels.environment(tmp_path_factory.mktemp("environment"), "--no-index", "--no-deps", wheel)
    (packages,) = folder.glob("lib/python*/site-packages")
    (packages / "libraries.pth").write_text(sysconfig.get_paths()["purelib"])
    return folder


@pytest.fixture
def installed(environment: Path, tmp_path: Path) -> wheels.Installed:
    """The tool, run from an empty folder."""
    (tmp_path / "empty").mkdir()
    return wheels.Installed(environment, tmp_path / "empty")


def files_below(folder: Path) -> set[str]:
    return {
        path.relative_to(folder).as_posix()
        for path in folder.rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }


def libraries_of(paths: Sequence[Path]) -> Iterator[str]:
    """The names of the modules outside the standard library that files import, anywhere in them."""
    own = {path.stem for path in paths} | {"deployer"}
    for path in paths:
        for node in ast.walk(ast.parse(path.read_text())):
            names = [each.name for each in node.names] if isinstance(node, ast.Import) else []
            names += [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            yield from {name.partition(".")[0] for name in names} - own - sys.stdlib_module_names


def plain(name: str) -> str:
    """The name of a distribution as PyPI compares them."""
    return re.sub(r"[-_.]+", "-", name).lower()


def test_wheel_of_a_checkout_has_the_package_with_templates_and_suite_and_nothing_else(wheel):
    with zipfile.ZipFile(wheel) as archive:
        names = {name for name in archive.namelist() if ".dist-info/" not in name}

    assert names == {
        *(f"deployer/{name}" for name in files_below(ROOT / "deployer")),
        *(f"deployer/templates/{name}" for name in files_below(ROOT / "templates")),
        *(f"deployer/acceptance/{name}" for name in files_below(ROOT / "tests/acceptance")),
    }


def test_requirements_of_the_wheel_are_what_its_modules_import(environment):
    paths = [path for folder in ("deployer", "tests/acceptance") for path in (ROOT / folder).rglob("*.py")]
    here = [path for path in paths if not path.relative_to(ROOT).as_posix().startswith(ON_HOSTS)]
    known = metadata.packages_distributions()
    imported = {plain(BROUGHT_BY.get(name) or known[name][0]) for name in libraries_of(here)}
    (packages,) = environment.glob("lib/python*/site-packages")
    (own,) = metadata.distributions(name="heat-scaleout", path=[str(packages)])
    required = [each for each in own.requires or () if "extra ==" not in each]

    assert {plain(re.split(r"[<>=!~ ;]", each)[0]) for each in required} == imported


def test_version_of_the_installed_tool_names_the_tool_python_and_the_libraries(installed):
    lines = installed.run("--version").stdout.splitlines()

    assert lines[0].startswith(f"heat-scaleout {metadata.version('heat-scaleout')} ({installed.environment}/lib/")
    assert lines[1] == "Python {}.{}.{}".format(*sys.version_info)
    assert {line.split()[0] for line in lines[2:]} >= {"fabric", "invoke", "paramiko", "pydantic", "openstacksdk"}


def test_commands_of_the_installed_tool_are_those_of_the_checkout_without_its_lab(installed):
    listed = json.loads(installed.run("--list", "--list-format", "json").stdout)

    assert {task["name"] for task in listed["tasks"]} == {name for name in namespace.task_names if "." not in name}
    assert listed["collections"] == []


def test_render_from_an_empty_folder_writes_the_files_of_every_host(installed, tmp_path):
    (tmp_path / "heat").mkdir()
    (tmp_path / "heat/heat.conf").write_text(sites.CONF)
    (tmp_path / "heat/api-paste.ini").write_text(sites.PASTE)
    site = tmp_path / "site.yaml"
    site.write_text(sites.an_inventory_text())

    installed.run("render", "--out", "out", "--source", tmp_path / "heat", "--inventory", site)

    assert files_below(installed.folder / "out") >= {
        "hostA/etc/heat-scaleout/apis-proxy.conf",
        "hostB/etc/systemd/system/heat-scaleout-engine@.service",
        "hostC/etc/heat/heat.conf",
    }


def test_plan_from_an_empty_folder_asks_for_an_inventory(installed):
    ran = installed.run("plan", code=3)

    assert ran.stderr.splitlines() == [
        "error: inventories/lab.yaml: there is no such file",
        "hint: Name the file: --inventory FILE, HEAT_SCALEOUT_INVENTORY=FILE, or `inventory: FILE` in invoke.yaml.",
    ]


def test_verify_from_an_empty_folder_runs_the_acceptance_suite_of_the_wheel(installed):
    """Nobody answers at the hosts' port, so that each test of the suite fails, and nobody knows what is secret."""
    hosts = {
        name: f"{{address: 10.0.0.{number}, engines: 1, ssh: {{address: 127.0.0.1}}}}"
        for number, name in enumerate(("hostA", "hostB", "hostC"), 1)
    }
    more = "ssh: {port: 1, known_hosts: none, connect_timeout: 2}"
    (installed.folder / "site.yaml").write_text(sites.an_inventory_text(more=more, **hosts))
    auth = "{auth_url: 'http://127.0.0.1:1/v3', username: u, password: p, project_name: p}"
    (installed.folder / "clouds.yaml").write_text(f"clouds: {{mine: {{auth: {auth}}}}}")

    ran = installed.run("verify", "--inventory", "site.yaml", "--cloud", "mine", "--format", "json", code=7)

    checks = json.loads(ran.stdout)["checks"]
    of_suite = [check for check in checks if check["where"] in hosts]
    assert {check["where"] for check in of_suite} == set(hosts)
    (reason,) = {check["reason"] for check in of_suite}
    assert reason.startswith("its reason is withheld, as no heat.conf could be read")


def test_hosts_of_an_inventory_are_completed_by_the_installed_tool(installed):
    (installed.folder / "site.yaml").write_text(sites.an_inventory_text())

    ran = installed.run("--complete", "--", "heat-scaleout", "add-engine", "--inventory", "site.yaml", "hostB")

    assert ran.stdout == "hostB\t10.0.0.2\n"
