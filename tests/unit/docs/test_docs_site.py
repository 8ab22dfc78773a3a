"""The site of docs/ builds without a warning, has every page, and loads nothing from elsewhere."""

import re
import subprocess
import sys
from pathlib import Path

import pytest
import sites

DOCS = sites.ROOT / "docs"
LOADED = re.compile(r"""<(?:script|img|link|iframe)[^>]*\b(?:src|href)=["']?((?:https?:)?//[^"'> ]+)""")


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a site that was built as bin/docs does; a warning is an error."""
    out = tmp_path_factory.mktemp("site")
    build = [sys.executable, "-m", "sphinx", "-W", "--keep-going", "-q", "-b", "html", "-d", str(out / "read")]
    made = subprocess.run([*build, str(DOCS), str(out / "html")], capture_output=True, text=True, timeout=120)
    assert made.returncode == 0 and not made.stderr, made.stderr
    return out / "html"


def test_site_of_the_docs_has_every_page(site: Path) -> None:
    built = {path.relative_to(site).with_suffix(".md") for path in site.rglob("*.html")}

    assert {path.relative_to(DOCS) for path in DOCS.rglob("*.md")} <= built


def test_site_of_the_docs_lists_every_page_at_its_side(site: Path) -> None:
    """Each page is reached from the first one: it is in the tree of contents, which every page shows."""
    tree = (site / "index.html").read_text().partition("sidebar-tree")[2].partition("</aside>")[0]
    pages = {path.relative_to(DOCS).with_suffix(".html").as_posix() for path in DOCS.rglob("*.md")}

    assert pages - {"index.html"} - set(re.findall(r'href="([^"#]+)"', tree)) == set()


def test_site_of_the_docs_shows_the_files_above_it(site: Path) -> None:
    assert "Set up" in (site / "contributing.html").read_text()
    assert "The first version" in (site / "changelog.html").read_text()


def test_site_of_the_docs_loads_nothing_from_elsewhere(site: Path) -> None:
    pages = sorted(site.rglob("*.html"))

    assert pages
    assert {path.name: found for path in pages if (found := LOADED.findall(path.read_text()))} == {}
