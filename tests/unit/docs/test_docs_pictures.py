"""The pictures of the docs are what their program draws, show the code as it is, and can be read."""

import functools
import itertools
import xml.etree.ElementTree as ET
from collections import Counter
from collections.abc import Mapping
from pathlib import Path

import draw
import folders
import imports
import layout
import pytest
import shapes
import sites
import story

COMPUTED = ("folders.svg", "pipeline.svg")
LETTER = {"host": 9.6, "title": 11.8, "small": 7.4}  # pixels that a letter takes on average, rounded up
SVG = "{http://www.w3.org/2000/svg}"
Box = tuple[float, float, float, float]


pictures = functools.cache(draw.pictures)


def a_package(folder: Path, files: Mapping[str, str]) -> Path:
    """A package with these files, and an `__init__.py` with a docstring in each folder."""
    package = folder / "deployer"
    for name, text in files.items():
        path = package / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    for path in {path.parent for path in package.rglob("*.py")}:
        (path / "__init__.py").write_text(f'"""What {path.name} is for: more."""\n')
    return package


def counts(package: Path) -> dict[str, Counter[str]]:
    """Part -> the parts that it imports, and how often."""
    return imports.uses(package, imports.parts(package))


def boxes(drawn: str) -> list[Box]:
    """Left, top, right and bottom of every box."""
    found = [each.attrib for each in ET.fromstring(drawn).iter(f"{SVG}rect") if each.attrib["class"] != "card"]
    return [
        (
            float(each["x"]),
            float(each["y"]),
            float(each["x"]) + float(each["width"]),
            float(each["y"]) + float(each["height"]),
        )
        for each in found
    ]


def texts(drawn: str) -> list[str]:
    return [each.text or "" for each in ET.fromstring(drawn).iter(f"{SVG}text")]


def extents(drawn: str) -> list[Box]:
    """Left, top, right and bottom of every text, by what its letters take at most."""
    return [_extent(each) for each in ET.fromstring(drawn).iter(f"{SVG}text")]


def _extent(text: ET.Element) -> Box:
    look = text.attrib["class"].split()
    width = len(text.text or "") * next((LETTER[word] for word in look if word in LETTER), 8.6)
    left = float(text.attrib["x"]) - (width / 2 if "middle" in look else 0)
    return left, float(text.attrib["y"]) - 11, left + width, float(text.attrib["y"]) + 3


def overlap(one: Box, other: Box) -> bool:
    return one[0] < other[2] and other[0] < one[2] and one[1] < other[3] and other[1] < one[3]


def test_pictures_of_the_docs_are_what_their_program_draws() -> None:
    kept = {path.name: path.read_text() for path in (sites.ROOT / "docs").glob("*.svg")}

    assert kept == pictures(), "run `python docs/draw.py` and look at the pictures"


@pytest.mark.parametrize("name", COMPUTED)
def test_computed_picture_has_no_texts_or_boxes_over_each_other(name: str) -> None:
    drawn = pictures()[name]

    assert [pair for pair in itertools.combinations(boxes(drawn), 2) if overlap(*pair)] == []
    assert [pair for pair in itertools.combinations(extents(drawn), 2) if overlap(*pair)] == []


@pytest.mark.parametrize("name", COMPUTED)
def test_text_of_a_computed_picture_fits_into_its_box(name: str) -> None:
    drawn = pictures()[name]
    within = [(text, box) for text in extents(drawn) for box in boxes(drawn) if overlap(text, box)]

    assert within
    assert [(text, box) for text, box in within if not (box[0] <= text[0] and text[2] <= box[2])] == []


@pytest.mark.parametrize("name", COMPUTED)
def test_text_of_a_computed_picture_stays_on_its_card(name: str) -> None:
    drawn = pictures()[name]
    width = float(ET.fromstring(drawn).attrib["width"])

    assert [text for text in extents(drawn) if text[0] < 0 or text[2] > width] == []


@pytest.mark.parametrize("name", COMPUTED)
def test_computed_picture_has_few_enough_boxes_to_be_read(name: str) -> None:
    assert 1 < len(boxes(pictures()[name])) <= 20


def test_imports_of_a_package_are_found_wherever_they_stand(tmp_path: Path) -> None:
    package = a_package(
        tmp_path,
        {
            "plan/diff.py": "from deployer import errors\n",
            "errors.py": "",
            "pipeline.py": "def f():\n    from deployer.plan import diff\n",
            "alone.py": "import os\n",
        },
    )

    assert counts(package) == {"plan": {"errors": 1}, "errors": {}, "pipeline": {"plan": 1}, "alone": {}}


