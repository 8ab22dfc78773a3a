"""Writes what the pages say of commands and flags: `python docs/generate.py` makes it anew, `--check` only compares.

A page says where. After `<!-- generated: usage of add-api, add-cfn -->` come usage lines and flags of these commands,
after `<!-- generated: list of commands -->` a table of all commands. `<!-- end -->` ends either.
"""

import html
import importlib.util
import os
import re
import sys
import textwrap
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from invoke.collection import Collection as Namespace
from invoke.parser.argument import Argument
from invoke.parser.context import ParserContext

DOCS = Path(__file__).resolve().parent
ROOT = DOCS.parent
BLOCK = re.compile(r"<!-- generated: (?:usage of (?P<names>[^>]+)|list of commands) -->\n.*?<!-- end -->", re.DOTALL)
FENCE = re.compile(r"^ *```.*?^ *```$", re.MULTILINE | re.DOTALL)
HEADING = re.compile(r"^#+ (.*)$", re.MULTILINE)
WIDTH = 100  # of a usage line: what a page of the site shows without scrolling

# What a flag takes, where its own name in capitals would say too little.
TAKES = {
    "inventory": "FILE",
    "format": "table|json|jsonl",
    "lab.status format": "table|json",
    "color": "auto|always|never",
    "limit": "HOST,HOST",
    "plan": "FILE",
    "out": "FILE",
    "junit": "FILE",
    "source": "DIR",
    "on-error": "stop|continue|revert",
    "wait": "SECONDS",
    "lock-wait": "SECONDS",
    "interval": "SECONDS",
    "count": "N",
    "engines": "N",
    "api": "N",
    "cfn": "N",
    "workers": "N",
    "to": "N",
    "hosts": "N",
    "heat": "RELEASE",
    "cloud": "NAME",
    "service": "api|cfn|engine|proxy",
    "since": "TIME",
    "grep": "TEXT",
    "lines": "N",
    "render out": "DIR",
}


@dataclass(frozen=True)
class Flag:
    """A flag of a command: its name and short form, what it takes ("" for a switch), its default, and its help."""

    name: str
    short: str
    takes: str
    default: str
    help: str
    is_positional: bool

    def usage(self) -> str:
        """Return the flag as a usage line shows it: `HOST`, `[HOST]`, `[--yes]` or `[--wait SECONDS]`."""
        if self.is_positional:
            return f"[{self.takes}]" if self.default else self.takes
        return f"[{f'--{self.name} {self.takes}'.strip()}]"


@dataclass(frozen=True)
class Command:
    """A task as its user sees it; the flags that few other commands have come first."""

    name: str
    summary: str
    flags: tuple[Flag, ...]


def commands() -> dict[str, Command]:
    """Return every command of tasks.py by its name."""
    namespace = _namespace()
    contexts = namespace.to_contexts()
    spread = Counter(argument.names[0] for context in contexts for argument in context.args.values())
    return {str(context.name): _command(context, namespace[context.name].__doc__ or "", spread) for context in contexts}


def pages(known: Mapping[str, Command], texts: Mapping[Path, str]) -> dict[Path, str]:
    """Return the pages with their generated parts made anew; `texts` has them as they are."""
    where = sections(texts)
    return {path: _made_anew(path, text, known, where) for path, text in texts.items()}


def problems(known: Mapping[str, Command], texts: Mapping[Path, str]) -> Iterator[str]:
    """Yield a sentence for whatever a person has to do."""
    where = sections(texts)
    for name in known.keys() - where.keys():
        yield (
            f"{name} has no section: write one in a page of docs/commands/, with the lines "
            f"`<!-- generated: usage of {name} -->` and `<!-- end -->`"
        )
    for name in where.keys() - known.keys():
        yield f"{where[name][0]}: there is no command {name}"
    flags = [(command.name, flag) for command in known.values() for flag in command.flags]
    yield from (f"{command} --{flag.name} has no help text in its task" for command, flag in flags if not flag.help)
    unknown = TAKES.keys() - {flag.name for _, flag in flags} - {f"{command} {flag.name}" for command, flag in flags}
    yield from (f"docs/generate.py: TAKES has {name}, which is no flag" for name in unknown)


def sections(texts: Mapping[Path, str]) -> dict[str, tuple[Path, str]]:
    """Return page and anchor of each command that has a section in these texts."""
    return {
        name: (path, _anchor(text[: block.start()]))
        for path, text in texts.items()
        for block in BLOCK.finditer(text)
        for name in _names(block)
    }


def _namespace() -> Namespace:
    spec = importlib.util.spec_from_file_location("tasks_of_the_checkout", ROOT / "tasks.py")
    if spec is None or spec.loader is None:
        raise ImportError(f"could not load {ROOT / 'tasks.py'}")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    found: Namespace = module.namespace
    return found


