"""Which colour stands for what: it repeats what the words say, and never says anything alone. Pure."""

from rich.text import Text

from deployer.model import steps
from deployer.model.steps import Step

ADDED, REMOVED, CHANGED = "green", "red", "yellow"
STEPS: dict[type[Step], str] = {
    steps.EnableUnit: ADDED,
    steps.StartUnit: ADDED,
    steps.StartPredecessor: ADDED,
    steps.ReadyServer: ADDED,
    steps.RemoveFile: REMOVED,
    steps.StopUnit: REMOVED,
    steps.DisableUnit: REMOVED,
    steps.ReleasePort: REMOVED,
    steps.DrainServer: REMOVED,
    steps.RestartUnit: CHANGED,
    steps.ReloadUnit: CHANGED,
    steps.WriteFile: CHANGED,
}
STATES = {
    "running": "green",
    "up": "green",
    "UP": "green",
    "done": "green",
    "ok": "green",
    "stopped": "red",
    "failed": "red",
    "FAILED": "bold red",
    "unreachable": "red",
    "down": "red",
    "DOWN": "red",
    "missing": "red",
    "refused": "red",
    "starting": "yellow",
    "restarting": "red",
    "stopping": "yellow",
    "put back": "yellow",
    "not ended": "yellow",
    "SKIPPED": "yellow",
}
DIFF = {"+++": "bold", "---": "bold", "@@": "cyan", "+": ADDED, "-": REMOVED}  # the longest beginnings first
FILE_IS_NEW = "new"


def step(step: Step) -> Text:
    """A step's sentence."""
    is_new = isinstance(step, steps.WriteFile) and step.because == FILE_IS_NEW
    return Text(str(step), style=ADDED if is_new else STEPS.get(type(step), ""))


def state(text: str) -> Text:
    """A word for how something is, or a text that begins with one."""
    style = STATES.get(text) or STATES.get(text.partition(",")[0].partition(" ")[0], "")
    return Text(text, style=style)


def drift(text: str) -> Text:
    """How something differs from the inventory."""
    return Text(text, style=CHANGED)


def diff(text: str) -> Text:
    """A unified diff."""
    return Text("\n").join(_diff_line(line) for line in text.splitlines())


def _diff_line(line: str) -> Text:
    style = next((style for start, style in DIFF.items() if line.startswith(start)), "")
    return Text(line, style=style)
