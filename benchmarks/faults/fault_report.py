"""All trials as tables of counts. Pure, but for `put`, which writes them into docs/reliability.md."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from benchmarks.faults.catalogue import FAULTS

BEGIN, END = "<!-- counts of faults: written by bin/faults -->", "<!-- end of counts -->"
LONGEST = 300  # characters of what did not hold

Trials = Sequence[Mapping[str, Any]]


def text(trials: Trials) -> str:
    """All tables, as Markdown."""
    return "\n\n".join("\n".join(block) for block in _blocks(trials))


def put(trials: Trials, document: Path) -> None:
    """Replace what is between the document's marks."""
    before, _, rest = document.read_text().partition(BEGIN)
    document.write_text(f"{before}{BEGIN}\n\n{text(trials)}\n\n{END}{rest.partition(END)[2]}")


def _blocks(trials: Trials) -> Iterator[list[str]]:
    dates = sorted({each["date"] for each in trials})
    requests, failed = (sum(each[key] for each in trials) for key in ("requests", "failed"))
    held = sum(not each["broken"] for each in trials)
    yield [
        f"Made {' and '.join(dates)}: {len(trials)} faults, in {held} of which "
        f"all that is promised held. Clients sent {requests} requests meanwhile, of which {failed} failed."
    ]
    yield _table(
        ("fault", "Heat", "made", "all held", "requests", "failed", "seconds, median and most"),
        (_row(name, heat, group) for (name, heat), group in _grouped(trials, "fault", "heat").items()),
    )
    yield [
        f"- **{fault.name}**: {fault.promise}."
        for fault in FAULTS.values()
        if any(each["fault"] == fault.name for each in trials)
    ]
    details = _grouped([each for each in trials if len(_cases(trials, each["fault"])) <= 20], "fault", "case")
    if details:
        yield _table(
            ("fault", "case", "made", "all held", "seconds, most"),
            (
                (name, case, str(len(group)), _held(group), f"{max(each['seconds'] for each in group):.0f}")
                for (name, case), group in details.items()
            ),
        )
    broken = [each for each in trials if each["broken"]]
    if broken:
        yield _table(
            ("did not hold", "Heat", "what was so instead"),
            ((f"{each['fault']}: {each['case']}", each["heat"], _plain("; ".join(each["broken"]))) for each in broken),
        )


def _cases(trials: Trials, fault: str) -> set[str]:
    return {each["case"] for each in trials if each["fault"] == fault}


def _grouped(trials: Trials, *keys: str) -> dict[tuple[str, ...], list[Mapping[str, Any]]]:
    groups: dict[tuple[str, ...], list[Mapping[str, Any]]] = {}
    for each in trials:
        groups.setdefault(tuple(each[key] for key in keys), []).append(each)
    return groups


def _row(name: str, heat: str, group: Trials) -> tuple[str, ...]:
    times = sorted(each["seconds"] for each in group)
    return (
        name,
        heat,
        str(len(group)),
        _held(group),
        str(sum(each["requests"] for each in group)),
        str(sum(each["failed"] for each in group)),
        f"{times[len(times) // 2]:.0f}, {times[-1]:.0f}",
    )


def _held(group: Trials) -> str:
    held = sum(not each["broken"] for each in group)
    return str(held) if held == len(group) else f"**{held}**"


def _plain(words: str) -> str:
    """Words that fit into a cell."""
    one_line = " ".join(words.split()).replace("|", "/").replace("`", "")
    return one_line if len(one_line) <= LONGEST else f"{one_line[:LONGEST]} ..."


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> list[str]:
    return [f"| {' | '.join(line)} |" for line in [head, ["---"] * len(head), *rows]]
