"""Small programs for Heat's own Python on a host, as only its libraries know its database, broker and Keystone.

Each is streamed to `python3 -` with its values, so that no secret is ever in argv; Python 3.8 syntax. What one imports
from `deployer.heat.scripts` travels with it.
"""

import base64
import functools
import json
import re
from collections.abc import Iterator
from importlib import resources

from deployer.model.wire import Json

INCLUDES = re.compile(r"^from deployer\.heat\.scripts import ([\w, ]*\w)", re.MULTILINE)
# The included files become the modules they are here, so that an import means the same in both places.
FRAME = """\
for name in ("deployer.heat", "deployer.heat.scripts"):
    sys.modules[name] = types.ModuleType(name)
for name, source in {parts!r}:
    module = sys.modules["deployer.heat.scripts." + name] = types.ModuleType(name)
    setattr(sys.modules["deployer.heat.scripts"], name, module)
    exec(compile(source, name + ".py", "exec"), module.__dict__)
"""
# Loading Heat's libraries takes a third of a second of a core, on a host that serves.
YIELD = """\
import types
for name in ("deployer", "deployer.remote", "deployer.remote.agent", "deployer.remote.agent.priority"):
    sys.modules[name] = types.ModuleType(name)
priority = sys.modules["deployer.remote.agent"].priority = sys.modules["deployer.remote.agent.priority"]
exec(compile({source!r}, "priority.py", "exec"), priority.__dict__)
priority.yield_to_services()
"""
# An error of Heat's libraries or of the system is printed in one line; a bug of ours keeps its traceback.
HOOK = """\
def report(kind, error, trace):
    if kind.__module__ == "builtins" and not issubclass(kind, OSError):
        return sys.__excepthook__(kind, error, trace)
    print("%s: %s" % (kind.__name__, (str(error).splitlines() or [""])[0]), file=sys.stderr)
sys.excepthook = report
"""


def text(name: str, **values: Json) -> str:
    """The program `<name>.py` with a dict VALUES and the modules it includes before it.

    Values are anything JSON can hold.
    """
    encoded = base64.b64encode(json.dumps(values).encode()).decode()
    given = f"# {name}\nimport base64, json, sys\nVALUES = json.loads(base64.b64decode({encoded!r}))\n"
    return given + HOOK + _yield() + _frame(name) + _source(name)


def program(name: str) -> str:
    """The program `<name>.py` as it is, for a host to keep."""
    return _source(name)


@functools.cache
def _yield() -> str:
    return YIELD.format(source=resources.files("deployer.remote.agent").joinpath("priority.py").read_text())


@functools.cache
def _frame(name: str) -> str:
    parts = list(dict.fromkeys(_included(name)))
    return FRAME.format(parts=[(each, _source(each)) for each in parts]) if parts else ""


def _included(name: str) -> Iterator[str]:
    """The scripts that a script needs before it can run, and what those need before them."""
    for names in INCLUDES.findall(_source(name)):
        for each in names.split(", "):
            yield from _included(each)
            yield each


@functools.cache
def _source(name: str) -> str:
    return resources.files("deployer.heat.scripts").joinpath(name + ".py").read_text()
