"""Results as the tables of docs/benchmarks.md. Pure, but for `put`, which writes them there."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from statistics import median
from typing import Any

from benchmarks import targets

BEGIN, END = "<!-- results: written by bin/bench -->", "<!-- end of results -->"


def text(results: Mapping[str, Any]) -> str:
    """All tables, as Markdown."""
    return "\n\n".join("\n".join(block) for block in _blocks(results))


def put(results: Mapping[str, Any], document: Path) -> None:
    """Replace what is between the document's marks."""
    before, _, rest = document.read_text().partition(BEGIN)
    document.write_text(f"{before}{BEGIN}\n\n{text(results)}\n\n{END}{rest.partition(END)[2]}")


def _blocks(results: Mapping[str, Any]) -> Iterator[list[str]]:
    yield [_setting(results)]
    yield [
        "### What was promised",
        "",
        *_table(
            ("promise", "promised", "measured", "kept"),
            (
                (each.what, each.promised, each.measured, "yes" if each.kept else "**no**")
                for each in targets.verdicts(results["parts"])
            ),
        ),
    ]
    for part in results["parts"].values():
        yield from _deploys(part) if "hosts" in part else []
        yield from _adding(part) if "host" in part else []
        yield from _listing(part) if "walls" in part else []


def _setting(results: Mapping[str, Any]) -> str:
    machine = results["machine"]
    return (
        f"Measured on {results['date']}, on {machine['cores']} cores and {machine['memory_gib']:.0f} GiB that the "
        f"hosts and the contestants share, with {', '.join(results['versions'])}."
    )


def _deploys(part: Mapping[str, Any]) -> Iterator[list[str]]:
    rounds, hosts = part["rounds"], part["hosts"]
    busy = median(each["busy"] for taken in rounds for each in taken.values())
    yield [
        f"### Nothing to change on {hosts} hosts",
        "",
        f"{part['files']} files and {part['units']} units in all; {len(rounds)} rounds; the cores were "
        f"{busy:.0%} busy before a run (median).",
    ]
    yield _table(
        ("", "median", "min", "max", "times ours", "CPU", "memory", "connections", "requests"),
        (_contestant(part, name) for name in rounds[0]),
    )
    changed = part["trips_of_a_change"]
    yield [
        f"With one lost file on {list(changed)[-1]} (a plan of one wave), `invoke deploy` opened and asked: "
        f"{_trips_text(changed)}."
    ]


def _contestant(part: Mapping[str, Any], name: str) -> Sequence[str]:
    samples = [each[name] for each in part["rounds"]]
    walls = [sample["wall"] for sample in samples]
    trips = part["trips"][name].values()
    return (
        name,
        *_seconds(walls),
        f"{median(walls) / targets.wall(part, targets.US):.2f}",
        f"{median(sample['cpu'] for sample in samples):.2f} s",
        f"{max(sample['memory_mib'] for sample in samples):.0f} MiB",
        _span(each["connections"] for each in trips),
        _span(each["requests"] for each in trips),
    )


def _adding(part: Mapping[str, Any]) -> Iterator[list[str]]:
    rounds = part["rounds"]
    yield [
        "### One engine more",
        "",
        f"{len(rounds)} rounds, on {part['host']}; the cores were "
        f"{median(each['busy'] for each in rounds):.0%} busy before a round (median).",
    ]
    names = {"by_hand": "by hand", "add_engine": "invoke add-engine"}
    yield _table(
        ("", "median", "min", "max"),
        ((title, *_seconds([each[key] for each in rounds])) for key, title in names.items()),
    )
    yield [f"Opened and asked by `invoke add-engine`: {_trips_text(part['trips'])}."]


def _listing(part: Mapping[str, Any]) -> Iterator[list[str]]:
    yield [
        "### `invoke --list`",
        "",
        *_table(("runs", "median", "min", "max"), [(str(len(part["walls"])), *_seconds(part["walls"]))]),
    ]


def _seconds(walls: Sequence[float]) -> tuple[str, str, str]:
    return f"{median(walls):.2f} s", f"{min(walls):.2f} s", f"{max(walls):.2f} s"


def _span(numbers: Iterable[int]) -> str:
    """The least and the most a host got."""
    listed = sorted(numbers)
    return str(listed[0]) if listed[0] == listed[-1] else f"{listed[0]}-{listed[-1]}"


def _trips_text(trips: Mapping[str, Mapping[str, int]]) -> str:
    return "; ".join(
        f"{host} {count['connections']} connection(s), {count['requests']} request(s)" for host, count in trips.items()
    )


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> list[str]:
    lines = [head, ["---"] * len(head), *rows]
    return [f"| {' | '.join(line)} |" for line in lines]
