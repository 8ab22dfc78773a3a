"""What a plan changes inside each file, as unified diffs in which every secret is masked. Pure."""

import difflib
from collections.abc import Iterator, Mapping

from deployer.heat import masking
from deployer.heat.source import text_of
from deployer.model import File, Found
from deployer.proxy import config
from deployer.steps import Plan, RemoveFile, WriteFile


def of_plan(plan: Plan, found: Mapping[str, Found]) -> dict[str, str]:
    """Given a plan and what was found with its contents, return `host:path` -> diff for each file that changes."""
    return dict(_diffs(plan, found))


def _diffs(plan: Plan, found: Mapping[str, Found]) -> Iterator[tuple[str, str]]:
    for step in plan.changes():
        if isinstance(step, WriteFile):
            old = found[step.host].state.files.get(step.file.path)
            yield f"{step.host}:{step.file.path}", _diff(step.host, step.file.path, old, step.file)
        elif isinstance(step, RemoveFile):
            old = found[step.host].state.files.get(step.path)
            yield f"{step.host}:{step.path}", _diff(step.host, step.path, old, None)


def _diff(host: str, path: str, old: File | None, new: File | None) -> str:
    before, after = (text_of(file.content or b"") if file else "" for file in (old, new))
    if path == config.CONFIG:
        lines = difflib.unified_diff(*(config.masked(text).splitlines(keepends=True) for text in (before, after)),
                                     f"{host}:{path}", f"{host}:{path}")
        return "".join(lines)
    return masking.masked_diff(before, after, f"{host}:{path}")
