"""What a shell offers after TAB: commands, flags, names of hosts and other values. It contacts nothing.

The scripts in shells/ run `heat-scaleout --complete -- WORD... CURRENT` and get a candidate a line, with a tab and what
it means; the line `@files` asks for names of files as well.
"""

import os
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from invoke.collection import Collection
from invoke.config import Config
from invoke.loader import FilesystemLoader
from invoke.parser.context import ParserContext

from deployer.cli import called_as, command_line, settings
from deployer.cli.command_line import Cursor, Grammar
from deployer.cli.output.output_options import Color, Format
from deployer.inventory import location
from deployer.model.steps import OnError

SHELLS = ("fish", "bash", "zsh")
LIST_FORMATS = ("flat", "nested", "json")
FILES = ("@files", "")
SCRIPTS = Path(__file__).parent / "shells"
LARGEST = 1024 * 1024  # bytes of an inventory whose hosts are offered
VALUES: Mapping[str, Sequence[str]] = {
    "format": tuple(Format),
    "on-error": tuple(OnError),
    "service": ("api", "cfn", "engine"),
    "color": tuple(Color),
    "list-format": LIST_FORMATS,
    "print-completion-script": SHELLS,
}
FILES_OF = ("config", "junit", "out", "plan", "source")
Candidates = Iterator[tuple[str, str]]  # words, and what they mean


def script(shell: str) -> str:
    """Return what a shell reads to complete our command lines; raise ValueError for one that we do not know."""
    if shell not in SHELLS:
        raise ValueError(f"--print-completion-script takes {', '.join(SHELLS)}, not '{shell}'")
    return (SCRIPTS / f"heat-scaleout.{shell}").read_text(encoding="utf-8")


def print_candidates(words: Sequence[str], core: ParserContext, installed: Collection) -> None:
    """Given a command line up to the cursor, print what its last word may be; nothing where anything is wrong.

    The first word tells which commands there are: for `invoke` those of the checkout, else those that are installed.
    """
    try:
        collection, config = _installed(installed) if _is_installed(words[0]) else _of_checkout()
        grammar = command_line.grammar_of(core, collection)
        found = list(candidates(words, grammar, config.get("inventory")))
    except Exception:  # whatever it is, who is in the middle of a command line is not to be told of it
        return
    for word, about in found:
        print(f"{word}\t{' '.join(about.split())}")


def candidates(words: Sequence[str], grammar: Grammar, configured: object) -> Candidates:
    """Yield what the last word of a command line may be; `configured` is the inventory of the settings."""
    *before, current = words[1:]
    flag, equals, value = current.partition("=")
    if flag.startswith("--") and equals:
        before, current, start = [*before, flag], value, f"{flag}="
    else:
        start, current = "", current.removeprefix("=")  # bash has the sign as a word of its own
    for word, about in _fitting(command_line.cursor_after(before, grammar), current, grammar, configured):
        if (word, about) == FILES:
            yield FILES
        elif word.startswith(current):
            yield start + word, about


def _fitting(cursor: Cursor, current: str, grammar: Grammar, configured: object) -> Candidates:
    """What may stand at the cursor, whatever it begins with."""
    if cursor.awaits or cursor.missing and not current.startswith("-"):
        return _values(cursor, current, grammar, configured)
    if cursor.command or current.startswith("-"):
        return command_line.flags(cursor, grammar)
    return iter(grammar.about.items())


def _values(cursor: Cursor, current: str, grammar: Grammar, configured: object) -> Candidates:
    name = command_line.name_of(cursor.takes) if cursor.takes else ""
    if name in ("host", "limit"):
        yield from _hosts(current if name == "limit" else "", _inventory(cursor, configured))
    elif name == "help":
        yield from grammar.about.items()
    elif name == "inventory":
        yield from ((each, "") for each in location.names_in(Path.cwd() / "inventories"))
        yield FILES
    elif name in FILES_OF:
        yield FILES
    else:
        yield from ((each, "") for each in VALUES.get(name, ()))


def _inventory(cursor: Cursor, configured: object) -> Path:
    """The inventory that the command would take."""
    given = cursor.given.get("inventory")
    typed = str(Path(given).expanduser()) if given else None  # the shell has not run over it yet
    return location.locate(typed, os.environ, Path.cwd(), configured)


def _hosts(listed: str, inventory: Path) -> Candidates:
    """The hosts of an inventory and their addresses; after those of a list with commas, each of the others."""
    from ruamel.yaml import YAML  # 20 ms, where hosts are asked for

    if not inventory.is_file():
        return
    with inventory.open("rb") as file:
        hosts = YAML(typ="safe", pure=True).load(file.read(LARGEST))["hosts"]
    before, comma, _ = listed.rpartition(",")
    for name, entry in hosts.items():
        if name not in before.split(","):
            yield f"{before}{comma}{name}", str(entry.get("address", ""))


def _is_installed(program: str) -> bool:
    return Path(program).name == called_as.INSTALLED


def _installed(collection: Collection) -> tuple[Collection, Config]:
    config = settings.Settings()
    settings.add_folder(config, Path.cwd())
    return collection, config


def _of_checkout() -> tuple[Collection, Config]:
    """What `invoke` finds from the current folder on."""
    config = Config()
    module, folder = FilesystemLoader(config=config).load()
    settings.add_folder(config, Path(folder))
    return Collection.from_module(module, loaded_from=folder), config
