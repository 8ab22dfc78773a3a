"""Programs for Heat's own Python: their values arrive whole, and any Python from 3.8 on can read them."""

import ast
import json
import subprocess
import sys

import pytest
import sites

from deployer.heat import scripts

NAMES = sorted(path.stem for path in (sites.ROOT / "deployer/heat/scripts").glob("*.py") if path.stem != "__init__")
IMPORT = "from deployer.heat.scripts import"
NASTY = {"text": 'it\'s "quoted" {braces} \\ % ünï\nnext', "number": 8, "nothing": None}


@pytest.mark.parametrize("name", NAMES)
def test_script_with_values_is_python_3_8(name):
    ast.parse(scripts.text(name, **NASTY), feature_version=(3, 8))


def test_values_arrive_as_they_were_given():
    before_the_program = "\n".join(scripts.text("try_logins", **NASTY).splitlines()[:3])

    ran = subprocess.run(
        [sys.executable, "-"],
        input=before_the_program + "\nprint(json.dumps(VALUES))",
        capture_output=True,
        text=True,
        timeout=20,
        check=True,
    )

    assert json.loads(ran.stdout) == NASTY


def test_secret_values_are_not_legible_in_the_program():
    assert "canary-of-heat-conf" not in scripts.text("try_logins", conf="canary-of-heat-conf", seconds=1)


@pytest.mark.parametrize(
    ("raised", "told"),
    [
        ("ConnectionRefusedError(111, 'refused')", "ConnectionRefusedError: [Errno 111] refused\n"),
        ("type('NoBroker', (Exception,), {'__module__': 'queues'})('h:5672: no\\nmore')", "NoBroker: h:5672: no\n"),
    ],
)
def test_error_of_the_site_is_reported_in_a_line(monkeypatch, raised, told):
    assert raising(monkeypatch, raised) == told


def test_bug_of_ours_keeps_its_traceback(monkeypatch):
    assert raising(monkeypatch, "KeyError('row')").startswith("Traceback")


def raising(monkeypatch, what):
    """What a script complains of that raises something."""
    with monkeypatch.context() as patch:
        patch.setattr(scripts, "_source", lambda _: f"raise {what}")
        patch.setattr(scripts, "_frame", lambda _: "")
        program = scripts.text("whole")
    ran = subprocess.run([sys.executable, "-I", "-"], input=program, capture_output=True, text=True, timeout=20)
    assert ran.returncode == 1
    return ran.stderr


def test_script_that_includes_another_finds_it_where_nothing_is_installed(monkeypatch, tmp_path):
    """The included ones are there before it, in the order in which they need one another."""
    texts = {
        "first": "SEEN = ['first']",
        "second": f"{IMPORT} first\nSEEN = first.SEEN + ['second']",
        "whole": f"{IMPORT} first, second  # noqa\nprint(VALUES['who'], second.SEEN, first is second.first)",
    }
    with monkeypatch.context() as patch:
        patch.setattr(scripts, "_source", texts.__getitem__)
        patch.setattr(scripts, "_frame", scripts._frame.__wrapped__)
        program = scripts.text("whole", who="me")

    ran = subprocess.run(
        [sys.executable, "-I", "-"], input=program, capture_output=True, text=True, timeout=20, check=True, cwd=tmp_path
    )

    assert ran.stdout == "me ['first', 'second'] True\n"
