"""A command as an Invoke task, with the flags that every command has: declared here once, named in no task."""

import functools
import inspect
from collections.abc import Callable, Mapping
from typing import Any

from invoke.context import Context
from invoke.tasks import Task

from deployer.cli.flags import OutputFlags

OUTPUT_HELP = {
    "format": "table, json, or jsonl: events as JSON Lines while it runs",
    "quiet": "show results and errors alone",
    "verbose": "show each step as it ends, with seconds; -vv: each request and reply",
    "color": "auto, always or never",
}
ONLY_LONG = ("color",)  # `c` stands for other flags in some commands: one letter is to mean one thing


class Times(int):
    """How often a flag is given; of an `int`, Invoke's help would say that a number follows."""


class Command(Task[Callable[..., None]]):
    """An Invoke task whose flags keep the letters that they have always had."""

    def arg_opts(self, name: str, default: Any, taken_names: set[str]) -> dict[str, Any]:
        """Given a flag, return how Invoke is to parse it; the letter is chosen by Invoke, if it may have one."""
        options: dict[str, Any] = super().arg_opts(name, default, taken_names)
        return options | {"names": options["names"][:1]} if name in ONLY_LONG else options


def command(help: Mapping[str, str], klass: type[Command] = Command) -> Callable[[Callable[..., None]], Command]:
    """Make a function (context, output, flags...) a task; the flags of `output` are added to its own."""

    def decorate(body: Callable[..., None]) -> Command:
        @functools.wraps(body)
        def run(context: Context, /, **typed: Any) -> None:
            output = {name: typed.pop(name) for name in OUTPUT_HELP}
            body(context, OutputFlags(**output, command=body.__name__.replace("_", "-")), **typed)

        run.__signature__ = _signature(body)  # type: ignore[attr-defined]
        return klass(run, help={**help, **OUTPUT_HELP}, incrementable=["verbose"])

    return decorate


def _signature(body: Callable[..., None]) -> inspect.Signature:
    """What is typed: the function's own parameters without `output`, and its flags at the place that Invoke knows.

    `format` stands before `lock_wait`, or last: Invoke gives out the letters of flags in this order.
    """
    context, _, *own = inspect.signature(body).parameters.values()
    shared = OutputFlags()
    added = [_parameter(name, getattr(shared, name)) for name in OUTPUT_HELP]
    place = next((at for at, each in enumerate(own) if each.name == "lock_wait"), len(own))
    return inspect.Signature([context, *own[:place], added[0], *own[place:], *added[1:]])


def _parameter(name: str, default: Any) -> inspect.Parameter:
    shown = Times(default) if type(default) is int else default
    return inspect.Parameter(name, inspect.Parameter.POSITIONAL_OR_KEYWORD, default=shown)
