"""Small programs for Heat's own Python on a host, as only its libraries know its database, broker and Keystone.

Each is streamed to `python3 -` with its values, so that no secret is ever in argv; Python 3.8 syntax.
"""

import base64
import functools
import json
from importlib import resources
from typing import Any


def text(name: str, **values: Any) -> str:
    """The program `<name>.py` with a dict VALUES before it; values are anything JSON can hold."""
    encoded = base64.b64encode(json.dumps(values).encode()).decode()
    return f"import base64, json\nVALUES = json.loads(base64.b64decode({encoded!r}))\n{_source(name)}"


@functools.cache
def _source(name: str) -> str:
    return resources.files("deployer.heat.scripts").joinpath(name + ".py").read_text()