def _command(context: ParserContext, doc: str, spread: Mapping[str, int]) -> Command:
    arguments = sorted(context.args.values(), key=lambda each: (not each.positional, spread[each.names[0]]))
    summary = " ".join(doc.strip().partition("\n\n")[0].split())
    return Command(str(context.name), summary, tuple(_flag(str(context.name), each) for each in arguments))


def _flag(command: str, argument: Argument) -> Flag:
    name = argument.names[0]
    short = next((each for each in argument.names if len(each) == 1), "")
    is_switch = argument.kind is bool or argument.incrementable
    takes = "" if is_switch else TAKES.get(f"{command} {name}") or TAKES.get(name) or name.upper()
    default = getattr(argument, "if_left_out", argument.default)
    shown = "" if default in (None, "", False, 0) else str(default)
    return Flag(name, short, takes, shown, argument.help or "", bool(argument.positional))


def _names(block: re.Match[str]) -> list[str]:
    """Return the commands whose usage a generated part shows."""
    return [name.strip() for name in block["names"].split(",")] if block["names"] else []


def _made_anew(page: Path, text: str, known: Mapping[str, Command], where: Mapping[str, tuple[Path, str]]) -> str:
    """Return the text of a page with its generated parts made anew; a command that is gone is left out."""

    def filled(block: re.Match[str]) -> str:
        shown = [known[name] for name in _names(block) if name in known]
        lines = _usages(shown) if block["names"] else _listed(page, known, where)
        return "\n".join([block[0].partition("\n")[0], *lines, "<!-- end -->"])

    return BLOCK.sub(filled, text)


def _usages(shown: Iterable[Command]) -> Iterator[str]:
    """Yield the usage lines of commands that share a section, then each table of flags that differs from the last."""
    tables: dict[str, list[str]] = {}
    yield "\n```text"
    for command in shown:
        yield _wrapped(f"invoke {command.name}", [flag.usage() for flag in command.flags])
        tables.setdefault("\n".join(_table(command.flags)), []).append(command.name)
    yield "```\n"
    for table, names in tables.items():
        yield f"{_heading(names)}{table}\n" if len(tables) > 1 else f"{table}\n"


def _heading(names: Iterable[str]) -> str:
    return ", ".join(f"`{name}`" for name in names) + ":\n\n"


def _wrapped(command: str, words: Iterable[str]) -> str:
    """Return a usage line in lines of limited width, each flag whole: spaces inside of one do not break."""
    whole = [word.replace(" ", "\N{NO-BREAK SPACE}") for word in (command, *words)]
    lines = textwrap.wrap(" ".join(whole), WIDTH, subsequent_indent=" " * (len(command) + 1), break_on_hyphens=False)
    return "\n".join(lines).replace("\N{NO-BREAK SPACE}", " ")


def _table(flags: Iterable[Flag]) -> Iterator[str]:
    yield "| flag | takes | default | meaning |\n|---|---|---|---|"
    for flag in flags:
        names = [f"`--{flag.name}`", *([f"`-{flag.short}`"] if flag.short else [])]
        default = "**required**" if flag.is_positional and not flag.default else _code(flag.default)
        yield f"| {', '.join(names)} | {_code(flag.takes)} | {default} | {_escaped(flag.help)} |"


def _code(words: str) -> str:
    return f"`{words}`".replace("|", "\\|") if words else "-"


def _escaped(words: str) -> str:
    """Return plain words as a cell of a table; text between backticks stays as it is."""
    return html.escape(words, quote=False).replace("|", "\\|")


def _listed(page: Path, known: Mapping[str, Command], where: Mapping[str, tuple[Path, str]]) -> Iterator[str]:
    """Yield the table of all commands that have a section, with links from a page."""
    yield "\n| command | what it does |\n|---|---|"
    for name, (path, anchor) in ((name, where[name]) for name in known if name in where):
        target = Path(os.path.relpath(path, page.parent)).as_posix()
        yield f"| [`{name}`]({target}#{anchor}) | {_escaped(known[name].summary)} |"
    yield ""


def _anchor(before: str) -> str:
    """Return the anchor of the last heading in a text, as GitHub makes it."""
    heading = HEADING.findall(FENCE.sub("", before))[-1]
    return re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")


def main(arguments: Collection[str]) -> int:
    """Write the pages, or with --check only say which differ; end with 1 when a person has something to do."""
    known = commands()
    texts = {path: path.read_text(encoding="utf-8") for path in (ROOT / "README.md", *sorted(DOCS.rglob("*.md")))}
    changed = {path: text for path, text in pages(known, texts).items() if text != texts[path]}
    found = sorted(problems(known, texts))
    if "--check" in arguments:
        found += [f"{path.relative_to(ROOT)} is out of date: run `python docs/generate.py`" for path in changed]
    else:
        for path, text in changed.items():
            path.write_text(text, encoding="utf-8")
    print("\n".join(found), end="\n" if found else "")
    return 1 if found else 0


if __name__ == "__main__":
    sys.path.insert(0, str(ROOT))
    sys.exit(main(sys.argv[1:]))
