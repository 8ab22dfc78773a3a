"""Stages a run: every host checks and keeps what it will get, before anything is changed on any host.

Then saves the inventory. At the end every host records the result.
"""

import base64
from collections.abc import Collection, Mapping
from typing import Any

from deployer import errors
from deployer.desired import generations
from deployer.inventory import inventory_file
from deployer.model.events import Level
from deployer.model.names import unit_name
from deployer.model.purpose import Purpose
from deployer.model.run import REFUSED, Run
from deployer.model.service import Service
from deployer.model.state import File, HostState
from deployer.model.wire import Reply
from deployer.observed import history
from deployer.observed.observe import LEDGER
from deployer.plan.planned import Planned
from deployer.remote.fleet import Fleet

STAGE_TIMEOUT = 120.0  # seconds
UNIT_FILES = "/etc/systemd/system/"
UNIT_CHECK = ("systemd-analyze", "verify", "--man=no", "{}")


def begin(planned: Planned, fleet: Fleet) -> Run | None:
    """Have every host check what it will get, keep that, and record that a run begins; None when none is needed.

    Raise NotReady with every problem of every host, or HostUnreachable for those that do not answer: nothing is
    changed then.
    """
    if not _is_needed(planned):
        return None
    run = history.next_run(planned.observed, planned.change.author)
    states = {host: planned.desired.states[host] for host in planned.plan.hosts}
    record = run.json() | {"hosts": list(planned.observed)}
    requests = {host: _request(record, states.get(host), each.state) for host, each in planned.observed.items()}
    replies = fleet.ask("stage", "stage", requests, STAGE_TIMEOUT)
    _refuse_unstaged(run, replies, fleet)
    return run


def _is_needed(planned: Planned) -> bool:
    """Whether something changes or is proven, a run did not finish, or hosts have to record an edited inventory."""
    if planned.plan.waves or planned.change.goal.purpose is Purpose.RESTORE:
        return bool(planned.plan.waves)
    unfinished = history.unfinished_runs(planned.observed)
    return bool(unfinished) or history.inventory_changed(planned.observed, planned.change.author)


def _refuse_unstaged(run: Run, replies: Mapping[str, Any], fleet: Fleet) -> None:
    """Record the run as refused on the hosts that are ready where others are not, and raise the problems of these."""
    lost = [reply for reply in replies.values() if isinstance(reply, errors.DeployerError)]
    answers = {host: reply for host, reply in replies.items() if not isinstance(reply, errors.DeployerError)}
    problems = [f"{host}: {problem}" for host, reply in answers.items() for problem in reply["problems"]]
    if lost or problems:
        record_result(run, REFUSED, [host for host, reply in answers.items() if not reply["problems"]], fleet)
    if problems:
        raise errors.NotReady(
            problems, hint="Nothing was changed. Fix these problems, then run the same command again."
        )
    if lost:
        lost = [errors.DeployerError(each.message, "Nothing was changed on any host.") for each in lost]
        raise errors.ManyFailed(lost, errors.HostUnreachable.exit_code)


def save_inventory(planned: Planned, run: Run | None, fleet: Fleet) -> None:
    """Write an edited inventory, now that every host is ready; when that fails nothing is changed.

    Raise Locked when the lock was lost meanwhile, StalePlan when somebody else has changed the file, BadInput when it
    cannot be written.
    """
    file = planned.change.file
    if file is None or not file.is_edited:
        return
    try:
        if not fleet.holds_lease():
            raise errors.Locked.lost()
        inventory_file.save(file)
    except errors.DeployerError:
        record_result(run, REFUSED, list(planned.observed), fleet)
        raise


def record_result(run: Run | None, result: str, hosts: Collection[str], fleet: Fleet) -> None:
    """Have hosts record the result of a run; on one that does not answer the run counts as unfinished."""
    if run is None:
        return
    request = {"ledger": LEDGER, "run": run.json() | {"result": result, "hosts": list(hosts)}}
    fleet.ask("record the result", "close", dict.fromkeys(hosts, request), STAGE_TIMEOUT, Level.VERBOSE)


def recall(hosts: Collection[str], number: int | None, fleet: Fleet) -> dict[str, Reply]:
    """Host -> {runs, state}: all runs that it has recorded and, given a number, its state then (None: nothing of ours).

    Raise HostUnreachable or HostFailed unless all hosts answer.
    """
    request = {"ledger": LEDGER} | ({} if number is None else {"number": number})
    replies = fleet.ask("read the history", "recall", dict.fromkeys(hosts, request), STAGE_TIMEOUT, Level.VERBOSE)
    lost = [reply for reply in replies.values() if isinstance(reply, errors.DeployerError)]
    if lost:
        raise errors.together(lost)
    return {host: reply for host, reply in replies.items() if not isinstance(reply, errors.DeployerError)}


def _request(run: Mapping[str, Any], state: HostState | None, observed: HostState) -> dict[str, Any]:
    files = [] if state is None else [_file(file, observed.files.get(path)) for path, file in state.files.items()]
    is_proxy_written = any(each["comes"] and each["only"] == Service.PROXY for each in files)
    binds = sorted(_binds(state)) if state is not None and is_proxy_written else []
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
