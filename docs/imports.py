"""Reads from the code which parts of deployer/ import which: no import is run, and no list is kept by hand."""

import ast
from collections import Counter
from collections.abc import Iterator, Mapping, Set
from dataclasses import dataclass
from pathlib import Path

LOOSE = 5  # modules beside the folders that are drawn one by one; more of them share a box for each layer


@dataclass(frozen=True)
class Part:
    """A folder of deployer/ or a module beside them: its name, its docstring, and the modules in it."""

    name: str
    doc: str
    modules: tuple[Path, ...]
    is_folder: bool


def parts(package: Path) -> dict[str, Part]:
    """Return every folder and module at the top of a package that has code, by its name."""
    found = {}
    for path in sorted(package.iterdir()):
        if path.is_dir() and (path / "__init__.py").exists():
            found[path.name] = Part(path.name, _doc(path / "__init__.py"), tuple(sorted(path.rglob("*.py"))), True)
        elif path.suffix == ".py" and path.stem != "__init__":
            found[path.stem] = Part(path.stem, _doc(path), (path,), False)
    return found


def uses(package: Path, found: Mapping[str, Part]) -> dict[str, Counter[str]]:
    """Return for each part the other parts that it imports, wherever in a file, and how often."""
    counts = {name: Counter(_imported(package.name, part)) for name, part in found.items()}
    return {
        name: Counter({other: number for other, number in counts[name].items() if other in found and other != name})
        for name in found
    }


def without_cycles(counts: Mapping[str, Mapping[str, int]]) -> dict[str, frozenset[str]]:
    """Return the graph without arrows that close a circle: always the one of fewer imports."""
    kept: dict[str, set[str]] = {name: set() for name in counts}
    arrows = [(-number, start, end) for start, used in counts.items() for end, number in used.items()]
    for _, start, end in sorted(arrows):
        if start not in _below(end, kept):
            kept[start].add(end)
    return {name: frozenset(used) for name, used in kept.items()}


def levels(graph: Mapping[str, Set[str]]) -> dict[str, int]:
    """Return for each part of a graph without cycles how high it stands: 0 where it imports no other part."""
    known: dict[str, int] = {}
    while ready := [name for name, used in graph.items() if name not in known and used <= known.keys()]:
        known |= {name: max((known[other] + 1 for other in graph[name]), default=0) for name in ready}
    return known


def reduced(graph: Mapping[str, Set[str]]) -> dict[str, frozenset[str]]:
    """Return the graph without every arrow that follows from others."""
    below = {name: _below(name, graph) for name in graph}
    return {
        name: frozenset(used - frozenset().union(*(below[other] for other in used))) for name, used in graph.items()
    }


def grouped(found: Mapping[str, Part], graph: Mapping[str, Set[str]]) -> dict[str, str]:
    """Return for each part the name of its box; loose modules share one for each layer when they are many."""
    height = levels(graph)
    loose = [name for name, part in found.items() if not part.is_folder]
    many = Counter(height[name] for name in loose) if len(loose) > LOOSE else Counter[int]()
    return {name: f"layer {height[name]}" if name in loose and many[height[name]] > 1 else name for name in found}


def merged(graph: Mapping[str, Set[str]], box_of: Mapping[str, str]) -> dict[str, frozenset[str]]:
    """Return the graph of boxes, given that of the parts in them."""
    found: dict[str, set[str]] = {box: set() for box in box_of.values()}
    for name, used in graph.items():
        found[box_of[name]] |= {box_of[other] for other in used} - {box_of[name]}
    return {box: frozenset(used) for box, used in found.items()}


def _below(name: str, graph: Mapping[str, Set[str]]) -> frozenset[str]:
    """Return every part that one imports, at once or by way of others."""
    found: set[str] = set()
    ahead = set(graph[name])
    while ahead:
        found |= ahead
        ahead = {other for each in ahead for other in graph[each]} - found
    return frozenset(found)


def _doc(path: Path) -> str:
    return ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))) or ""


def _imported(package: str, part: Part) -> Iterator[str]:
    """Yield the names at the top of a package that the modules of a part import, one for each import."""
    for path in part.modules:
        for name in modules_of(ast.parse(path.read_text(encoding="utf-8"))):
            if name.startswith(f"{package}."):
                yield name.split(".")[1]


def modules_of(tree: ast.AST) -> Iterator[str]:
    """Yield the full name of all that a source imports; `from deployer.heat import conf` gives `deployer.heat.conf`."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (each.name for each in node.names)
        elif isinstance(node, ast.ImportFrom) and not node.level:
            yield from (f"{node.module}.{each.name}" for each in node.names)
