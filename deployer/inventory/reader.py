"""Reads an inventory file: the Inventory, or every error of the file at once with its line and column."""

import os.path
from collections.abc import Iterator
from pathlib import Path

from deployer import errors
from deployer.inventory import document, formatting, local_file, location, validation
from deployer.inventory.document import Finding
from deployer.inventory.schema import Inventory

LARGEST = 1024 * 1024
MOST_SHOWN = 100
HOW_TO_NAME = f"Name the file: --inventory FILE, {location.VARIABLE}=FILE, or `inventory: FILE` in invoke.yaml."


def read(path: Path) -> Inventory:
    """Return the inventory in a file. Raise BadInventory with all its errors."""
    return parse(content_of(path), path)


def content_of(path: Path) -> bytes:
    """Return the bytes of an inventory file, of one that is too large the first. Raise BadInventory without any."""
    try:
        return local_file.content(path, LARGEST + 1)
    except errors.BadInput as error:
        raise errors.BadInventory([error.message], _names_near(path)) from None
    except FileNotFoundError:
        raise errors.BadInventory([f"{path}: there is no such file"], _names_near(path)) from None
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or "not a file name"
        raise errors.BadInventory([f"{formatting.printable(path)}: cannot be read: {reason}"]) from None


def parse(text: bytes | str, path: Path) -> Inventory:
    """Return the inventory in a text; `path` names it and is where its relative paths start.

    Raise BadInventory with all errors, each as `file:line:column: path: message`.
    """
    reading = document.read(_decoded(text, path))
    found, more = validation.validate(reading.root) if reading.root else (None, [])
    if found is None or reading.findings or more:
        explained = {finding.path for finding in reading.findings}
        problems = _problems([*reading.findings, *(finding for finding in more if finding.path not in explained)], path)
        raise errors.BadInventory(list(problems), "Nothing was contacted or changed.")
    return Inventory(found, path, path.absolute().parent, Path(os.path.expanduser("~")))  # noqa: PTH111


def _names_near(path: Path) -> str:
    folder = next((up / "inventories" for up in path.absolute().parents if (up / "inventories").is_dir()), None)
    names = location.names_in(folder) if folder else []
    return f"In {folder} there are: {', '.join(names)}." if names else HOW_TO_NAME


def _decoded(text: bytes | str, path: Path) -> str:
    content = text.encode("utf-8", "surrogatepass") if isinstance(text, str) else text
    problem = ""
    if len(content) > LARGEST:
        problem = f"the file is larger than {LARGEST // 1024} KiB; this is no inventory"
    elif not content.strip():
        problem = "the file is empty"
    elif b"\0" in content:
        problem = "this is a binary file, not a YAML text"
    if problem:
        raise errors.BadInventory([f"{path}:1:1: {problem}"])
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        before = content[: error.start]
        line, column = before.count(b"\n") + 1, error.start - before.rfind(b"\n")
        raise errors.BadInventory([f"{path}:{line}:{column}: this is no UTF-8 text"]) from None


def _problems(findings: list[Finding], path: Path) -> Iterator[str]:
    """Yield the findings in the file's order, one for a place and path."""
    unique = {(found.line, found.column, found.path): found for found in reversed(findings)}
    for line, column, keys in sorted(unique, key=lambda place: place[:2])[:MOST_SHOWN]:
        where = f"{formatting.dotted(keys)}: " if keys else ""
        yield f"{path}:{line}:{column}: {where}{unique[line, column, keys].message}"
    if len(unique) > MOST_SHOWN:
        yield f"{path}: and {len(unique) - MOST_SHOWN} more"
