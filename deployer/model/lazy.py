"""Modules that run when they are first used: a command pays for what it uses alone, and loads it while hosts work."""

import gc
import importlib.util
import sys
from collections.abc import Sequence
from importlib.abc import Loader
from types import ModuleType


class PausedCollection(Loader):
    """Runs a module without the garbage collector, which would take 20 % of the time: what modules define stays."""

    def __init__(self, loader: Loader) -> None:
        self._loader = loader

    def exec_module(self, module: ModuleType) -> None:
        """Run a module, and with it those that it imports."""
        was_enabled = gc.isenabled()
        gc.disable()
        try:
            self._loader.exec_module(module)
        finally:
            gc.freeze()
            if was_enabled:
                gc.enable()


def module(name: str) -> ModuleType:
    """A module that runs when its first attribute is read (importlib.util.LazyLoader of the Python manual)."""
    if name in sys.modules:
        return sys.modules[name]
    spec = importlib.util.find_spec(name)
    if spec is None or spec.loader is None:
        raise ModuleNotFoundError(name)
    spec.loader = importlib.util.LazyLoader(PausedCollection(spec.loader))
    loaded = importlib.util.module_from_spec(spec)
    sys.modules[name] = loaded
    package, _, own = name.rpartition(".")
    if package:
        setattr(sys.modules[package], own, loaded)  # as `import` does
    spec.loader.exec_module(loaded)
    return loaded


def modules(package: str, names: Sequence[str]) -> tuple[ModuleType, ...]:
    """Such modules of one package."""
    return tuple(module(f"{package}.{name}") for name in names)


def load(*loaded: ModuleType) -> None:
    """Run such modules now, where the first to use them would be threads."""
    for each in loaded:
        each.__doc__  # noqa: B018
