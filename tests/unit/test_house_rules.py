"""The house keeps its shape: who imports whom, how long a file may grow, and what every room says of itself."""

import ast
import functools
import sys
from pathlib import Path

import pytest
import sites

ROOT = sites.ROOT
STANDARD = sys.stdlib_module_names
MOST_LINES, MOST_LINES_OF_A_FUNCTION = 300, 45

HEAT_CONF_NAMES = "conf_editor grammar addresses warnings conf_redaction options references rewrite secret_values"
HEAT_CONF = {f"heat.conf.{name}" for name in HEAT_CONF_NAMES.split()}
PURE_HEAT = {*HEAT_CONF, "heat.releases"}
CAPACITY = "sizes connections memory open_files timeouts capacity_checks"
PURE = {
    "model.service",
    "model.names",
    "model.printable",
    "model.hosts",
    "model.probe",
    "model.state",
    "model.facts",
    "errors",
    "heat.known_secrets",
    "heat.redaction",
    "heat.script_outputs",
    "model.steps",
    "render",
    "plan.host_steps",
    "plan.outdated",
    "plan.diff",
    "apply.agent_requests",
    "plan.revert",
    "desired.desired_state",
    "plan.textdiff",
    "status.site",
    "model.purpose",
    "model.run",
    "observed.history",
    "desired.generations",
    "desired.goal",
    "plan.planned",
    "apply.report",
    "preflight.findings",
    "verify.proof",
    "cli.views.colors",
    "cli.views.console",
    "cli.output.event_json",
    "cli.output.event_view",
    "cli.views.layout",
    "cli.output.output_options",
    "cli.views.plan_view",
    "cli.views.proof_view",
    "cli.views.recovery_text",
    "cli.views.run_report",
    "cli.views.history_table",
    "plan.saved_plan",
    "status.instances",
    "status.site_view",
    "status.orphans",
    "status.rates",
    "status.sorting",
    "cli.views.watch_table",
    "logs.query",
    "logs.merge",
    "logs.follow",
    "cli.views.logs_text",
    "cli.views.status_table",
    "preflight.host_checks",
    "inventory.distribute",
    "inventory.scaling",
    "heat.service_units",
    "heat.source",
    "heat.withheld",
    "proxy.config",
    "proxy.runtime_api",
    "proxy.server_options",
    "proxy.config_digest",
    "preflight.tls_checks",
    "plan.tls_migration",
    "plan.drain",
    "plan.rolling",
    "plan.site_diff",
    "model.tls",
    "model.events",
    "heat.exchange_summary",
    "remote.step_lines",
    "remote.replies",
    "remote.reply_schema",
    "remote.reply_subjects",
    "remote.generation_schema",
    "remote.reply_values",
    *PURE_HEAT,
    *(
        f"preflight.capacity.{name}"
        for name in ("sizes", "connections", "memory", "open_files", "timeouts", "capacity_checks")
    ),
}
PURE_INVENTORY = {
    "inventory.schema",
    "inventory.sections",
    "inventory.values",
    "inventory.document",
    "inventory.checks",
    "inventory.validation",
    "inventory.error_messages",
    "inventory.formatting",
    "inventory.ports",
    "inventory.splice",
}
UNCLEAN = {"socket", "subprocess", "time", "random", "requests", "threading", "urllib.request", "http.client"}
LIBRARIES_OF_ONE_ROOM = {
    "fabric": {"remote.ssh", "remote.ssh_connection"},
    "paramiko": {"remote.channel_io", "remote.ssh", "remote.ssh_connection", "remote.ssh_keys"},
    "jinja2": {"render"},
    "openstack": {"verify.smoke.clouds"},
    "botocore": {"verify.smoke.cfn"},
}
HEATS_LIBRARIES = {
    "sqlalchemy",
    "oslo_config",
    "oslo_db",
    "oslo_messaging",
    "keystoneauth1",
    "amqp",
    "heat",
}
EMPTY_WORDS = ("utils", "helpers", "manager", "base", "common", "misc")


def sources(*folders):
    """The Python files below folders of the checkout."""
    return sorted(path for folder in folders for path in (ROOT / folder).rglob("*.py"))


def room_of(path):
    """`heat.launch` for deployer/heat/service_units.py; a package is called as its folder."""
    name = path.relative_to(ROOT / "deployer").with_suffix("").as_posix().replace("/", ".")
    return name.removesuffix(".__init__")


@functools.cache
def parsed(path):
    return ast.parse(path.read_text())


@functools.cache
def imports(path):
    """Every module that a file imports anywhere in it, by its full name."""
    return tuple(_imports(path))


