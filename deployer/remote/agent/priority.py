"""Let the services of this host go first: what only reads, or loads libraries, yields to them for a while."""

import atexit
import contextlib
import glob
import os
import signal

YIELD_SECONDS = 1.0  # then it takes its share as any other: on a host without a free core it would hardly end
NICE = 15  # a thirtieth of a service's share; one with less could not even come back in time
STATUS = "/proc/self/status"
AUTOGROUP = "/proc/self/autogroup"
CHILDREN = "/proc/%d/task/*/children"
CAP_SYS_NICE = 23  # linux/capability.h: who has it not could not come back


def yield_to_services(seconds=YIELD_SECONDS):
    """Take a small share of processors and disks while services want them, for so many seconds at most.

    So do the programs that this process starts meanwhile, which come back with it; what systemd starts does not.
    """
    if may_come_back() and not is_yielding():
        leave_session()
        signal.signal(signal.SIGALRM, lambda *_: take_share())
        signal.setitimer(signal.ITIMER_REAL, seconds)
        atexit.register(signal.setitimer, signal.ITIMER_REAL, 0)  # a Python that ends has no handler any more
        set_share(NICE)


def take_share():
    """Come back with all that this process has started: before others would wait for what it holds."""
    if is_yielding():
        signal.setitimer(signal.ITIMER_REAL, 0)
        set_share(0)


def is_yielding():
    return os.getpriority(os.PRIO_PROCESS, 0) == NICE


def may_come_back():
    with open(STATUS) as stream:
        has = next((int(line.split()[1], 16) for line in stream if line.startswith("CapEff:")), 0)
    return bool(has >> CAP_SYS_NICE & 1)


def leave_session():
    with contextlib.suppress(OSError):  # we lead one already
        os.setsid()


def set_share(nice):
    """For Linux that shares the processors among processes, and for one that does among sessions: sched(7)."""
    for pid in [os.getpid(), *children(os.getpid())]:
        with contextlib.suppress(OSError):  # it has ended
            os.setpriority(os.PRIO_PROCESS, pid, nice)
    with contextlib.suppress(OSError), open(AUTOGROUP, "w") as stream:
        stream.write("%d\n" % nice)


def children(pid):
    found = []
    for path in glob.glob(CHILDREN % pid):
        with contextlib.suppress(OSError), open(path) as stream:  # that one has ended
            found += map(int, stream.read().split())
    return found + [each for child in found for each in children(child)]
