"""Perform steps on a host in order, and stop at the first that fails."""

import os
import pwd
import shutil
import signal
import subprocess

from deployer.remote.agent import (
    exclusive,
    files,
    haproxy_state,
    journal,
    ledger,
    probes,
    programs,
    progress,
    seamless_restart,
    socket_takeover,
    sockets,
)


def perform(request):
    """Given steps in order, do them and stop at the first that fails: {done: [output], failed: null | {index, why}}.

    A step that only waits, and may be asked again from there, is marked by `again`. `seconds`: of each step done.
    """
    done, exclusive_run, clock = [], exclusive.ExclusiveRun(request), progress.StepClock()
    for index, step in enumerate(request["steps"]):
        clock.begin()
        try:
            exclusive_run.begin(index, step)
            journal.step_started(request, step)
            done.append(STEPS[step["do"]](step, request["ledger"]) or "")
            journal.step_done(request)
            clock.done()
        except programs.NotYet as waiting:
            clock.tell("waiting")
            failed = {"index": index, "why": str(waiting), "again": True}
            return {"done": done, "failed": failed, "seconds": clock.seconds}
        except (programs.Failed, OSError, LookupError, subprocess.SubprocessError) as error:
            clock.tell("failed")
            failed = {"index": index, "why": str(error) or type(error).__name__}
            return {"done": done, "failed": failed, "seconds": clock.seconds}
    exclusive_run.end(os.path.dirname(request["ledger"]))
    return {"done": done, "failed": None, "seconds": clock.seconds}


def share_port(step, ledger_path):
    """Let the proxy listen beside whoever holds its addresses; where the kernel cannot, they are stopped first."""
    held = holders_in(step)
    if not socket_takeover.share_port(held, os.geteuid()):
        stop_holders(held, step, ledger_path)


def release_port(step, ledger_path):
    """Stop whoever holds some addresses, when its last request is answered, and remember how to bring it back."""
    held = holders_in(step)
    if not held:
        return
    try:
        socket_takeover.lead_to_newest(held)
        left = socket_takeover.drain(held, step["timeout"], probes.POLL_INTERVAL)
    except PermissionError:  # this kernel lets nobody copy another process's sockets
        left = 0
    if left:
        where = ", ".join("%(address)s:%(port)d" % each for each in held)
        raise programs.Failed(
            "%d connections to the old server of %s are still in use after %d s; it goes on "
            "answering them, new ones go to the proxy" % (left, where, step["timeout"])
        )
    stop_holders(held, step, ledger_path)


def start_predecessor(step, _):
    """Start again who was stopped for the proxy, beside it, and lead new connections to them once they answer."""
    ports = {each["port"] for each in step["stopped"]}
    held = [each for each in sockets.listeners() if each.get("unit") == step["beside"] and each["port"] in ports]
    source = socket_takeover.unused_port()
    for unit in sorted({each["unit"] for each in step["stopped"]}):
        mine = [each for each in held if each["port"] in ports_of(step, unit)]
        socket_takeover.share_port(mine, uid_of(unit))
        socket_takeover.keep_with_holders(mine, source)
        socket_takeover.with_settings(
            unit, "Environment=UWSGI_REUSE_PORT=true", lambda name=unit: start_as_enabled(step, name)
        )
    for each in step["stopped"]:
        probes.wait_until(
            lambda at=each: is_listening(at) and socket_takeover.answers_from(at["address"], at["port"], source),
            step["timeout"],
            "%(unit)s does not answer on %(address)s:%(port)d" % each,
        )
    socket_takeover.lead_to_newest(held)


def start_as_enabled(step, unit):
    was_enabled = any(each["enabled"] for each in step["stopped"] if each["unit"] == unit)
    programs.call(
        ["systemctl"] + (["enable", "--quiet", "--now"] if was_enabled else ["start"]) + [unit], step["timeout"]
    )


