"""Wait on a host for what no event announces: answers over HTTP and of a unix socket, the effect of a command."""

import csv
import http.client
import itertools
import re
import time

from deployer.remote.agent import certificates, exclusive, haproxy_state, observe, programs, sockets, warm_up

POLL_INTERVAL = 0.05  # seconds: no event announces it
POLLS_PER_UNIT_CHECK = 10


def wait_until(true, seconds, otherwise):
    deadline = time.monotonic() + seconds
    while not true():
        if time.monotonic() > deadline:
            raise programs.Failed(otherwise)
        exclusive.refuse_if_orphaned()
        time.sleep(POLL_INTERVAL)


def await_http(step, _):
    """Wait until an address answers with an expected status; give up early when its unit dies over and over.

    Over TLS, if `trust` names a server and its authorities, only that one's answer counts; with `owner` only that of a
    process of that unit: another one may still have the port.
    """
    last = [""]
    started = time.monotonic()
    for polls in itertools.count(1):
        if answers(step, last) and is_from_owner(step, last):
            break
        timed_out = time.monotonic() > started + step["timeout"]
        if timed_out or polls % POLLS_PER_UNIT_CHECK == 0 and crash_loops(step["unit"]):
            raise programs.Failed(
                "no good answer from %s:%d%s (%s)\n%s"
                % (step["address"], step["port"], step["path"], last[0], programs.last_lines(step["unit"]))
            )
        exclusive.refuse_if_orphaned()
        time.sleep(POLL_INTERVAL)
    warm_up.warm_up(step)


def answers(step, last):
    connection = http.client.HTTPConnection(step["address"], step["port"], timeout=5)
    try:
        if step.get("secure"):
            connection.connect()
            connection.sock = certificates.secured(connection.sock, step.get("trust"))
        connection.request("GET", step["path"])
        status = connection.getresponse().status
    except (OSError, http.client.HTTPException) as error:
        last[0] = str(error) or type(error).__name__
        return False
    finally:
        connection.close()
    last[0] = "status %d" % status
    return status in step["expect"]


def is_from_owner(step, last):
    """Whether a process of the unit that is to answer listens there, if one is to."""
    there = [each for each in sockets.listeners() if each["port"] == step["port"]] if "owner" in step else []
    if "owner" not in step or any(each.get("unit") == step["owner"] for each in there):
        return True
    last[0] = "it comes from %s, not from %s" % (", ".join(map(name_of, there)) or "nobody", step["owner"])
    return False


def name_of(listener):
    """Who listens, for people."""
    if "pid" not in listener:
        return "an unknown process"
    return "%(program)s (pid %(pid)d of %(unit)s)" % listener


def crash_loops(unit):
    state = observe.units_like([unit]).get(unit, {})
    return state.get("active") == "failed" or state.get("restarts", 0) >= 3


def await_reply(step, _):
    """Wait until a unix socket's answer to a question contains a text."""
    wait_until(
        lambda: step["contains"] in (sockets.ask_or_none(step["socket"], step["send"]) or ""),
        step["timeout"],
        "%(socket)s never answered with %(contains)s" % step,
    )


def set_server(step, _):
    """Send a command to a unix socket, which answers nothing when it obeys, and wait until answers show the effect."""
    answer = sockets.ask(step["socket"], step["send"]).strip()
    if answer:
        raise programs.Failed("%s answered: %s" % (step["send"].strip(), answer))
    if "keep" in step:
        haproxy_state.save(step)
    deadline = time.monotonic() + step["timeout"]
    for condition in step["until"]:
        while not shows(step["socket"], condition):
            if time.monotonic() > deadline:
                return timed_out(step, condition)
            exclusive.refuse_if_orphaned()
            time.sleep(POLL_INTERVAL)
    return None


def timed_out(step, condition):
    """The message on an effect that does not come in time; Failed unless `force` goes on without it."""
    message = "after %d s %s" % (step["timeout"], condition["else"])
    found = cells(step["socket"], condition)
    if found:
        message += " (%s: %s)" % (condition["column"], ", ".join(found))
    if step.get("force"):
        return message
    raise programs.Failed(message)


def shows(path, condition):
    """Whether an answer lacks a text, or has a row of comma-separated values whose column matches a pattern."""
    if "lacks" in condition:
        answer = sockets.ask_or_none(path, condition["send"])
        return answer is not None and condition["lacks"] not in answer
    return any(re.fullmatch(condition["matches"], cell) for cell in cells(path, condition))


def cells(path, condition):
    """The column of those rows of an answer, comma-separated values, that a condition is about."""
    answer = sockets.ask_or_none(path, condition["send"])
    if answer is None or "row" not in condition:
        return []
    rows = csv.DictReader(line for line in answer.splitlines() if line.strip())
    return [
        row[condition["column"]]
        for row in rows
        if all(row.get(key) == value for key, value in condition["row"].items())
    ]
