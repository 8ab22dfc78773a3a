"""Draws the stages of `deploy`: what the function calls, in order, read from deployer/pipeline.py."""

import ast
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import shapes

WIDTH, TOP, SIDE = 960, 96, 36
BOX = (204, 84)
GAP, ROW = 24, BOX[1] + 34
IN_A_ROW = 4
LETTERS = 27  # of the small text, in a line of a box
LOOKS = ("api", "engine", "proxy", "host")  # in turn, whenever the next stage is of another folder
NO_STAGES = ("errors", "model")  # modules whose functions are words of the story, not stages


@dataclass(frozen=True)
class Stage:
    """A call of `deploy`: the module of the function, its name, and its docstring."""

    module: str
    function: str
    doc: str

    def folder(self) -> str:
        """Return where the function is below the package: `plan` for deployer/plan/diff.py."""
        return self.module.split(".")[1]


def drawn(package: Path) -> str:
    """Return the picture of `deploy` as its code is on disk."""
    found = stages(package, "deploy")
    rows = -(-len(found) // IN_A_ROW)
    return shapes.picture(
        (WIDTH, TOP + rows * ROW - (ROW - BOX[1]) + SIDE),
        "The stages of deploy",
        [
            shapes.text(SIDE, 44, "The stages of deploy", "title"),
            shapes.text(SIDE, 64, f"what deploy() in {package.name}/pipeline.py calls, in order"),
            *_arrows(len(found)),
            *_boxes(found),
        ],
    )


def stages(package: Path, command: str) -> list[Stage]:
    """Return each function of another module that a function of pipeline.py calls, in order, once."""
    tree = ast.parse((package / "pipeline.py").read_text(encoding="utf-8"))
    local = {node.name: node for node in tree.body if isinstance(node, ast.FunctionDef)}
    names = dict(_imported(tree, package))
    calls = dict.fromkeys(_followed(command, local, names, ()))
    return [
        Stage(module, name, doc)
        for module, name in calls
        if (doc := _doc(package, module, name)) is not None and module.split(".")[1] not in NO_STAGES
    ]


def _imported(tree: ast.Module, package: Path) -> Iterator[tuple[str, str]]:
    """Yield each name that an import of the package gives, also inside of functions, with what it stands for."""
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and (node.module or "").partition(".")[0] == package.name:
            yield from ((each.asname or each.name, f"{node.module}.{each.name}") for each in node.names)


def _followed(
    name: str, local: Mapping[str, ast.FunctionDef], names: Mapping[str, str], above: tuple[str, ...]
) -> Iterator[tuple[str, str]]:
    """Yield (module, function) of each call in a function, with those of the local functions that it calls."""
    for called in _calls(local[name].body):
        if called in local and called not in above:
            yield from _followed(called, local, names, (*above, name))
        first, _, rest = called.partition(".")
        full = f"{names[first]}.{rest}".rstrip(".") if first in names else ""
        if full.count(".") >= 2:
            module, _, function = full.rpartition(".")
            yield module, function


def _calls(body: ast.AST | list[ast.stmt]) -> Iterator[str]:
    """Yield what is called in a piece of code, inner calls first, without conditions and errors that are raised."""
    if isinstance(body, list):
        for each in body:
            yield from _calls(each)
    elif isinstance(body, ast.If | ast.IfExp | ast.While):
        parts = body.body if isinstance(body.body, list) else [body.body]
        other = body.orelse if isinstance(body.orelse, list) else [body.orelse]
        for part in (*parts, *other):
            yield from _calls(part)
    elif not isinstance(body, ast.Raise | ast.Lambda):
        for part in ast.iter_child_nodes(body):
            yield from _calls(part)
        if isinstance(body, ast.Call):
            yield ast.unparse(body.func)


def _doc(package: Path, module: str, name: str) -> str | None:
    """Return the docstring of a function, "" if it has none, and None if there is no such function."""
    path = package.parent.joinpath(*module.split("."))
    file = path.with_suffix(".py") if path.with_suffix(".py").exists() else path / "__init__.py"
    found = [
        node
        for node in ast.parse(file.read_text(encoding="utf-8")).body
        if isinstance(node, ast.FunctionDef) and node.name == name
    ]
    return ast.get_docstring(found[0]) or "" if found else None


def _boxes(found: list[Stage]) -> Iterator[str]:
    look = 0
    for number, stage in enumerate(found):
        look += number > 0 and stage.folder() != found[number - 1].folder()
        whole = f"{stage.module.rpartition('.')[2]}.{stage.function}"
        code = shapes.wrapped(whole if len(whole) <= LETTERS else stage.function, LETTERS, 1)
        lines = shapes.wrapped(shapes.clause(stage.doc), LETTERS, 2)
        yield shapes.box(*_corner(number), BOX, LOOKS[look % len(LOOKS)], stage.folder(), *code, *lines, kind="host")


def _arrows(count: int) -> Iterator[str]:
    """Yield an arrow from each box to the next: to the right, or back to the beginning of the next row."""
    for number in range(count - 1):
        left, top = _corner(number)
        if (number + 1) % IN_A_ROW:
            yield shapes.arrow(f"M{left + BOX[0]} {top + BOX[1] // 2} H{left + BOX[0] + GAP - 3}")
        else:
            middle = top + BOX[1] + (ROW - BOX[1]) // 2
            yield shapes.arrow(f"M{left + BOX[0] // 2} {top + BOX[1]} V{middle} H{SIDE + BOX[0] // 2} V{top + ROW - 3}")


def _corner(number: int) -> tuple[int, int]:
    row, column = divmod(number, IN_A_ROW)
    return SIDE + column * (BOX[0] + GAP), TOP + row * ROW
