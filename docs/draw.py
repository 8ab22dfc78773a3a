"""Draws the pictures of the docs: `python docs/draw.py` writes each as an SVG beside this file.

Those of the code are computed from it: the folders from their imports, the pipeline from the calls of `deploy`.
"""

from collections.abc import Iterator
from pathlib import Path

import folders
import shapes
import story

DOCS = Path(__file__).resolve().parent
DEPLOYER = DOCS.parent / "deployer"


def pictures() -> dict[str, str]:
    """Every picture by the name of its file."""
    return {
        "before-and-after.svg": shapes.picture(
            (960, 500), "One Heat server before, three hosts after", before_and_after()
        ),
        "stages.svg": shapes.picture((960, 300), "The stages of every command", stages()),
        "folders.svg": folders.drawn(DEPLOYER),
        "pipeline.svg": story.drawn(DEPLOYER),
    }


def before_and_after() -> Iterator[str]:
    yield shapes.text(36, 44, "Before: one server", "title")
    yield shapes.text(36, 64, "every request ends on hostA")
    yield from clients(180, 92)
    yield from host(36, 160, (288, 224), "hostA")
    yield shapes.box(52, 196, (124, 44), "api", "REST API", ":8004")
    yield shapes.box(184, 196, (124, 44), "api", "CFN API", ":8000")
    yield shapes.box(52, 268, (256, 40), "engine", "engine")
    yield shapes.box(52, 328, (256, 40), "plain", "database, broker, Keystone")
    yield shapes.arrow("M180 122 V142 H114 V192")
    yield shapes.arrow("M180 122 V142 H246 V192")
    yield shapes.arrow("M180 240 V264", "queue")

    yield shapes.line("M352 30 V470")
    yield shapes.text(380, 44, "After: invoke deploy", "title")
    yield shapes.text(380, 64, "same addresses for the clients, more hosts behind them")
    yield from clients(652, 92)
    yield from host(380, 160, (544, 112), "hostA")
    yield shapes.box(396, 196, (250, 60), "proxy", "proxy (HAProxy)", ":8004 and :8000, as before")
    yield shapes.box(662, 196, (246, 26), "engine", "engine, left as it was")
    yield shapes.box(662, 230, (246, 26), "plain", "database, broker, Keystone")
    yield shapes.arrow("M652 122 V142 H521 V192")
    for left, name in ((380, "hostB"), (660, "hostC")):
        yield from host(left, 320, (264, 150), name)
        yield shapes.box(left + 14, 352, (114, 40), "api", "REST API", ":8004")
        yield shapes.box(left + 136, 352, (114, 40), "api", "CFN API", ":8000")
        yield shapes.box(left + 14, 408, (74, 48), "engine", "engine 1")
        yield shapes.box(left + 95, 408, (74, 48), "engine", "engine 2")
        yield shapes.box(left + 176, 408, (74, 48), "next", "add-engine" if name == "hostB" else "...", kind="small")
    yield shapes.arrow("M521 256 V296 H480 V348")
    yield shapes.arrow("M480 296 H760 V348")
    yield shapes.text(531, 290, "HTTP to healthy APIs", "small")
    yield shapes.arrow("M690 256 V312 H652 V432 H634", "queue")
    yield shapes.arrow("M652 432 H670", "queue")
    yield shapes.line("M36 452 H72", "queue")
    yield shapes.text(80, 456, "work for the engines goes", "small")
    yield shapes.text(80, 472, "through the broker's queues", "small")


def stages() -> Iterator[str]:
    yield shapes.text(36, 44, "Decide, then do", "title")
    yield shapes.text(36, 64, "plan stops after the difference; deploy checks it, runs it and observes the hosts again")
    yield shapes.box(36, 92, (144, 54), "plain", "inventory", "your YAML file")
    yield shapes.box(36, 206, (144, 54), "host", "hosts", "files, units, sockets")
    yield shapes.box(212, 92, (150, 54), "api", "desired", "what should be there")
    yield shapes.box(212, 206, (150, 54), "api", "observed", "what is there")
    yield shapes.box(392, 149, (112, 54), "proxy", "plan", "steps in waves")
    yield shapes.box(534, 149, (118, 54), "proxy", "preflight", "every problem")
    yield shapes.box(682, 149, (106, 54), "engine", "apply", "wave by wave")
    yield shapes.box(818, 149, (106, 54), "engine", "verify", "from outside")
    yield shapes.arrow("M180 119 H208")
    yield shapes.arrow("M180 233 H208")
    yield shapes.arrow("M287 206 V150")
    yield shapes.text(296, 176, "source host's", "small")
    yield shapes.text(296, 191, "/etc/heat", "small")
    yield shapes.arrow("M362 119 H448 V145")
    yield shapes.arrow("M362 233 H448 V207")
    yield shapes.arrow("M504 176 H530")
    yield shapes.arrow("M652 176 H678")
    yield shapes.arrow("M788 176 H814")
    yield shapes.arrow("M735 203 V278 H108 V264", "queue")
    yield shapes.text(536, 272, "one request per host and wave", "small")


def clients(middle: int, top: int) -> Iterator[str]:
    yield shapes.box(middle - 60, top, (120, 30), "plain", "clients")


def host(left: int, top: int, size: tuple[int, int], name: str) -> Iterator[str]:
    yield shapes.box(left, top, size, "host")
    yield shapes.text(left + 16, top + 23, name, "host")


if __name__ == "__main__":
    for name, drawn in pictures().items():
        (DOCS / name).write_text(drawn, encoding="utf-8")
