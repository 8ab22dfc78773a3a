"""The page that leads through the code names functions and classes that are where it says."""

import ast
import re

import pytest
import sites

PAGE = sites.ROOT / "docs/reading.md"
NAMED = re.compile(r"\[`(\w+)`\]\(\.\./(deployer/[\w/]+\.py)\)")
STAGE = re.compile(r"^\| `([\w.]+)` \|", re.MULTILINE)


def names_in(path):
    """Every function and class of a file, methods too."""
    tree = ast.parse((sites.ROOT / path).read_text())
    return {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.ClassDef)}


def calls_of_deploy():
    """What `deploy` of the pipeline calls, in order, as it is written there."""
    tree = ast.parse((sites.ROOT / "deployer/pipeline.py").read_text())
    deploy = next(node for node in tree.body if isinstance(node, ast.FunctionDef) and node.name == "deploy")
    calls = sorted((node for node in ast.walk(deploy) if isinstance(node, ast.Call)), key=lambda node: node.lineno)
    return [ast.unparse(node.func) for node in calls]


@pytest.mark.parametrize(("name", "path"), sorted(set(NAMED.findall(PAGE.read_text()))))
def test_name_on_the_page_stands_in_its_file(name, path):
    assert name in names_in(path)


def test_table_of_stages_has_the_calls_of_deploy_in_their_order():
    stages = STAGE.findall(PAGE.read_text())
    calls = [call for call in calls_of_deploy() if call in stages]

    assert stages == list(dict.fromkeys(calls))
    assert len(stages) >= 10
