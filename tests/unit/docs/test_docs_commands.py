"""What the pages say of commands and their flags is what the tasks say: docs/generate.py writes it."""

import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path

import generate

PAGE = Path("docs/commands/some.md")


def a_flag(
    name: str = "yes",
    short: str = "",
    takes: str = "",
    default: str = "",
    help: str = "some help",
    is_positional: bool = False,
) -> generate.Flag:
    return generate.Flag(name, short, takes, default, help, is_positional)


def a_command(name: str, *flags: generate.Flag) -> generate.Command:
    return generate.Command(name, f"Do {name}.", flags)


def section(*names: str) -> str:
    return f"# Page\n\n## {', '.join(names)}\n\n<!-- generated: usage of {', '.join(names)} -->\n<!-- end -->\n"


def problems(commands: Iterable[generate.Command], text: str) -> list[str]:
    """The problems of a page, but for those of the table of what flags take."""
    found = generate.problems({each.name: each for each in commands}, {PAGE: text})
    return [problem for problem in found if "TAKES" not in problem]


def made_anew(commands: Iterable[generate.Command], text: str) -> str:
    return generate.pages({each.name: each for each in commands}, {PAGE: text})[PAGE]


def test_pages_of_the_docs_are_what_the_tasks_give() -> None:
    """In a process of its own: Invoke's tasks give their help texts away once."""
    made = subprocess.run([sys.executable, generate.__file__, "--check"], capture_output=True, text=True, timeout=60)

    assert (made.stdout, made.stderr, made.returncode) == ("", "", 0)


def test_command_without_a_section_is_named_with_what_to_do() -> None:
    found = problems([a_command("one"), a_command("logs")], section("one"))

    assert found == [
        "logs has no section: write one in a page of docs/commands/, with the lines "
        "`<!-- generated: usage of logs -->` and `<!-- end -->`"
    ]


def test_section_of_a_command_that_is_gone_is_named() -> None:
    assert problems([a_command("one")], section("one", "gone")) == [f"{PAGE}: there is no command gone"]


def test_flag_without_a_help_text_is_named() -> None:
    assert problems([a_command("one", a_flag("color", help=""))], section("one")) == [
        "one --color has no help text in its task"
    ]


def test_usage_of_a_command_shows_arguments_switches_and_values() -> None:
    command = a_command(
        "one",
        a_flag("host", "h", "HOST", is_positional=True),
        a_flag("yes", "y"),
        a_flag("format", "f", "table|json", "table"),
    )
    text = made_anew([command], section("one"))

    assert "\ninvoke one HOST [--yes] [--format table|json]\n" in text
    assert "| `--host`, `-h` | `HOST` | **required** | some help |" in text
    assert "| `--yes`, `-y` | - | - | some help |" in text
    assert "| `--format`, `-f` | `table\\|json` | `table` | some help |" in text


def test_generated_part_that_is_made_again_stays_the_same() -> None:
    commands = [a_command("one", a_flag())]
    once = made_anew(commands, section("one"))

    assert made_anew(commands, once) == once


def test_list_of_commands_links_to_the_heading_above_each() -> None:
    listed = "<!-- generated: list of commands -->\n<!-- end -->\n"
    text = section("a", "b").replace("\n<!--", "\n```text\n# no heading\n```\n\n<!--") + listed
    shown = made_anew([a_command("a"), a_command("b")], text)

    assert "| [`a`](some.md#a-b) | Do a. |\n| [`b`](some.md#a-b) | Do b. |\n" in shown


def test_usage_line_that_is_long_breaks_between_flags_only() -> None:
    command = a_command("one", *(a_flag(f"flag-{number}", takes="SOME VALUE") for number in range(9)))
    lines = [line for line in made_anew([command], section("one")).splitlines() if line.startswith(("invoke", " "))]

    assert len(lines) > 1
    assert max(len(line) for line in lines) <= generate.WIDTH
    assert [line for line in lines if line.count("[") != line.count("]")] == []


def test_commands_of_one_section_with_different_flags_have_a_table_each() -> None:
    commands = [a_command("one", a_flag("a")), a_command("two", a_flag("a")), a_command("three", a_flag("b"))]
    shown = made_anew(commands, section("one", "two", "three"))

    assert shown.count("| flag |") == 2
    assert "`one`, `two`:\n\n| flag |" in shown
    assert "`three`:\n\n| flag |" in shown