def is_listening(entry):
    return any(each.get("unit") == entry["unit"] for each in listeners_at(entry["address"], entry["port"]))


def soft_stop(step, _):
    """Stop the proxy once it has ended what it has begun: on SIGTERM it would cut that off."""
    socket_takeover.with_settings(
        step["unit"],
        "KillSignal=SIGUSR1",
        lambda: programs.call(["systemctl", "disable", "--quiet", "--now", step["unit"]], step["timeout"]),
    )


def ports_of(step, unit):
    return [each["port"] for each in step["stopped"] if each["unit"] == unit]


def uid_of(unit):
    """The user as whom a unit listens."""
    shown = programs.call(["systemctl", "show", "--property=User", "--value", unit]).strip()
    return pwd.getpwnam(shown).pw_uid if shown else 0


def remove_records(step, ledger_path):
    """Remove our records from a host where nothing of ours is left, unless they are needed to start a process again."""
    book = ledger.read(ledger_path)
    if not book["files"] and all(each["unit"] for each in book["stopped"]):
        shutil.rmtree(os.path.dirname(ledger_path), ignore_errors=True)


def holders_in(step):
    """Those of a step's holders that still listen; Failed when another process took their place."""
    held = []
    for each in step["holders"]:
        found = [other for other in listeners_at(each["address"], each["port"]) if other.get("unit") != step["beside"]]
        if found and each["pid"] not in [other.get("pid") for other in found]:
            raise programs.Failed("%(address)s:%(port)d is now held by another process than planned" % each)
        held += [each] if found else []
    return held


def stop_holders(held, step, ledger_path):
    remember_stopped(held, ledger_path)
    units = sorted({each["unit"] for each in held if each["unit"]})
    if units:
        programs.call(["systemctl", "disable", "--now"] + units, step["timeout"])
    for pid, name in {(each["pid"], each["signal"]) for each in held if not each["unit"]}:
        os.kill(pid, signal.Signals[name])
    for each in held:
        probes.wait_until(
            lambda at=each: not still_holds(at),
            step["timeout"],
            "%(address)s:%(port)d is still held after its process was stopped" % each,
        )


def still_holds(holder):
    return any(each.get("pid") == holder["pid"] for each in listeners_at(holder["address"], holder["port"]))


def remember_stopped(held, ledger_path):
    """Record what is about to be stopped, whether it starts with the host, and what it was."""
    book = ledger.read(ledger_path)
    ports = {each["port"] for each in held}
    recorded = {each["unit"] for each in book["stopped"] if each["enabled"]}  # disabled by a run that went no further
    book["stopped"] = [each for each in book["stopped"] if each["port"] not in ports]
    for each in held:
        argv = sockets.process(each["pid"]).get("argv", [])
        book["stopped"].append(
            {
                "unit": each["unit"],
                "argv": argv,
                "address": each["address"],
                "port": each["port"],
                "enabled": each["unit"] in recorded or is_enabled(each["unit"]),
            }
        )
    ledger.write(ledger_path, book)


def is_enabled(unit):
    return bool(unit) and subprocess.run(["systemctl", "is-enabled", "--quiet", unit]).returncode == 0


def listeners_at(address, port):
    """Who listens on an address, or on all addresses, at a port."""
    wanted = (address, "0.0.0.0", "::")
    return [
        each
        for each in sockets.listeners()
        if each["port"] == port and (each["address"] in wanted or address in wanted[1:])
    ]


STEPS = {
    "write": files.write,
    "remove": files.remove,
    "systemctl": programs.systemctl,
    "run": programs.run,
    "reload": haproxy_state.reload,
    "share_port": share_port,
    "release_port": release_port,
    "start_predecessor": start_predecessor,
    "soft_stop": soft_stop,
    "seamless_restart": seamless_restart.seamless_restart,
    "remove_records": remove_records,
    "await_http": probes.await_http,
    "await_reply": probes.await_reply,
    "set_server": probes.set_server,
}
