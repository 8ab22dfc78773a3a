"""The command `heat-scaleout`: the tasks that are `invoke` in a checkout, with a help and exit codes of its own."""

import contextlib
import difflib
import errno
import inspect
import re
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

from invoke.exceptions import Exit, ParseError
from invoke.parser.argument import Argument
from invoke.parser.context import ParserContext
from invoke.program import Program

from deployer import errors
from deployer.cli import called_as, completion, settings, signals, versions
from deployer.cli.output import standard_output
from deployer.cli.tasks import namespace
from deployer.cli.views import console

# Invoke's other flags are for tasks that run commands on this machine; they are accepted, and not shown.
SHOWN = ("help", "version", "list", "print-completion-script", "config", "debug")
HELP = {
    "help": "show this, or the flags of one command",
    "version": "show the versions of the tool, of Python and of its libraries",
    "list": "list the commands",
    "print-completion-script": f"print what completes command lines in a shell: {', '.join(completion.SHELLS)}",
    "config": "one more file of settings, such as `inventory: mysite`, beside invoke.yaml of this folder",
    "debug": "show what Invoke does",
}
UNWRITABLE = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO, errno.EBADF)  # a full disk, a closed stream
CLOSED_PIPE = 141  # as a shell says of a program that SIGPIPE has ended


class HeatScaleout(Program):
    """Invoke's program with our commands inside, which reads `invoke.yaml` of the current folder."""

    def core_args(self) -> list[Argument]:
        """Return Invoke's flags, those that are shown with our help."""
        arguments: list[Argument] = super().core_args()
        for each in arguments:
            each.help = HELP.get(str(each.name)) or each.help
        return arguments

    def normalize_argv(self, argv: list[str] | None) -> None:
        """Read the command line; one of a command with --help anywhere asks for help alone."""
        super().normalize_argv(argv)
        program, *words = self.argv
        if "--help" in words[1:] and words[0] in namespace.task_names:
            self.argv = [program, "--help", words[0]]

    def create_config(self) -> None:
        """Read the settings of the machine and of the user."""
        with settings_errors():
            super().create_config()

    def parse_core(self, argv: list[str] | None) -> None:
        """Parse what stands before the command."""
        with usage_errors():
            super().parse_core(argv)

    def parse_core_args(self) -> None:
        """Print our completion script where it is asked for, in place of Invoke's."""
        super().parse_core_args()
        if shell := self.args["print-completion-script"].value:
            print(completion.script(shell), end="")
            raise Exit

    def parse_collection(self) -> None:
        """Read the settings of the current folder too, as `invoke` does those of its checkout."""
        super().parse_collection()
        with settings_errors():
            settings.add_folder(self.config, Path.cwd())

    def parse_tasks(self) -> None:
        """Parse the commands and their flags."""
        with usage_errors(list(self.collection.task_names)):
            super().parse_tasks()

    def parse_cleanup(self) -> None:
        """Answer --help, --list and the like."""
        with usage_errors(list(self.collection.task_names)):
            if self.args["list-format"].value not in completion.LIST_FORMATS:
                raise ParseError(f"--list-format takes {', '.join(completion.LIST_FORMATS)}")
            super().parse_cleanup()

    def update_config(self, merge: bool = True) -> None:
        """Read the settings that --config names."""
        with settings_errors():
            super().update_config(merge)

    def execute(self) -> None:
        """Run the commands; a signal that none of them answers ends as in all others."""
        try:
            super().execute()
        except KeyboardInterrupt as interrupt:
            raise Exit(code=signals.exit_code(interrupt)) from None

    def print_version(self) -> None:
        """Print the versions."""
        print(versions.text())

    def print_help(self) -> None:
        """Print what the tool is, its commands and the flags of all."""
        print(f"Usage: {self.binary} COMMAND [HOST] [FLAGS]\n")
        print("Scale out the control plane of OpenStack Heat from a short inventory.\n")
        self.list_tasks()
        print("Flags:\n")
        self.print_columns(shown(self.initial_context).help_tuples())
        print(f"`{self.binary} --help COMMAND` shows the flags of one command.")

    def print_task_help(self, name: str) -> None:
        """Print what a command does, and its flags."""
        context = self.parser.contexts[name]
        hosts = [argument.name.upper() for argument in context.positional_args]
        print(" ".join(["Usage:", self.binary, name, *hosts, "[FLAGS]"]) + "\n")
        print(f"{inspect.getdoc(self.collection[name])}\n\nFlags:\n")
        self.print_columns(context.help_tuples())

    def task_list_opener(self, extra: str = "") -> str:
        """Return what stands above the list of commands."""
        return "Commands"


