"""The generations of a site, as text and JSON. Pure."""

from typing import Any

from rich.console import RenderableType
from rich.text import Text

from deployer.cli.views import colors, layout, screen
from deployer.model.contract import SCHEMA_VERSION
from deployer.observed.history import History


def view(known: History) -> RenderableType:
    """One line a generation, the newest last; one that has not ended says so."""
    if not known:
        return "Nothing was deployed so far."
    rows = [(run, hosts) for run, hosts in known.values()]
    return layout.Columns(
        {
            "NUMBER": [Text(str(run.number)) for run, _ in rows],
            "WHEN": [Text(run.author.at) for run, _ in rows],
            "WHO": [Text(run.author.who) for run, _ in rows],
            "RESULT": [colors.state(run.result or "not ended") for run, _ in rows],
            "HOSTS": [Text(",".join(hosts)) for _, hosts in rows],
            "COMMAND": [Text(run.author.command) for run, _ in rows],
        }
    )


def text(known: History) -> str:
    """The same as a text without colours."""
    return screen.plain(view(known))


def json(known: History) -> dict[str, Any]:
    """The same for scripts; `result` is null for a run that has not ended."""
    return {
        "schema_version": SCHEMA_VERSION,
        "generations": [
            {
                "number": run.number,
                "when": run.author.at,
                "who": run.author.who,
                "command": run.author.command,
                "tool": run.author.tool,
                "inventory": run.author.inventory,
                "result": run.result,
                "hosts": list(hosts),
            }
            for run, hosts in known.values()
        ],
    }
