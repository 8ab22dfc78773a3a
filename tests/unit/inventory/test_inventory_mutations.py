"""Damaged and hostile inventories end as an Inventory or as errors with places; never as another exception."""

import random
import re
import time
from collections.abc import Iterator

import pytest
from inventory_texts import HOSTS, INVENTORIES, a_text, problems, read

from deployer.inventory import document, reference
from deployer.inventory.sections import Document

PLACED = re.compile(r"[1-9][0-9]*:[1-9][0-9]*: \S")
SEEDS = [path.read_bytes() for path in INVENTORIES]
TREES = [document.read(seed.decode()).root for seed in SEEDS]
TOKENS = (
    b"*a &a !x !!int !!binary << ?_ -_ [ ] { } | > |9 >- \" ' % @ ` ~ = , :_ _# yes null true 1e9 0x1 010 .inf .nan "
    b'1:30 2001-01-01 99999999999999999999999 -1 0 65536 "\\U00110000" "\\ud800" "\\xZZ" "\\0" !<x> !<%ff> {{7*7}} '
    b"hosts heat address engines api null"
).split() + [b"---\n", b"...\n", b"\n", b"\r", b"\t", b"\0", b"\xff", b"\xe2\x80\xa8", b"\xef\xbb\xbf", b"%YAML 1.1\n"]
VALUES = [
    None,
    True,
    -1,
    0,
    65,
    65536,
    10**30,
    1.5,
    "",
    "x",
    "hostA",
    "10.0.0.1",
    "a b",
    "é",
    [],
    {},
    [1],
    [[]],
    {"a": 1},
]


def by_bytes(chance: random.Random) -> bytes:
    """A seed with bytes changed, taken out or repeated."""
    text = bytearray(chance.choice(SEEDS))
    for _ in range(chance.choice([1, 1, 2, 5])):
        place, length = chance.randrange(len(text)), chance.randrange(1, 30)
        change = chance.choice([bytes([chance.randrange(256)]), b"", bytes(text[place : place + length])])
        text[place : place + chance.choice([0, 1, length])] = change
    return bytes(text)


def by_tokens(chance: random.Random) -> bytes:
    """A seed with signs and words of YAML put in or in place of others."""
    parts = re.split(rb"(\s+|[:,{}\[\]])", chance.choice(SEEDS))
    for _ in range(chance.choice([1, 2, 3, 8])):
        parts[chance.randrange(len(parts))] = chance.choice(TOKENS).replace(b"_", b" ")
    return b"".join(parts)


def by_tree(chance: random.Random) -> bytes:
    """A seed's values with some replaced, taken out or moved, written as JSON, which is YAML too."""
    tree = chance.choice(TREES).plain()
    for _ in range(chance.choice([1, 1, 2, 4])):
        section = chance.choice(list(mappings(tree)))
        key = chance.choice([*section, "engines", "unknown", "\u202e", ""])
        section[key] = chance.choice([*VALUES, chance.choice(list(section.values()) or [0])])
        section.pop(chance.choice([key, *section]) if chance.random() < 0.3 else None, None)
    return as_yaml(tree).encode("utf-8", "surrogatepass")


def mappings(tree: dict) -> Iterator[dict]:
    yield tree
    for value in list(tree.values()):
        if isinstance(value, dict) and value is not tree:
            yield from mappings(value)


def as_yaml(value: object) -> str:
    if isinstance(value, dict):
        return "{" + ",\n ".join(f'"{key}": {as_yaml(item)}' for key, item in value.items()) + "}"
    if isinstance(value, list | tuple):
        return "[" + ", ".join(as_yaml(item) for item in value) + "]"
    if isinstance(value, str):
        return f'"{value}"'
    return {"None": "null", "True": "true"}.get(str(value), str(value))


@pytest.mark.parametrize("mutate", [by_bytes, by_tokens, by_tree])
@pytest.mark.parametrize("block", range(5))
def test_mutated_inventories_are_read_or_refused_with_places(mutate, block):
    chance = random.Random(f"{mutate.__name__} {block}")
    refused = 0
    for _ in range(70):
        found = problems(mutate(chance))
        refused += bool(found)
        assert all(PLACED.match(problem) and problem.isprintable() for problem in found), found

    assert refused > 15


