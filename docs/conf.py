"""Settings of Sphinx for the site of these pages; `bin/docs` builds it.

The pages are plain Markdown that reads well in the repository. What only a site needs is added while they are read: the
tables of contents, made from the lists of links, and the pages that lie above this folder.
"""

import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sphinx.application import Sphinx

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))
from deployer import __version__ as release  # noqa: E402

project = "heat-scaleout"
extensions = ["myst_parser"]
source_suffix = {".md": "markdown"}
myst_heading_anchors = 4  # headings get the anchors that GitHub gives them, so that links work in both places

html_theme = "furo"
html_title = f"{project} {release}"
html_copy_source = False
html_show_copyright = False

# A file above this folder -> the page that shows it.
ABOVE = {"CONTRIBUTING.md": "contributing", "CHANGELOG.md": "changelog", "README.md": "index"}
FOLDED = {page: name for name, page in ABOVE.items() if page != "index"}
LINK = re.compile(r"\]\((?!#|[a-z]+:)([^)\s]+)\)")
ENTRY = re.compile(r"^(?:- |\| )\[[^\]]+\]\(([\w/-]+)\.md\)", re.MULTILINE)


def setup(app: "Sphinx") -> None:
    """Have every page completed before it is parsed."""
    app.connect("source-read", _complete)


def _complete(app: "Sphinx", page: str, source: list[str]) -> None:
    if page in FOLDED:
        app.env.note_dependency(ROOT / FOLDED[page])
        source[0] = from_above((ROOT / FOLDED[page]).read_text(encoding="utf-8"))
    elif page.endswith(("index", "README", "commands")):
        source[0] += contents(source[0])


def from_above(text: str) -> str:
    """Return the text of a file above this folder with its links as they are from here."""
    return LINK.sub(lambda link: f"]({_from_here(link[1])})", text)


def _from_here(target: str) -> str:
    return f"{ABOVE[target]}.md" if target in ABOVE else f"../{target}"


def contents(text: str) -> str:
    """Return the table of contents of a page that lists others: each of them once, in the order of the links."""
    return "\n".join(["", "```{toctree}", ":hidden:", "", *dict.fromkeys(ENTRY.findall(text)), "```", ""])
