"""The code reads as a story: a command names its stages in order, data holds no code, and a name has one meaning."""

import ast
from collections import defaultdict

import sites

DEPLOYER = sites.ROOT / "deployer"
STAGES = {  # what `deploy` calls, in this order -> the stage
    "gate.observe_hosts": "observe",
    "goal.desired_for": "desired",
    "diff.planned": "plan",
    "saved_plan.refuse_stale": "stale check",
    "gate.refuse_unready": "preflight",
    "accept": "accept",
    "stage.begin": "stage",
    "stage.save_inventory": "save inventory",
    "execute.run": "execute",
    "execute.compare": "compare",
    "stage.record_result": "record",
}
LOCAL_IMPORTS = {
    # Fabric and Paramiko take 0.2 to 0.3 s: only a command that reaches a host pays for them.
    ("remote/fleet.py", "deployer.remote"),
}
SHARED_FILE_NAMES = {
    "observe.py": {"observed/observe.py", "remote/agent/observe.py"},  # the request, and the agent that answers it
    "generations.py": {"desired/generations.py", "remote/agent/generations.py"},  # their JSON, and who keeps it
}
SHARED_CLASS_NAMES = {
    "Progress": {"remote/fleet.py", "cli/console.py"},  # the protocol, and the console that follows it
}


def modules():
    """Path below deployer/ -> its syntax tree."""
    paths = sorted(DEPLOYER.rglob("*.py"))
    return {path.relative_to(DEPLOYER).as_posix(): ast.parse(path.read_text()) for path in paths}


def calls_in(function):
    """The names that a function calls, in the order of its text."""
    calls = [node for node in ast.walk(function) if isinstance(node, ast.Call)]
    return [ast.unparse(call.func) for call in sorted(calls, key=lambda call: (call.lineno, call.col_offset))]


def function_of(tree, name):
    return next(node for node in tree.body if isinstance(node, ast.FunctionDef) and node.name == name)


def is_dataclass(node):
    return isinstance(node, ast.ClassDef) and any("dataclass" in ast.unparse(each) for each in node.decorator_list)


def fields_of(node):
    return [each for each in node.body if isinstance(each, ast.AnnAssign)]


def local_imports_in(tree):
    """The modules that functions import, at any depth."""
    functions = [node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)]
    for node in (inner for function in functions for inner in ast.walk(function)):
        if isinstance(node, ast.ImportFrom):
            yield node.module
        elif isinstance(node, ast.Import):
            yield from (each.name for each in node.names)


def used_twice(places, allowed):
    """Given name -> where it is used, return the names with several places that are not all allowed."""
    return {name: found for name, found in places.items() if len(found) > 1 and found - allowed.get(name, set())}


def test_deploy_calls_its_stages_in_the_order_of_the_story():
    deploy = function_of(modules()["pipeline.py"], "deploy")

    assert [STAGES[call] for call in calls_in(deploy) if call in STAGES] == list(STAGES.values())


def test_commands_that_change_the_site_run_the_one_deploy():
    tree = modules()["pipeline.py"]
    commands = ("restart", "switch_traffic", "rollback", "restore")

    assert [calls_in(function_of(tree, name)).count("deploy") for name in commands] == [1] * 4


def test_dataclass_under_deployer_holds_no_callable():
    held = [
        f"{path}: {node.name}.{ast.unparse(field.target)}"
        for path, tree in modules().items()
        for node in ast.walk(tree)
        if is_dataclass(node)
        for field in fields_of(node)
        if "Callable" in ast.unparse(field.annotation)
    ]

    assert held == []


def test_import_of_our_own_in_a_function_is_allowed_for_fabric_alone():
    found = {
        (path, name)
        for path, tree in modules().items()
        for name in local_imports_in(tree)
        if name.partition(".")[0] == "deployer"
    }

    assert found - LOCAL_IMPORTS == set()


def test_file_name_under_deployer_has_one_meaning():
    places = defaultdict(set)
    for path in modules():
        places[path.rpartition("/")[2]].add(path)
    del places["__init__.py"]

    assert used_twice(places, SHARED_FILE_NAMES) == {}


def test_class_name_under_deployer_has_one_meaning():
    places = defaultdict(set)
    for path, tree in modules().items():
        for node in ast.walk(tree):
            if isinstance(node, ast.ClassDef):
                places[node.name].add(path)

    assert used_twice(places, SHARED_CLASS_NAMES) == {}


def test_guards_of_the_story_see_what_they_guard():
    tree = ast.parse(
        "@dataclass\nclass Bag:\n    accept: Callable[[int], bool]\n\n"
        "def run():\n    from deployer.plan import diff\n    b(a())\n    c()\n"
    )
    (bag, run) = tree.body

    assert is_dataclass(bag) and ["Callable" in ast.unparse(each.annotation) for each in fields_of(bag)] == [True]
    assert list(local_imports_in(tree)) == ["deployer.plan"]
    assert calls_in(run) == ["b", "a", "c"]
    assert used_twice({"one": {"x"}, "two": {"x", "y"}, "three": {"x", "y"}}, {"three": {"x", "y"}}) == {
        "two": {"x", "y"}
    }
