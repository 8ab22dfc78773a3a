"""Shows what a plan changes inside each file, as unified diffs in which every secret is redacted. Pure."""

import difflib
from collections.abc import Iterator, Mapping

from deployer.heat.conf import conf_redaction
from deployer.model.facts import Observation
from deployer.model.state import File, text_of
from deployer.model.steps import Plan, RemoveFile, WriteFile
from deployer.proxy import config

LIKE_HEAT_CONF = (".conf", ".ini")  # what may hold secrets as `key = value`


def diffs_of(plan: Plan, observed: Mapping[str, Observation], source: str) -> dict[str, str]:
    """Given a plan and observations with the contents of files, return `host:path` -> diff of each file that changes.

    A file that a host does not have yet is compared with the one of the host `source`, from which it is made.
    """
    return dict(_diffs(plan, observed, source))


def _diffs(plan: Plan, observed: Mapping[str, Observation], source: str) -> Iterator[tuple[str, str]]:
    for step in plan.changes():
        if isinstance(step, WriteFile):
            path = step.file.path
            old = observed[step.host].state.files.get(path) or observed[source].state.files.get(path)
            yield f"{step.host}:{path}", _diff(step.host, path, old, step.file)
        elif isinstance(step, RemoveFile):
            old = observed[step.host].state.files.get(step.path)
            yield f"{step.host}:{step.path}", _diff(step.host, step.path, old, None)


def _diff(host: str, path: str, old: File | None, new: File | None) -> str:
    before, after = (text_of(file.content or b"") if file else "" for file in (old, new))
    if path.endswith(LIKE_HEAT_CONF) and path != config.CONFIG:
        return conf_redaction.redacted_diff(before, after, f"{host}:{path}")
    title, old_lines, new_lines = f"{host}:{path}", _redacted_lines(before), _redacted_lines(after)
    return "".join(difflib.unified_diff(old_lines, new_lines, title, title))


def _redacted_lines(text: str) -> list[str]:
    return conf_redaction.redact_lines(config.redact(text)).splitlines(keepends=True)
