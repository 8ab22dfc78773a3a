"""The docs keep up with the code: commands, flags, exit codes, links and inventories."""

import importlib.util
import json
import re
import textwrap
from pathlib import Path

import published_schema
import pytest
import sites

from deployer import errors
from deployer.cli import command, read_commands
from deployer.cli.output import output_schema
from deployer.inventory import reader
from deployer.remote import agent_script
from deployer.status import site

ROOT = sites.ROOT
README, COMMANDS = ROOT / "README.md", ROOT / "docs/commands.md"
PAGES_OF_COMMANDS = sorted((ROOT / "docs/commands").glob("*.md"))
FOLDERS = ("deployer", "tests", "docs", "lab", "benchmarks")
PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")])
FENCE = re.compile(r"^ *```.*?^ *```$", re.MULTILINE | re.DOTALL)
LINK = re.compile(r"\]\(([^)\s]+)\)")
SNIPPET = re.compile(r"^( *)```yaml\n(.*?)^\1```$", re.MULTILINE | re.DOTALL)
GENERATED = re.compile(r"^<!-- generated: usage of .*?^<!-- end -->$", re.MULTILINE | re.DOTALL)
USAGE = re.compile(r"^invoke ([a-z.-]+)((?: .*)?(?:\n +.*)*)$", re.MULTILINE)


def loaded(path):
    """A module from its file, wherever the tests were started."""
    spec = importlib.util.spec_from_file_location(f"{path.stem}_of_the_checkout", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def tasks():
    """Name -> task, for every command there is."""
    namespace = loaded(ROOT / "tasks.py").namespace
    return {name: namespace[name] for name in namespace.task_names}


def flags(task, positional=False):
    """The flags of a command: those that are nothing else, or those that may be given by position too."""
    found = [argument for argument in task.get_arguments() if argument.positional is positional]
    return {f"--{argument.name.replace('_', '-')}" for argument in found}


def usages():
    """(command, the rest of its usage line) for every usage line of the pages of commands."""
    parts = [part for page in PAGES_OF_COMMANDS for part in GENERATED.findall(page.read_text())]
    return [found for part in parts for found in USAGE.findall(part)]


def prose(page):
    """A page without its samples."""
    return FENCE.sub("", page.read_text())


def anchors(page):
    """The anchors of a page's headings, as GitHub makes them."""
    headings = re.findall(r"^#+ (.*)$", prose(page), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def links():
    """(page, target) for every link that is not to another site."""
    return [(page, target) for page in PAGES for target in LINK.findall(prose(page)) if "://" not in target]


def inventories():
    """(page, text) for every YAML snippet that is more than comments."""
    found = [(page, textwrap.dedent(text)) for page in PAGES for _, text in SNIPPET.findall(page.read_text())]
    return [(page, text) for page, text in found if re.search(r"^[^#\s]", text, re.MULTILINE)]


def named(value):
    return str(value.relative_to(ROOT)) if isinstance(value, Path) else None


def test_readme_lists_every_command_and_no_other():
    listed = re.findall(r"^\| \[`([a-z.-]+)`\]", README.read_text(), re.MULTILINE)

    assert sorted(listed) == sorted(tasks())


def test_pages_of_commands_have_the_usage_of_every_command_and_no_other():
    assert sorted(name for name, _ in usages()) == sorted(tasks())


def test_usage_of_every_command_has_its_flags_and_no_other():
    known = tasks()
    shown = {name: set(re.findall(r"--[a-z-]+", rest)) for name, rest in usages()}

    assert {name: found - flags(known[name], positional=True) for name, found in shown.items()} == {
        name: flags(task) for name, task in known.items()
    }


def test_page_of_outputs_names_every_flag_of_all_commands_and_every_event():
    page = (ROOT / "docs/output.md").read_text()
    words = [*(f"--{name}" for name in command.OUTPUT_HELP), *(f"`{name}`" for name in output_schema.EVENTS)]

    assert [word for word in words if word not in page] == []


def test_events_of_the_page_of_outputs_are_as_published():
    sample = (ROOT / "docs/output.md").read_text().partition("```json\n")[2].partition("```")[0]
    events = [json.loads(line) for line in sample.splitlines()]

    for event in events:
        published_schema.check_event(event)
    assert [events[0]["event"], events[-1]["event"]] == ["command_started", "result"]


def test_table_of_exit_codes_has_every_code_and_no_other():
    section = COMMANDS.read_text().partition("## Exit codes")[2]
    listed = [int(code) for code in re.findall(r"^\| (\d+) \|", section, re.MULTILINE)]
    raised = {
        each.exit_code
        for each in vars(errors).values()
        if isinstance(each, type) and issubclass(each, errors.DeployerError)
    }

    ended = {errors.INTERRUPTED, errors.TERMINATED, errors.HUNG_UP}
    assert listed == sorted({0, 1, read_commands.CHANGES_PENDING, site.DRIFT, *ended, *raised})


@pytest.mark.parametrize(("page", "target"), links(), ids=named)
def test_link_leads_to_a_file_and_a_heading(page, target):
    path, _, anchor = target.partition("#")
    file = page.parent / path if path else page

    assert file.exists()
    assert not anchor or anchor in anchors(file)


@pytest.mark.parametrize(("page", "text"), inventories(), ids=named)
def test_inventory_of_the_docs_is_a_right_one(page, text):
    assert reader.parse(text, page.with_name("snippet.yaml")).hosts


def test_every_decision_is_in_the_list_of_decisions():
    folder = ROOT / "docs/decisions"
    listed = LINK.findall((folder / "README.md").read_text())

    assert sorted(listed) == sorted(path.name for path in folder.glob("*.md") if path.name != "README.md")


@pytest.mark.parametrize("page", PAGES, ids=named)
def test_module_that_a_page_names_is_there(page):
    paths = [f"/{path.relative_to(ROOT)}" for folder in FOLDERS for path in (ROOT / folder).rglob("*.py")]
    named_modules = re.findall(r"`([\w/]+\.py)`", prose(page))

    assert [each for each in named_modules if not any(path.endswith(f"/{each}") for path in paths)] == []


def test_page_of_the_workings_has_every_verb_of_the_agent_and_no_other():
    section = (ROOT / "docs/how-it-works.md").read_text().partition("## What runs on a host")[2].partition("\n## ")[0]

    assert set(re.findall(r"^\| `(\w+)` \|", section, re.MULTILINE)) == set(agent_script.VERBS)