@pytest.mark.parametrize(
    "content",
    [
        b"[" * 4999,
        b"!" * 4999,
        b"\n".join([b"- " + b"!" * 4990] * 40),
        b"? " * 2000,
        b"a: |\n" + b" x\n" * 30_000,
        b"#\n" * 100_000,
        b'"' + b"a\n" * 50_000 + b'"',
        "\x85".encode() * 200_000,
        a_text(hosts="".join(f" h{n}: {{address: 10.0.0.1, api: 64, enines: 2}}\n" for n in range(500))).encode(),
    ],
    ids=range(9),
)
def test_text_made_to_be_slow_is_refused_within_seconds(content):
    begin = time.process_time()  # our own work, however busy the machine is

    assert problems(content)
    assert time.process_time() - begin < 5


INJECTIONS = [
    "a\nb",
    "a\n    server evil 10.6.6.6:80",
    "a\rb",
    "a\0b",
    "a\u2028b",
    "\u202ea",
    "$(x)",
    "`x`",
    "a;x",
    "a|x",
    "a&x",
    "a b",
    "{{7*7}}",
    "{% x %}",
    "%h",
    "a%n",
    "]",
    "[x]",
    "a'b",
    'a"b',
    "a\\b",
    "#a",
    "a #b",
    "a=b",
    "../../etc/passwd",
    "/a/../b",
    "--option",
    "-oProxyCommand=x",
    "é",
    "",
    " ",
    "x" * 4900,
]


def string_fields() -> Iterator[tuple[str, ...]]:
    """The path of every field that takes a text, with `hosts.hostD` for any host."""
    schema = reference.json_schema()
    places = {"Document": (), "HostEntry": ("hosts", "hostD")}
    waiting = list(places.items())
    while waiting:
        section, path = waiting.pop()
        for key, field in {"Document": schema, **schema["$defs"]}[section]["properties"].items():
            choices = [field, *field.get("anyOf", ())]
            waiting += [(choice["$ref"].rpartition("/")[2], (*path, key)) for choice in choices if "$ref" in choice]
            if any(choice.get("type") == "string" for choice in choices):
                yield (*path, key)


def an_inventory_with(paths: list[tuple[str, ...]], value: str) -> str:
    """An inventory that is right but for the value at some paths, in double quotes with every sign escaped."""
    tree = document.read(a_text(hosts=HOSTS + "  hostD: {address: 10.0.0.4}\n")).root.plain()
    for path in paths:
        section = tree
        for key in path[:-1]:
            section = section.setdefault(key, {})
        section[path[-1]] = "".join(f"\\U{ord(sign):08x}" for sign in value) if len(value) < 100 else value
    return as_yaml(tree)


def value_at(found: Document, path: tuple[str, ...]) -> object:
    value: object = found
    for key in path:
        value = value[key] if key == "hostD" else getattr(value, key)
    return value


@pytest.mark.parametrize("injection", INJECTIONS)
def test_injection_in_any_text_is_refused_or_harmless_and_stays_as_it_was(injection):
    fields = list(string_fields())
    assert len(fields) > 35
    found = problems(an_inventory_with(fields, injection))
    assert all(problem.isprintable() and len(problem) < 400 for problem in found)
    refused = {problem.split(": ")[1] for problem in found}
    accepted = [path for path in fields if ".".join(path) not in refused]

    assert all(is_harmless(injection, path) for path in accepted)
    taken = read(an_inventory_with([path for path in accepted if path[-1] != "password"], injection)).document
    assert all(value_at(taken, path) == injection for path in accepted if path[-1] != "password")


@pytest.mark.parametrize("path", [("site",), ("ssh", "key"), ("heat", "user"), ("proxy", "tls", "certificate")])
def test_text_of_ten_thousand_letters_is_refused(path):
    found = problems(an_inventory_with([path], "x" * 10_000))

    assert any("this line is longer than 5000 characters" in problem for problem in found)


def is_harmless(value: str, path: tuple[str, ...]) -> bool:
    """Whether a text may stand in a unit file, HAProxy's config or an argument list as it is."""
    if path[-1] in ("key", "known_hosts", "ssh_config", "clouds_file"):
        return not value.startswith("-") and not re.search(r"[\x00-\x1f\x7f\u2028'\"$%`\\;&|<>*?(){}\[\]#]", value)
    if path[-1] == "password":
        return not re.search(r"[\s'\"$%`\\#]|[^!-~]", value)
    return not value.startswith("-") and not re.search(r"[\s'\"$%`\\;&|<>*?(){}\[\]#]|[^!-~]", value)