def shown(core: ParserContext) -> ParserContext:
    """Return the flags of all commands that one who scales out Heat may want."""
    return ParserContext(args=[argument for name, argument in core.args.items() if name in SHOWN])


@contextlib.contextmanager
def usage_errors(commands: Sequence[str] = ()) -> Iterator[None]:
    """Turn what Invoke says of a wrong command line into our error, with the exit code of bad input."""
    try:
        yield
    except ParseError as error:
        raise _usage_error(str(error), commands, error.context) from None
    except ValueError as error:
        raise _usage_error(str(error), commands) from None
    except Exit as ending:
        if ending.code == 0:
            raise
        raise _usage_error(str(ending.message), commands) from None


@contextlib.contextmanager
def settings_errors() -> Iterator[None]:
    """Turn what Invoke says of a file of settings into our error, with the exit code of bad input."""
    try:
        yield
    except Exception as error:  # Invoke lets pass what YAML, the system or its own merging raises
        message = f"a file of settings cannot be read: {error}"
        raise _bad_input(message, "It is invoke.yaml of this folder, ~/.invoke.yaml or that of --config.") from None


def _usage_error(message: str, commands: Sequence[str], context: ParserContext | None = None) -> Exit:
    named = re.sub(r"<Argument: (\S+).*?>", r"--\1", message)  # how Invoke calls a flag
    if context and context.name:
        return _bad_input(named, f"`{called_as.INSTALLED} --help {context.name}` shows what it takes.")
    unknown = re.search("'(.*?)'", message)
    near = difflib.get_close_matches(unknown[1], commands, 1) if unknown else []
    hint = f"Did you mean {near[0]}? " if near else ""
    return _bad_input(named, f"{hint}`{called_as.INSTALLED} --help` lists the commands.")


def _bad_input(message: str, hint: str) -> Exit:
    error = errors.BadInput(message, hint)
    return Exit(console.error_text(error), error.exit_code)


def main() -> int | str | None:
    """Run the command line of this process and return its exit code."""
    standard_output.require()
    try:
        code = _exit_code(sys.argv)
    except BrokenPipeError:
        code = CLOSED_PIPE
    except KeyboardInterrupt as interrupt:
        code = signals.exit_code(interrupt)
    except OSError as error:
        code = _unwritten(error)
    return _flush() or code


def _exit_code(argv: list[str]) -> int | str | None:
    program = HeatScaleout(namespace=namespace, binary=called_as.INSTALLED, config_class=settings.Settings)
    if argv[1:3] == ["--complete", "--"]:
        completion.print_candidates(argv[3:], shown(program.initial_context), namespace)
        return 0
    try:
        program.run(argv)
    except SystemExit as ending:
        return ending.code
    return 0


def _flush() -> int:
    """Write what is left to write; return 0, or the exit code where that fails."""
    try:
        print(end="", flush=True)
    except BrokenPipeError:
        standard_output.discard(sys.stdout)
    except OSError as error:
        return _unwritten(error)
    return 0


def _unwritten(error: OSError) -> int:
    """Say that the output cannot be written, and return the exit code; any other error is a bug, and raised."""
    if error.errno not in UNWRITABLE:
        raise error
    standard_output.discard(sys.stdout)
    lost = errors.BadInput(f"the output cannot be written: {error.strerror}", "")
    print(console.error_text(lost), file=sys.stderr)
    return lost.exit_code
