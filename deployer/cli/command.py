"""A command as an Invoke task, with the flags that every command has: declared here once, named in no task."""

import functools
import inspect
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from invoke.context import Context
from invoke.parser.argument import Argument
from invoke.tasks import Task

from deployer import errors
from deployer.cli.flags import OutputFlags
from deployer.model import lazy

if TYPE_CHECKING:
    from deployer.cli import terminal
else:
    terminal = lazy.module("deployer.cli.terminal")

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

    def get_arguments(self, ignore_unknown_help: bool | None = None) -> list[Argument]:
        """Return the flags as Invoke parses them, each time with their help, which Invoke takes out of the task."""
        help = dict(self.help)
        try:
            found: list[Argument] = super().get_arguments(ignore_unknown_help)
        finally:
            self.help = help
        return found

    def arg_opts(self, name: str, default: Any, taken_names: set[str]) -> dict[str, Any]:
        """Given a flag, return how Invoke is to parse it; the letter is chosen by Invoke, if it may have one."""
        options: dict[str, Any] = super().arg_opts(name, default, taken_names)
        return options | {"names": options["names"][:1]} if name in ONLY_LONG else options


def command(help: Mapping[str, str], klass: type[Command] = Command) -> Callable[[Callable[..., None]], Command]:
    """Make a function (context, output, flags...) a task; the flags of `output` are added to its own.

    A value that is typed must say something. One that is not typed is the function's own default.
    """

    def decorate(body: Callable[..., None]) -> Command:
        @functools.wraps(body)
        def run(context: Context, /, **values: Any) -> None:
            typed = {name: value for name, value in values.items() if value is not None}
            shared = {name: typed.pop(name) for name in OUTPUT_HELP}
            output = OutputFlags(**shared, command=body.__name__.replace("_", "-"))
            if error := _usage_error(body, typed, output.command):
                with terminal.exit_codes(output):
                    raise error
            body(context, output, **typed)

        run.__signature__ = _signature(body)  # type: ignore[attr-defined]
        return klass(run, help={**help, **OUTPUT_HELP}, incrementable=["verbose"])

    return decorate


def _usage_error(body: Callable[..., None], typed: Mapping[str, Any], command: str) -> errors.BadInput | None:
    """The error of a value that is empty, mostly a variable that the shell does not have, or that is meant as a flag.

    Invoke takes any word for a positional argument, also a flag that the command does not have.
    """
    empty = [f"--{name.replace('_', '-')}" for name, value in typed.items() if value == ""]
    if empty:
        return errors.BadInput(
            f"{', '.join(empty)}: the value is empty",
            "Nothing was contacted or changed. Is a variable of the shell not set? Leave out what has no value.",
        )
    required = [name for name, each in inspect.signature(body).parameters.items() if each.default is each.empty]
    flags = [value for name, value in typed.items() if name in required and str(value).startswith("-")]
    if flags:
        return errors.BadInput(f"{command} has no flag {flags[0]}", f"`invoke --help {command}` shows what it takes.")
    return None


def _signature(body: Callable[..., None]) -> inspect.Signature:
    """What is typed: the function's own parameters without `output`, and its flags at the place that Invoke knows.

    `format` stands before `lock_wait`, or last: Invoke gives out the letters of flags in this order.
    """
    context, _, *flags = inspect.signature(body).parameters.values()
    own = [_distinct(each) for each in flags]
    shared = OutputFlags()
    added = [_parameter(name, getattr(shared, name)) for name in OUTPUT_HELP]
    place = next((at for at, each in enumerate(own) if each.name == "lock_wait"), len(own))
    return inspect.Signature([context, *own[:place], added[0], *own[place:], *added[1:]])


def _distinct(flag: inspect.Parameter) -> inspect.Parameter:
    """A flag whose value Invoke does not have when it is not typed: an empty default is None there."""
    return flag.replace(default=None) if flag.default == "" else flag


def _parameter(name: str, default: Any) -> inspect.Parameter:
    shown = Times(default) if type(default) is int else default
    return inspect.Parameter(name, inspect.Parameter.POSITIONAL_OR_KEYWORD, default=shown)
