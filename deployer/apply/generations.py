"""What was deployed and when: a run and each host's state in JSON and back, and which of them to go back to. Pure."""

import base64
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field, replace
from typing import Any

from deployer import errors
from deployer.model.facts import Observation
from deployer.model.probes import AnswersHttp, AnswersSocket, Probe, Program
from deployer.model.service import Service
from deployer.model.state import File, HostState, Unit
from deployer.model.tls import Trust

DONE, FAILED, REVERTED, REFUSED = "done", "failed", "put back", "refused"
PROBES = {each.__name__: each for each in (AnswersHttp, AnswersSocket, Program)}


@dataclass(frozen=True)
class Author:
    """Who asks for a change, and from what: `who` is user@host, `at` UTC in ISO 8601, `tool` our version.

    `inventory` is the path of the file and `text` what it says once the change is accepted.
    """

    who: str = ""
    command: str = ""
    at: str = ""
    tool: str = ""
    inventory: str = ""
    text: str = field(default="", repr=False)


UNKNOWN_AUTHOR = Author()


@dataclass(frozen=True)
class Run:
    """One numbered deploy; `result` is None while it has not ended."""

    number: int
    author: Author
    result: str | None = None

    def json(self) -> dict[str, Any]:
        """The run as the hosts keep it."""
        return {"number": self.number, **asdict(self.author), "result": self.result}


def next_run(observed: Mapping[str, Observation], author: Author) -> Run:
    """The run after the newest that any of the hosts has."""
    return Run(1 + max((each.facts.last_run.get("number", 0) for each in observed.values()), default=0), author)


def inventory_changed(observed: Mapping[str, Observation], author: Author) -> bool:
    """Whether an inventory says something that it did not in the newest generation, though nothing has to change."""
    last_run = max(
        (each.facts.last_run for each in observed.values() if each.facts.last_run),
        key=lambda kept: kept["number"],
        default=None,
    )
    return last_run is not None and bool(author.text) and run_of(last_run).author.text != author.text


def run_of(kept: Mapping[str, Any]) -> Run:
    """A run as a host has kept it."""
    told = {name: kept.get(name, "") for name in Author.__dataclass_fields__}
    return Run(kept["number"], Author(**told), kept.get("result"))


def unfinished_runs(observed: Mapping[str, Observation]) -> dict[Run, tuple[str, ...]]:
    """Each run that has not come to its end -> the hosts on which it has not."""
    hosts: dict[Run, tuple[str, ...]] = {}
    for host, each in observed.items():
        if each.facts.last_run and each.facts.last_run["result"] is None:
            run = run_of(each.facts.last_run)
            hosts[run] = (*hosts.get(run, ()), host)
    return hosts


def describe_unfinished(observed: Mapping[str, Observation]) -> tuple[str, ...]:
    """One sentence for each run that has not come to its end: which, whose, and what was under way on which host."""
    return tuple(
        _interrupted(run, {host: observed[host].facts.last_run["doing"] for host in hosts})
        for run, hosts in unfinished_runs(observed).items()
    )


def _interrupted(run: Run, doing: Mapping[str, str | None]) -> str:
    said = [f"on {host} this was under way: {step}" for host, step in doing.items() if step]
    author = run.author
    return (
        f"generation {run.number} ({author.command}, {author.who}, {author.at}) has not come to its end on "
        f"{', '.join(doing)}; {'; '.join(said) or 'no step was under way'}"
    )


def merge_runs(runs: Mapping[str, Iterable[Mapping[str, Any]]]) -> dict[int, tuple[Run, tuple[str, ...]]]:
    """Given host -> the runs that it has kept, return number -> the run and its hosts, in order.

    A run that has ended on one host and not on another is one that has not.
    """
    observed: dict[int, tuple[Run, tuple[str, ...]]] = {}
    for host, kept in runs.items():
        for run in map(run_of, kept):
            known, hosts = observed.get(run.number, (run, ()))
            result = known.result if run.result is not None else None
            observed[run.number] = (replace(known, result=result), (*hosts, host))
    return dict(sorted(observed.items()))


