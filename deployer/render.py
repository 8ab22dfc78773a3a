"""Templates: a context in, a text out. Shape only; every value is ready when it comes here."""

import functools
from pathlib import Path
from typing import Any

import jinja2

INSTALLED = Path(__file__).resolve().parent / "templates"  # where setup.py puts them in a wheel
FOLDER = INSTALLED if INSTALLED.is_dir() else INSTALLED.parents[1] / "templates"


def text(template: str, **values: Any) -> str:
    """Render `templates/<template>.j2`; an unknown name in it is our bug and raises jinja2.UndefinedError."""
    return _environment().get_template(template + ".j2").render(values)


@functools.cache
def _environment() -> jinja2.Environment:
    """Trimmed blocks and strict names. Nothing is escaped: these are no web pages, and values are checked on entry."""
    return jinja2.Environment(
        loader=jinja2.FileSystemLoader(FOLDER),
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        autoescape=False,
    )  # noqa: S701
