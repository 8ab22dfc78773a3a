"""The first phase of a run: every host judges and keeps what it will get, before anything is changed on any.

And its end: every host notes the result.
"""

import base64
from collections.abc import Collection, Mapping
from typing import Any

from deployer import errors
from deployer.apply import generations
from deployer.apply.generations import Run
from deployer.model.facts import Observation
from deployer.model.names import unit_name
from deployer.model.service import Service
from deployer.model.state import File, HostState
from deployer.observed.observe import LEDGER
from deployer.remote.fleet import Fleet

STAGE_TIMEOUT = 120.0  # seconds
UNIT_FILES = "/etc/systemd/system/"
UNIT_CHECK = ("systemd-analyze", "verify", "--man=no", "{}")


def begin(run: Run, states: Mapping[str, HostState], observed: Mapping[str, Observation], fleet: Fleet) -> None:
    """Have every host that was looked at judge what it will get, keep that, and note that the run begins.

    Raise NotReady with every problem of every host, or HostUnreachable for those that are gone: nothing is
    changed then.
    """
    told = run.json() | {"hosts": list(observed)}
    requests = {host: _request(told, states.get(host), each.state) for host, each in observed.items()}
    replies = fleet.ask("stage", "stage", requests, STAGE_TIMEOUT)
    lost = [reply for reply in replies.values() if isinstance(reply, errors.DeployerError)]
    problems = [
        f"{host}: {problem}"
        for host, reply in replies.items()
        if not isinstance(reply, errors.DeployerError)
        for problem in reply["problems"]
    ]
    if lost or problems:
        begun = [
            host
            for host, reply in replies.items()
            if not isinstance(reply, errors.DeployerError) and not reply["problems"]
        ]
        end(run, generations.REFUSED, begun, fleet)
    if problems:
        raise errors.NotReady(problems, hint="Nothing was changed. Mend these, then run the same command again.")
    if lost:
        lost = [errors.DeployerError(each.message, "Nothing was changed on any host.") for each in lost]
        raise errors.ManyFailed(lost, errors.HostUnreachable.exit_code)


def end(run: Run, result: str, hosts: Collection[str], fleet: Fleet) -> None:
    """Have hosts note how a run ended; one that does not answer will say that it did not end there."""
    request = {"ledger": LEDGER, "run": run.json() | {"result": result, "hosts": list(hosts)}}
    fleet.ask("note the end", "close", dict.fromkeys(hosts, request), STAGE_TIMEOUT)


def recall(hosts: Collection[str], number: int | None, fleet: Fleet) -> dict[str, dict[str, Any]]:
    """Host -> {runs, state}: all that it has kept and, given a number, what it had then (None: nothing of ours).

    Raise HostUnreachable or HostFailed unless all hosts answer.
    """
    request = {"ledger": LEDGER} | ({} if number is None else {"number": number})
    replies = fleet.ask("look back", "recall", dict.fromkeys(hosts, request), STAGE_TIMEOUT)
    lost = [reply for reply in replies.values() if isinstance(reply, errors.DeployerError)]
    if lost:
        raise errors.together(lost)
    return replies


def _request(run: Mapping[str, Any], state: HostState | None, observed: HostState) -> dict[str, Any]:
    files = [] if state is None else [_file(file, observed.files.get(path)) for path, file in state.files.items()]
    binds = sorted(_binds(state)) if any(each["comes"] and each["only"] == Service.PROXY for each in files) else []
    return {
        "ledger": LEDGER,
        "run": run,
        "files": files,
        "binds": binds,
        "state": None if state is None else generations.state_to_json(state),
    }


def _binds(state: HostState) -> set[str]:
    """The addresses on which the proxy will listen: a reload for one that is not there refuses clients for seconds."""
    return {
        address for name, unit in state.units.items() if name == unit_name(Service.PROXY) for address, _ in unit.needs
    }


def _file(file: File, observed: File | None) -> dict[str, Any]:
    is_there = observed is not None and observed.digest == file.digest
    content = None if is_there else base64.b64encode(file.content or b"").decode()
    check = UNIT_CHECK if file.path.startswith(UNIT_FILES) else file.check
    return {
        "path": file.path,
        "digest": file.digest,
        "content": content,
        "check": check,
        "comes": not is_there,
        "only": file.only,
    }
