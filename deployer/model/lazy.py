"""Modules that run when they are first used, so that a command pays for what it uses alone."""

import importlib.util
import sys
from types import ModuleType


def module(name: str) -> ModuleType:
    """A module that runs when its first attribute is read (importlib.util.LazyLoader of the Python manual)."""
    if name in sys.modules:
        return sys.modules[name]
    spec = importlib.util.find_spec(name)
    if spec is None or spec.loader is None:
        raise ModuleNotFoundError(name)
    spec.loader = importlib.util.LazyLoader(spec.loader)
    loaded = importlib.util.module_from_spec(spec)
    sys.modules[name] = loaded
    spec.loader.exec_module(loaded)
    return loaded
