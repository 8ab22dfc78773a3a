"""Reads the runs that hosts have recorded: which did not finish, and which to roll back to. Pure."""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

from deployer import errors
from deployer.model.facts import Observation
from deployer.model.run import DONE, MOST_GENERATIONS, Author, Run

History = Mapping[int, tuple[Run, tuple[str, ...]]]  # number -> the run and the hosts that have it


def next_run(observed: Mapping[str, Observation], author: Author) -> Run:
    """The run after the newest that any host has recorded; raise BadInput where no number comes after that."""
    number = 1 + max((each.facts.last_run.get("number", 0) for each in observed.values()), default=0)
    if number > MOST_GENERATIONS:
        hosts = [host for host, each in observed.items() if each.facts.last_run.get("number") == number - 1]
        raise errors.BadInput(
            f"{', '.join(hosts)}: the newest generation there has the number {number - 1}, which no site comes to",
            hint="Nothing was changed. Find out who wrote it into /var/lib/heat-scaleout/journal there.",
        )
    return Run(number, author)


def inventory_changed(observed: Mapping[str, Observation], author: Author) -> bool:
    """Whether the text of the inventory is another one than in the newest generation."""
    newest = newest_run(observed)
    return newest is not None and bool(author.text) and newest.author.text != author.text


def newest_run(observed: Mapping[str, Observation]) -> Run | None:
    """The newest run that any host has recorded, ended where any of them says so; None before the first."""
    runs = [run_of(each.facts.last_run) for each in observed.values() if each.facts.last_run]
    return max(runs, key=lambda run: (run.number, run.result is not None), default=None)


def run_of(kept: Mapping[str, Any]) -> Run:
    """A run as a host has recorded it."""
    author = Author(**{name: kept.get(name, "") for name in Author.__dataclass_fields__})
    return Run(kept["number"], author, kept.get("result"))


def unfinished_runs(observed: Mapping[str, Observation]) -> dict[Run, tuple[str, ...]]:
    """Each run that has not finished -> the hosts on which it has not."""
    hosts: dict[Run, tuple[str, ...]] = {}
    for host, each in observed.items():
        if each.facts.last_run and each.facts.last_run["result"] is None:
            run = run_of(each.facts.last_run)
            hosts[run] = (*hosts.get(run, ()), host)
    return hosts


def describe_unfinished(observed: Mapping[str, Observation]) -> tuple[str, ...]:
    """One sentence for each run that has not finished: which, whose, and which step was in progress on which host."""
    return tuple(
        _interrupted(run, {host: observed[host].facts.last_run["doing"] for host in hosts})
        for run, hosts in unfinished_runs(observed).items()
    )


def describe_at_work(observed: Mapping[str, Observation]) -> tuple[str, ...]:
    """One sentence for each host on which a command is at work, perhaps one that was killed: its step goes on."""
    return tuple(
        f"{host}: another command is at work here now{each.facts.at_work}; this plan may change, and a deploy waits "
        "until its step has ended"
        for host, each in observed.items()
        if each.facts.at_work is not None
    )


def _interrupted(run: Run, doing: Mapping[str, str | None]) -> str:
    steps = [f"on {host} this step was in progress: {step}" for host, step in doing.items() if step]
    author = run.author
    return (
        f"generation {run.number} ({author.command}, {author.who}, {author.at}) has not finished on "
        f"{', '.join(doing)}; {'; '.join(steps) or 'no step was in progress'}"
    )


def merge_runs(runs: Mapping[str, Iterable[Mapping[str, Any]]]) -> dict[int, tuple[Run, tuple[str, ...]]]:
    """Given host -> the runs that it has recorded, return number -> the run and its hosts, in order.

    A run that has finished on one host and not on another has not finished.
    """
    merged: dict[int, tuple[Run, tuple[str, ...]]] = {}
    for host, kept in runs.items():
        for run in map(run_of, kept):
            known, hosts = merged.get(run.number, (run, ()))
            result = known.result if run.result is not None else None
            merged[run.number] = (replace(known, result=result), (*hosts, host))
    return dict(sorted(merged.items()))


def rollback_target(known: Mapping[int, tuple[Run, tuple[str, ...]]], number: int | None) -> Run:
    """The generation to roll back to: as asked, or the last done one before the newest; BadInput for none."""
    numbers = ", ".join(map(str, known)) or "none"
    if number is not None:
        if number not in known:
            raise errors.BadInput(f"there is no generation {number}", hint=f"There are: {numbers} (`invoke history`).")
        return known[number][0]
    done = [run for run, _ in list(known.values())[:-1] if run.result == DONE]
    if not done:
        raise errors.BadInput(
            "there is no earlier generation that was done to roll back to",
            hint=f"There are: {numbers}. `invoke restore` goes back to the single server.",
        )
    return done[-1]


def refuse_disputed(number: int, runs: Mapping[str, Iterable[Mapping[str, Any]]], source: str) -> None:
    """Given host -> the runs that it has recorded, raise BadInput unless all hosts of a generation remember it alike.

    Its inventory becomes the site's: no host alone may say what that was. Every generation is recorded on the source.
    """
    authors = {host: run_of(each).author for host, kept in runs.items() for each in kept if each["number"] == number}
    others = [host for host, author in authors.items() if source in authors and author != authors[source]]
    if source not in authors or others:
        who = f"{', '.join(others)} remembers another" if others else f"{source} does not remember it"
        raise errors.BadInput(
            f"generation {number} is not the same on all hosts: {who}",
            hint="Nothing was changed. Edit the inventory yourself and run `invoke deploy`.",
        )