def _imports(path):
    for node in ast.walk(parsed(path)):
        if isinstance(node, ast.Import):
            yield from (each.name for each in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert not node.level, f"{path}: imports are absolute"
            yield from _named(node)


def _named(node):
    """`from package import module` names the module where there is one."""
    for each in node.names:
        full = f"{node.module}.{each.name}"
        path = ROOT / full.replace(".", "/")
        yield full if path.with_suffix(".py").exists() or path.is_dir() else node.module


def rooms_used(path):
    return {name.removeprefix("deployer.") for name in imports(path) if name.startswith("deployer.")}


ROOMS = {room_of(path): path for path in sources("deployer") if room_of(path) != "__init__"}
WITH_CODE = {room: path for room, path in ROOMS.items() if list(parsed(path).body)[1:]}


def test_no_room_uses_another_that_uses_it():
    uses = {room: rooms_used(path) & set(ROOMS) - {room} for room, path in ROOMS.items()}
    levels = set()
    while free := {room for room, used in uses.items() if room not in levels and used <= levels}:
        levels |= free

    assert set(uses) - levels == set()


@pytest.mark.parametrize("library", LIBRARIES_OF_ONE_ROOM)
def test_library_is_known_to_one_room_alone(library):
    found = {room for room, path in ROOMS.items() if library in {name.partition(".")[0] for name in imports(path)}}

    assert found == LIBRARIES_OF_ONE_ROOM[library]


def test_hosts_are_reached_where_secrets_are_hidden_and_nowhere_else():
    """What a host says to any command passes one place."""
    ways = {"over_ssh", "SshFleet"}
    found = {
        room
        for room, path in ROOMS.items()
        for node in ast.walk(parsed(path))
        if isinstance(node, ast.Attribute)
        and node.attr in ways
        and _name_of(node.value) != "redacting_fleet"
        or isinstance(node, ast.ImportFrom)
        and ways & {each.name for each in node.names}
    }

    assert found == {"heat.redacting_fleet"}


def _name_of(node):
    return node.id if isinstance(node, ast.Name) else ""


KNOW_SSH = (
    *(f"deployer/remote/{name}.py" for name in ("ssh", "ssh_connection", "ssh_route")),
    "tests/acceptance/hosts.py",
)
SHELLS = {"os.system", "os.popen", "subprocess.getoutput", "subprocess.getstatusoutput", "subprocess.list2cmdline"}


@pytest.mark.parametrize(
    "path",
    [*sources("deployer", "tests/acceptance"), ROOT / "tasks.py"],
    ids=lambda path: path.relative_to(ROOT).as_posix(),
)
def test_no_command_is_a_text_for_a_shell(path):
    """Arguments stay lists; for SSH, which takes a text, each side quotes them where it speaks of `ssh`."""
    knows_ssh = [
        *(f"deployer/remote/{name}.py" for name in ("ssh", "ssh_connection", "ssh_route")),
        "tests/acceptance/hosts.py",
    ]
    of_ssh = path.relative_to(ROOT).as_posix() in knows_ssh

    assert shell_words_in(parsed(path)) <= ({"shlex.join"} if of_ssh else set())


def shell_words_in(tree):
    """What in a source makes a command one text, or gives one to a shell."""
    return set(_shell_words_in(tree))


def _shell_words_in(tree):
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute):
            whole = f"{_name_of(node.value)}.{node.attr}"
            yield from {whole} if whole.startswith("shlex.") or whole in SHELLS else ()
        elif isinstance(node, ast.ImportFrom) and node.module in ("shlex", "os", "subprocess"):
            yield from {f"{node.module}.{each.name}" for each in node.names}
        elif isinstance(node, ast.keyword) and node.arg == "shell":
            yield "shell="
        elif isinstance(node, ast.List | ast.Tuple) and any(
            _text_of(each) in ("sh", "bash", "/bin/sh", "/bin/bash") for each in node.elts[:1]
        ):
            yield "sh -c"


def _text_of(node):
    return node.value if isinstance(node, ast.Constant) else None


@pytest.mark.parametrize(
    "source",
    [
        "import shlex\nshlex.quote(x)",
        "from shlex import join",
        "import os\nos.system('ls')",
        "subprocess.run(x, shell=True)",
        "subprocess.getoutput('ls')",
        "run(['bash', '-c', x])",
    ],
)
def test_guard_sees_a_text_for_a_shell(source):
    assert shell_words_in(ast.parse(source)) != set()


@pytest.mark.parametrize("room", sorted(PURE | PURE_INVENTORY))
def test_pure_room_touches_no_network_process_clock_or_environment(room):
    used = set(imports(ROOMS[room]))
    words = {node.attr for node in ast.walk(parsed(ROOMS[room])) if isinstance(node, ast.Attribute)}

    assert used & UNCLEAN == set()
    assert words & {"environ", "getenv"} == set()
    assert not any(name == "os" or name.startswith("os.") for name in used)


