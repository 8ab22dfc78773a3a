"""A task's host that may be left out: `logs` and `logs hostB`, where Invoke knows required positional arguments alone.

https://github.com/pyinvoke/invoke/issues/159 asks Invoke for them.
"""

import functools
from collections.abc import Callable

from invoke.parser.argument import Argument
from invoke.parser.parser import ParseMachine

from deployer.cli.command import Command

WITHOUT_A_HOST = ()  # not None, which is missing to the parser, nor "", which somebody may have typed


class OptionalHost(Argument):
    """A positional argument that the parser does not miss."""

    if_left_out = "every host"  # what the docs say of it


class TaskWithOptionalHost(Command):
    """A task whose parameter `host`, for Invoke a required one, is WITHOUT_A_HOST when it is left out.

    What follows the task is its host: of several tasks in one call, only the last may leave its host out.
    """

    def get_arguments(self, ignore_unknown_help: bool | None = None) -> list[Argument]:
        """Return the arguments of the task, once the parser knows how to do without one."""
        if not hasattr(ParseMachine.complete_context, "__wrapped__"):
            ParseMachine.complete_context = _filling_in(ParseMachine.complete_context)  # type: ignore[method-assign,assignment]
        return [_optional(each) if each.name == "host" else each for each in super().get_arguments(ignore_unknown_help)]


def _optional(argument: Argument) -> OptionalHost:
    return OptionalHost(names=argument.names, help=argument.help, positional=True, attr_name=argument.attr_name)


def _filling_in(complete: Callable[[ParseMachine], None]) -> Callable[[ParseMachine], None]:
    """The end of a task's arguments, at which Invoke looks for those that are missing."""

    @functools.wraps(complete)
    def complete_context(machine: ParseMachine) -> None:
        for each in machine.context.missing_positional_args if machine.context else ():
            if isinstance(each, OptionalHost):
                each.set_value(WITHOUT_A_HOST, cast=False)
        complete(machine)

    return complete_context
