"""Tree of an inventory file -> Document, with everything that is wrong in or between its sections."""

from itertools import takewhile
from typing import TypeVar

from pydantic import BaseModel, ValidationError

from deployer.inventory import checks, error_messages
from deployer.inventory.document import Finding, Node, Path
from deployer.inventory.sections import Document, Heat, HostEntry, Proxy

Part = TypeVar("Part", bound=BaseModel)


def validate(root: Node) -> tuple[Document | None, list[Finding]]:
    """Return the document, or None, and every finding. Sections that are wrong do not hide what is wrong elsewhere."""
    plain = root.plain()
    document, findings = None, []
    try:
        document = Document.model_validate(plain)
    except ValidationError as error:
        findings = list(error_messages.findings(error, root))
    explained = {finding.path[:2] for finding in findings}
    for path, message in checks.conflicts(_parts(plain)):
        if path != checks.STATS or path not in explained:
            findings.append(Finding(*error_messages.place_of(root, path), path, message))
    return document, findings


def _parts(plain: object) -> checks.Parts:
    """Return the sections that are right, or right without the values that are wrong."""
    whole = plain if isinstance(plain, dict) else {}
    stated = whole.get("hosts")
    hosts: dict[str, object] = stated if isinstance(stated, dict) else {}
    entries = {name: _salvaged(HostEntry, entry) for name, entry in hosts.items()}
    return checks.Parts(
        hosts={name: entry for name, entry in entries.items() if entry},
        heat=_salvaged(Heat, whole.get("heat")),
        proxy=_salvaged(Proxy, whole.get("proxy")),
        names=tuple(hosts),
    )


def _salvaged(kind: type[Part], plain: object) -> Part | None:
    """Return a section without its wrong values, or None when they are needed."""
    wrong = _wrong_paths(kind, plain)
    try:
        return kind.model_validate(_without(plain, wrong))
    except ValidationError:
        return None


def _wrong_paths(kind: type[BaseModel], plain: object) -> set[Path]:
    try:
        kind.model_validate(plain)
    except ValidationError as error:
        locations = [item["loc"] for item in error.errors(include_url=False, include_context=False)]
        return {tuple(takewhile(lambda part: part not in ("count", "ports"), location)) for location in locations}
    return set()


def _without(value: object, wrong: set[Path], here: Path = ()) -> object:
    if not isinstance(value, dict):
        return value
    kept = {key: item for key, item in value.items() if (*here, key) not in wrong}
    return {key: _without(item, wrong, (*here, key)) for key, item in kept.items()}
