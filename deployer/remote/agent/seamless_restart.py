"""Start the proxy anew beside its own earlier process, which hands its sockets over and ends what it has begun.

At a reload HAProxy does so itself (management guide of HAProxy 2.6, section 4), in a process whose unit stays as it is.
Here systemd starts the new process, with whatever its unit says by now.
"""

import os
import re

from deployer.remote.agent import probes, programs, socket_takeover, sockets

UNIT_FILES = "/etc/systemd/system"


def seamless_restart(step, _):
    """Start a unit of HAProxy; those of its processes that run by then hand over, and it is done when they have ended.

    Also one that systemd no longer counts as the unit's, as its successor did not start in an earlier run.
    """
    unit, earlier = step["unit"], masters_of(step["unit"])
    if not earlier:
        programs.systemctl({"arguments": ["start", unit], "timeout": step["timeout"]}, None)
        return
    settings = handover(unit, step["socket"], earlier)
    socket_takeover.with_settings(unit, settings, lambda: start_successor(unit, step["timeout"]))
    probes.wait_until(
        lambda: not set(earlier) & set(masters_of(unit)),
        step["timeout"],
        "the earlier process of %s still ends requests that it began, after %d s" % (unit, step["timeout"]),
    )


def masters_of(unit):
    """The processes of a unit that none of its others has started."""
    mine = {int(name) for name in os.listdir("/proc") if name.isdigit() and sockets.unit_of(int(name)) == unit}
    return sorted(pid for pid in mine if sockets.parent_of(pid) not in mine)


def handover(unit, socket, earlier):
    """The settings of a unit with which its successor starts, and nobody but the successor ends its earlier processes.

    It fetches their sockets over a unix socket (-x), and has them end softly (-sf) once it has those.
    """
    with open(os.path.join(UNIT_FILES, unit)) as stream:
        command = re.findall(r"(?m)^ExecStart=(.*)$", stream.read())[-1]
    return "\n".join(
        [
            "ExecStart=",
            "ExecStart=%s -x %s -sf %s" % (command, socket, " ".join(map(str, earlier))),
            "KillMode=none",
            "RuntimeDirectoryPreserve=yes",
            # If nobody is left to remove these settings, systemd says that it must read its units again.
            "ExecStartPost=+/bin/rm -f %s" % socket_takeover.settings_path(unit),
        ]
    )


def start_successor(unit, timeout):
    """Restart a unit that has those settings; if that fails, its earlier processes go on and nothing tries again."""
    try:
        programs.systemctl({"arguments": ["restart", unit], "timeout": timeout}, None)
    except programs.Failed:
        programs.call(["systemctl", "stop", unit], timeout)
        raise
