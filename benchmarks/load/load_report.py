"""A long run's results as verdicts and tables. Pure, but for `put`, which writes them into docs/benchmarks.md."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.load import slow

BEGIN, END = "<!-- under load: written by bin/load -->", "<!-- end of under load -->"
QUIET, LEAST, TIMES_QUIET = "quiet", 60_000, 2.0


@dataclass(frozen=True)
class Verdict:
    """A promise and what became of it."""

    what: str
    promised: str
    measured: str
    kept: bool


def verdicts(results: Mapping[str, Any]) -> Iterator[Verdict]:
    """Given the results of a run, judge every promise of the long run."""
    arrived, quiet = results["arrived"], window(results, QUIET)["p99"]
    slow = max((each for each in results["windows"] if _is_busy(results, each)), key=lambda each: each["p99"])
    stacks = [each["stacks"] for each in results["operations"] if "stacks" in each]
    begun, complete = (sum(each[key] for each in stacks) for key in ("begun", "complete"))
    failed = sum(1 for each in results["operations"] if each["errors"])
    yield Verdict("requests", f"at least {LEAST}", f"{results['requests']}", results["requests"] >= LEAST)
    yield Verdict("failed requests", "0", f"{results['failed']}", not results["failed"])
    yield Verdict(
        "every POST arrived once", f"{arrived['posts']}", f"{arrived['once']}", arrived["once"] == arrived["posts"]
    )
    yield Verdict(
        "p99 during operations",
        f"at most {TIMES_QUIET:.0f} times the quiet p99",
        f"{slow['p99'] / quiet:.1f} times ({slow['name']})",
        slow["p99"] <= TIMES_QUIET * quiet,
    )
    yield Verdict("slow stacks complete", f"{begun}", f"{complete}", complete == begun)
    yield Verdict("operations that failed", "0", f"{failed}", not failed)


def window(results: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    """The figures of a window by its name."""
    return next(each for each in results["windows"] if each["name"] == name)


def _is_busy(results: Mapping[str, Any], figures: Mapping[str, Any]) -> bool:
    return figures["name"] in {each["name"] for each in results["operations"]}


def text(results: Mapping[str, Any]) -> str:
    """All tables, as Markdown."""
    return "\n\n".join("\n".join(block) for block in _blocks(results))


def put(results: Mapping[str, Any], document: Path) -> None:
    """Replace what is between the document's marks."""
    before, _, rest = document.read_text().partition(BEGIN)
    document.write_text(f"{before}{BEGIN}\n\n{text(results)}\n\n{END}{rest.partition(END)[2]}")


def _blocks(results: Mapping[str, Any]) -> Iterator[list[str]]:
    setting = results["setting"]
    yield [
        f"Measured on {setting['date']} with Heat {setting['heat']}, on {setting['cores']} cores that three hosts, "
        f"the clients and the deployer share: {results['requests']} requests in {results['seconds']:.0f} s."
    ]
    yield _table(
        ("promise", "promised", "measured", "kept"),
        ((each.what, each.promised, each.measured, "yes" if each.kept else "**no**") for each in verdicts(results)),
    )
    yield _windows_table(results)
    if results["slow_counts"]:
        yield _slow_table(results["slow_counts"])
    if any("stacks" in each for each in results["operations"]):
        yield _stacks_table(results)
    if results["failures"]:
        yield _table(("failed while", "requests", "why"), _reasons(results["failures"]))
    if results["not_there_yet"]:
        yield [f"Left out, since there is no such command yet: {', '.join(results['not_there_yet'])}."]


def _windows_table(results: Mapping[str, Any]) -> list[str]:
    quiet = window(results, QUIET)["p99"]
    return _table(
        ("while", "took", "requests", "failed", "p50", "p99", "times quiet p99", "slowest"),
        (
            (
                each["name"],
                f"{each['seconds']:.1f} s",
                f"{each['requests']}",
                f"{each['failed']}",
                _milliseconds(each["p50"]),
                _milliseconds(each["p99"]),
                f"{each['p99'] / quiet:.1f}",
                _milliseconds(each["most"]),
            )
            for each in results["windows"]
        ),
    )


def _slow_table(counts: Iterable[Mapping[str, Any]]) -> list[str]:
    return _table(
        (f"slow (over {slow.TIMES_P50:.0f} times p50) while", "waited for", "requests", "a server's first", "slowest"),
        (
            (each["window"], each["cause"], f"{each['slow']}", f"{each['first']}", _milliseconds(each["most"]))
            for each in counts
        ),
    )


def _stacks_table(results: Mapping[str, Any]) -> list[str]:
    return _table(
        ("slow stacks during", "begun", "complete", "failed", "stuck"),
        (
            (
                each["name"],
                f"{each['stacks']['begun']}",
                f"{each['stacks']['complete']}",
                f"{len(each['stacks']['failed'])}",
                f"{len(each['stacks']['stuck'])}",
            )
            for each in results["operations"]
            if "stacks" in each
        ),
    )


def _reasons(failures: Iterable[Mapping[str, Any]]) -> Iterator[tuple[str, str, str]]:
    """Failures of one window, over one kind of connection and for one reason, as one line."""
    counts: dict[tuple[str, str], int] = {}
    for each in failures:
        why = each["why"].partition("object at ")[0].partition("(host=")[0][:120].replace("|", "/")
        key = (each["window"] or "between", f"{why} ({'kept' if each['kept'] else 'new'} connection)")
        counts[key] = counts.get(key, 0) + 1
    return ((where, f"{count}", why) for (where, why), count in counts.items())


def _milliseconds(value: float) -> str:
    return f"{value:.0f} ms" if value >= 10 else f"{value:.1f} ms"


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> list[str]:
    lines = [head, ["---"] * len(head), *rows]
    return [f"| {' | '.join(line)} |" for line in lines]