def rollback_target(known: Mapping[int, tuple[Run, tuple[str, ...]]], number: int | None) -> Run:
    """The generation to go back to: as asked, or the last that was done before the newest; BadInput for none."""
    numbers = ", ".join(map(str, known)) or "none"
    if number is not None:
        if number not in known:
            raise errors.BadInput(f"there is no generation {number}", hint=f"There are: {numbers} (`invoke history`).")
        return known[number][0]
    done = [run for run, _ in list(known.values())[:-1] if run.result == DONE]
    if not done:
        raise errors.BadInput(
            "there is no earlier generation that was done to go back to",
            hint=f"There are: {numbers}. `invoke restore` goes back to the single server.",
        )
    return done[-1]


def states_of(number: int, kept: Mapping[str, Mapping[str, Any]], working: Iterable[str]) -> dict[str, HostState]:
    """Given host -> {runs, state}, as it has kept them, return their states in a generation.

    Raise BadInput for one that did not begin on all its hosts, and for one in which a host that works then has nothing:
    that is what a restore leaves, and a host that was restored, or made anew, since then.
    """
    observed = {host: state_from_json(each["state"]) for host, each in kept.items()}
    lost = [host for host in _begun(number, kept) if host in kept and number not in _numbers(kept[host])]
    empty = [host for host in working if not observed[host].units]
    if lost or empty:
        raise errors.BadInput(
            f"generation {number} has kept nothing on {', '.join(dict.fromkeys([*lost, *empty]))}",
            hint="It never began there, or a restore took it away. `invoke history` shows others.",
        )
    return observed


def _begun(number: int, kept: Mapping[str, Mapping[str, Any]]) -> dict[str, None]:
    """The hosts on which a generation was to begin."""
    runs = (run for each in kept.values() for run in each["runs"] if run["number"] == number)
    return dict.fromkeys(host for run in runs for host in run.get("hosts", ()))


def _numbers(kept: Mapping[str, Any]) -> set[int]:
    return {run["number"] for run in kept["runs"]}


def state_to_json(state: HostState) -> dict[str, Any]:
    """A host's state without the contents of its files."""
    return {
        "files": {path: _file_json(file) for path, file in state.files.items()},
        "units": {name: _unit_json(unit) for name, unit in state.units.items()},
    }


def state_from_json(kept: Mapping[str, Any] | None) -> HostState:
    """A host's state as it has kept it, its files with their contents; None: nothing of ours."""
    if kept is None:
        return HostState()
    return HostState(
        {path: _file(path, each) for path, each in kept["files"].items()},
        {name: _unit(name, each) for name, each in kept["units"].items()},
    )


def _file_json(file: File) -> dict[str, Any]:
    return {
        "digest": file.digest,
        "owner": file.owner,
        "group": file.group,
        "mode": file.mode,
        "check": list(file.check),
        "only": file.only,
    }


def _file(path: str, kept: Mapping[str, Any]) -> File:
    return File(
        path,
        kept["digest"],
        kept["owner"],
        kept["group"],
        kept["mode"],
        base64.b64decode(kept["content"]),
        tuple(kept["check"]),
        kept["only"] and Service(kept["only"]),
    )


def _unit_json(unit: Unit) -> dict[str, Any]:
    return {
        "running": unit.running,
        "enabled": unit.enabled,
        "config": unit.config,
        "ready": _probe_json(unit.ready),
        "reached": _probe_json(unit.reached),
        "secure": unit.secure,
        "needs": [list(each) for each in unit.needs],
        "reads": list(unit.reads),
        "drained": unit.drained,
    }


def _unit(name: str, kept: Mapping[str, Any]) -> Unit:
    return Unit(
        name,
        kept["running"],
        kept["enabled"],
        kept["config"],
        ready=_probe(kept["ready"]),
        needs=tuple((address, port) for address, port in kept["needs"]),
        reads=tuple(kept["reads"]),
        drained=kept["drained"],
        reached=_probe(kept["reached"]),
        secure=kept["secure"],
    )


def _probe_json(probe: Probe | None) -> dict[str, Any] | None:
    return probe and {"kind": type(probe).__name__, **asdict(probe)}


def _probe(kept: Mapping[str, Any] | None) -> Probe | None:
    if kept is None:
        return None
    fields = {name: tuple(value) if isinstance(value, list) else value for name, value in kept.items()}
    if fields.get("trust"):
        fields["trust"] = Trust(**fields["trust"])
    return PROBES[fields.pop("kind")](**fields)