def test_arrow_that_follows_from_others_is_left_out() -> None:
    assert imports.reduced({"c": {"b", "a"}, "b": {"a"}, "a": set()}) == {"c": {"b"}, "b": {"a"}, "a": set()}


def test_arrow_of_fewest_imports_is_left_out_of_a_circle_and_named(tmp_path: Path) -> None:
    package = a_package(
        tmp_path,
        {
            "a/x.py": "import deployer.b\n",
            "a/y.py": "import deployer.b\n",
            "b.py": "import deployer.a, deployer.c\n",
            "c.py": "",
        },
    )

    assert imports.without_cycles(counts(package)) == {"a": {"b"}, "b": {"c"}, "c": set()}
    assert "not drawn, as they point up: b -> a" in texts(folders.drawn(package))


def test_few_loose_modules_have_a_box_each_with_what_they_are_for(tmp_path: Path) -> None:
    pipeline = '"""One function a command."""\nimport deployer.model\n'
    package = a_package(tmp_path, {"model/x.py": "", "pipeline.py": pipeline})
    shown = texts(folders.drawn(package))

    assert {"model/", "What model is for", "pipeline.py"} <= set(shown)


def test_many_loose_modules_share_a_box_for_each_layer(tmp_path: Path) -> None:
    low = {f"low{number}.py": "" for number in range(4)}
    high = {f"high{number}.py": "import deployer.low0\n" for number in range(3)}
    shown = texts(folders.drawn(a_package(tmp_path, low | high)))

    assert [words for words in shown if "modules" in words] == ["3 modules", "4 modules"]


def test_box_stands_above_all_that_it_imports() -> None:
    some = {"top": {"left", "low"}, "left": {"low"}, "right": {"low"}, "low": set(), "other": set()}
    rows = layout.rows(some, imports.levels(some), 2)
    row_of = layout.rows_of(rows)

    assert [(name, other) for name, used in some.items() for other in used if row_of[name] >= row_of[other]] == []
    assert (1, ("top", "low")) in rows[1]


def test_boxes_are_put_in_an_order_without_needless_crossings() -> None:
    some = {"a": {"y"}, "b": {"x"}, "x": set(), "y": set()}
    names = [[what for _, what in spots] for spots in layout.rows(some, imports.levels(some), 5)]

    assert names in ([["a", "b"], ["y", "x"]], [["b", "a"], ["x", "y"]])


def test_stages_of_a_command_are_its_calls_in_order_through_local_functions(tmp_path: Path) -> None:
    package = a_package(
        tmp_path,
        {
            "pipeline.py": (
                "from deployer import errors, observed\nfrom deployer.plan import diff, Plan\n"
                "def deploy(fleet):\n    todo = diff.between(observed.hosts(fleet))\n    _run(todo)\n"
                "def _run(todo):\n    if observed.changed(todo):\n        raise errors.refused(diff.why(todo))\n"
                "    from deployer.apply import run\n    run.waves(Plan(todo))\n    observed.hosts(todo)\n"
            ),
            "observed.py": "def hosts(x):\n    '''Observe all hosts, at once.'''\ndef changed(x): ...\n",
            "plan/diff.py": "def between(x): ...\ndef why(x): ...\n",
            "apply/run.py": "def waves(x): ...\n",
            "errors.py": "def refused(x): ...\n",
        },
    )

    assert [(stage.module, stage.function, stage.doc) for stage in story.stages(package, "deploy")] == [
        ("deployer.observed", "hosts", "Observe all hosts, at once."),
        ("deployer.plan.diff", "between", ""),
        ("deployer.apply.run", "waves", ""),
    ]


@pytest.mark.parametrize(
    ("docstring", "expected"),
    [
        ("Observe all hosts: at once.", "Observe all hosts"),
        ("Given both states, return waves.\n\nMore.", "Return waves"),
        ("One line.", "One line"),
        ("", ""),
    ],
)
def test_box_says_the_first_clause_of_a_docstring(docstring: str, expected: str) -> None:
    assert shapes.clause(docstring) == expected


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ("one two", ["one two"]),
        ("one two three", ["one two", "three"]),
        ("one two three four five", ["one two", "three\N{HORIZONTAL ELLIPSIS}"]),
        ("extraordinarily", ["extraordi\N{HORIZONTAL ELLIPSIS}"]),
    ],
)
def test_words_of_a_box_are_wrapped_and_cut_at_whole_words(words: str, expected: list[str]) -> None:
    assert shapes.wrapped(words, 10, 2) == expected
