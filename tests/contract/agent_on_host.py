"""The agent's real modules, loaded as a host would from `agent_script`, on a host in memory."""

import builtins
import copy
import functools
from collections.abc import Callable
from importlib import resources
from types import ModuleType, SimpleNamespace
from typing import Any

from contract import fake_os
from contract.fake_programs import Failed, NotYet

from deployer.remote import agent_script

PACKAGE = "deployer.remote.agent"
STEP_SECONDS = 0.25  # what every step takes


class Agent:
    """Calls the agent's verbs on one host; its modules import what `fake_os` has in place of Python's own."""

    def __init__(self, host: Any) -> None:
        self._host = host
        self._substitutes: dict[str, Any] = {}
        self._loaded: dict[str, dict[str, ModuleType]] = {}

    def call(self, verb: str, request: dict[str, Any]) -> dict[str, Any]:
        """What the program that is streamed to a host would answer, with only those parts that are sent for a verb."""
        _, _, path = agent_script.VERBS[verb].partition(PACKAGE + ".")
        part, _, function = path.partition("'].")
        return getattr(self.part(verb, part), function)(request)

    def part(self, verb: str, name: str) -> ModuleType:
        """A module of the agent as it is when it does a verb."""
        if verb not in self._loaded:
            self._loaded[verb] = {}
            self._load(verb)
        return self._loaded[verb][name]

    def _load(self, verb: str) -> None:
        self._substitutes = substitutes = self._substitutes or fake_os.modules(self._host)
        parts = self._loaded[verb]

        def imported(name: str, _globals: Any = None, _locals: Any = None, names: Any = (), _level: int = 0) -> Any:
            if name == PACKAGE:
                return SimpleNamespace(**{each: parts[each] for each in names})
            if name in substitutes or name in fake_os.PURE:
                return substitutes[name] if name in substitutes else __import__(name)
            raise ImportError(f"hosts in memory have no {name}")

        own = {**vars(builtins), "open": fake_os.opener(self._host), "__import__": imported}
        for name in agent_script.PARTS[verb]:
            parts[name] = module = ModuleType(name)
            module.__dict__["__builtins__"] = own
            exec(_code(name), module.__dict__)
        if "certificates" in parts:  # their files would have to be good ones: a test says what differs
            parts["certificates"].inspect = self._host.inspect_certificate
            parts["certificates"].secured = lambda plain, trust: plain
        if "perform" in parts:
            steps = parts["perform"].STEPS
            steps.update({do: self._observed(step, parts["programs"]) for do, step in steps.items()})

    def _observed(self, act: Callable[..., Any], programs: ModuleType) -> Callable[..., Any]:
        """A step of the agent, with the moments before and after it at which a test may interfere."""
        host = self._host

        def step_and_moments(step: dict[str, Any], ledger: str) -> Any:
            try:
                host.moment("before", step)
                output = act(step, ledger)
                host.moment("after", step)
            except Failed as error:
                raise (programs.NotYet if isinstance(error, NotYet) else programs.Failed)(str(error)) from None
            host.clock.advance(STEP_SECONDS)
            host.done.append(_sentence(step))
            return output

        return step_and_moments

    def __deepcopy__(self, memo: dict[int, Any]) -> "Agent":
        return Agent(copy.deepcopy(self._host, memo))


@functools.cache
def _code(name: str) -> Any:
    return compile(resources.files(PACKAGE).joinpath(name + ".py").read_text(), f"agent/{name}.py", "exec")


def _sentence(step: dict[str, Any]) -> str:
    if step["do"] in ("systemctl", "reload"):
        return " ".join(each for each in step["arguments"] if not each.startswith("--"))
    if step["do"] == "set_server":
        return step["send"].strip()
    return f"{step['do']} {step.get('path') or step.get('unit') or step.get('port') or ''}".strip()