@pytest.mark.parametrize("path", sources("deployer/remote/agent"), ids=lambda path: path.name)
def test_agent_uses_the_standard_library_and_itself_alone(path):
    used = {name for name in imports(path) if name.partition(".")[0] not in STANDARD}

    assert {name for name in used if not name.startswith("deployer.remote.agent")} == set()
    ast.parse(path.read_text(), feature_version=(3, 8))


@pytest.mark.parametrize(
    "path", [path for path in sources("deployer/heat/scripts") if path.stem != "__init__"], ids=lambda path: path.name
)
def test_script_for_heats_python_uses_the_standard_library_and_heats_alone(path):
    """What it imports of its own folder travels with it, and the agent's `priority` with every one."""
    own = ("deployer.heat.scripts.", "deployer.remote.agent.priority")
    outside = [name for name in imports(path) if not name.startswith(own)]

    assert {name.partition(".")[0] for name in outside} - STANDARD <= HEATS_LIBRARIES
    ast.parse(path.read_text(), feature_version=(3, 8))


def test_deployer_and_lab_do_not_know_each_other():
    assert [path for path in sources("deployer") if _imports_package(path, "lab")] == []
    assert [path for path in sources("lab") if _imports_package(path, "deployer")] == []


def test_witness_knows_nothing_of_deployer():
    witness = sources("tests/acceptance")

    assert witness
    assert [path for path in witness if _imports_package(path, "deployer")] == []


def test_product_does_not_import_its_tests():
    assert [path for path in sources("deployer", "lab") if _imports_package(path, "tests")] == []


def _imports_package(path, package):
    return package in {name.partition(".")[0] for name in imports(path)}


OURS = [*sources("deployer", "lab", "benchmarks"), ROOT / "tasks.py"]


@pytest.mark.parametrize("path", OURS, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_file_and_its_functions_are_short(path):
    functions = [node for node in ast.walk(parsed(path)) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)]

    assert len(path.read_text().splitlines()) <= MOST_LINES
    assert [each.name for each in functions if each.end_lineno - each.lineno >= MOST_LINES_OF_A_FUNCTION] == []


@pytest.mark.parametrize("path", OURS, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_module_says_what_it_is_for(path):
    assert (ast.get_docstring(parsed(path)) or "").strip() != ""


def test_no_file_has_an_empty_word_for_a_name():
    names = [path for path in (*OURS, *sources("tests")) if path.stem in EMPTY_WORDS]

    assert names == []


@pytest.mark.parametrize(
    "room", sorted(set(WITH_CODE) - {room for room in ROOMS if room.startswith(("remote.agent", "heat.scripts"))})
)
def test_public_function_or_class_of_several_lines_says_what_it_does(room):
    """What fits in three lines is its own description; what runs on a host stays short on the wire."""
    kinds = (ast.FunctionDef, ast.ClassDef)
    public = [node for node in parsed(ROOMS[room]).body if isinstance(node, kinds) and not node.name.startswith("_")]

    assert [
        node.name
        for node in public
        if not ast.get_docstring(node) and node.end_lineno - node.lineno > 3 and not _is_variant(node)
    ] == []


def _is_variant(node):
    """A further case of a function, or of a step whose sentence is all there is to say."""
    return isinstance(node, ast.ClassDef) and any(
        isinstance(each, ast.Name) and each.id == "Step" for each in node.bases
    )


def test_templates_hold_no_thought():
    """A loop or an `if` over ready values; filters, sets, macros and calls belong in the code."""
    for path in (ROOT / "templates").rglob("*.j2"):
        text = path.read_text()
        found = [
            word
            for word in ("{% set", "{% macro", "|", "(")
            for line in text.splitlines()
            if "{" in line and word in _code_of(line)
        ]
        assert found == [], f"{path.name}: {found}"


def _code_of(line):
    """What stands between Jinja's own brackets in a line."""
    return " ".join(part.partition("}")[0] for part in line.replace("{%", "{{").split("{{")[1:])


def test_every_test_file_has_a_name_of_its_own():
    """Without packages, two modules of one name cannot be collected together."""
    names = [path.name for path in sources("tests") if path.name != "conftest.py"]

    assert sorted(names) == sorted(set(names))


def test_tests_are_named_for_what_they_promise():
    unnamed = [
        f"{path.name}: {node.name}"
        for path in sources("tests/unit", "tests/contract")
        for node in parsed(path).body
        if isinstance(node, ast.FunctionDef) and node.name.startswith("test_") and node.name.count("_") < 3
    ]

    assert unnamed == []


def test_guard_sees_what_it_guards(tmp_path):
    """The reading of imports is itself tried: an import in a function and a module of a package are found."""
    path = Path(tmp_path / "room.py")
    path.write_text("def f():\n    from deployer.heat.conf import conf_editor\n    import socket\n")

    assert set(imports(path)) == {"deployer.heat.conf.conf_editor", "socket"}
    assert rooms_used(path) == {"heat.conf.conf_editor"}
