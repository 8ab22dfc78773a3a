"""Hypothesis strategies for heat.conf files that try every corner of the grammar, and oslo.config as their judge."""

import atexit
import os
import shutil
import tempfile
from pathlib import Path

from hypothesis import settings
from hypothesis import strategies as st
from oslo_config import cfg

from deployer.heat.conf import conf_redaction

# The same examples every time; HEAT_SCALEOUT_EXAMPLES=5000 looks further, and at other ones each time.
_EXAMPLES = int(os.environ.get("HEAT_SCALEOUT_EXAMPLES", "0"))
_FOLDER = Path(tempfile.mkdtemp(prefix="heat-conf-"))
atexit.register(shutil.rmtree, _FOLDER, ignore_errors=True)


def examples(count: int = 100) -> settings:
    """So many examples, or as many as the environment asks for."""
    return settings(max_examples=_EXAMPLES or count, derandomize=not _EXAMPLES, deadline=None, database=None)


def oslo_reads(text: str) -> dict[tuple[str, str], tuple[str, ...]]:
    """Section and key -> every value, before substitution, as oslo.config has it; raise cfg.ParseError."""
    normalized: dict[str, dict[str, list[str]]] = {}
    parser = cfg.ConfigParser(str(_written(text)), {})
    parser._add_normalized(normalized)
    parser.parse()
    return {(section, key): tuple(each) for section, keys in normalized.items() for key, each in keys.items()}


def oslo_option(text: str, section: str, key: str) -> str | None:
    """A registered string option as Heat would get it, substitution and all; raise what oslo.config raises."""
    heat = cfg.ConfigOpts()
    for other, name in oslo_reads(text):
        heat.register_opt(cfg.StrOpt(name), None if other == "DEFAULT" else other)
    heat(["--config-file", str(_written(text))], project="heat", default_config_dirs=[])
    return heat[key] if section == "DEFAULT" else heat[section][key]


def as_redacted(text: str) -> str:
    """A file as the diff shows it that adds it; a final line end is not part of it."""
    lines = conf_redaction.redacted_diff("", text, "heat.conf").split("\n")[3:-1]
    return "\n".join(line[1:].removesuffix(" (new)") for line in lines)


def _written(text: str) -> Path:
    path = _FOLDER / "heat.conf"
    path.write_bytes(text.encode())
    return path


# Few letters, so that keys and sections meet again; every sign that means something; spaces of three kinds.
SIGNS = "ab[]=:#;'\"$,%@/\\ \t\u00a0\u00e9\u2028"
anything = st.text(alphabet=SIGNS + "\n\r", max_size=60)
words = st.sampled_from(["a", "b_c", "b-c", "bind_host", "B", "k k"])
sections = st.sampled_from(["DEFAULT", "heat_api", "Heat_API", "default", "a]b", " x", "sql"])
line_ends = st.sampled_from(["\n", "\r\n", "\r"])
blanks = st.sampled_from(["", " ", "\t", "  \t", "\u00a0"])
inline = st.text(alphabet=SIGNS, max_size=12)
quoted = st.tuples(st.sampled_from("'\""), inline).map(lambda pair: pair[0] + pair[1] + pair[0])


def _joined(*parts: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    return st.tuples(*parts).map("".join)


headers = _joined(st.just("["), sections, st.just("]"), blanks)
comments = _joined(st.sampled_from("#;"), inline)
first_lines = _joined(words, blanks, st.sampled_from("=:"), blanks, inline | quoted, blanks)
continuations = _joined(st.sampled_from([" ", "\t", "    "]), blanks, inline.filter(str.strip))
options = st.tuples(first_lines, st.lists(continuations, max_size=2)).map(lambda pair: [pair[0], *pair[1]])
blocks = (
    options | headers.map(lambda line: [line]) | comments.map(lambda line: [line]) | blanks.map(lambda line: [line])
)


@st.composite
def files(draw: st.DrawFn) -> str:
    """A file that oslo.config takes, with or without a final line end."""
    lines = ["[DEFAULT]"] if draw(st.booleans()) else [draw(headers)]
    for block in draw(st.lists(blocks, max_size=12)):
        lines += block
    ends = [draw(line_ends)] * len(lines) if draw(st.booleans()) else [draw(line_ends) for _ in lines]
    text = "".join(line + end for line, end in zip(lines, ends, strict=True))
    return text if draw(st.booleans()) else text.rstrip("\r\n")


def is_writable(value: str) -> bool:
    """Whether the grammar has a way to write a value: later lines are neither empty nor blank at an end."""
    return all(part and part == part.strip() for part in value.split("\n")[1:]) and "\r" not in value


values = st.text(alphabet=SIGNS + "\n", max_size=20).filter(is_writable) | inline | quoted
