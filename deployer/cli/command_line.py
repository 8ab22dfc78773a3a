"""Where the cursor stands on a command line that is not complete yet, and what may come there. Pure."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from invoke.collection import Collection
from invoke.parser.argument import Argument
from invoke.parser.context import ParserContext


@dataclass(frozen=True)
class Grammar:
    """What may stand on a command line: the flags of all commands, the commands, and what each of them does."""

    core: ParserContext
    commands: Mapping[str, ParserContext]
    about: Mapping[str, str]


@dataclass(frozen=True)
class Cursor:
    """The command before the cursor (None: none yet), what it still takes, and the values given so far.

    `awaits` is the flag whose value comes next; `missing` are values that come without a flag, such as a host.
    """

    command: ParserContext | None = None
    awaits: Argument | None = None
    missing: tuple[Argument, ...] = ()
    given: Mapping[str, str] = field(default_factory=dict)

    @property
    def takes(self) -> Argument | None:
        """What the word at the cursor is a value of, if it is one."""
        return self.awaits or next(iter(self.missing), None)


def grammar_of(core: ParserContext, collection: Collection) -> Grammar:
    """Return what may stand on a command line with the tasks of a collection."""
    about = {name: (collection[name].__doc__ or "").strip().partition("\n")[0] for name in collection.task_names}
    return Grammar(core, {str(each.name): each for each in collection.to_contexts()}, about)


def split(words: Sequence[str]) -> Iterator[str]:
    """Yield the words of a command line with `--flag=value` as two, however the shell has split it."""
    for word in words:
        if word.startswith("--") and "=" in word:
            yield from word.split("=", 1)
        elif word != "=":  # bash makes three words of it
            yield word


def cursor_after(words: Sequence[str], grammar: Grammar) -> Cursor:
    """Return where a command line stands after whole words, the program's name left out."""
    cursor = Cursor()
    for word in split(words):
        cursor = _after(cursor, word, grammar)
    return cursor


def flags(cursor: Cursor, grammar: Grammar) -> Iterator[tuple[str, str]]:
    """Yield the long flags that may stand at the cursor, and what each is for."""
    context = cursor.command or grammar.core
    for argument in context.args.values():
        if argument not in context.positional_args:
            yield f"--{name_of(argument)}", argument.help or ""
    if cursor.command:
        yield "--help", "show what the command does, and its flags"


def name_of(argument: Argument) -> str:
    """Return the name of a value as it stands on the command line, without dashes before it."""
    return str(argument.name).replace("_", "-")


def _after(cursor: Cursor, word: str, grammar: Grammar) -> Cursor:
    if cursor.awaits:
        return replace(cursor, awaits=None, given={**cursor.given, name_of(cursor.awaits): word})
    if word.startswith("-"):
        argument = _argument(cursor, word, grammar)
        return replace(cursor, awaits=argument) if argument and argument.takes_value else cursor
    if cursor.missing:
        return replace(cursor, missing=cursor.missing[1:])
    if word in grammar.commands:
        command = grammar.commands[word]
        return Cursor(command, missing=tuple(command.positional_args))
    return cursor


def _argument(cursor: Cursor, flag: str, grammar: Grammar) -> Argument | None:
    """What a flag stands for: Invoke takes those of all commands after a command too."""
    contexts = [each for each in (cursor.command, grammar.core) if each]
    return next((each.flags[flag] for each in contexts if flag in each.flags), None)
